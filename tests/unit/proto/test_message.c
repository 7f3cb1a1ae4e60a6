// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mealy.pb-c.h"
#include "samples.h"
#include "tables/layout.h"

#define FOR_EACH_KIND(kind) for (enum message_kind kind = MSG_HELLO; kind < MSG_KIND_MAX; kind++)

/* ---- tables ---- */

static void compare_with_wire(const struct shape *shape)
{
	assert_int_equal(shape->n_members, shape->wire->n_fields);
	for (size_t i = 0; i < shape->n_members; i++) {
		assert_string_equal(shape->member[i].name, shape->wire->fields[i].name);
		if (shape->member[i].shape)
			compare_with_wire(shape->member[i].shape);
	}
}

static void the_tables_name_every_field_in_its_order(void **state)
{
	FOR_EACH_KIND(kind)
	compare_with_wire(message_bodies[kind].shape);
}

/* Bytes of the structure that belong to no member: holes of eight bytes are no padding. */
static void look_for_holes(const struct shape *shape)
{
	uint8_t *used = calloc(1, shape->size);
	size_t hole = 0;

	for (size_t i = 0; i < shape->n_members; i++) {
		const struct member *member = &shape->member[i];

		memset(used + member->offset, 1, member->size);
		if (member->count_offset)
			memset(used + member->count_offset, 1, sizeof(size_t));
		if (member->shape)
			look_for_holes(member->shape);
		if (member->kind == MEMBER_BYTES)
			memset(used + member->offset, 1, sizeof(void *) + sizeof(size_t));
	}
	for (size_t i = 0; i < shape->size; i++) {
		hole = used[i] ? 0 : hole + 1;
		if (hole >= 8)
			fail_msg("%s has a member at byte %zu that the tables do not know", shape->name, i - 7);
	}
	free(used);
}

static void the_tables_know_every_member(void **state)
{
	FOR_EACH_KIND(kind)
	if (kind != MSG_GET_TABLES && kind != MSG_TABLES) /* They share a structure. */
		look_for_holes(message_bodies[kind].shape);
}

static void every_kind_and_code_has_a_name(void **state)
{
	FOR_EACH_KIND(kind)
	assert_string_not_equal(message_kind_name(kind), "unknown");
	for (enum error_code code = ERROR_NONE; code <= ERROR_INTERNAL; code++)
		assert_non_null(error_code_name(code));
	assert_string_equal(message_kind_name(MSG_KIND_MAX), "unknown");
	assert_string_equal(error_code_name(1000), "unknown error");
}

/* ---- there and back ---- */

static void every_kind_comes_back_as_it_was(void **state)
{
	FOR_EACH_KIND(kind)
	{
		struct pool *pool = pool_new(SIZE_MAX);
		struct message *there = sample_message(pool, kind), *back = NULL;
		uint8_t *bytes;
		size_t size;
		char why[256] = "";

		assert_int_equal(message_check(there, why), 0);
		assert_int_equal(message_pack(there, &bytes, &size), 0);
		assert_int_equal(message_unpack(bytes, size, &back, why), 0);
		assert_true(sample_equal(there, back));
		free(bytes);
		message_free(back);
		pool_free(pool);
	}
}

static void null_strings_come_back_empty(void **state)
{
	struct message there = {.kind = MSG_OK}, *back = NULL;

	assert_int_equal(message_copy(&there, &back), 0);
	assert_string_equal(back->ok.text, "");
	assert_string_equal(back->switch_name, "");
	message_free(back);
}

