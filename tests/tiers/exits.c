// SPDX-License-Identifier: GPL-2.0-or-later
/* Every reason of datapath/exit_reason.h and every counter beside them, produced by the programs of the tier.  A reason
 * that is new in the list fails here until somebody says how it comes about. */
#include "tiers.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	XDP = 1 << RIG_XDP,
	TC_IN = 1 << RIG_TC_INGRESS,
	TC_OUT = 1 << RIG_TC_EGRESS,
	NATIVE = 1 << RIG_NATIVE,
	TC = TC_IN | TC_OUT,
	KERNEL = XDP | TC,
	ALL = KERNEL | NATIVE,
};

static enum hook_id hook(void)
{
	return tier == RIG_TC_INGRESS ? HOOK_TC_INGRESS : tier == RIG_TC_EGRESS ? HOOK_TC_EGRESS : HOOK_XDP;
}

static struct rig *rig_doing(const char *action)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "app: way\ntables:\n  - name: t\n    rules:\n      - {name: all, action: \"%s\"}\n", action);
	return rig_with(text, NULL);
}

/* ---- by a rule ---- */

static struct rig *doing(const char *action)
{
	struct rig *rig = rig_doing(action);

	rig_send_real(rig, 1, PKT(.udp_dport = 9));
	return rig;
}

static struct rig *pass(void)
{
	return doing("pass");
}

static struct rig *deliver(void)
{
	return doing("deliver");
}

static struct rig *drop(void)
{
	return doing("drop");
}

static struct rig *output(void)
{
	return doing("output(2)");
}

static struct rig *flood(void)
{
	return doing("flood");
}

static struct rig *reflect(void)
{
	return doing("reflect");
}

static struct rig *no_port(void)
{
	return doing("output(60)");
}

static struct rig *no_app(void)
{
	struct rig *rig = rig_open(tier);

	rig_repeat(rig, 1, PKT(.udp_dport = 9), 1);
	return rig;
}

/* IPv4's address on a packet of IPv6. */
static struct rig *write_failed(void)
{
	struct rig *rig = rig_doing("ip.src = 192.0.2.9; pass");

	rig_repeat(rig, 1, PKT(.ip6 = true), 1);
	return rig;
}

/* Two tags off a frame with one. */
static struct rig *push_failed(void)
{
	struct rig *rig = rig_doing("pop(vlan); pop(vlan); pass");

	rig_repeat(rig, 1, PKT(.vlan_id = 5, .udp_dport = 9), 1);
	return rig;
}

/* ---- by the frame ---- */

static struct rig *send_frame(struct frame frame)
{
	struct rig *rig = rig_doing("pass");

	rig_send_real(rig, 1, frame);
	return rig;
}

static struct rig *cut(void)
{
	struct frame frame = PKT(.tcp_dport = 80);

	frame.size -= 10;
	return send_frame(frame);
}

static struct rig *malformed(void)
{
	struct frame frame = PKT(.tcp_dport = 80);

	frame.data[14] = 0x44; /* IHL: 16 bytes. */
	return send_frame(frame);
}

static struct rig *mapped(void)
{
	struct frame frame = PKT(.ip6 = true, .tcp_dport = 80);

	memset(&frame.data[14 + 8], 0, 10);
	memset(&frame.data[14 + 18], 0xff, 2);
	return send_frame(frame);
}

/* A chain of extension headers as long as the packet. */
static struct rig *too_deep(void)
{
	enum { IPV6_NEXT = 14 + 6, FIRST = 14 + 40, DESTINATION = 60 };
	struct frame frame = PKT(.ip6 = true, .udp_dport = 9, .payload_size = 800);

	frame.data[IPV6_NEXT] = DESTINATION;
	for (unsigned at = FIRST; at + 8 <= frame.size; at += 8) {
		memset(&frame.data[at], 0, 8);
		frame.data[at] = DESTINATION;
	}
	return send_frame(frame);
}

/* ---- by a full table ---- */

static struct rig *second_of_one(const char *when_full)
{
	static char text[512];
	struct rig *rig;

	snprintf(text, sizeof(text),
		 "app: full\ntables:\n  - name: t\n    state: {lookup: [ip.src], capacity: 1, when_full: %s, "
		 "registers: [n]}\n    rules: [{name: count, do: n += 1, action: deliver}]\n",
		 when_full);
	rig = rig_with(text, NULL);
	rig_repeat(rig, 1, PKT(.ip_src = "192.0.2.1"), 1);
	rig_repeat(rig, 1, PKT(.ip_src = "192.0.2.2"), 1);
	return rig;
}

