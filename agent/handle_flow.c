/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows: dumped in chunks, looked up, written, deleted. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "agent.h"
#include "dispatch.h"
#include "flow_key.h"

/* The stateful table a request names; answers and returns NULL if there is none. */
static const struct plan_table *find_table(const struct request *rq, const char *deployment, const char *table)
{
	const struct plan *plan = versions_plan(rq->agent->versions);
	const struct plan_table *t;

	if (!desired_find(plan->desired, deployment)) {
		reply_error(&rq->from, ERROR_UNKNOWN, "there is no deployment \"%s\"", deployment);
		return NULL;
	}
	t = plan_find_table(plan, deployment, table);
	if (!t)
		reply_error(&rq->from, ERROR_UNKNOWN, "%s has no table \"%s\"", deployment, table);
	else if (!t->layout)
		reply_error(&rq->from, ERROR_UNKNOWN, "table %s keeps no flows", t->name);
	return t && t->layout ? t : NULL;
}

static void reply_chunk(const struct request *rq, struct msg_dump_chunk *chunk)
{
	struct message msg = {.kind = MSG_DUMP_CHUNK, .switch_name = rq->agent->config->name, .chunk = *chunk};

	reply_message(&rq->from, &msg);
}

/* ---- dump ---- */

struct dump {
	uint8_t *records;
	size_t size, room, record_size;
	int state;	/* Id, -1: all. */
	uint64_t known; /* State ids of this version; others read as the first state. */
};

static bool state_matches(int wanted, uint64_t known, const uint64_t *words)
{
	struct flow_head head;

	if (wanted < 0)
		return true;
	memcpy(&head, words, sizeof(head));
	return (head.state < STATES_MAX && known & 1ull << head.state ? head.state : 0) == wanted;
}

static int dump_record(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	struct dump *dump = data;

	if (!state_matches(dump->state, dump->known, words))
		return 0;
	memcpy(dump->records + dump->size, words, dump->record_size);
	dump->size += dump->record_size;
	return dump->size + dump->record_size > dump->room;
}

/* Id of a state by name: -1 for "", -2 when there is none of that name. */
static int state_of(const struct layout *layout, const char *name)
{
	if (!name[0])
		return -1;
	for (size_t i = 0; i < layout->n_states; i++)
		if (!strcmp(layout->state[i].name, name))
			return layout->state[i].id;
	return -2;
}

static uint64_t known_states(const struct layout *layout)
{
	uint64_t known = 0;

	for (size_t i = 0; i < layout->n_states; i++)
		known |= 1ull << layout->state[i].id;
	return known;
}

/* Counting looks at every slot, so it is done once a dump. */
static uint64_t count_flows(struct agent *agent, const struct plan_table *t, bool first)
{
	const struct table_placement *place = plan_placement(t);

	if (first || agent->dumped.table != place->id)
		agent->dumped.flows = flow_store_count(agent->flows, place->flow_table);
	agent->dumped.table = place->id;
	return agent->dumped.flows;
}

static void dump_table(struct request *rq, const struct plan_table *t, struct dump *dump)
{
	const struct msg_dump *wanted = &rq->msg->dump;
	unsigned index = plan_placement(t)->flow_table;
	uint32_t cursor = wanted->cursor;
	struct msg_dump_chunk chunk = {.now_ns = instance_now_ns(rq->agent->instance),
				       .record_size = dump->record_size};
	int r;

	r = flow_store_walk(rq->agent->flows, index, &cursor, 0, dump_record, dump);
	if (r < 0) {
		reply_error(&rq->from, ERROR_INTERNAL, "%s cannot be read: %s", t->name, strerror(-r));
		return;
	}
	chunk.layout = wanted->cursor ? NULL : t->layout;
	chunk.next = cursor;
	chunk.total = count_flows(rq->agent, t, !wanted->cursor);
	chunk.records = dump->records;
	chunk.size = dump->size;
	reply_chunk(rq, &chunk);
}

void handle_dump(struct request *rq)
{
	const struct msg_dump *wanted = &rq->msg->dump;
	const struct plan_table *t = find_table(rq, wanted->deployment, wanted->table);
	_cleanup_free_ uint8_t *records = NULL;
	struct dump dump = {};

	if (!t)
		return;
	dump.state = state_of(t->layout, wanted->state);
	if (dump.state == -2) {
		reply_error(&rq->from, ERROR_INVALID, "%s has no state \"%s\"", t->name, wanted->state);
		return;
	}
	if (wanted->cursor > UINT32_MAX) {
		reply_error(&rq->from, ERROR_INVALID, "no such cursor");
		return;
	}
	dump.known = known_states(t->layout);
	dump.record_size = RECORD_SIZE(t->layout->record_class);
	dump.room = wanted->max_bytes && wanted->max_bytes < DUMP_BYTES_MAX ? wanted->max_bytes : DUMP_BYTES_MAX;
	if (dump.room < dump.record_size)
		dump.room = dump.record_size;
	records = malloc(dump.room);
	if (!records) {
		reply_error(&rq->from, ERROR_NO_MEMORY, "no memory");
		return;
	}
	dump.records = records;
	dump_table(rq, t, &dump);
}

/* ---- one flow ---- */

static void get_flow(struct request *rq, const struct plan_table *t, const uint64_t *key)
{
	struct msg_dump_chunk chunk = {
		.layout = t->layout,
		.now_ns = instance_now_ns(rq->agent->instance),
		.total = 1,
		.record_size = RECORD_SIZE(t->layout->record_class),
		.size = RECORD_SIZE(t->layout->record_class),
	};
	uint64_t words[RECORD_WORDS(RECORD_256)];
	uint32_t slot;

	if (flow_store_find(rq->agent->flows, plan_placement(t)->flow_table, key, &slot, words) < 0) {
		reply_error(&rq->from, ERROR_UNKNOWN, "there is no such flow in %s", t->name);
		return;
	}
	chunk.records = (const uint8_t *)words;
	reply_chunk(rq, &chunk);
}

