/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values and fields: read, printed, and the table of fields sound. */
#include "front.h"
#include "tables/literal.h"

static void prints(enum value_type type, uint64_t hi, uint64_t lo, uint64_t now, const char *text)
{
	char buf[64];

	assert_string_equal(value_render(type, hi, lo, now, buf, sizeof(buf)), text);
}

static void test_render(void **state)
{
	prints(TYPE_U64, 0, 42, 0, "42");
	prints(TYPE_INT, 0, -5ULL, 0, "-5");
	prints(TYPE_BOOL, 0, 1, 0, "true");
	prints(TYPE_MAC, 0, 0x020000000001, 0, "02:00:00:00:00:01");
	prints(TYPE_ADDR, 0, 0xffff0a000001, 0, "10.0.0.1");
	prints(TYPE_ADDR, 0x20010db800000000, 1, 0, "2001:db8::1");
	prints(TYPE_PROTO, 0, 17, 0, "udp");
	prints(TYPE_PROTO, 0, 200, 0, "200");
	prints(TYPE_ETHERTYPE, 0, 0x0806, 0, "arp");
	prints(TYPE_ETHERTYPE, 0, 0x1234, 0, "0x1234");
	prints(TYPE_FLAGS, 0, 0x12, 0, "+syn+ack");
	prints(TYPE_HOOK, 0, HOOK_TC_EGRESS, 0, "tc-egress");
	prints(TYPE_SIZE, 0, 65536, 0, "64 KiB");
	prints(TYPE_SIZE, 0, 1500, 0, "1500 B");
	prints(TYPE_DURATION, 0, 1500000000, 0, "1.5 s");
	prints(TYPE_DURATION, 0, 90000000000, 0, "90 s");
	prints(TYPE_DURATION, 0, 300000000000, 0, "5 min");
	prints(TYPE_DURATION, 0, 1050000, 0, "1.05 ms");
	prints(TYPE_DURATION, 0, 0, 0, "0 s");
	prints(TYPE_TIME, 0, 1000000000, 4200000000, "-3.2 s");
	prints(TYPE_TIME, 0, 4201000000, 4200000000, "+1 ms");
	prints(TYPE_TIME, 0, 4200000000 + 999900000000, 4200000000, "+1000 s");
	prints(TYPE_TIME, 0, 0, 4200000000, "0");
	prints(TYPE_TIME, 0, 12345, 0, "12345");
}

static void test_render_fits_the_buffer(void **state)
{
	char buf[4];

	for (int type = 0; type < TYPE_MAX; type++) {
		value_render(type, ~0ULL, ~0ULL, 1, buf, sizeof(buf));
		assert_true(strlen(buf) < sizeof(buf));
	}
}

static void reads(enum value_type type, const char *text, uint64_t hi, uint64_t lo)
{
	uint64_t found_hi, found_lo;

	assert_int_equal(value_parse(type, text, &found_hi, &found_lo), 0);
	assert_true(found_hi == hi && found_lo == lo);
}

static void refuses(enum value_type type, const char *text)
{
	uint64_t hi, lo;

	assert_true(value_parse(type, text, &hi, &lo) < 0);
}

static void test_parse(void **state)
{
	reads(TYPE_U64, "0x2a", 0, 42);
	reads(TYPE_INT, "-5", 0, -5ULL);
	reads(TYPE_INT, "5", 0, 5);
	reads(TYPE_INT, "-9223372036854775808", 0, 1ULL << 63);
	reads(TYPE_ADDR, "10.0.0.1", 0, 0xffff0a000001);
	reads(TYPE_ADDR, "2001:db8::1", 0x20010db800000000, 1);
	reads(TYPE_MAC, "02:00:00:00:00:01", 0, 0x020000000001);
	reads(TYPE_PROTO, "udp", 0, 17);
	reads(TYPE_PROTO, "200", 0, 200);
	reads(TYPE_FLAGS, "+syn+ack", 0, 0x12);
	reads(TYPE_DURATION, "1.5 s", 0, 1500000000);
	reads(TYPE_DURATION, "250us", 0, 250000);
	reads(TYPE_SIZE, "64 KiB", 0, 65536);
	refuses(TYPE_U64, "");
	refuses(TYPE_U64, "-5");
	refuses(TYPE_INT, "9223372036854775808");
	refuses(TYPE_INT, "-9223372036854775809");
	refuses(TYPE_U64, "5s");
	refuses(TYPE_U64, "18446744073709551616");
	refuses(TYPE_U64, "12 apples");
	refuses(TYPE_ADDR, "10.0.0.256");
	refuses(TYPE_ADDR, "10.0.0.0/8");
	refuses(TYPE_MAC, "02:00:00:00:00");
	refuses(TYPE_PROTO, "arp");
	refuses(TYPE_LIST, "1");
}

