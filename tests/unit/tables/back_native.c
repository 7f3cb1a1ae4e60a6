/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applications on real frames: YAML -> tables -> the native datapath, told in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "datapath/native.h"
#include "tables/encode.h"
#include "tables/explain.h"
#include "tests/harness/frame.h"

#define S 1000000000ULL

/* The application does not begin at the hook's first table, and its ids are not indices. */
enum { FIRST_TABLE = 3, PORT_COUNT = 3 };

struct world {
	struct app *app;
	struct placement placement;
	struct layout layout[APP_TABLES_MAX];
	struct native_switch *sw;
	struct native_result result;
	struct frame frame;
	uint8_t *data;
	uint64_t now_ns;
};

/* ---- a switch with one application ---- */

static void place(struct world *w)
{
	w->placement.hash_seed = encode_hash_seed("made up");
	for (unsigned i = 0; i < w->app->n_tables; i++) {
		struct table_placement *p = &w->placement.table[i];

		p->hook = HOOK_XDP;
		p->hook_table = FIRST_TABLE + i;
		p->first_on_hook = i == 0;
		p->flow_table = 7 + i;
		p->stats = COUNTER_RULES + i * 1000;
		for (unsigned r = 0; r < RULES_ROOM; r++)
			p->rule_counter[r] = COUNTER_RULES + i * 1000 + TABLE_STAT_MAX + r;
		for (unsigned s = 1; s < w->app->table[i].n_states; s++)
			p->state_id[s] = 2 * s + 1;
	}
}

static void install_table(struct world *w, unsigned i, struct table *table)
{
	const struct table_placement *p = &w->placement.table[i];
	struct layout *layout = &w->layout[i];
	const char *why;

	assert_int_equal(encode_table(w->app, i, HOOK_XDP, &w->placement, NULL, table), 0);
	assert_int_equal(native_set_table(w->sw, TABLE_INDEX(0, HOOK_XDP, p->hook_table), table), 0);
	if (!w->app->table[i].stateful)
		return;
	assert_int_equal(layout_make(w->app, &w->app->table[i], layout, &why), 0);
	for (size_t s = 0; s < layout->n_states; s++)
		layout->state[s].id = p->state_id[s];
	assert_int_equal(
		native_add_flow_table(w->sw, p->flow_table, layout->record_class, layout->key_words, layout->capacity),
		0);
}

static void install(struct world *w)
{
	struct table *table = malloc(sizeof(*table));
	struct chain chain = {.version = 1, .valid = 1, .n_tables = w->app->n_tables};

	assert_non_null(table);
	assert_int_equal(native_new(NULL, &w->sw), 0);
	memset(chain.next_app, CHAIN_END, sizeof(chain.next_app));
	for (unsigned port = 1; port <= PORT_COUNT; port++) {
		chain.next_app[port][0] = FIRST_TABLE;
		native_set_port(w->sw, port, true);
	}
	for (unsigned i = 0; i < w->app->n_tables; i++)
		install_table(w, i, table);
	assert_int_equal(native_set_chain(w->sw, CHAIN_INDEX(0, HOOK_XDP), &chain), 0);
	native_set_active(w->sw, 0);
	free(table);
}

static struct world *world_of(const char *yaml, const struct setting *settings, size_t n_settings)
{
	struct world *w = calloc(1, sizeof(*w));
	struct diag_list diags;

	assert_non_null(w);
	diag_init(&diags, "test.yaml");
	if (app_parse(yaml, strlen(yaml), settings, n_settings, NULL, &diags, &w->app) < 0)
		diag_print(&diags, yaml, stderr);
	diag_done(&diags);
	assert_non_null(w->app);
	w->now_ns = (1ULL << TIME_BASE_NS_SHIFT) + 1000 * S;
	place(w);
	install(w);
	return w;
}

static struct world *world_of_example(const char *name, const struct setting *settings, size_t n_settings)
{
	char path[256], yaml[16384];
	struct world *w;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), MEALY_TOP "/examples/%s.yaml", name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(yaml, 1, sizeof(yaml) - 1, f);
	yaml[n] = '\0';
	fclose(f);
	w = world_of(yaml, settings, n_settings);
	return w;
}