static void delete_flow(struct request *rq, const struct plan_table *t, const uint64_t *key)
{
	struct agent *agent = rq->agent;
	uint64_t words[RECORD_WORDS(RECORD_256)];
	enum control_result result = CONTROL_NOTHING;
	uint32_t slot;
	int r;

	r = flow_store_find(agent->flows, plan_placement(t)->flow_table, key, &slot, words);
	if (r == 0)
		r = flow_store_delete(agent->flows, versions_element(agent->versions, t), slot, 0, &result);
	if (r < 0 && r != -ENOENT)
		reply_error(&rq->from, ERROR_INTERNAL, "%s: %s", t->name, strerror(-r));
	else if (result != CONTROL_FREED)
		reply_error(&rq->from, ERROR_UNKNOWN, "there is no such flow in %s", t->name);
	else
		reply_ok(&rq->from, "", 0, 1);
}

/* Registers that are not named stay as they are, or 0 in a new flow. */
static void set_flow(struct request *rq, const struct plan_table *t, const uint64_t *key)
{
	struct port_names names = {wiring_find, rq->agent->wiring};
	const struct msg_flow *flow = &rq->msg->flow;
	unsigned first = FLOW_HEAD_WORDS + t->layout->key_words;
	uint64_t words[RECORD_WORDS(RECORD_256)] = {};
	enum control_result result = CONTROL_NOTHING;
	struct flow_head head;
	char why[256];
	uint32_t slot;
	int state, r;

	flow_store_find(rq->agent->flows, plan_placement(t)->flow_table, key, &slot, words);
	memcpy(&head, words, sizeof(head));
	state = state_of(t->layout, flow->state);
	if (state == -2) {
		reply_error(&rq->from, ERROR_INVALID, "%s has no state \"%s\"", t->name, flow->state);
		return;
	}
	if (state == 0 && t->layout->n_states > 1) {
		reply_error(&rq->from, ERROR_INVALID,
			    "%s: %s is the state of flows without a record; delete the flow instead", t->name,
			    flow->state);
		return;
	}
	if (flow_key_registers(t->layout, flow, &names, instance_now_ns(rq->agent->instance), words, why) < 0) {
		reply_error(&rq->from, ERROR_INVALID, "%s: %s", t->name, why);
		return;
	}
	r = flow_store_set(rq->agent->flows, versions_element(rq->agent->versions, t), key, t->layout->key_words,
			   state < 0 ? head.state : (unsigned)state, words + first, t->layout->n_registers, &result);
	if (r < 0)
		reply_error(&rq->from, ERROR_INTERNAL, "%s: %s", t->name, strerror(-r));
	else if (result == CONTROL_FULL)
		reply_error(&rq->from, ERROR_NO_MEMORY, "%s is full", t->name);
	else if (result == CONTROL_AGAIN || result == CONTROL_NOTHING)
		reply_error(&rq->from, ERROR_BUSY, "%s: the flow is being changed by packets all the time; try again",
			    t->name);
	else
		reply_ok(&rq->from, result == CONTROL_CREATED ? "created" : "changed", 0, 1);
}

/* ---- flush ---- */

struct flush {
	const struct layout *layout;
	struct flow_filter filter;
	int state;
	uint64_t known;
};

static bool flush_match(void *data, const uint64_t *words)
{
	struct flush *flush = data;

	return state_matches(flush->state, flush->known, words) && flow_filter_matches(&flush->filter, words);
}

static void flush_flows(struct request *rq, const struct plan_table *t)
{
	struct port_names names = {wiring_find, rq->agent->wiring};
	const struct msg_flow *wanted = &rq->msg->flow;
	struct flush flush = {.layout = t->layout, .known = known_states(t->layout)};
	struct flow_scan scan = {};
	char why[256];
	int r;

	flush.state = state_of(t->layout, wanted->state);
	if (flush.state == -2) {
		reply_error(&rq->from, ERROR_INVALID, "%s has no state \"%s\"", t->name, wanted->state);
		return;
	}
	if (flow_filter_make(t->layout, wanted, &names, &flush.filter, why) < 0) {
		reply_error(&rq->from, ERROR_INVALID, "%s: %s", t->name, why);
		return;
	}
	r = flow_store_delete_matching(rq->agent->flows, plan_placement(t)->flow_table,
				       versions_element(rq->agent->versions, t), flush_match, &flush, &scan);
	if (r < 0)
		reply_error(&rq->from, ERROR_INTERNAL, "%s: %s", t->name, strerror(-r));
	else
		reply_ok(&rq->from, "", 0, scan.freed);
}

void handle_flow(struct request *rq)
{
	const struct msg_flow *flow = &rq->msg->flow;
	const struct plan_table *t = find_table(rq, flow->deployment, flow->table);
	struct port_names names = {wiring_find, rq->agent->wiring};
	uint64_t key[KEY_WORDS_MAX];
	char why[256];

	if (!t)
		return;
	if (flow->op == FLOW_FLUSH) {
		flush_flows(rq, t);
		return;
	}
	if (flow_key_parse(t->layout, flow, &names, key, why) < 0) {
		reply_error(&rq->from, ERROR_INVALID, "%s: %s", t->name, why);
		return;
	}
	switch ((enum flow_op)flow->op) {
	case FLOW_GET: get_flow(rq, t, key); return;
	case FLOW_SET: set_flow(rq, t, key); return;
	case FLOW_DELETE: delete_flow(rq, t, key); return;
	case FLOW_FLUSH: return;
	}
}
