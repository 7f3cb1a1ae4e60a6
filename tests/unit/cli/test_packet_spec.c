/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames from fields: right headers, lengths and checksums; every field of the table can be given. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/packet_build.h"
#include "cli/packet_spec.h"
#include "tables/field.h"

static uint8_t frame[PACKET_SPEC_FRAME_MAX];
static size_t size;

static void compose(const char *text)
{
	char why[256];

	if (packet_spec_compose(&text, 1, frame, &size, why) < 0)
		fail_msg("%s: %s", text, why);
}

static void expect_wrong(const char *text, const char *said)
{
	char why[256] = "";

	assert_int_equal(packet_spec_compose(&text, 1, frame, &size, why), -EINVAL);
	if (!strstr(why, said))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, why, said);
}

static unsigned get16(size_t at)
{
	return frame[at] << 8 | frame[at + 1];
}

static unsigned sum(size_t from, size_t to, unsigned total)
{
	for (size_t i = from; i < to; i += 2)
		total += frame[i] << 8 | (i + 1 < to ? frame[i + 1] : 0);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

/* Sums over everything a checksum covers are all ones. */
static void expect_ipv4_checksums(size_t l3, unsigned proto)
{
	size_t l4 = l3 + 20;

	assert_int_equal(sum(l3, l4, 0), 0xffff);
	assert_int_equal(sum(l4, size, proto == 1 ? 0 : sum(l3 + 12, l4, size - l4 + proto)), 0xffff);
}

static void expect_ipv6_checksums(size_t l3, size_t l4, unsigned proto)
{
	assert_int_equal(sum(l4, size, sum(l3 + 8, l3 + 40, size - l4 + proto)), 0xffff);
}

static void a_udp_packet_from_two_fields(void **state)
{
	static const uint8_t expected[] = {2, 0, 0,    0, 0, 2,	 2, 0, 0, 0, 0,	 1,
					   8, 0, 0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17};

	compose("ipv4.src=10.0.0.7 udp.dst=53");
	assert_int_equal(size, 42);
	assert_memory_equal(frame, expected, sizeof(expected));
	assert_memory_equal(frame + 26, "\x0a\x00\x00\x07\xc0\x00\x02\x02", 8);
	assert_memory_equal(frame + 34, "\xc0\x00\x00\x35\x00\x08", 6);
	expect_ipv4_checksums(14, 17);
}

static void fields_may_come_as_several_arguments(void **state)
{
	const char *words[] = {"tcp.dst=22", " ipv4.ttl=3  ipv4.dst=10.9.9.9 ", ""};
	char why[256];

	assert_int_equal(packet_spec_compose(words, 3, frame, &size, why), 0);
	assert_int_equal(size, 54);
	assert_int_equal(frame[22], 3);
	assert_int_equal(get16(36), 22);
	assert_int_equal(frame[47], 2);
	expect_ipv4_checksums(14, 6);
}

static void families_follow_from_addresses_and_headers(void **state)
{
	compose("ip.src=2001:db8::7 l4.dst=53");
	assert_int_equal(get16(12), 0x86dd);
	assert_int_equal(size, 62);
	expect_ipv6_checksums(14, 54, 17);
	compose("icmpv6");
	assert_int_equal(frame[20], 58);
	assert_int_equal(frame[54], 128);
	expect_ipv6_checksums(14, 54, 58);
	compose("icmp payload=010203");
	assert_int_equal(frame[23], 1);
	expect_ipv4_checksums(14, 1);
	compose("ip.proto=tcp");
	assert_int_equal(size, 54);
	compose("eth.type=arp");
	assert_int_equal(size, 42);
	assert_memory_equal(frame, "\xff\xff\xff\xff\xff\xff", 6);
	compose("eth.type=0x88cc");
	assert_int_equal(size, 14);
	compose("ip.proto=47");
	assert_int_equal(size, 34);
	assert_int_equal(frame[23], 47);
}

static void tags_lie_between_ethernet_and_the_rest(void **state)
{
	compose("vlan.id=100 vlan.prio=5 udp");
	assert_int_equal(get16(12), 0x8100);
	assert_int_equal(get16(14), 5 << 13 | 100);
	assert_int_equal(get16(16), 0x0800);
	expect_ipv4_checksums(18, 17);
	compose("vlan.id=100 vlan2.id=200 ipv6.dst=::1 tcp.flags=+syn+ack");
	assert_int_equal(get16(12), 0x88a8);
	assert_int_equal(get16(16), 0x8100);
	assert_int_equal(get16(18), 200);
	assert_int_equal(get16(20), 0x86dd);
	assert_int_equal(frame[22 + 40 + 13], 0x12);
}

static void extension_headers_are_chained(void **state)
{
	compose("hopopts routing frag6 dstopts udp.dst=9");
	assert_int_equal(frame[20], 0);
	assert_int_equal(frame[54], 43);
	assert_int_equal(frame[62], 44);
	assert_int_equal(frame[70], 60);
	assert_int_equal(frame[78], 17);
	assert_int_equal(get16(88), 9);
	assert_int_equal(get16(18), 32 + 8);
	expect_ipv6_checksums(14, 86, 17);
}

static void lengths_are_made_or_taken(void **state)
{
	compose("length=1500 udp");
	assert_int_equal(size, 1500);
	assert_int_equal(get16(16), 1486);
	assert_int_equal(get16(38), 1466);
	expect_ipv4_checksums(14, 17);
	compose("length=61 ipv4.length=9999 udp.checksum=0 ipv4.checksum=0x1234");
	assert_int_equal(get16(16), 9999);
	assert_int_equal(get16(40), 0);
	assert_int_equal(get16(24), 0x1234);
	compose("l4.payload_length=100");
	assert_int_equal(size, 142);
}

static void fragments_are_marked(void **state)
{
	compose("fragment udp");
	assert_int_equal(frame[20], 0x20);
	compose("ip.frag_offset=64 udp");
	assert_int_equal(get16(20), 8);
	compose("ipv6.src=::1 ip.frag_offset=64");
	assert_int_equal(frame[20], 44);
	assert_int_equal(get16(56) >> 3, 8);
}

static void mistakes_are_said(void **state)
{
	expect_wrong("ipv4.scr=1.2.3.4", "did you mean \"ipv4.src\"");
	expect_wrong("udp.dst=53 tcp.src=1", "both TCP and UDP");
	expect_wrong("ipv4.src=1.2.3.4 ipv6.dst=::1", "both IPv4 and IPv6");
	expect_wrong("ipv4.ttl=3 icmpv6", "IPv6");
	expect_wrong("arp udp", "both ARP");
	expect_wrong("udp.dst=70000", "16 bits");
	expect_wrong("udp.dst=x", "no number");
	expect_wrong("ipv4.src=::1", "IPv4 address");
	expect_wrong("ipv6.src=1.2.3.4", "IPv6 address");
	expect_wrong("banana", "neither FIELD=VALUE nor a header");
	expect_wrong("in_port", "neither");
	expect_wrong("gre.key=5", "not yet");
	expect_wrong("mpls.label=5", "give the whole frame");
	expect_wrong("length=10", "from 14");
	expect_wrong("length=20 udp", "too short");
	expect_wrong("length=100000", "from 14");
	expect_wrong("payload=abc", "even number");
	expect_wrong("payload=zz", "hexadecimal");
	expect_wrong("l4.payload_length=9500", "longer");
	expect_wrong("l4.src=1 icmp", "TCP or UDP");
}

static void every_field_of_the_table_can_be_given(void **state)
{
	for (size_t i = 0; i < n_fields; i++) {
		const char *value = "1";
		char text[128], why[256];

		if (fields[i].needs & NOT_BUILT)
			continue;
		switch (fields[i].type) {
		case TYPE_PROTO: value = "200"; break;
		case TYPE_MAC: value = "\"02:00:00:00:00:07\""; break;
		case TYPE_ADDR: value = strstr(fields[i].name, "ipv6") ? "2001:db8::9" : "10.1.2.3"; break;
		default: break;
		}
		snprintf(text, sizeof(text), "%s=%.*s", fields[i].name, (int)strlen(value) - 2 * (value[0] == '"'),
			 value + (value[0] == '"'));
		const char *word = text;

		if (packet_spec_compose(&word, 1, frame, &size, why) < 0)
			fail_msg("%s: %s", text, why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_udp_packet_from_two_fields),
		cmocka_unit_test(fields_may_come_as_several_arguments),
		cmocka_unit_test(families_follow_from_addresses_and_headers),
		cmocka_unit_test(tags_lie_between_ethernet_and_the_rest),
		cmocka_unit_test(extension_headers_are_chained),
		cmocka_unit_test(lengths_are_made_or_taken),
		cmocka_unit_test(fragments_are_marked),
		cmocka_unit_test(mistakes_are_said),
		cmocka_unit_test(every_field_of_the_table_can_be_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