static void a_deployment_comes_back_as_it_was(void **state)
{
	struct msg_setting setting[] = {{"burst", "20"}, {"interval", "10ms"}};
	const char *port[] = {"wan0", "lan0", "lan1"};
	struct deployment deployment = {.name = "limiter",
					.version = 1ull << 50,
					.file = "limiter.yaml",
					.text = "app: token-bucket\n\ttables:\n",
					.setting = setting,
					.n_settings = 2,
					.hook = HOOK_TC_EGRESS,
					.port = port,
					.n_ports = 3,
					.order = 20,
					.switches = "edge-*"};
	struct message there = {.kind = MSG_DEPLOY, .deploy = deployment}, *back = NULL;

	assert_int_equal(message_copy(&there, &back), 0);
	assert_string_equal(back->deploy.text, deployment.text);
	assert_int_equal(back->deploy.version, 1ull << 50);
	assert_int_equal(back->deploy.n_ports, 3);
	assert_string_equal(back->deploy.port[2], "lan1");
	assert_string_equal(back->deploy.setting[1].text, "10ms");
	assert_int_equal(back->deploy.order, 20);
	assert_true(deployment_digest(&back->deploy) == deployment_digest(&deployment));
	message_free(back);
}

static void a_full_chunk_comes_back_with_its_layout(void **state)
{
	static uint8_t records[DUMP_BYTES_MAX];
	struct layout layout = {.table = "police",
				.capacity = 65536,
				.key_words = 2,
				.n_registers = 2,
				.n_keys = 1,
				.n_regs = 1,
				.n_states = 2,
				.hash = UINT64_MAX,
				.key = {{"ip.src", TYPE_ADDR, 4, 0, 128}},
				.reg = {{"start", TYPE_TIME, 6, 0, 64}},
				.state = {{"NEW", 0}, {"METERED", 63}}};
	struct message there = {
		.kind = MSG_DUMP_CHUNK,
		.chunk = {.layout = &layout, .record_size = 64, .records = records, .size = sizeof(records)}};
	struct message *back = NULL;

	for (size_t i = 0; i < sizeof(records); i++)
		records[i] = i * 31;
	assert_int_equal(message_copy(&there, &back), 0);
	assert_int_equal(back->chunk.size, sizeof(records));
	assert_memory_equal(back->chunk.records, records, sizeof(records));
	assert_string_equal(back->chunk.layout->key[0].name, "ip.src");
	assert_int_equal(back->chunk.layout->key[0].bits, 128);
	assert_int_equal(back->chunk.layout->state[1].id, 63);
	assert_true(back->chunk.layout->hash == UINT64_MAX);
	message_free(back);
}

/* ---- what is refused ---- */

/* Packs without looking, as somebody else's program might. */
static int unpack_wire(Mealy__Envelope *envelope, char *why)
{
	size_t size = mealy__envelope__get_packed_size(envelope);
	uint8_t *bytes = malloc(size);
	struct message *msg = NULL;
	int r;

	mealy__envelope__pack(envelope, bytes);
	r = message_unpack(bytes, size, &msg, why);
	message_free(msg);
	free(bytes);
	return r;
}

static void expect_refused(Mealy__Envelope *envelope, const char *problem)
{
	char why[256] = "";

	assert_int_equal(unpack_wire(envelope, why), -EPROTO);
	if (!strstr(why, problem))
		fail_msg("\"%s\" does not contain \"%s\"", why, problem);
}

static Mealy__Envelope envelope_of(int kind)
{
	Mealy__Envelope envelope = MEALY__ENVELOPE__INIT;

	envelope.wire_version = WIRE_VERSION;
	envelope.id = 1;
	envelope.body_case = 16 + kind;
	return envelope;
}

