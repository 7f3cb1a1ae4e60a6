/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seal: handshakes over a wire that a test holds in its hands, and everything that must be refused, by its counter. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../proto/seal.h"

/* ---- a wire whose frames lie in an array ---- */

struct held {
	uint8_t *bytes;
	size_t size;
	struct wire_address from;
};

struct wire {
	struct wire *other;
	struct wire_address address; /* Of this side, as the other sees it. */
	struct held in[64];
	size_t n;
};

static void put(struct wire *to, const struct wire_address *from, const void *bytes, size_t size)
{
	struct held *held = &to->in[to->n++];

	assert_true(to->n < 64);
	*held = (struct held){malloc(size), size, *from};
	memcpy(held->bytes, bytes, size);
}

int wire_send(struct wire *wire, const struct wire_address *to, const void *head, size_t head_size, const void *body,
	      size_t body_size)
{
	assert_int_equal(body_size, 0);
	put(wire->other, &wire->address, head, head_size);
	return 0;
}

int wire_receive(struct wire *wire, struct wire_address *ret_from, uint8_t **ret_bytes, size_t *ret_size)
{
	if (!wire->n)
		return -EAGAIN;
	*ret_from = wire->in[0].from;
	*ret_bytes = wire->in[0].bytes;
	*ret_size = wire->in[0].size;
	memmove(&wire->in[0], &wire->in[1], --wire->n * sizeof(wire->in[0]));
	return 0;
}

void wire_release(uint8_t *bytes)
{
	free(bytes);
}

/* ---- two sides ---- */

struct pair {
	char folder[64];
	struct wire client_wire, server_wire;
	struct keys *client_keys, *server_keys;
	struct seal *client, *server;
	char why[SEAL_WHY];
	uint64_t now_ms;
};

static struct keys *open_keys(const struct pair *p, const char *name)
{
	char path[96], why[256];
	struct keys *keys;

	snprintf(path, sizeof(path), "%s/%s", p->folder, name);
	assert_int_equal(keys_open(path, &keys, why), 0);
	return keys;
}

static void make_seals(struct pair *p)
{
	assert_int_equal(seal_new(&p->client_wire, false, "tcp://there:1", p->client_keys, &p->client), 0);
	assert_int_equal(seal_new(&p->server_wire, true, "tcp://here:1", p->server_keys, &p->server), 0);
}

static void trust_client(struct pair *p, enum key_right right)
{
	struct trusted who = {.right = right, .name = "anna"};

	memcpy(who.key, keys_identity(p->client_keys)->public, KEY_SIZE);
	assert_int_equal(keys_trust(p->server_keys, &who), 0);
}

