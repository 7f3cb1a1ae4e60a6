/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "story.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../cli/packet_spec.h"
#include "../cli/simulator.h"
#include "../datapath/exit_reason.h"
#include "../tables/literal.h"

enum { ROOM = 128, STORY_START_S = 1000 };

struct story {
	struct source source;
	struct simulator_ports ports;
	struct simulator *sim;
	uint64_t now_ns;
	unsigned line; /* Of the page. */
	uint8_t buffer[NATIVE_HEADROOM + PACKET_SPEC_FRAME_MAX + ROOM];
};

static int wrong(const struct story *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int wrong(const struct story *s, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "line %u: ", s->line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -EINVAL;
}

static const char *exit_name(enum exit_reason reason)
{
#define X(id, name, text) [EXIT_##id] = name,
	static const char *const names[] = {EXIT_REASON_LIST(X)};
#undef X
	return reason < EXIT_REASON_MAX ? names[reason] : "?";
}

/* ---- one packet ---- */

static int compose(const struct story *s, const char *fields, const char *more, uint8_t *ret_frame, size_t *ret_size)
{
	const char *words[] = {fields, more};
	char why[256];

	if (packet_spec_compose(words, more ? 2 : 1, ret_frame, ret_size, why) < 0)
		return wrong(s, "%s", why);
	return 0;
}

/* "TABLE/RULE": did that rule, or "otherwise" or "absent", apply? */
static bool applied(const struct story *s, const struct native_result *result, const char *wanted)
{
	const struct app *app = s->source.app;

	for (unsigned i = 0; i < result->n_steps; i++) {
		const struct native_step *step = &result->step[i];
		char name[2 * NAME_LEN_MAX + 2];
		const char *rule;

		if (step->element >= app->n_tables)
			continue;
		rule = step->rule == RULE_OTHERWISE ? "otherwise"
		       : step->rule == RULE_ABSENT  ? "absent"
						    : app->table[step->element].rule[step->rule].name;
		snprintf(name, sizeof(name), "%s/%s", app->table[step->element].name, rule ?: "?");
		if (strcmp(name, wanted) == 0)
			return true;
	}
	return false;
}

/* "output lan": the way out and, where one is named, the port. */
static int check_exit(struct story *s, const struct native_result *result, char *text)
{
	char *save, *way = strtok_r(text, " ", &save), *port = strtok_r(NULL, " ", &save);

	if (!way || strcmp(way, exit_name(result->exit)) != 0)
		return wrong(s, "the packet leaves by %s, not by %s", exit_name(result->exit), way ?: "nothing");
	if (port && simulator_port(&s->ports, port) != result->out_port)
		return wrong(s, "the packet leaves by port %u, not %s", result->out_port, port);
	return 0;
}

/* Cuts 'text' at 'word' and returns what stands behind it, or NULL. */
static char *cut(char *text, const char *word)
{
	char *at = text ? strstr(text, word) : NULL;

	if (!at)
		return NULL;
	*at = '\0';
	return at + strlen(word);
}

static int run_packet(struct story *s, char *text)
{
	char *expected = cut(text, "-> "), *changes = cut(expected, " with "), *rule = cut(expected, " by "), *fields;
	uint8_t *frame = s->buffer + NATIVE_HEADROOM, left[PACKET_SPEC_FRAME_MAX];
	const struct native_result *result;
	size_t size, left_size;
	unsigned port;

	fields = text + strcspn(text, " ");
	if (!expected)
		return wrong(s, "expected \"PORT FIELDS -> WAY OUT\"");
	if (*fields)
		*fields++ = '\0';
	port = simulator_port(&s->ports, text);
	if (!port || compose(s, fields, NULL, frame, &size) < 0)
		return port ? -EINVAL : wrong(s, "no port \"%s\"", text);
	result = simulator_run(s->sim, port, s->now_ns, &frame, size, PACKET_SPEC_FRAME_MAX + ROOM);
	if (!result || check_exit(s, result, expected) < 0)
		return -EINVAL;
	if (rule && !applied(s, result, strtok(rule, " ")))
		return wrong(s, "rule %s did not apply", rule);
	if (!changes)
		return 0;
	if (compose(s, fields, changes, left, &left_size) < 0)
		return -EINVAL;
	if (left_size != result->size || memcmp(left, frame, left_size) != 0)
		return wrong(s, "the frame that leaves is not the one that came with %s", changes);
	return 0;
}

static int pass_time(struct story *s, const char *text)
{
	char error[LITERAL_ERROR_SIZE];
	struct literal literal;
	size_t len;

	if (literal_scan(text, &literal, &len, error) < 0 || literal.type != TYPE_DURATION)
		return wrong(s, "\"%s\" is no time", text);
	s->now_ns += literal.lo;
	simulator_expire(s->sim, s->now_ns);
	return 0;
}

static int run_line(struct story *s, char *text)
{
	char *comment = strchr(text, '#');

	if (comment)
		*comment = '\0';
	text += strspn(text, " ");
	if (!*text)
		return 0;
	return *text == '+' ? pass_time(s, text + 1) : run_packet(s, text);
}

/* ---- the whole ---- */

static int set_all(struct story *s, const char *settings)
{
	char *copy = strdup(settings), *save, *pair;
	int r = copy ? 0 : -ENOMEM;

	for (pair = copy ? strtok_r(copy, " ", &save) : NULL; pair && r == 0; pair = strtok_r(NULL, " ", &save))
		r = source_set(&s->source, pair);
	free(copy);
	return r ? -EINVAL : 0;
}

static int check_app(struct story *s, const char *yaml, const char *settings)
{
	struct port_names names = simulator_port_names(&s->ports);
	struct source *source = &s->source;

	/* Ports that the packets name are there although no application asks for them. */
	for (unsigned i = 1; i <= 4; i++)
		simulator_port(&s->ports, (char[]){'p', 'o', 'r', 't', '0' + i, 0});
	source->hook = HOOK_XDP;
	if (set_all(s, settings) < 0)
		return -EINVAL;
	source->path = "example";
	source->text = strdup(yaml);
	diag_init(&source->diags, source->path);
	if (!source->text)
		return -ENOMEM;
	app_parse(yaml, strlen(yaml), source->setting, source->n_settings, &names, &source->diags, &source->app);
	if (!source->diags.n)
		return 0;
	source_print_diags(source);
	return wrong(s, "this example is not free of mistakes and warnings");
}

static int run_packets(struct story *s, const char *packets)
{
	char *copy = strdup(packets), *save, *text;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	for (text = strtok_r(copy, "\n", &save); text && r == 0; text = strtok_r(NULL, "\n", &save)) {
		s->line++;
		r = run_line(s, text);
	}
	free(copy);
	return r;
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

int story_run(const char *yaml, const char *settings, const char *packets, unsigned line)
{
	struct story *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->line = line;
	s->now_ns = (1ULL << TIME_BASE_NS_SHIFT) + STORY_START_S * 1000000000ULL;
	r = check_app(s, yaml, settings);
	if (r == 0 && packets) {
		s->line = line + count_lines(yaml) + 2;
		r = simulator_new(&s->source, &s->ports, 1, &s->sim) ? -EINVAL : run_packets(s, packets);
	}
	simulator_free(s->sim);
	source_done(&s->source);
	free(s);
	return r;
}