static void hellos_out_of_range_are_refused(void **state)
{
	Mealy__Envelope envelope = envelope_of(MSG_HELLO);
	Mealy__Hello hello = MEALY__HELLO__INIT;
	char name[128], why[256];

	envelope.hello = &hello;
	hello.name = "edge-1";
	hello.instance = 1;
	assert_int_equal(unpack_wire(&envelope, why), 0);
	hello.name = "";
	expect_refused(&envelope, "name: empty");
	hello.name = memset(name, 'a', sizeof(name));
	name[NAME_LEN_MAX + 1] = 0;
	expect_refused(&envelope, "name: too long");
	name[NAME_LEN_MAX] = 0;
	assert_int_equal(unpack_wire(&envelope, why), 0);
	hello.name = "edge\x1b[2J";
	expect_refused(&envelope, "control character");
	hello.name = "edge\n1";
	expect_refused(&envelope, "control character");
	hello.name = "edge-1";
	hello.role = MEALY__ROLE__ROLE_USER + 1;
	expect_refused(&envelope, "out of range");
	hello.role = MEALY__ROLE__ROLE_USER;
	hello.instance = 0;
	expect_refused(&envelope, "no instance");
}

static void text_that_is_not_utf8_is_refused(void **state)
{
	static const char *const bad[] = {
		"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
		"a\xff"};
	Mealy__Envelope envelope = envelope_of(MSG_OK);
	Mealy__Ok ok = MEALY__OK__INIT;
	char why[256];

	envelope.ok = &ok;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ok.text = (char *)bad[i];
		expect_refused(&envelope, "not UTF-8");
	}
	ok.text = "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x9d\n\ttwo lines\r\n";
	assert_int_equal(unpack_wire(&envelope, why), 0);
}

static void a_nul_within_a_string_is_refused(void **state)
{
	struct message there = {.kind = MSG_OK, .ok = {.text = "one.two"}}, *back = NULL;
	uint8_t *bytes;
	size_t size;
	char why[256];

	assert_int_equal(message_pack(&there, &bytes, &size), 0);
	*(char *)memchr(bytes, '.', size) = 0;
	assert_int_equal(message_unpack(bytes, size, &back, why), -EPROTO);
	free(bytes);
}

static void too_many_things_are_refused(void **state)
{
	Mealy__Envelope envelope = envelope_of(MSG_DEPLOY);
	Mealy__Deployment deployment = MEALY__DEPLOYMENT__INIT;
	char *port[PORTS_MAX + 1];
	char why[256];

	for (size_t i = 0; i < PORTS_MAX + 1; i++)
		port[i] = "wan0";
	envelope.deploy = &deployment;
	deployment.name = "limiter";
	deployment.port = port;
	deployment.n_port = PORTS_MAX;
	assert_int_equal(unpack_wire(&envelope, why), 0);
	deployment.n_port = PORTS_MAX + 1;
	expect_refused(&envelope, "out of range");
	deployment.n_port = 1;
	deployment.hook = HOOK_MAX;
	expect_refused(&envelope, "out of range");
}

/* One member of a layout made wrong. */
struct layout_case {
	const char *problem;
	unsigned record_class, key_words, n_registers, type, word, shift, bits, id, claim_word;
};

