/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A registry as lines of text:
 *
 *     next-table ID
 *     counter INDEX N NAME
 *     global INDEX NAME               group, meter: likewise
 *     table ID NAME
 *     flow INDEX HASH NAME
 *     state ID NAME                   of the flow before
 *     retired ID NAME
 *
 * NAME is the rest of the line, with newline, carriage return and backslash escaped.  What is read has one owner for
 * each index and one element for each name: a file that says otherwise is damaged. */
#include "registry_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"

static void write_name(FILE *out, const char *name)
{
	for (; *name; name++) {
		if (*name == '\n')
			fputs("\\n", out);
		else if (*name == '\r')
			fputs("\\r", out);
		else if (*name == '\\')
			fputs("\\\\", out);
		else
			fputc(*name, out);
	}
	fputc('\n', out);
}

static void write_flow(FILE *out, const struct registry_flow *flow)
{
	fprintf(out, "flow %" PRIu32 " %016" PRIx64 " ", flow->index, flow->hash);
	write_name(out, flow->name);
	for (size_t i = 0; i < flow->n_states; i++) {
		fprintf(out, "%s %u ", flow->state[i].retired ? "retired" : "state", flow->state[i].id);
		write_name(out, flow->state[i].name);
	}
}

char *registry_render(const struct registry *reg)
{
	char *text = NULL;
	size_t size;
	bool failed;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "next-table %" PRIu32 "\n", reg->next_table);
	for (size_t i = 0; i < reg->n_counters; i++) {
		fprintf(out, "counter %" PRIu32 " %" PRIu32 " ", reg->counter[i].index, reg->counter[i].n);
		write_name(out, reg->counter[i].name);
	}
	for (unsigned kind = 0; kind < REGISTRY_KINDS; kind++)
		for (size_t i = 0; i < reg->shared[kind].n; i++) {
			fprintf(out, "%s %" PRIu32 " ", registry_kind_word(kind), reg->shared[kind].item[i].index);
			write_name(out, reg->shared[kind].item[i].name);
		}
	for (size_t i = 0; i < reg->n_tables; i++) {
		fprintf(out, "table %" PRIu32 " ", reg->table[i].id);
		write_name(out, reg->table[i].name);
	}
	for (size_t i = 0; i < reg->n_flows; i++)
		write_flow(out, &reg->flow[i]);
	failed = ferror(out);
	if (fclose(out) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- reading ---- */

static int unescape(char *name)
{
	char *to = name;

	for (const char *from = name; *from; from++) {
		if (*from != '\\') {
			*to++ = *from;
			continue;
		}
		from++;
		if (*from != 'n' && *from != 'r' && *from != '\\')
			return -EPROTO;
		*to++ = *from == 'n' ? '\n' : *from == 'r' ? '\r' : '\\';
	}
	*to = '\0';
	return to == name ? -EPROTO : 0;
}

/* Takes a number and the space behind it off the line. */
static int take_number(char **line, int base, uint64_t max, uint64_t *ret_value)
{
	char *end;

	if (**line == '-' || **line == '+' || **line == ' ')
		return -EPROTO;
	errno = 0;
	*ret_value = strtoull(*line, &end, base);
	if (errno || end == *line || (*end != ' ' && *end) || *ret_value > max)
		return -EPROTO;
	*line = *end ? end + 1 : end;
	return 0;
}

static int parse_counter(struct registry *reg, uint8_t *taken, char *rest)
{
	uint64_t index, n;

	if (take_number(&rest, 10, COUNTERS - 1, &index) < 0 || take_number(&rest, 10, TABLE_STAT_MAX, &n) < 0)
		return -EPROTO;
	if (index < COUNTER_RULES || !n || index + n > COUNTER_MEMBERS || unescape(rest) < 0)
		return -EPROTO;
	if (memchr(taken + index, 1, n))
		return -EPROTO;
	memset(taken + index, 1, n);
	return registry_put_counter(reg, rest, index, n, false);
}

static int parse_shared(struct registry *reg, enum registry_kind kind, char *rest)
{
	uint64_t index;

	if (take_number(&rest, 10, registry_shared_max(kind) - 1, &index) < 0 || unescape(rest) < 0 ||
	    registry_uses_shared(reg, kind, index))
		return -EPROTO;
	return registry_put_shared(reg, kind, rest, index, false);
}

static int parse_table(struct registry *reg, char *rest)
{
	uint64_t id;

	if (take_number(&rest, 10, UINT32_MAX - 1, &id) < 0 || unescape(rest) < 0 ||
	    reg->n_tables == HOOK_MAX * HOOK_TABLES_MAX)
		return -EPROTO;
	for (size_t i = 0; i < reg->n_tables; i++)
		if (reg->table[i].id == id || !strcmp(reg->table[i].name, rest))
			return -EPROTO;
	if (reg->next_table <= id)
		reg->next_table = id + 1;
	return registry_put_table(reg, rest, id);
}

static int parse_flow(struct registry *reg, char *rest)
{
	struct registry_flow *flow;
	uint64_t index, hash;

	if (take_number(&rest, 10, FLOW_TABLES_MAX - 1, &index) < 0 || take_number(&rest, 16, UINT64_MAX, &hash) < 0 ||
	    unescape(rest) < 0 || registry_uses_flow(reg, index) || registry_find_flow(reg, rest))
		return -EPROTO;
	flow = registry_put_flow(reg, rest);
	if (!flow)
		return -ENOMEM;
	flow->index = index;
	flow->hash = hash;
	return 0;
}

static int parse_state(struct registry *reg, char *rest, bool retired)
{
	struct registry_flow *flow = reg->n_flows ? &reg->flow[reg->n_flows - 1] : NULL;
	uint64_t id;

	if (!flow || take_number(&rest, 10, STATES_MAX - 1, &id) < 0 || unescape(rest) < 0)
		return -EPROTO;
	for (size_t i = 0; i < flow->n_states; i++)
		if (flow->state[i].id == id ||
		    (!retired && !flow->state[i].retired && !strcmp(flow->state[i].name, rest)))
			return -EPROTO;
	return registry_put_state(flow, rest, id, retired);
}

/* 'taken' has a byte for each counter. */
static int parse_line(struct registry *reg, uint8_t *taken, char *line)
{
	char *rest = strchr(line, ' ');
	uint64_t number;

	if (!rest)
		return -EPROTO;
	*rest++ = '\0';
	if (!strcmp(line, "counter"))
		return parse_counter(reg, taken, rest);
	for (unsigned kind = 0; kind < REGISTRY_KINDS; kind++)
		if (!strcmp(line, registry_kind_word(kind)))
			return parse_shared(reg, kind, rest);
	if (!strcmp(line, "table"))
		return parse_table(reg, rest);
	if (!strcmp(line, "flow"))
		return parse_flow(reg, rest);
	if (!strcmp(line, "state") || !strcmp(line, "retired"))
		return parse_state(reg, rest, line[0] == 'r');
	if (!strcmp(line, "next-table") && take_number(&rest, 10, UINT32_MAX, &number) == 0) {
		if (reg->next_table < number)
			reg->next_table = number;
		return 0;
	}
	return -EPROTO;
}

int registry_parse(const char *text, struct registry **ret_reg, unsigned *ret_line)
{
	_cleanup_free_ uint8_t *taken = calloc(COUNTERS, 1);
	_cleanup_free_ char *copy = strdup(text);
	struct registry *reg = registry_new();
	unsigned n = 0;
	int r = copy && taken && reg ? 0 : -ENOMEM;

	for (char *line = copy, *next; r == 0 && line && *line; line = next) {
		next = strchr(line, '\n');
		n++;
		if (!next) {
			r = -EPROTO; /* The last line ends like the others. */
			break;
		}
		*next++ = '\0';
		r = parse_line(reg, taken, line);
	}
	if (r < 0) {
		registry_free(reg);
		*ret_line = n;
		return r;
	}
	registry_seal(reg);
	*ret_reg = reg;
	return 0;
}
