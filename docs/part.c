/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "part.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../datapath/exit_reason.h"
#include "../tables/literal.h"
#include "sample.h"
#include "words.h"

/* ---- fields ---- */

/* A value that says something, for fields whose type alone does not. */
static const struct {
	const char *field, *match, *value;
} field_examples[] = {
	{"eth.type", "arp", NULL},
	{"vlan.id", "[1, 100-199]", "7"},
	{"vlan.prio", "not 0", "5"},
	{"vlan.tpid", "qinq", NULL},
	{"arp.op", "1", "2"},
	{"arp.ptype", "ipv4", NULL},
	{"ip.proto", "[tcp, udp]", NULL},
	{"ip.ttl", "1", "64"},
	{"ip.dscp", "not 0", "46"},
	{"ip.frag_offset", "not 0", NULL},
	{"ip.src", "[10.0.0.0/8, \"2001:db8::/32\"]", "192.0.2.1"},
	{"ipv4.length", "0-576", NULL},
	{"ipv4.ihl", "not 5", NULL},
	{"ipv4.df", "1", "0"},
	{"l4.dst", "[80, 443, 8000-8999]", "8080"},
	{"tcp.flags", "[+syn-ack, +rst]", "0x12"},
	{"tcp.offset", "not 5", NULL},
	{"icmp.type", "8", "0"},
	{"icmpv6.type", "128", "129"},
	{"udp.checksum", "0", NULL},
	{"routing.type", "4", NULL},
};

static const char *value_of_type(const struct field *f, bool match)
{
	bool v6 = f->name[2] == 'v' && f->name[3] == '6';

	switch (f->type) {
	case TYPE_MAC: return match ? "\"01:00:00:00:00:00/01:00:00:00:00:00\"" : "02:00:00:00:00:01";
	case TYPE_ADDR:
		if (v6)
			return match ? "\"2001:db8::/32\"" : "2001:db8::1";
		return match ? "192.0.2.0/24" : "192.0.2.1";
	case TYPE_PROTO: return "udp";
	case TYPE_ETHERTYPE: return "vlan";
	case TYPE_FLAGS: return "+syn-ack";
	default: return "1";
	}
}

static int print_field(FILE *out, const struct field *f)
{
	const char *match = value_of_type(f, true), *value = value_of_type(f, false);
	char read[120], write[120] = "", rule[260];

	if (f->type == TYPE_SEGMENTS) {
		fprintf(out, "| `%s` | %u x 128 | %s | `key: {%s: exact}` | - |\n", f->name, SEGMENTS_MAX, f->text,
			f->name);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(field_examples); i++)
		if (strcmp(field_examples[i].field, f->name) == 0) {
			match = field_examples[i].match;
			value = field_examples[i].value ?: value;
		}
	snprintf(read, sizeof(read), "match: {%s: %s}", f->name, match);
	if (f->writable)
		snprintf(write, sizeof(write), "action: \"%s = %s\"", f->name, value);
	snprintf(rule, sizeof(rule), "%s%s%s", read, f->writable ? ", " : "", write);
	if (sample_rule(rule) != SAMPLE_GOOD)
		return -EINVAL;
	fprintf(out, "| `%s` | %u | %s | `%s` | ", f->name, f->bits, f->text, read);
	if (f->writable)
		fprintf(out, "`%s = %s` |\n", f->name, value);
	else
		fputs("- |\n", out);
	return 0;
}

static int print_fields(FILE *out)
{
	int r = 0;

	fputs("| field | bits | what it is | matched | written |\n|---|---|---|---|---|\n", out);
	for (size_t i = 0; i < n_fields; i++)
		r |= print_field(out, &fields[i]);
	return r;
}

static int print_headers(FILE *out)
{
	const char *name;

	for (size_t i = 0; (name = header_at(i)); i++) {
		char rule[80];

		snprintf(rule, sizeof(rule), "when: has(%s)", name);
		if (sample_rule(rule) != SAMPLE_GOOD)
			return -EINVAL;
		fprintf(out, "%s`%s`", i ? ", " : "", name);
	}
	fputc('\n', out);
	return 0;
}