static void world_free(struct world *w)
{
	native_free(w->sw);
	app_free(w->app);
	free(w);
}

static enum exit_reason send_frame(struct world *w, unsigned port, struct frame frame)
{
	w->frame = frame;
	w->data = w->frame.data;
	assert_int_equal(
		native_run(w->sw, HOOK_XDP, port, w->now_ns, &w->data, w->frame.size, FRAME_ROOM, 1, &w->result), 0);
	return w->result.exit;
}

#define SEND(w, port, ...) send_frame(w, port, PKT(__VA_ARGS__))

/* Explains the last step; the caller frees with explain_done(). */
static struct explanation told(struct world *w)
{
	const struct native_step *step = &w->result.step[w->result.n_steps - 1];
	unsigned i = step->element % HOOK_TABLES_MAX - FIRST_TABLE;
	struct explanation told;
	struct explain *ex;

	assert_true(w->result.n_steps > 0);
	assert_int_equal(explain_new(w->app, i, HOOK_XDP, &ex), 0);
	assert_int_equal(explain_step(ex, w->app->table[i].stateful ? &w->layout[i] : NULL, step, &told), 0);
	explain_free(ex);
	return told;
}

static void expect_rule(struct world *w, const char *rule)
{
	struct explanation is = told(w);

	assert_string_equal(is.rule, rule);
	explain_done(&is);
}

/* ---- the examples ---- */

static void a_token_bucket_grants_its_burst_to_each_source(void **state)
{
	static const char *const sources[] = {"192.0.2.1", "192.0.2.2", "2001:db8::1"};
	struct world *w = world_of_example("token-bucket", NULL, 0);

	for (unsigned s = 0; s < 3; s++) {
		unsigned passed = 0;

		for (unsigned i = 0; i < 10; i++)
			passed += SEND(w, 1, .ip_src = sources[s]) == EXIT_PASS;
		assert_int_equal(passed, 5);
		expect_rule(w, "over-rate");
	}
	w->now_ns += S;
	assert_int_equal(SEND(w, 1, .ip_src = sources[0]), EXIT_PASS);
	assert_int_equal(SEND(w, 1, .ip_src = sources[0]), EXIT_DROP);
	assert_int_equal(SEND(w, 1, .arp_op = 1), EXIT_PASS);
	expect_rule(w, "absent");
	world_free(w);
}

static void a_door_opens_by_tcp_and_udp_knocks(void **state)
{
	struct world *w = world_of_example("port-knocking", NULL, 0);
	struct explanation is;

	assert_int_equal(SEND(w, 1, .tcp_dport = 9922), EXIT_DROP);
	assert_int_equal(SEND(w, 1, .udp_dport = 1111), EXIT_DROP);
	assert_int_equal(SEND(w, 1, .tcp_dport = 2222), EXIT_DROP);
	assert_int_equal(SEND(w, 1, .udp_dport = 3333), EXIT_DROP);
	is = told(w);
	assert_string_equal(is.old_state, "TWO");
	assert_string_equal(is.new_state, "OPEN");
	explain_done(&is);
	assert_int_equal(SEND(w, 1, .tcp_dport = 9922), EXIT_PASS);
	assert_int_equal(SEND(w, 1, .icmp_type = 8), EXIT_PASS);
	w->now_ns += 10 * S;
	assert_int_equal(SEND(w, 1, .tcp_dport = 9922), EXIT_DROP);
	world_free(w);
}

/* Sends a packet at 'at_ns' after the flow was last used. */
static void expect_fall(struct world *w, uint64_t at_ns, const char *from, const char *to)
{
	struct explanation is;

	w->now_ns += at_ns;
	SEND(w, 1, .udp_dport = 1);
	is = told(w);
	assert_string_equal(is.fell_from, from);
	assert_string_equal(is.old_state, to);
	explain_done(&is);
}