static void layouts_that_leave_the_record_are_refused(void **state)
{
	static const struct layout_case cases[] = {
		{"", 0, 2, 2, TYPE_ADDR, 4, 0, 128, 63, 0},
		{"", 2, 5, 23, TYPE_U64, 31, 0, 64, 0, 0},
		{"exceed the record", 0, 2, 3, TYPE_U64, 4, 0, 64, 0, 0},
		{"out of range", 3, 0, 0, TYPE_U64, 4, 0, 64, 0, 0},
		{"out of range", 2, 6, 0, TYPE_U64, 4, 0, 64, 0, 0},
		{"out of range", 0, 1, 0, TYPE_MAX, 4, 0, 64, 0, 0},
		{"out of range", 0, 1, 0, TYPE_U64, 256 + 4, 0, 64, 0, 0},
		{"out of range", 0, 1, 0, TYPE_U64, 4, 0, 256 + 64, 0, 0},
		{"out of range", 0, 1, 0, TYPE_U64, 4, 0, 64, STATES_MAX, 0},
		{"outside of the record", 0, 1, 0, TYPE_U64, 8, 0, 64, 0, 0},
		{"outside of the record", 0, 1, 0, TYPE_ADDR, 7, 0, 128, 0, 0},
		{"outside of the record", 0, 1, 0, TYPE_U64, 3, 0, 64, 0, 0},
		{"outside of its word", 0, 1, 0, TYPE_U64, 4, 1, 64, 0, 0},
		{"outside of its word", 0, 1, 0, TYPE_U64, 4, 0, 65, 0, 0},
		{"outside of its word", 0, 1, 0, TYPE_U64, 4, 0, 0, 0, 0},
		{"outside of its word", 0, 1, 0, TYPE_ADDR, 4, 1, 128, 0, 0},
		{"", 0, 1, 3, TYPE_U64, 4, 0, 64, 0, 7},
		{"claim word outside of the record", 0, 1, 3, TYPE_U64, 4, 0, 64, 0, 3},
		{"claim word outside of the record", 0, 1, 3, TYPE_U64, 4, 0, 64, 0, 8},
	};
	Mealy__Envelope envelope = envelope_of(MSG_DUMP_CHUNK);
	Mealy__DumpChunk chunk = MEALY__DUMP_CHUNK__INIT;
	Mealy__Layout layout = MEALY__LAYOUT__INIT;
	Mealy__LayoutField field = MEALY__LAYOUT_FIELD__INIT, *fields[] = {&field};
	Mealy__LayoutState flow_state = MEALY__LAYOUT_STATE__INIT, *states[] = {&flow_state};
	char why[256];

	envelope.dump_chunk = &chunk;
	chunk.layout = &layout;
	layout.table = flow_state.name = field.name = "x";
	layout.n_key = layout.n_state = 1;
	layout.key = fields;
	layout.state = states;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct layout_case *c = &cases[i];

		layout.record_class = c->record_class;
		layout.key_words = c->key_words;
		layout.n_registers = c->n_registers;
		field.type = c->type;
		field.word = c->word;
		field.shift = c->shift;
		field.bits = c->bits;
		flow_state.id = c->id;
		layout.claim_word = c->claim_word;
		if (*c->problem)
			expect_refused(&envelope, c->problem);
		else
			assert_int_equal(unpack_wire(&envelope, why), 0);
	}
}

static void chunks_with_cut_records_are_refused(void **state)
{
	static uint8_t records[DUMP_BYTES_MAX + 64];
	Mealy__Envelope envelope = envelope_of(MSG_DUMP_CHUNK);
	Mealy__DumpChunk chunk = MEALY__DUMP_CHUNK__INIT;
	char why[256];

	envelope.dump_chunk = &chunk;
	chunk.records = (ProtobufCBinaryData){128, records};
	chunk.record_size = 128;
	assert_int_equal(unpack_wire(&envelope, why), 0);
	chunk.records.len = 192;
	expect_refused(&envelope, "cut off");
	chunk.record_size = 96;
	expect_refused(&envelope, "no such record size");
	chunk.record_size = 0;
	expect_refused(&envelope, "without a size");
	chunk.record_size = 64;
	chunk.records.len = sizeof(records);
	expect_refused(&envelope, "too many");
}

static void steps_of_no_frame_are_refused(void **state)
{
	Mealy__Envelope envelope = envelope_of(MSG_TRACED);
	Mealy__Traced traced = MEALY__TRACED__INIT;
	Mealy__TracedStep step = MEALY__TRACED_STEP__INIT, *steps[] = {&step};

	envelope.traced = &traced;
	traced.step = steps;
	traced.n_step = 1;
	expect_refused(&envelope, "not there");
}

static void another_version_is_recognised_whatever_follows(void **state)
{
	static const uint8_t bytes[] = {1 << 3, WIRE_VERSION + 6, 0xff, 0xff, 0xff};
	struct message *msg = NULL;
	char why[256] = "";

	assert_int_equal(message_unpack(bytes, sizeof(bytes), &msg, why), -EPROTONOSUPPORT);
	assert_non_null(strstr(why, "version 7"));
	assert_null(msg);
}