static struct rig *full_drop(void)
{
	return second_of_one("drop");
}

static struct rig *full_pass(void)
{
	return second_of_one("pass");
}

/* ---- by a version that no checker would let through, or a map that somebody damaged ---- */

/* 18 tables that write the packet are 36 programs. */
static struct rig *budget(void)
{
	struct rig *rig = rig_open(tier);
	char text[1024];

	for (unsigned app = 0; app < 6; app++) {
		snprintf(text, sizeof(text),
			 "app: a%u\ntables:\n"
			 "  - {name: a, rules: [{action: ip.ttl -= 1; goto(b)}]}\n"
			 "  - {name: b, rules: [{action: ip.ttl -= 1; goto(c)}]}\n"
			 "  - {name: c, rules: [{action: ip.ttl -= 1; pass}]}\n",
			 app);
		rig_load(rig, text, NULL);
	}
	rig_commit(rig);
	rig_repeat(rig, 1, PKT(.ip_ttl = 64), 1);
	return rig;
}

static void edit_table(struct rig *rig, void (*edit)(struct table *table))
{
	struct table *table = malloc(sizeof(*table));
	int fd = rig_map_fd(rig, MAP_TABLES);

	for (unsigned slot = 0; slot < VERSIONS; slot++) {
		__u32 element = TABLE_INDEX(slot, hook(), 0);

		assert_int_equal(bpf_map_lookup_elem(fd, &element, table), 0);
		edit(table);
		assert_int_equal(bpf_map_update_elem(fd, &element, table, BPF_ANY), 0);
	}
	free(table);
}

static struct rig *damaged(void (*edit)(struct table *table))
{
	struct rig *rig = rig_doing("pass");

	edit_table(rig, edit);
	rig_repeat(rig, 1, PKT(.udp_dport = 9), 1);
	return rig;
}

static void forget_table(struct table *table)
{
	table->flags &= ~TABLE_VALID;
}

static struct rig *no_table(void)
{
	return damaged(forget_table);
}

static void scribble_verdict(struct table *table)
{
	for (unsigned i = 0; i < RULES_ROOM; i++)
		table->rules[i].verdict = 99;
}

static struct rig *internal(void)
{
	return damaged(scribble_verdict);
}

static struct rig *no_program(void)
{
	static const char *const names[] = {MAP_INTERP_XDP, MAP_INTERP_TC_INGRESS, MAP_INTERP_TC_EGRESS};
	struct rig *rig = rig_doing("pass");
	int array = rig_map_fd(rig, names[hook()]), program;
	__u32 table = INTERP_TABLE, id;

	assert_int_equal(bpf_map_lookup_elem(array, &table, &id), 0);
	program = bpf_prog_get_fd_by_id(id);
	assert_true(program >= 0);
	assert_int_equal(bpf_map_delete_elem(array, &table), 0);
	rig_repeat(rig, 1, PKT(.udp_dport = 9), 1);
	assert_int_equal(bpf_map_update_elem(array, &table, &program, BPF_ANY), 0);
	close(program);
	return rig;
}