/* With updates on timeout another program makes the flow fall, and the table begins again. */
static void a_fall_is_told(void **state)
{
	static const char form[] =
		"app: falls\n"
		"tables:\n"
		"  - name: t\n"
		"    state:\n"
		"      lookup: [ip.src]\n"
		"      capacity: 10\n"
		"      states: [NEW, {name: IN, idle: 1s, idle_to: REST%s}, {name: REST, hard: 9s%s}]\n"
		"      registers: [n]\n"
		"    rules:\n"
		"      - {state: NEW, next: IN}\n"
		"      - {do: n += 1}\n";

	for (unsigned i = 0; i < 2; i++) {
		char yaml[1024];
		struct world *w;

		snprintf(yaml, sizeof(yaml), form, i ? ", on_timeout: n += 10" : "", i ? ", on_timeout: notify" : "");
		w = world_of(yaml, NULL, 0);
		expect_fall(w, 0, "", "NEW");
		expect_fall(w, S / 2, "", "IN");
		expect_fall(w, 2 * S, "IN", "REST");
		expect_fall(w, 0, "", "REST");
		expect_fall(w, 20 * S, "REST", "NEW");
		expect_fall(w, 20 * S, "IN", "NEW");
		world_free(w);
	}
}

static void a_switch_learns(void **state)
{
	static const char a[] = "02:00:00:00:00:aa", b[] = "02:00:00:00:00:bb";
	struct world *w = world_of_example("mac-learning", NULL, 0);

	assert_int_equal(SEND(w, 1, .eth_src = a, .eth_dst = b), EXIT_FLOOD);
	assert_int_equal(SEND(w, 2, .eth_src = b, .eth_dst = a), EXIT_OUTPUT);
	assert_int_equal(w->result.out_port, 1);
	assert_int_equal(SEND(w, 1, .eth_src = a, .eth_dst = b), EXIT_OUTPUT);
	assert_int_equal(w->result.out_port, 2);
	/* The station moves. */
	assert_int_equal(SEND(w, 3, .eth_src = a, .eth_dst = b), EXIT_OUTPUT);
	assert_int_equal(SEND(w, 2, .eth_src = b, .eth_dst = a), EXIT_OUTPUT);
	assert_int_equal(w->result.out_port, 3);
	world_free(w);
}

static void a_firewall_asks_who_asked(void **state)
{
	const struct setting settings[] = {{"inside", "1"}, {"outside", "2"}};
	struct world *w = world_of_example("udp-firewall", settings, 2);

	assert_int_equal(
		SEND(w, 2, .ip_src = "198.51.100.1", .ip_dst = "192.0.2.1", .udp_sport = 53, .udp_dport = 5000),
		EXIT_DROP);
	assert_int_equal(
		SEND(w, 1, .ip_src = "192.0.2.1", .ip_dst = "198.51.100.1", .udp_sport = 5000, .udp_dport = 53),
		EXIT_OUTPUT);
	assert_int_equal(w->result.out_port, 2);
	assert_int_equal(
		SEND(w, 2, .ip_src = "198.51.100.1", .ip_dst = "192.0.2.1", .udp_sport = 53, .udp_dport = 5000),
		EXIT_OUTPUT);
	assert_int_equal(w->result.out_port, 1);
	/* The same addresses, the ports exchanged: another conversation. */
	assert_int_equal(
		SEND(w, 2, .ip_src = "198.51.100.1", .ip_dst = "192.0.2.1", .udp_sport = 5000, .udp_dport = 53),
		EXIT_DROP);
	world_free(w);
}

static void a_counter_counts_to_the_last_packet(void **state)
{
	struct world *w = world_of_example("packet-counter", NULL, 0);
	struct explanation is;

	for (unsigned i = 0; i < 100; i++)
		SEND(w, 1, .ip_src = "192.0.2.1");
	is = told(w);
	assert_non_null(strstr(is.updates, ": 99 -> 100"));
	explain_done(&is);
	world_free(w);
}

