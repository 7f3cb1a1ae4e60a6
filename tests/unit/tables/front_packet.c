// SPDX-License-Identifier: GPL-2.0-or-later
/* Templates, headers pushed and popped, copies: what the checker accepts and how it refuses. */
#include "front.h"

#include <stdio.h>

#include "tables/encode.h"

#define RULE(action) "app: a\ntables:\n  - name: t\n    rules:\n      - {action: \"" action "\"}\n"
#define TEMPLATE(bytes, set)                                                                                           \
	"app: a\ntemplates:\n  x: {bytes: \"" bytes "\", set: {" set "}}\ntables:\n"                                   \
	"  - {name: t, rules: [{action: become(x); reflect}]}\n"
#define ARP "000000000000 000000000000 0806 0001 0800 06 04 0002 000000000000 00000000 000000000000 00000000"

static void everything_reads_back(void **state)
{
	static const char *const actions[] = {
		"push(mpls); mpls.label = 5; mpls.tc = 1; pop(mpls)",
		"push(ipip); ip.src = 192.0.2.1; ip.dst = 192.0.2.2; route",
		"push(ipip, 6); ip.dst = 2001:db8::1; pop(ipip); ip.ttl = 5",
		"push(vxlan, 6); vxlan.vni = 7; udp.src = 9; pop(vxlan)",
		"push(srv6, 2001:db8::1, 2001:db8::2); srv6.tag = 1; ip.src = 2001:db8::9; pop(srv6)",
		"push(srh, 2001:db8::1); next_segment; pop(srh)",
		"inner.ip.src = 192.0.2.1; inner.l4.src = 5; inner.icmp.id = 6",
	};
	char text[512];

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		snprintf(text, sizeof(text), "app: a\ntables:\n  - name: t\n    rules:\n      - {action: \"%s\"}\n",
			 actions[i]);
		app_free(front_good(text));
	}
	app_free(front_good(TEMPLATE(ARP, "eth.dst: eth.src, arp.spa: arp.tpa, arp.op: 2")));
}

/* What a later step of the same action writes is there, and nothing else. */
static void a_pushed_header_is_there_to_be_written(void **state)
{
	struct app *app = front_good(RULE("push(ipip); ip.ttl = 5; l4.dst = 7"));
	struct placement placement = {.table[0] = {.hook = HOOK_XDP, .first_on_hook = true}};
	struct table *table = malloc(sizeof(*table));
	struct diag_list diags;

	diag_init(&diags, "");
	assert_int_equal(encode_table(app, 0, HOOK_XDP, &placement, &diags, table), 0);
	assert_int_equal(table->rules[0].n_steps, 3);
	assert_int_equal(table->steps[table->rules[0].first_step].code, STEP_PUSH_IP4);
	assert_int_equal(encode_steps(table), 4);
	diag_done(&diags);
	free(table);
	app_free(app);
}

static void templates_are_made_whole(void **state)
{
	struct app *app =
		front_good(TEMPLATE("000000000000 000000000000 0800 45000000 00000000 40110000 0a000001 0a000002"
				    "00070008 00000000 6869",
				    "udp.dst: 9"));
	const struct app_template *t = &app->template_[0];

	assert_int_equal(t->size, 14 + 20 + 8 + 2);
	assert_int_equal(t->bytes[14 + 3], 30);
	assert_int_equal(t->bytes[14 + 20 + 5], 10);
	assert_true(t->bytes[14 + 20 + 6] || t->bytes[14 + 20 + 7]);
	app_free(app);
}

static void mistakes_are_said(void **state)
{
	front_says(TEMPLATE("0000", ""),
		   "t.yaml:3:15: 4 hexadecimal digits; a template is whole bytes, at least Ethernet's "
		   "14\n");
	front_says(TEMPLATE("zz", ""), "t.yaml:3:15: bytes are hexadecimal digits and blanks, at most 512 bytes\n");
	front_says(
		TEMPLATE("000000000000 000000000000 0800 45", ""),
		"t.yaml:3:15: these bytes are no packet: Ethernet without tags, then ARP, whole IPv4 or IPv6 without "
		"extension headers, or another type\n");
	front_says(TEMPLATE(ARP, "ip.src: ip.dst"), "t.yaml:3:119: template \"x\" has no \"ip.src\"\n");
	front_says(TEMPLATE(ARP, "arp.htype: 1"), "t.yaml:3:119: \"arp.htype\" can only be read\n");
	front_says(RULE("become(y)"), "t.yaml:5:19: unknown template \"y\"\n");
	front_says(RULE("push(srv6, 192.0.2.1)"), "t.yaml:5:30: a segment is an IPv6 address\n");
	front_says(
		"app: a\ntables:\n  - {name: t, hook: xdp, rules: [{action: mirror(1)}]}\n",
		"t.yaml:3:43: mirror() sends something besides the packet, which XDP cannot; it needs hook: tc-ingress "
		"or tc-egress\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_reads_back),
		cmocka_unit_test(a_pushed_header_is_there_to_be_written),
		cmocka_unit_test(templates_are_made_whole),
		cmocka_unit_test(mistakes_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