static void unknown_kinds_are_refused_and_unknown_fields_ignored(void **state)
{
	uint8_t kind[] = {1 << 3, WIRE_VERSION, 2 << 3, 5, 0xa2, 0x06, 0};	/* Field 100. */
	uint8_t field[] = {1 << 3, WIRE_VERSION, 0x9a, 0x01, 3, 0xa0, 0x06, 9}; /* echo { 100: 9 } */
	struct message *msg = NULL;
	char why[256] = "";

	assert_int_equal(message_unpack(kind, sizeof(kind), &msg, why), -EPROTO);
	assert_string_equal(why, "unknown kind of message");
	assert_int_equal(message_unpack(field, sizeof(field), &msg, why), 0);
	assert_int_equal(msg->kind, MSG_ECHO);
	message_free(msg);
}

static void messages_too_large_are_refused(void **state)
{
	char *text = malloc(MESSAGE_SIZE_MAX + 1);
	struct message there = {.kind = MSG_OK, .ok = {.text = text}}, *back = NULL;
	uint8_t *bytes = calloc(1, MESSAGE_SIZE_MAX + 1);
	size_t size;
	char why[256];

	memset(text, 'a', MESSAGE_SIZE_MAX);
	text[MESSAGE_SIZE_MAX] = 0;
	assert_int_equal(message_pack(&there, &(uint8_t *){NULL}, &size), -EMSGSIZE);
	text[MESSAGE_SIZE_MAX - 20] = 0;
	assert_int_equal(message_copy(&there, &back), 0);
	message_free(back);
	bytes[0] = 1 << 3;
	bytes[1] = WIRE_VERSION;
	assert_int_equal(message_unpack(bytes, MESSAGE_SIZE_MAX + 1, &back, why), -EPROTO);
	free(bytes);
	free(text);
}

static void packing_keeps_the_same_limits(void **state)
{
	struct message msg = {.kind = MSG_DEPLOY, .deploy = {.name = "a\tb", .text = ""}};
	uint8_t *bytes;
	size_t size;
	char why[256];

	assert_int_equal(message_pack(&msg, &bytes, &size), -EINVAL);
	assert_int_equal(message_check(&msg, why), -EPROTO);
	assert_string_equal(why, "deployment.name: control character");
	msg.kind = MSG_NONE;
	assert_int_equal(message_pack(&msg, &bytes, &size), -EINVAL);
}

/* Half a million counters of two bytes each would take a hundred times as much in memory. */
static void a_message_that_swells_is_refused(void **state)
{
	enum { N = 500000 };
	uint8_t *bytes = malloc(2 * N + 16), *at = bytes;
	struct message *msg = NULL;
	char why[256];

	*at++ = 1 << 3;
	*at++ = WIRE_VERSION;
	*at++ = 0xc2, *at++ = 0x02; /* counters, N items of no bytes */
	*at++ = 0x80 | (2 * N & 0x7f), *at++ = 0x80 | (2 * N >> 7 & 0x7f), *at++ = 2 * N >> 14;
	for (unsigned i = 0; i < N; i++)
		*at++ = 1 << 3 | 2, *at++ = 0;
	assert_int_equal(message_unpack(bytes, at - bytes, &msg, why), -EPROTO);
	free(bytes);
}

/* ---- hostile bytes ---- */

static void every_cut_message_is_survived(void **state)
{
	FOR_EACH_KIND(kind)
	{
		struct pool *pool = pool_new(SIZE_MAX);
		uint8_t *bytes;
		size_t size;
		char why[256];

		assert_int_equal(message_pack(sample_message(pool, kind), &bytes, &size), 0);
		for (size_t cut = 0; cut < size; cut++) {
			uint8_t *copy = memcpy(malloc(cut + 1), bytes, cut);
			uint8_t *exact = realloc(copy, cut ?: 1);
			struct message *msg = NULL;

			if (message_unpack(exact, cut, &msg, why) == 0)
				message_free(msg);
			free(exact);
		}
		free(bytes);
		pool_free(pool);
	}
}