/* ---- words with a sentence ---- */

static int missing(const char *what, const char *name)
{
	fprintf(stderr, "%s \"%s\" has no sentence in docs/words.c\n", what, name);
	return -EINVAL;
}

/* Good ones as a row; those of later versions into 'planned'. */
static int print_word(FILE *out, const struct word *w, FILE *planned)
{
	switch (sample_rule(w->example)) {
	case SAMPLE_GOOD: fprintf(out, "| `%s` | %s | `{%s}` |\n", w->form, w->text, w->example); return 0;
	case SAMPLE_PLANNED: fprintf(planned, " `%s`", w->form); return 0;
	case SAMPLE_BAD: break;
	}
	return -EINVAL;
}

typedef bool (*is_word_fn)(const char *name);

static bool is_any(const char *name)
{
	return true;
}

static bool is_helper(const char *name)
{
	const char *what = "";

	for (size_t i = 0; app_reserved_at(i, &what); i++)
		if (strcmp(app_reserved_at(i, &what), name) == 0)
			return strcmp(what, "a helper") == 0;
	return false;
}

static bool is_step(const char *name)
{
	for (size_t i = 0; stmt_word_at(i); i++)
		if (strcmp(stmt_word_at(i), name) == 0)
			return true;
	return false;
}

static int print_words(FILE *out, const char *head, const struct word *words, is_word_fn exists)
{
	_cleanup_free_ char *planned = NULL;
	size_t size;
	FILE *later = open_memstream(&planned, &size);
	int r = 0;

	if (!later)
		return -ENOMEM;
	fprintf(out, "| %s | meaning | example |\n|---|---|---|\n", head);
	for (; words->name; words++) {
		if (!exists(words->name)) {
			fprintf(stderr, "docs/words.c has a sentence for \"%s\", which is no word\n", words->name);
			r = -EINVAL;
		}
		r |= print_word(out, words, later);
	}
	fclose(later);
	if (planned && *planned)
		fprintf(out, "\nReserved, not yet:%s.\n", planned);
	return r;
}

static int print_helpers(FILE *out)
{
	const char *name, *what;

	for (size_t i = 0; (name = app_reserved_at(i, &what)); i++)
		if (strcmp(what, "a helper") == 0 && !word_find(helper_words, name))
			return missing("helper", name);
	return print_words(out, "helper", helper_words, is_helper);
}

static int print_steps(FILE *out)
{
	const char *name;

	for (size_t i = 0; (name = stmt_word_at(i)); i++)
		if (!word_find(step_words, name) && !word_find(verdict_words, name))
			return missing("step", name);
	return print_words(out, "step", step_words, is_step);
}

static int print_verdicts(FILE *out)
{
	return print_words(out, "verdict", verdict_words, is_step);
}

static int print_metas(FILE *out)
{
	enum value_type type;
	unsigned bits;
	const char *name;

	for (size_t i = 0; (name = app_meta_at(i, &type, &bits)); i++)
		if (!word_find(meta_words, name))
			return missing("name", name);
	return print_words(out, "name", meta_words, is_any);
}

/* ---- operators ---- */

static int print_level(FILE *out, unsigned level, unsigned *ret_n)
{
	for (enum expr_op op = EOP_OR; op <= EOP_INV; op++) {
		const struct word *w = word_find(operator_words, expr_op_text(op));
		char value[64];

		if (expr_op_level(op) != level || op == EOP_NEG)
			continue;
		if (!w)
			return missing("operator", expr_op_text(op));
		if (!sample_value(w->example, value, sizeof(value)))
			return -EINVAL;
		fprintf(out, "| %u | `%s` | %s | `%s` is %s |\n", level, strchr(w->form, '|') ? "a \\| b" : w->form,
			w->text, strchr(w->example, '|') ? "0x10 \\| 0x02" : w->example, value);
		++*ret_n;
	}
	return 0;
}

