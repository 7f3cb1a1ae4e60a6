/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delta debugging: packets first, in halves down to single ones, then whatever can be taken out of the application's
 * text and leaves one that the checker accepts: lines with what stands under them, elements of lists and maps, steps,
 * sides of conditions. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trial.h"

enum { SHRINK_SECONDS = 60 };

struct shrink {
	struct trial *trial;
	enum rig_tier tier;
	time_t end;
};

static bool time_is_up(const struct shrink *s)
{
	return time(NULL) >= s->end;
}

static bool fails(const struct shrink *s, const struct trial *trial, unsigned *ret_packets)
{
	char why[TRIAL_WHY];

	return !time_is_up(s) && !trial_run(trial, s->tier, 1, why, ret_packets) && *ret_packets > 0;
}

/* ---- packets --------------------------------------------------------------------------------- */

/* Tries without packets [from, from + n); the time between the others stays. */
static bool try_without_packets(struct shrink *s, unsigned from, unsigned n)
{
	struct trial smaller = *s->trial;
	unsigned needed, rest = s->trial->n - from - n;

	smaller.packet = malloc((s->trial->n + 1) * sizeof(*smaller.packet));
	smaller.n = s->trial->n - n;
	memcpy(smaller.packet, s->trial->packet, from * sizeof(*smaller.packet));
	memcpy(smaller.packet + from, s->trial->packet + from + n, rest * sizeof(*smaller.packet));
	for (unsigned i = from; rest && i < from + n; i++)
		smaller.packet[from].after_ns += s->trial->packet[i].after_ns;
	if (!fails(s, &smaller, &needed)) {
		free(smaller.packet);
		return false;
	}
	free(s->trial->packet);
	*s->trial = smaller;
	s->trial->n = needed;
	return true;
}

static void shrink_packets(struct shrink *s)
{
	unsigned needed;

	if (!fails(s, s->trial, &needed))
		return;
	s->trial->n = needed;
	for (unsigned n = s->trial->n / 2; n; n /= 2)
		for (unsigned from = 0; from + n < s->trial->n;)
			if (!try_without_packets(s, from, n))
				from += n;
}

/* ---- the application's text ------------------------------------------------------------------ */

/* Tries the text with [from, end) replaced by 'by'. */
static bool try_replaced(struct shrink *s, size_t from, size_t end, const char *by, size_t by_size)
{
	const char *yaml = s->trial->yaml;
	size_t rest = strlen(yaml + end);
	struct trial smaller = *s->trial;
	unsigned needed;

	smaller.yaml = malloc(from + by_size + rest + 1);
	memcpy(smaller.yaml, yaml, from);
	memcpy(smaller.yaml + from, by, by_size);
	memcpy(smaller.yaml + from + by_size, yaml + end, rest + 1);
	if (!fails(s, &smaller, &needed)) {
		free(smaller.yaml);
		return false;
	}
	free(s->trial->yaml);
	s->trial->yaml = smaller.yaml;
	s->trial->n = needed;
	return true;
}

static size_t indent_of(const char *line)
{
	return strspn(line, " ");
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : line + strlen(line);
}

/* A line, and the lines under it that are indented more. */
static bool shrink_lines(struct shrink *s)
{
	bool shrunk = false;

	for (size_t at = 0; at < strlen(s->trial->yaml);) {
		const char *yaml = s->trial->yaml, *end = next_line(yaml + at);

		while (*end && indent_of(end) > indent_of(yaml + at))
			end = next_line(end);
		if (try_replaced(s, at, end - yaml, "", 0))
			shrunk = true;
		else
			at = next_line(yaml + at) - yaml;
	}
	return shrunk;
}

/* Where the element that begins at 'at' ends: at a comma, a semicolon or a closing bracket of its own depth. */
static size_t element_end(const char *yaml, size_t at)
{
	int depth = 0;

	for (; yaml[at] && yaml[at] != '\n'; at++) {
		if (strchr("([{", yaml[at]))
			depth++;
		if (strchr(")]}", yaml[at]) && depth-- == 0)
			break;
		if (!depth && (yaml[at] == ',' || yaml[at] == ';' || yaml[at] == '"'))
			break;
	}
	return at;
}

/* Elements of {}, [] and "a; b", with the separator before or behind. */
static bool shrink_elements(struct shrink *s)
{
	bool shrunk = false;

	for (size_t at = 1; at < strlen(s->trial->yaml); at++) {
		const char *yaml = s->trial->yaml;
		size_t end;

		if (!strchr("{[\"", yaml[at - 1]) && !(yaml[at] == ' ' && strchr(",;", yaml[at - 1])))
			continue;
		end = element_end(yaml, at);
		/* "key: "value"" ends behind the quotes. */
		if (yaml[end] == '"' && yaml[at - 1] != '"' && strchr(yaml + end + 1, '"'))
			end = strchr(yaml + end + 1, '"') + 1 - yaml;
		if (yaml[end] == ',' || yaml[end] == ';')
			shrunk |= try_replaced(s, at, end + 1 + (yaml[end + 1] == ' '), "", 0);
		else if (strchr(",;", yaml[at - 1]))
			shrunk |= try_replaced(s, at - 1, end, "", 0);
	}
	return shrunk;
}

static size_t matching_bracket(const char *yaml, size_t open)
{
	int depth = 0;

	for (size_t at = open; yaml[at] && yaml[at] != '\n'; at++) {
		depth += yaml[at] == '(';
		depth -= yaml[at] == ')';
		if (!depth)
			return at;
	}
	return 0;
}

/* The quotes around a place. */
static bool quotes_around(const char *yaml, size_t at, size_t *ret_open, size_t *ret_close)
{
	size_t open = at, close = at;

	while (open && yaml[open] != '"' && yaml[open] != '\n')
		open--;
	close += strcspn(yaml + close, "\"\n");
	*ret_open = open;
	*ret_close = close;
	return yaml[open] == '"' && yaml[close] == '"';
}

/* What stands in brackets instead of all, or a number instead of the brackets. */
static bool shrink_brackets(struct shrink *s)
{
	bool shrunk = false;

	for (size_t at = 0; at < strlen(s->trial->yaml); at++) {
		const char *yaml = s->trial->yaml;
		size_t close, quote, end;

		if (yaml[at] != '(' || !quotes_around(yaml, at, &quote, &end))
			continue;
		close = matching_bracket(yaml, at);
		if (!close)
			continue;
		if (try_replaced(s, quote + 1, end, yaml + at + 1, close - at - 1) ||
		    try_replaced(s, at, close + 1, "1", 1))
			shrunk = true;
	}
	return shrunk;
}

void trial_shrink(struct trial *trial, enum rig_tier tier)
{
	struct shrink s = {.trial = trial, .tier = tier, .end = time(NULL) + SHRINK_SECONDS};
	bool again = true;

	shrink_packets(&s);
	while (again && !time_is_up(&s)) {
		again = shrink_lines(&s);
		again |= shrink_elements(&s);
		again |= shrink_brackets(&s);
		if (again)
			shrink_packets(&s);
	}
}