static void changed_messages_are_survived(void **state)
{
	unsigned seed = 1;

	FOR_EACH_KIND(kind)
	{
		struct pool *pool = pool_new(SIZE_MAX);
		uint8_t *bytes;
		size_t size;
		char why[256];

		assert_int_equal(message_pack(sample_message(pool, kind), &bytes, &size), 0);
		for (unsigned i = 0; i < 500; i++) {
			uint8_t *copy = memcpy(malloc(size), bytes, size);
			struct message *msg = NULL;

			for (unsigned n = 1 + rand_r(&seed) % 4; n; n--)
				copy[2 + rand_r(&seed) % (size - 2)] = rand_r(&seed);
			if (message_unpack(copy, size, &msg, why) == 0) {
				assert_int_equal(message_check(msg, why), 0);
				message_free(msg);
			}
			free(copy);
		}
		free(bytes);
		pool_free(pool);
	}
}

/* ---- digest ---- */

static void the_digest_follows_everything_but_the_version(void **state)
{
	struct msg_setting setting[] = {{"a", "1"}}, other[] = {{"a", "2"}};
	const char *port[] = {"wan0"};
	const struct deployment base = {.name = "n",
					.file = "f",
					.text = "t",
					.setting = setting,
					.n_settings = 1,
					.port = port,
					.n_ports = 1,
					.order = 1,
					.switches = "s"};
	struct deployment changed[10];
	uint64_t digest = deployment_digest(&base);

	for (unsigned i = 0; i < 10; i++)
		changed[i] = base;
	changed[0].name = "m";
	changed[1].file = "";
	changed[2].text = "tf";
	changed[3].setting = other;
	changed[4].n_settings = 0;
	changed[5].hook = 1;
	changed[6].n_ports = 0;
	changed[7].order = 2;
	changed[8].switches = NULL;
	changed[9].members = "g 1 weight=0\n";
	for (unsigned i = 0; i < 10; i++)
		assert_true(deployment_digest(&changed[i]) != digest);
	changed[0] = base;
	changed[0].version = 9;
	assert_true(deployment_digest(&changed[0]) == digest);
	changed[1] = changed[2] = base;
	changed[1].file = NULL;
	changed[2].file = "";
	assert_true(deployment_digest(&changed[1]) == deployment_digest(&changed[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tables_name_every_field_in_its_order),
		cmocka_unit_test(the_tables_know_every_member),
		cmocka_unit_test(every_kind_and_code_has_a_name),
		cmocka_unit_test(every_kind_comes_back_as_it_was),
		cmocka_unit_test(null_strings_come_back_empty),
		cmocka_unit_test(a_deployment_comes_back_as_it_was),
		cmocka_unit_test(a_full_chunk_comes_back_with_its_layout),
		cmocka_unit_test(hellos_out_of_range_are_refused),
		cmocka_unit_test(text_that_is_not_utf8_is_refused),
		cmocka_unit_test(a_nul_within_a_string_is_refused),
		cmocka_unit_test(too_many_things_are_refused),
		cmocka_unit_test(layouts_that_leave_the_record_are_refused),
		cmocka_unit_test(chunks_with_cut_records_are_refused),
		cmocka_unit_test(steps_of_no_frame_are_refused),
		cmocka_unit_test(another_version_is_recognised_whatever_follows),
		cmocka_unit_test(unknown_kinds_are_refused_and_unknown_fields_ignored),
		cmocka_unit_test(messages_too_large_are_refused),
		cmocka_unit_test(packing_keeps_the_same_limits),
		cmocka_unit_test(a_message_that_swells_is_refused),
		cmocka_unit_test(every_cut_message_is_survived),
		cmocka_unit_test(changed_messages_are_survived),
		cmocka_unit_test(the_digest_follows_everything_but_the_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