/* ---- writing and carrying ---- */

static const char rewrite[] =
	"app: rewrite\n"
	"variables: [addr old]\n"
	"tables:\n"
	"  - name: who\n"
	"    state: {lookup: [ip.src], capacity: 16, registers: [n, addr to]}\n"
	"    rules:\n"
	"      - {name: count, match: {ip.proto: [tcp, udp]}, do: n += 1; to = ip.dst, action: old = ip.src}\n"
	"  - name: answer\n"
	"    rules:\n"
	"      - {name: back, when: who.n == 2 and old == ip.src, action: eth.dst = eth.src; eth.src = eth.dst; ip.src "
	"= who.to; ip.dst = old;\n"
	"         l4.src = l4.dst; l4.dst = l4.src; ip.ttl -= 1; ip.dscp = who.n; reflect}\n"
	"    otherwise: drop\n";

static void expect_swapped(struct world *w, struct frame expected)
{
	char why[64];

	assert_true(frame_verify(w->data, w->result.size, why, sizeof(why)));
	assert_frame_equal(expected.data, expected.size, w->data, w->result.size);
}

static void a_packet_is_turned_around(void **state)
{
	struct world *w = world_of(rewrite, NULL, 0);
	struct explanation is;

	assert_int_equal(SEND(w, 1, .ip_src = "192.0.2.1", .ip_dst = "198.51.100.9", .udp_sport = 10, .udp_dport = 20),
			 EXIT_DROP);
	assert_int_equal(SEND(w, 1, .ip_src = "192.0.2.1", .ip_dst = "198.51.100.9", .udp_sport = 10, .udp_dport = 20),
			 EXIT_REFLECT);
	is = told(w);
	assert_string_equal(is.conditions, "who.n == 2 -> true (who.n is 2)\n"
					   "old == ip.src -> true (old is 192.0.2.1, ip.src is 192.0.2.1)");
	assert_non_null(strstr(is.verdict,
			       "ip.src = 198.51.100.9; ip.dst = 192.0.2.1; l4.src = 20; l4.dst = 10; ip.ttl = 63;"));
	explain_done(&is);
	expect_swapped(w, PKT(.eth_src = FRAME_MAC_DST, .eth_dst = FRAME_MAC_SRC, .ip_src = "198.51.100.9",
			      .ip_dst = "192.0.2.1", .udp_sport = 20, .udp_dport = 10, .ip_ttl = 63, .ip_dscp = 2));
	SEND(w, 1, .ip_src = "2001:db8::5", .ip_dst = "2001:db8::9", .tcp_sport = 10, .tcp_dport = 20);
	SEND(w, 1, .ip_src = "2001:db8::5", .ip_dst = "2001:db8::9", .tcp_sport = 10, .tcp_dport = 20);
	expect_swapped(w, PKT(.eth_src = FRAME_MAC_DST, .eth_dst = FRAME_MAC_SRC, .ip_src = "2001:db8::9",
			      .ip_dst = "2001:db8::5", .tcp_sport = 20, .tcp_dport = 10, .ip_ttl = 63, .ip_dscp = 2));
	world_free(w);
}

static const char asks[] = "app: asks\n"
			   "tables:\n"
			   "  - name: who\n"
			   "    state: {lookup: [ip.src], capacity: 16, registers: [n]}\n"
			   "    rules:\n"
			   "      - {do: n += 1}\n"
			   "  - name: answer\n"
			   "    rules:\n"
			   "      - {name: strange, when: not has(who.n) and not has(tcp.seq), action: drop}\n"
			   "      - {name: odd, when: has(who.n) == has(udp) and length > 0, action: pass}\n"
			   "      - {name: known, when: has(who.n), action: pass}\n";