/* Makes the only flow's record a dead one that all entries of its bucket, and of one more line, name. */
static void name_a_dead_record_everywhere(struct rig *rig)
{
	int buckets = open_inner_map(rig, MAP_BUCKETS), records = open_inner_map(rig, MAP_RECORDS);
	__u64 record[RECORD_LINE_WORDS];
	struct flow_desc desc;
	struct bucket line;
	__u32 zero = 0, head = 0, used;

	assert_int_equal(bpf_map_lookup_elem(rig_map_fd(rig, MAP_FLOW_DESC), &zero, &desc), 0);
	for (;; head++) {
		assert_int_equal(bpf_map_lookup_elem(buckets, &head, &line), 0);
		for (used = 0; used < BUCKET_ENTRIES && !line.slot[used]; used++)
			;
		if (used < BUCKET_ENTRIES)
			break;
	}
	for (unsigned e = 0; e < BUCKET_ENTRIES; e++) {
		line.slot[e] = line.slot[used];
		line.tag[e] = line.tag[used];
	}
	assert_int_equal(bpf_map_lookup_elem(records, &line.slot[0], record), 0);
	((struct flow_head *)record)->alive = 0;
	assert_int_equal(bpf_map_update_elem(records, &line.slot[0], record, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(buckets, &desc.n_heads, &line, BPF_ANY), 0);
	line.next = desc.n_heads;
	assert_int_equal(bpf_map_update_elem(buckets, &head, &line, BPF_ANY), 0);
	close(buckets);
	close(records);
}

/* Each name that a packet takes away lets it begin again. */
static struct rig *contention(void)
{
	struct rig *rig = rig_with(
		"app: again\ntables:\n  - name: t\n    state: {lookup: [ip.src], capacity: 16, registers: [n]}\n"
		"    rules: [{name: count, do: n += 1, action: deliver}]\n",
		NULL);

	rig_repeat(rig, 1, PKT(.ip_src = "192.0.2.1"), 1);
	name_a_dead_record_everywhere(rig);
	rig_repeat(rig, 1, PKT(.ip_src = "192.0.2.1"), 1);
	return rig;
}

static struct rig *redirect_failed(void)
{
	struct rig *rig = rig_doing("output(3)");
	struct port_info down = {.ifindex = rig_ifindex(rig, 3)};
	__u32 port = 3;

	assert_int_equal(bpf_map_update_elem(rig_map_fd(rig, MAP_PORTS), &port, &down, BPF_ANY), 0);
	rig_repeat(rig, 1, PKT(.udp_dport = 9), 1);
	return rig;
}

/* ---- by the kernel's routes ---- */

static struct rig *routed_to(const char *ip)
{
	struct rig *rig = rig_routing("route");

	rig_repeat(rig, 1, PKT(.ip_dst = ip, .udp_dport = 9), 1);
	return rig;
}

static struct rig *route(void)
{
	return routed_to("198.51.100.1");
}

static struct rig *route_kernel(void)
{
	return routed_to("192.0.2.254");
}

static struct rig *route_none(void)
{
	return routed_to("198.18.0.1");
}

static struct rig *group_copies(void)
{
	struct rig *rig = rig_with("app: a\ngroups: {g: {type: all, members: [{id: 1, port: 2}, {id: 2, port: 3}]}}\n"
				   "tables: [{name: t, rules: [{action: group(g)}]}]\n",
				   NULL);

	rig_repeat(rig, 1, PKT(.udp_dport = 9), 1);
	return rig;
}

static struct rig *no_member(void)
{
	struct rig *rig =
		rig_with("app: a\ngroups: {g: {type: indexed, members: [{id: 1, port: 2}]}}\nvariables: [g m]\n"
			 "tables: [{name: t, rules: [{action: m = l4.dst; ip.ttl = 3; output(m.port)}]}]\n",
			 NULL);

	rig_repeat(rig, 1, PKT(.udp_dport = 9), 1);
	return rig;
}

/* ---- the list ---- */

/* 'tiers' are those where the reason exists.  The rig that comes back is still open. */
static const struct producer {
	enum exit_reason reason;
	unsigned tiers;
	struct rig *(*produce)(void);
} producers[] = {
	{EXIT_PASS, ALL, pass},
	{EXIT_DELIVER, ALL, deliver},
	{EXIT_DROP, ALL, drop},
	{EXIT_OUTPUT, ALL, output},
	{EXIT_FLOOD, ALL, flood},
	{EXIT_REFLECT, ALL, reflect},
	{EXIT_NO_APP, ALL, no_app},
	{EXIT_COPY, TC_OUT, flood},
	{EXIT_PARSE_SHORT, ALL, cut},
	{EXIT_PARSE_MALFORMED, ALL, malformed},
	{EXIT_PARSE_DEPTH, ALL, too_deep},
	{EXIT_PARSE_MAPPED, ALL, mapped},
	{EXIT_TABLE_FULL, ALL, full_drop},
	{EXIT_TABLE_FULL_PASS, ALL, full_pass},
	{EXIT_BUDGET, ALL, budget},
	{EXIT_CONTENTION, KERNEL, contention},
	{EXIT_NO_PROGRAM, KERNEL, no_program},
	{EXIT_NO_TABLE, KERNEL, no_table},
	{EXIT_NO_PORT, ALL, no_port},
	{EXIT_REDIRECT_FAILED, TC, redirect_failed},
	{EXIT_WRITE_FAILED, ALL, write_failed},
	{EXIT_PUSH_FAILED, ALL, push_failed},
	{EXIT_INTERNAL, KERNEL, internal},
	{EXIT_ROUTE, ALL, route},
	{EXIT_ROUTE_KERNEL, ALL, route_kernel},
	{EXIT_ROUTE_NONE, ALL, route_none},
	{EXIT_GROUP, TC, group_copies},
	{EXIT_NO_MEMBER, ALL, no_member},
};

static uint64_t counted(struct rig *rig, enum exit_reason reason)
{
	uint64_t sum = 0;

	for (unsigned port = 0; port <= PORTS_MAX; port++)
		sum += rig_exit_count(rig, port, reason);
	return sum;
}

static void check_reason(enum exit_reason reason, const char *name)
{
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(producers) / sizeof(producers[0]); i++) {
		struct rig *rig;

		if (producers[i].reason != reason)
			continue;
		n++;
		if (!(producers[i].tiers >> tier & 1))
			continue;
		rig = producers[i].produce();
		if (!counted(rig, reason))
			fail_msg("%s: nothing was counted", name);
		rig_close(rig);
	}
	if (!n)
		fail_msg("%s: say in 'producers' how it comes about", name);
}