static int print_operators(FILE *out)
{
	unsigned n = 1;
	int r = 0;

	fputs("| binds | operator | meaning | example |\n|---|---|---|---|\n", out);
	for (unsigned level = 1; n && level < 32; level++) {
		n = level > 11 ? 0 : 1;
		r |= print_level(out, level, &n);
	}
	return r;
}

/* ---- units, constants, ways out ---- */

static int print_units(FILE *out)
{
	enum value_type type, last = TYPE_MAX;
	uint64_t factor;
	const char *name;

	fputs("| type | unit | is | example |\n|---|---|---|---|\n", out);
	for (size_t i = 0; (name = unit_at(i, &type, &factor)); i++) {
		char literal[32], value[64];

		snprintf(literal, sizeof(literal), "%s%s", factor > 1 ? "1.5" : "3", name);
		if (!sample_value(literal, value, sizeof(value)))
			return -EINVAL;
		fprintf(out, "| %s | `%s` | %" PRIu64 " | `%s` is %s |\n", type == last ? "" : value_type_name(type),
			name, factor, literal, value);
		last = type;
	}
	return 0;
}

static int print_constants(FILE *out)
{
	enum value_type type, last = TYPE_MAX;
	uint64_t value;
	const char *name;

	for (size_t i = 0; (name = value_name_at(i, &type, &value)); i++) {
		if (type != last)
			fprintf(out, "%s- %s: ", last == TYPE_MAX ? "" : "\n", value_type_name(type));
		fprintf(out, "%s`%s` %" PRIu64, type == last ? ", " : "", name, value);
		last = type;
	}
	fputc('\n', out);
	return 0;
}

static int print_exits(FILE *out)
{
	fputs("| way out | meaning |\n|---|---|\n", out);
#define X(id, name, text)                                                                                              \
	if (EXIT_##id != EXIT_NONE)                                                                                    \
		fprintf(out, "| `%s` | %s |\n", name, text);
	EXIT_REASON_LIST(X)
#undef X
	return 0;
}

static int print_limits(FILE *out)
{
	static const struct {
		const char *what;
		unsigned long value;
	} limits[] = {
		{"bytes of an application's text", APP_TEXT_MAX},
		{"tables of an application", APP_TABLES_MAX},
		{"tables of a hook, all applications together", HOOK_TABLES_MAX},
		{"applications of a hook", HOOK_APPS_MAX},
		{"parameters", APP_PARAMETERS_MAX},
		{"globals of an application", APP_GLOBALS_MAX},
		{"templates of a hook", TEMPLATES_MAX},
		{"bytes of a template", TEMPLATE_BYTES},
		{"segments of an SRv6 list", SEGMENTS_MAX},
		{"headers that an application declares", CUSTOM_MAX},
		{"words of packet variables (an address takes two)", APP_VARIABLES_MAX},
		{"rules of a table", RULES_MAX},
		{"states of a table", STATES_MAX},
		{"bytes of a key", KEY_WORDS_MAX * 8},
		{"parts of a key", KEY_PARTS_MAX},
		{"words of 64 bits of a record, key and registers together",
		 RECORD_WORDS(RECORD_256) - FLOW_HEAD_WORDS},
		{"ports of a switch", PORTS_MAX},
		{"characters of a name", NAME_LEN_MAX},
	};

	fputs("| at most | |\n|---|---|\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		fprintf(out, "| %s | %lu |\n", limits[i].what, limits[i].value);
	return 0;
}

/* ---- the parts ---- */

const char *const part_names[] = {"fields",   "headers", "names",     "helpers", "operators", "steps",
				  "verdicts", "units",	 "constants", "exits",	 "limits",    NULL};

int part_print(const char *name, FILE *out)
{
	static int (*const print[])(FILE *) = {print_fields,	print_headers, print_metas,    print_helpers,
					       print_operators, print_steps,   print_verdicts, print_units,
					       print_constants, print_exits,   print_limits};

	for (size_t i = 0; part_names[i]; i++)
		if (strcmp(part_names[i], name) == 0)
			return print[i](out);
	return -ENOENT;
}
