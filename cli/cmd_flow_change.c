/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow get|set|delete|flush: single flows by their key, or all of them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"

enum { PAIRS_MAX = 80 };

/* FIELD=VALUE arguments, sorted into parts of the key and registers by the table's layout. */
struct pairs {
	char *copy[PAIRS_MAX];
	size_t n_copies;
	struct msg_setting key[PAIRS_MAX], reg[PAIRS_MAX];
	size_t n_keys, n_regs;
	const char *state;
};

static void pairs_done(struct pairs *pairs)
{
	for (size_t i = 0; i < pairs->n_copies; i++)
		free(pairs->copy[i]);
}

static bool has_field(const struct layout_field *field, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(field[i].name, name))
			return true;
	return false;
}

static int unknown_field(const struct layout *layout, const char *name)
{
	const char *names[2 * KEY_PARTS_MAX + 28 + 1];
	const char *near;
	size_t n = 0;

	for (size_t i = 0; i < layout->n_keys; i++)
		names[n++] = layout->key[i].name;
	for (size_t i = 0; i < layout->n_regs; i++)
		names[n++] = layout->reg[i].name;
	names[n++] = "state";
	near = diag_nearest(name, names, n);
	if (near)
		return cli_usage("table %s has no \"%s\"; did you mean \"%s\"?", layout->table, name, near);
	return cli_usage("table %s has no \"%s\" in its key or registers", layout->table, name);
}

static int check_value(const struct layout_field *field, size_t n, const char *name, const char *text)
{
	uint64_t hi, lo;

	/* The switch knows its ports by name, and its clock. */
	for (size_t i = 0; i < n; i++)
		if (!strcmp(field[i].name, name) && field[i].type != TYPE_TIME && field[i].type != TYPE_PORT &&
		    value_parse(field[i].type, text, &hi, &lo) < 0)
			return cli_usage("\"%s\" is no %s, which %s is", text, value_type_name(field[i].type), name);
	return 0;
}

static int add_pair(struct pairs *pairs, const struct layout *layout, const char *text)
{
	char *copy, *equals;

	if (pairs->n_copies == PAIRS_MAX)
		return cli_usage("at most %d fields", PAIRS_MAX);
	copy = strdup(text);
	if (!copy)
		return cli_fail("out of memory");
	pairs->copy[pairs->n_copies++] = copy;
	equals = strchr(copy, '=');
	if (!equals || equals == copy)
		return cli_usage("expected FIELD=VALUE, not \"%s\"", text);
	*equals++ = '\0';
	if (has_field(layout->key, layout->n_keys, copy)) {
		pairs->key[pairs->n_keys++] = (struct msg_setting){.name = copy, .text = equals};
		return check_value(layout->key, layout->n_keys, copy, equals);
	}
	if (has_field(layout->reg, layout->n_regs, copy)) {
		pairs->reg[pairs->n_regs++] = (struct msg_setting){.name = copy, .text = equals};
		return check_value(layout->reg, layout->n_regs, copy, equals);
	}
	if (strcmp(copy, "state"))
		return unknown_field(layout, copy);
	pairs->state = equals;
	return 0;
}

static int read_pairs(const struct args *args, const struct layout *layout, struct pairs *pairs)
{
	const char *state = args_get(args, "state");
	int r = 0;

	for (size_t i = 2; i < args->n_args && r == 0; i++)
		r = add_pair(pairs, layout, args->arg[i]);
	if (r == 0 && state)
		pairs->state = state;
	return r;
}

static int check_whole_key(const struct layout *layout, const struct pairs *pairs)
{
	for (size_t i = 0; i < layout->n_keys; i++) {
		size_t j = 0;

		while (j < pairs->n_keys && strcmp(pairs->key[j].name, layout->key[i].name))
			j++;
		if (j == pairs->n_keys)
			return cli_usage("the key of table %s has %s too; give %s=VALUE", layout->table,
					 layout->key[i].name, layout->key[i].name);
	}
	return 0;
}

/* Sends the operation with what the arguments say.  The answer is for message_free(). */
static int operate(struct cli *cli, const struct args *args, enum flow_op op, struct message **ret_reply)
{
	struct message request = {.kind = MSG_FLOW}, *tables = NULL;
	struct pairs pairs = {};
	const struct layout *layout = NULL;
	int r;

	r = cli_layout(cli, args->arg[0], args->arg[1], &tables, &layout);
	if (r)
		return r;
	r = read_pairs(args, layout, &pairs);
	if (r == 0 && op != FLOW_FLUSH)
		r = check_whole_key(layout, &pairs);
	if (r == 0 && pairs.n_regs && op != FLOW_SET)
		r = cli_usage("%s is a register; only the key says which flow", pairs.reg[0].name);
	if (r == 0 && pairs.state && op != FLOW_SET && op != FLOW_FLUSH)
		r = cli_usage("only the key says which flow, not its state");
	if (r == 0) {
		request.flow.op = op;
		request.flow.deployment = args->arg[0];
		request.flow.table = args->arg[1];
		request.flow.key = pairs.key;
		request.flow.n_keys = pairs.n_keys;
		request.flow.state = pairs.state ? pairs.state : "";
		request.flow.reg = pairs.reg;
		request.flow.n_regs = pairs.n_regs;
		r = cli_call(cli, &request, op == FLOW_GET ? MSG_DUMP_CHUNK : MSG_OK, ret_reply);
	}
	pairs_done(&pairs);
	message_free(tables);
	return r;
}

static int report(struct cli *cli, const struct args *args, enum flow_op op, const char *done)
{
	struct message *reply;
	int r;

	r = operate(cli, args, op, &reply);
	if (r)
		return r;
	if (cli->json) {
		struct render *out = render_new(stdout, true);

		if (out) {
			render_row_begin(out);
			render_u64(out, "count", reply->ok.count);
			render_row_end(out);
		}
		render_free(out);
	} else {
		printf("%" PRIu64 " flow%s %s\n", reply->ok.count, reply->ok.count == 1 ? "" : "s", done);
	}
	message_free(reply);
	return EXIT_OK;
}

int flow_get(struct cli *cli, const struct args *args)
{
	uint64_t words[RECORD_WORDS(RECORD_256)] = {};
	const struct msg_dump_chunk *chunk;
	struct message *reply;
	struct render *out;
	int r;

	r = operate(cli, args, FLOW_GET, &reply);
	if (r)
		return r;
	chunk = &reply->chunk;
	if (!chunk->size || !chunk->layout || chunk->record_size > sizeof(words) || chunk->size < chunk->record_size) {
		message_free(reply);
		return cli_fail("there is no such flow");
	}
	memcpy(words, chunk->records, chunk->record_size);
	out = render_new(stdout, cli->json);
	if (out)
		render_flow(out, chunk->layout, words, chunk->now_ns);
	render_free(out);
	message_free(reply);
	return EXIT_OK;
}

int flow_set(struct cli *cli, const struct args *args)
{
	return report(cli, args, FLOW_SET, "written");
}

int flow_delete(struct cli *cli, const struct args *args)
{
	return report(cli, args, FLOW_DELETE, "deleted");
}

int flow_flush(struct cli *cli, const struct args *args)
{
	return report(cli, args, FLOW_FLUSH, "deleted");
}