static void every_reason_is_produced(void **state)
{
#define X(id, name, text)                                                                                              \
	if (EXIT_##id != EXIT_NONE)                                                                                    \
		check_reason(EXIT_##id, name);
	EXIT_REASON_LIST(X)
#undef X
}

/* ---- the counters beside ---- */

static const char punting[] = "app: punt\ntables: [{name: t, rules: [{name: all, action: controller; drop}]}]\n";

static struct rig *punt(unsigned rate_pps, unsigned burst, unsigned times)
{
	struct rig *rig = rig_with(punting, NULL);

	rig_set_punt_limit(rig, rate_pps, burst);
	rig_advance_ms(rig, 10000);
	rig_repeat(rig, 1, PKT(.udp_dport = 7, .payload_size = 1000), times);
	return rig;
}

static struct rig *punted(void)
{
	return punt(10, 5, 1);
}

static struct rig *punted_too_often(void)
{
	return punt(10, 5, 10);
}

/* Nobody reads the ring. */
static struct rig *punted_into_a_full_ring(void)
{
	return punt(1000000000, 1000000, 20000);
}

static struct rig *notified_into_a_full_ring(void)
{
	struct rig *rig =
		rig_with("app: told\ntables: [{name: t, rules: [{name: all, action: notify; deliver}]}]\n", NULL);

	rig_repeat(rig, 1, PKT(.udp_dport = 7), 30000);
	return rig;
}

/* The map believes that the port is up. */
static struct rig *flooded_to_a_port_that_is_down(void)
{
	struct rig *rig = rig_doing("flood");

	assert_int_equal(system("ip link set port2 down"), 0);
	rig_send_real(rig, 1, PKT(.udp_dport = 9));
	assert_int_equal(system("ip link set port2 up"), 0);
	return rig;
}

static void every_counter_beside_them_is_produced(void **state)
{
	static const struct {
		unsigned index, tiers;
		struct rig *(*produce)(void);
	} counters[] = {
		{COUNTER_PUNT, KERNEL, punted},
		{COUNTER_PUNT_LIMITED, KERNEL, punted_too_often},
		{COUNTER_PUNT_LOST, KERNEL, punted_into_a_full_ring},
		{COUNTER_EVENT_LOST, KERNEL, notified_into_a_full_ring},
		{COUNTER_XMIT_FAILED, TC, flooded_to_a_port_that_is_down},
	};
	enum { N = sizeof(counters) / sizeof(counters[0]) };

	_Static_assert(N == COUNTER_MISC_END - COUNTER_MISC, "a counter without a producer");
	for (unsigned i = 0; i < N; i++) {
		struct rig *rig;

		if (!(counters[i].tiers >> tier & 1))
			continue;
		rig = counters[i].produce();
		if (!rig_counter(rig, counters[i].index))
			fail_msg("counter %u: nothing was counted", counters[i].index - COUNTER_MISC);
		rig_close(rig);
	}
}

TESTS(exits, cmocka_unit_test(every_reason_is_produced), cmocka_unit_test(every_counter_beside_them_is_produced));