static void a_rule_may_ask_whether_a_table_had_a_record(void **state)
{
	struct world *w = world_of(asks, NULL, 0);
	struct explanation is;

	assert_int_equal(SEND(w, 1, .arp_op = 1), EXIT_DROP);
	is = told(w);
	assert_string_equal(is.conditions, "not has(who.n) -> true\nnot has(tcp.seq) -> true");
	explain_done(&is);
	assert_int_equal(SEND(w, 1, .ip_src = "192.0.2.1", .udp_dport = 5), EXIT_PASS);
	is = told(w);
	assert_string_equal(is.rule, "odd");
	assert_string_equal(is.skipped, "strange: not has(who.n) -> false");
	explain_done(&is);
	assert_int_equal(SEND(w, 1, .ip_src = "192.0.2.1", .tcp_dport = 5), EXIT_PASS);
	expect_rule(w, "known");
	world_free(w);
}

/* ---- arithmetic on the datapath ---- */

static const char arithmetic[] =
	"app: arithmetic\n"
	"variables: [int v, int before]\n"
	"tables:\n"
	"  - name: t\n"
	"    let: {low: ip.ttl - 70, coin: random & 0xffff, old: n}\n"
	"    state: {lookup: [ip.src], capacity: 16, registers: [int d, int q, int r, int s, int m, n, avg1000, h, "
	"draw]}\n"
	"    rules:\n"
	"      - name: signed\n"
	"        when: d / 2 < 1 and d > -100 and d <= v\n"
	"        do: >-\n"
	"          d = low; q = d / 4; r = d % 4; s = d >> 1; m = max(min(d, 3), -5); n += 1; before = old;\n"
	"          avg1000 = avg(avg1000, 0, d + 8); h = hash(ip.src, l4.dst); draw = coin\n";

static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdULL;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return h ^ h >> 33;
}

static void signed_numbers_hashes_and_draws_are_told_as_they_are(void **state)
{
	struct world *w = world_of(arithmetic, NULL, 0);
	struct explanation is;
	char hash[64];

	snprintf(hash, sizeof(hash), "h = %llu; draw",
		 (unsigned long long)mix(mix(mix(w->placement.hash_seed) ^ 0xffffc0000201ULL) ^ 53));
	SEND(w, 1, .ip_src = "192.0.2.1", .udp_dport = 53, .ip_ttl = 69);
	is = told(w);
	assert_non_null(strstr(is.updates, hash));
	explain_done(&is);
	SEND(w, 1, .ip_src = "192.0.2.1", .udp_dport = 53, .ip_ttl = 63);
	is = told(w);
	assert_string_equal(is.rule, "signed");
	assert_string_equal(is.conditions, "d / 2 < 1 -> true (d / 2 is 0)\nd > -100 -> true (d is -1)\n"
					   "d <= v -> true (d is -1, v is 0)");
	assert_non_null(strstr(is.updates, "d: -1 -> -7; q: 0 -> -1; r: -1 -> -3; s: -1 -> -4; m: -1 -> -5; n: 1 -> 2; "
					   "avg1000: 7000 -> 1000;"));
	assert_non_null(strstr(is.updates, "before = 1"));
	explain_done(&is);
	world_free(w);
}

static void a_skipped_table_leaves_nothing_to_read(void **state)
{
	struct world *w = world_of(rewrite, NULL, 0);
	struct explanation is;

	assert_int_equal(SEND(w, 1, .arp_op = 1), EXIT_DROP);
	is = told(w);
	assert_string_equal(is.rule, "otherwise");
	assert_string_equal(is.skipped, "back: who.n is absent");
	explain_done(&is);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_bucket_grants_its_burst_to_each_source),
		cmocka_unit_test(a_door_opens_by_tcp_and_udp_knocks),
		cmocka_unit_test(a_fall_is_told),
		cmocka_unit_test(a_switch_learns),
		cmocka_unit_test(a_firewall_asks_who_asked),
		cmocka_unit_test(a_counter_counts_to_the_last_packet),
		cmocka_unit_test(a_packet_is_turned_around),
		cmocka_unit_test(a_skipped_table_leaves_nothing_to_read),
		cmocka_unit_test(a_rule_may_ask_whether_a_table_had_a_record),
		cmocka_unit_test(signed_numbers_hashes_and_draws_are_told_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