static void pair_open(struct pair *p, enum key_right right)
{
	memset(p, 0, sizeof(*p));
	strcpy(p->folder, "/tmp/mealy-seal-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	p->now_ms = 1000;
	p->client_wire.other = &p->server_wire;
	p->server_wire.other = &p->client_wire;
	p->client_wire.address = (struct wire_address){4, {1, 2, 3, 4}};
	p->client_keys = open_keys(p, "client");
	p->server_keys = open_keys(p, "server");
	make_seals(p);
	if (right != RIGHT_NONE)
		trust_client(p, right);
}

static void pair_close(struct pair *p)
{
	char command[128];
	uint8_t *bytes;
	size_t size;
	struct wire_address from;

	while (wire_receive(&p->client_wire, &from, &bytes, &size) == 0 ||
	       wire_receive(&p->server_wire, &from, &bytes, &size) == 0)
		wire_release(bytes);
	seal_free(p->client);
	seal_free(p->server);
	keys_close(p->client_keys);
	keys_close(p->server_keys);
	snprintf(command, sizeof(command), "rm -rf %s", p->folder);
	assert_int_equal(system(command), 0);
}

/* The next event of a side; a frame must be 'text'. */
static int next(struct pair *p, struct seal *seal, const char *text)
{
	struct wire_address from;
	uint8_t *bytes;
	size_t size;
	int r = seal_receive(seal, p->now_ms, &from, &bytes, &size, p->why);

	if (r != SEAL_FRAME)
		return r;
	assert_non_null(text);
	assert_int_equal(size, strlen(text));
	assert_memory_equal(bytes, text, size);
	wire_release(bytes);
	return r;
}

static int shake_hands(struct pair *p)
{
	int r;

	assert_int_equal(seal_connect(p->client), 0);
	assert_int_equal(next(p, p->server, NULL), -EAGAIN);
	r = next(p, p->client, NULL);
	if (r != SEAL_UP)
		return r;
	r = next(p, p->server, NULL);
	return r == -EAGAIN ? SEAL_UP : r;
}

static void client_says(struct pair *p, const char *text)
{
	assert_int_equal(seal_send(p->client, &p->server_wire.address, p->now_ms, text, strlen(text), NULL, 0), 0);
}

static void server_says(struct pair *p, const char *text)
{
	assert_int_equal(seal_send(p->server, &p->client_wire.address, p->now_ms, text, 2, text + 2, strlen(text) - 2),
			 0);
}

static struct seal_stats stats_of(const struct seal *seal)
{
	struct seal_stats stats;

	seal_get_stats(seal, &stats);
	return stats;
}

/* ---- what goes ---- */

static void frames_go_both_ways_and_are_not_readable_between(void **state)
{
	struct pair p;

	pair_open(&p, RIGHT_OPERATE);
	assert_int_equal(shake_hands(&p), SEAL_UP);
	client_says(&p, "hello switch");
	assert_null(memmem(p.server_wire.in[0].bytes, p.server_wire.in[0].size, "switch", 6));
	assert_int_equal(next(&p, p.server, "hello switch"), SEAL_FRAME);
	server_says(&p, "hello person");
	assert_int_equal(next(&p, p.client, "hello person"), SEAL_FRAME);
	assert_int_equal(seal_who(p.server, &p.client_wire.address)->right, RIGHT_OPERATE);
	assert_string_equal(seal_who(p.server, &p.client_wire.address)->name, "anna");
	/* The server is pinned now. */
	assert_non_null(keys_find_name(p.client_keys, RIGHT_SERVER, "tcp://there:1"));
	pair_close(&p);
}

static void keys_are_renewed_by_bytes_and_by_time(void **state)
{
	const struct seal_limits limits = {.rekey_bytes = 10, .rekey_ms = 500, .handshakes_per_s = 20};
	struct pair p;

	pair_open(&p, RIGHT_READ);
	seal_set_limits(p.client, &limits);
	assert_int_equal(shake_hands(&p), SEAL_UP);
	for (unsigned i = 0; i < 5; i++) {
		client_says(&p, "more than ten bytes");
		assert_int_equal(next(&p, p.server, "more than ten bytes"), SEAL_FRAME);
	}
	assert_int_equal(stats_of(p.client).rekeyed, 4);
	client_says(&p, "x");
	p.now_ms += 500;
	client_says(&p, "y");
	assert_int_equal(stats_of(p.client).rekeyed, 6);
	assert_int_equal(next(&p, p.server, "x"), SEAL_FRAME);
	assert_int_equal(next(&p, p.server, "y"), SEAL_FRAME);
	pair_close(&p);
}

static void under_load_a_cookie_is_asked_for(void **state)
{
	const struct seal_limits limits = {.rekey_bytes = 1 << 20, .rekey_ms = 1000, .handshakes_per_s = 0};
	struct pair p;

	pair_open(&p, RIGHT_READ);
	seal_set_limits(p.server, &limits);
	assert_int_equal(seal_connect(p.client), 0);
	assert_int_equal(next(&p, p.server, NULL), -EAGAIN);
	assert_int_equal(stats_of(p.server).cookies, 1);
	assert_int_equal(next(&p, p.client, NULL), -EAGAIN);
	assert_int_equal(next(&p, p.server, NULL), -EAGAIN);
	assert_int_equal(next(&p, p.client, NULL), SEAL_UP);
	assert_int_equal(next(&p, p.server, NULL), -EAGAIN);
	assert_int_equal(stats_of(p.server).handshakes, 1);
	/* Somebody else's cookie is none. */
	p.client_wire.address.bytes[0]++;
	seal_free(p.client);
	assert_int_equal(seal_new(&p.client_wire, false, "tcp://there:1", p.client_keys, &p.client), 0);
	assert_int_equal(seal_connect(p.client), 0);
	assert_int_equal(next(&p, p.server, NULL), -EAGAIN);
	assert_int_equal(stats_of(p.server).cookies, 2);
	pair_close(&p);
}

/* ---- what is refused ---- */

static void a_key_that_nobody_trusts_is_told_so(void **state)
{
	char key[KEY_TEXT];
	struct pair p;

	pair_open(&p, RIGHT_NONE);
	assert_int_equal(shake_hands(&p), SEAL_REFUSED);
	assert_int_equal(stats_of(p.server).untrusted, 1);
	key_render(keys_identity(p.client_keys)->public, key);
	assert_non_null(strstr(p.why, key));
	assert_non_null(strstr(p.why, "mealy key trust"));
	/* What it says is not heard, what it is told it hears. */
	client_says(&p, "let me in");
	assert_int_equal(next(&p, p.server, NULL), SEAL_SUSPECT);
	server_says(&p, "no, and why");
	assert_int_equal(next(&p, p.client, "no, and why"), SEAL_FRAME);
	pair_close(&p);
}

static void a_server_with_another_key_is_not_believed(void **state)
{
	struct pair p;

	pair_open(&p, RIGHT_READ);
	assert_int_equal(shake_hands(&p), SEAL_UP);
	seal_free(p.client);
	seal_free(p.server);
	keys_close(p.server_keys);
	p.server_keys = open_keys(&p, "other");
	trust_client(&p, RIGHT_READ);
	make_seals(&p);
	assert_int_equal(shake_hands(&p), SEAL_REFUSED);
	assert_int_equal(stats_of(p.client).changed, 1);
	assert_non_null(strstr(p.why, "CHANGED"));
	assert_non_null(strstr(p.why, "mealy key revoke"));
	assert_int_equal(seal_send(p.client, &p.server_wire.address, 0, "x", 1, NULL, 0), -ENOTCONN);
	pair_close(&p);
}

static void a_rotated_key_follows_the_old_one_on_both_sides(void **state)
{
	uint8_t old[KEY_SIZE];
	struct pair p;

	pair_open(&p, RIGHT_DEPLOY);
	assert_int_equal(shake_hands(&p), SEAL_UP);
	memcpy(old, keys_identity(p.client_keys)->public, KEY_SIZE);
	seal_free(p.client);
	seal_free(p.server);
	assert_int_equal(keys_rotate(p.client_keys), 0);
	assert_int_equal(keys_rotate(p.server_keys), 0);
	make_seals(&p);
	assert_int_equal(shake_hands(&p), SEAL_UP);
	assert_null(keys_find(p.server_keys, old));
	assert_int_equal(seal_who(p.server, &p.client_wire.address)->right, RIGHT_DEPLOY);
	pair_close(&p);
}

static void replays_reflections_and_changed_bits_are_counted_apart(void **state)
{
	struct wire_address *from;
	struct held copy;
	struct pair p;

	pair_open(&p, RIGHT_READ);
	assert_int_equal(shake_hands(&p), SEAL_UP);
	from = &p.client_wire.address;
	client_says(&p, "once");
	copy = p.server_wire.in[0];
	put(&p.server_wire, from, copy.bytes, copy.size);
	put(&p.client_wire, &p.server_wire.address, copy.bytes, copy.size);
	assert_int_equal(next(&p, p.server, "once"), SEAL_FRAME);
	assert_int_equal(next(&p, p.server, NULL), SEAL_SUSPECT);
	assert_int_equal(stats_of(p.server).replayed, 1);
	assert_int_equal(next(&p, p.client, NULL), SEAL_SUSPECT);
	assert_int_equal(stats_of(p.client).forged, 1);
	client_says(&p, "twice");
	p.server_wire.in[0].bytes[30] ^= 1;
	assert_int_equal(next(&p, p.server, NULL), SEAL_SUSPECT);
	assert_int_equal(stats_of(p.server).forged, 1);
	/* The counter in the head is sealed too: one from far ahead shuts nobody out. */
	client_says(&p, "three times");
	p.server_wire.in[0].bytes[23] ^= 0x40;
	assert_int_equal(next(&p, p.server, NULL), SEAL_SUSPECT);
	client_says(&p, "four");
	assert_int_equal(next(&p, p.server, "four"), SEAL_FRAME);
	pair_close(&p);
}

static void frames_of_another_session_open_nothing(void **state)
{
	struct held copy;
	struct pair p;

	pair_open(&p, RIGHT_READ);
	assert_int_equal(shake_hands(&p), SEAL_UP);
	client_says(&p, "of the first session");
	copy = p.server_wire.in[0];
	copy.bytes = memcpy(malloc(copy.size), copy.bytes, copy.size);
	assert_int_equal(next(&p, p.server, "of the first session"), SEAL_FRAME);
	seal_free(p.client);
	assert_int_equal(seal_new(&p.client_wire, false, "tcp://there:1", p.client_keys, &p.client), 0);
	assert_int_equal(shake_hands(&p), SEAL_UP);
	put(&p.server_wire, &p.client_wire.address, copy.bytes, copy.size);
	assert_int_equal(next(&p, p.server, NULL), SEAL_SUSPECT);
	assert_int_equal(stats_of(p.server).forged, 1);
	free(copy.bytes);
	pair_close(&p);
}

static void every_changed_bit_of_a_handshake_ends_it(void **state)
{
	struct pair p;

	pair_open(&p, RIGHT_READ);
	/* The reply: its head is looked at, all else is under a tag or a signature. */
	for (unsigned byte = 0; byte < 296; byte += 5) {
		assert_int_equal(seal_connect(p.client), 0);
		assert_int_equal(next(&p, p.server, NULL), -EAGAIN);
		assert_int_equal(p.client_wire.in[0].size, 296);
		p.client_wire.in[0].bytes[byte] ^= 0x10;
		assert_int_equal(next(&p, p.client, NULL), byte < 8 ? SEAL_SUSPECT : SEAL_REFUSED);
		seal_free(p.client);
		assert_int_equal(seal_new(&p.client_wire, false, "tcp://there:1", p.client_keys, &p.client), 0);
		p.now_ms += 1000;
	}
	for (unsigned byte = 8; byte < 264; byte += 5) {
		assert_int_equal(seal_connect(p.client), 0);
		assert_int_equal(next(&p, p.server, NULL), -EAGAIN);
		assert_int_equal(next(&p, p.client, NULL), SEAL_UP);
		p.server_wire.in[0].bytes[byte] ^= 0x10;
		assert_int_equal(next(&p, p.server, NULL), SEAL_SUSPECT);
		seal_free(p.client);
		assert_int_equal(seal_new(&p.client_wire, false, "tcp://there:1", p.client_keys, &p.client), 0);
		p.now_ms += 1000;
	}
	assert_int_equal(stats_of(p.server).handshakes, 0);
	pair_close(&p);
}

static void what_is_no_handshake_is_counted_and_forgotten(void **state)
{
	uint8_t bytes[400] = "MSEA\x01\x01";
	struct pair p;

	pair_open(&p, RIGHT_READ);
	for (size_t size = 0; size < 400; size += 7) {
		if (size == 72)
			continue;
		put(&p.server_wire, &p.client_wire.address, bytes, size ? size : 1);
		assert_int_equal(next(&p, p.server, NULL), SEAL_SUSPECT);
	}
	put(&p.server_wire, &p.client_wire.address, "MEAL\x01\x00\x01\x00", 8);
	assert_int_equal(next(&p, p.server, NULL), SEAL_SUSPECT);
	assert_non_null(strstr(p.why, "--insecure"));
	pair_close(&p);
}

static void who_is_revoked_is_out_at_once(void **state)
{
	struct pair p;

	pair_open(&p, RIGHT_READ);
	assert_int_equal(shake_hands(&p), SEAL_UP);
	assert_int_equal(keys_revoke(p.server_keys, keys_identity(p.client_keys)->public), 0);
	p.now_ms += 1000;
	client_says(&p, "still here");
	assert_int_equal(next(&p, p.server, NULL), SEAL_REFUSED);
	assert_non_null(strstr(p.why, "revoked"));
	pair_close(&p);
}

static void an_identity_that_others_may_read_is_none(void **state)
{
	char path[96], why[256];
	struct keys *keys;
	struct pair p;

	pair_open(&p, RIGHT_READ);
	snprintf(path, sizeof(path), "%s/client/identity", p.folder);
	assert_int_equal(chmod(path, 0644), 0);
	snprintf(path, sizeof(path), "%s/client", p.folder);
	assert_int_equal(keys_open(path, &keys, why), -EPERM);
	assert_non_null(strstr(why, "chmod 600"));
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_go_both_ways_and_are_not_readable_between),
		cmocka_unit_test(keys_are_renewed_by_bytes_and_by_time),
		cmocka_unit_test(under_load_a_cookie_is_asked_for),
		cmocka_unit_test(a_key_that_nobody_trusts_is_told_so),
		cmocka_unit_test(a_server_with_another_key_is_not_believed),
		cmocka_unit_test(a_rotated_key_follows_the_old_one_on_both_sides),
		cmocka_unit_test(replays_reflections_and_changed_bits_are_counted_apart),
		cmocka_unit_test(frames_of_another_session_open_nothing),
		cmocka_unit_test(every_changed_bit_of_a_handshake_ends_it),
		cmocka_unit_test(what_is_no_handshake_is_counted_and_forgotten),
		cmocka_unit_test(who_is_revoked_is_out_at_once),
		cmocka_unit_test(an_identity_that_others_may_read_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