static void test_literals(void **state)
{
	static const struct {
		const char *text;
		enum value_type type;
		uint64_t lo;
	} good[] = {
		{"0", TYPE_U64, 0},
		{"18446744073709551615", TYPE_U64, ~0ULL},
		{"0xffffffffffffffff", TYPE_U64, ~0ULL},
		{"10ns", TYPE_DURATION, 10},
		{"1min", TYPE_DURATION, 60000000000},
		{"2h", TYPE_DURATION, 7200000000000},
		{"1d", TYPE_DURATION, 86400000000000},
		{"1.25ms", TYPE_DURATION, 1250000},
		{"64B", TYPE_SIZE, 64},
		{"1.5KiB", TYPE_SIZE, 1536},
		{"1MB", TYPE_SIZE, 1000000},
		{"10pps", TYPE_RATE, 10},
		{"1.5Mpps", TYPE_RATE, 1500000},
		{"10Mbps", TYPE_RATE, 10000000},
		{"1Gbps", TYPE_RATE, 1000000000},
	};
	char error[LITERAL_ERROR_SIZE];
	struct literal literal;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(literal_parse(good[i].text, &literal, error), 0);
		assert_int_equal(literal.type, good[i].type);
		assert_true(literal.lo == good[i].lo);
	}
	assert_int_equal(literal_parse("10.0.0.0/8", &literal, error), 0);
	assert_int_equal(literal.prefix_len, 104);
	assert_int_equal(literal_parse("2001:db8::/32", &literal, error), 0);
	assert_int_equal(literal.prefix_len, 32);
}

static void test_bad_literals(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{"10sec", "unknown unit \"sec\"; did you mean \"s\"?"},
		{"10kib", "unknown unit \"kib\"; did you mean \"KiB\"?"},
		{"18446744073709551616", "18446744073709551616 does not fit in 64 bits"},
		{"99999999999999999999999999999999999999999",
		 "99999999999999999999999999999999999999999 does not fit in 64 bits"},
		{"600000d", "600000d does not fit in 64 bits"},
		{"0x10000000000000000", "0x10000000000000000 does not fit in 64 bits"},
		{"0xfg", "\"0xfg\" is not a hexadecimal number"},
		{"0.1234", "0.1234 has more than three decimals"},
		{"-0.5", "\"-\" before \"0.5\" makes no sense"},
		{"0.0000000001s", "0.0000000001s is not a whole number of the smallest unit"},
		{"10.0.0.300", "\"10.0.0.300\" is not an IPv4 address"},
		{"10.0.0.0/33", "\"10.0.0.0/33\": an IPv4 prefix has at most 32 bits"},
		{"2001:db8::/129", "\"2001:db8::/129\": an IPv6 prefix has at most 128 bits"},
		{"02:00:00:00:00", "\"02:00:00:00:00\" is neither an IPv6 address nor a MAC"},
		{"5 6", "unexpected \" 6\""},
	};
	char error[LITERAL_ERROR_SIZE];
	struct literal literal;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(literal_parse(bad[i].text, &literal, error) < 0);
		assert_string_equal(error, bad[i].error);
	}
}

static void test_flags(void **state)
{
	uint64_t value, mask;

	assert_int_equal(value_flags_parse("+syn-ack", &value, &mask), 0);
	assert_int_equal(value, 0x02);
	assert_int_equal(mask, 0x12);
	assert_true(value_flags_parse("syn", &value, &mask) < 0);
	assert_true(value_flags_parse("+syn+syn", &value, &mask) < 0);
	assert_true(value_flags_parse("+", &value, &mask) < 0);
	assert_true(value_flags_parse("+verylongname", &value, &mask) < 0);
}

/* What the encoder relies on for every field. */
static void test_field_table(void **state)
{
	for (size_t i = 0; i < n_fields; i++) {
		const struct field *f = &fields[i];

		assert_ptr_equal(field_find(f->name), f);
		assert_true(f->bits == 128 || (f->bits >= 1 && f->bits <= 64));
		assert_int_equal(f->bits == 128, f->type == TYPE_ADDR);
		assert_true(f->needs != 0);
		assert_int_equal(f->load.kind == LOAD_NONE, f->type == TYPE_SEGMENTS);
		assert_int_equal(f->needs, 1ULL << f->load.need);
		if (f->load.kind == LOAD_BITS)
			assert_true(f->load.shift + f->bits <= 8u * f->load.size &&
				    f->load.shift6 + f->bits <= 8u * f->load.size6);
		if (f->bits < 64 && f->bits != 128)
			assert_true(f->load.mask == (1ULL << f->bits) - 1);
		assert_int_equal(f->writable, f->step.code != STEP_NONE);
		if (f->writable && f->step.code == STEP_BITS) {
			assert_int_equal(f->step.off, f->load.off);
			assert_int_equal(f->step.shift, f->load.shift);
			assert_true(f->step.mask == f->load.mask);
		}
	}
}

static void test_field_names(void **state)
{
	uint64_t needs;

	assert_null(field_find("ip.scr"));
	assert_string_equal(field_nearest("ip.scr"), "ip.src");
	assert_true(field_is_planned("gre.key"));
	assert_false(field_is_planned("ip.src"));
	assert_int_equal(header_find("tcp", &needs), 0);
	assert_true(needs == 1ULL << PRESENT_TCP);
	assert_true(header_find("tpc", &needs) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_render),	     cmocka_unit_test(test_render_fits_the_buffer),
		cmocka_unit_test(test_parse),	     cmocka_unit_test(test_literals),
		cmocka_unit_test(test_bad_literals), cmocka_unit_test(test_flags),
		cmocka_unit_test(test_field_table),  cmocka_unit_test(test_field_names),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
