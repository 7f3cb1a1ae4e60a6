/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge.h"

#include <stdlib.h>
#include <string.h>

#include "judge_int.h"
#include "tables/entry.h"

/* ---- life ------------------------------------------------------------------------------------ */

struct judge *judge_new(const struct app *app, enum hook_id hook, unsigned n_ports)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (!j)
		abort();
	j->app = app;
	j->hook = hook;
	j->n_ports = n_ports;
	for (size_t i = 0; i < app->n_tables; i++)
		j->table[i].app = &app->table[i];
	for (size_t i = 0; i < app->n_globals; i++)
		j->global[i] = app->global[i].initial;
	return j;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	for (unsigned i = 0; i < APP_TABLES_MAX; i++)
		free(j->table[i].flow);
	free(j);
}

/* ---- which rule ------------------------------------------------------------------------------ */

static bool is_tag_field(const struct ref *ref)
{
	return strncmp(ref->field->name, "vlan.", 5) == 0;
}

/* A tag that was pushed is there to be written. */
static bool action_is_there(const struct visit *v, const struct stmt_list *action)
{
	bool pushed = false;

	for (size_t i = 0; i < action->n; i++) {
		const struct stmt *stmt = &action->item[i];
		bool writes = stmt->kind == STMT_ASSIGN && stmt->lhs->ref.kind == REF_FIELD;

		if (stmt->value && !judge_is_there(v, stmt->value))
			return false;
		if (stmt->kind == STMT_POP_VLAN && !pushed && !judge_has(v->run, &v->entered, "vlan"))
			return false;
		if (writes && !(pushed && is_tag_field(&stmt->lhs->ref) && stmt->op == EOP_NONE) &&
		    !judge_ref_is_there(v, &stmt->lhs->ref))
			return false;
		if (stmt->kind == STMT_PUSH_VLAN || stmt->kind == STMT_POP_VLAN)
			pushed = stmt->kind == STMT_PUSH_VLAN;
	}
	return true;
}

static bool learn_is_there(const struct visit *v, const struct app_learn *learn)
{
	bool there = !learn || !learn->first || judge_is_there(v, learn->first);

	for (size_t i = 0; learn && i < learn->n_key; i++)
		there &= judge_is_there(v, learn->key[i]);
	for (size_t i = 0; learn && i < learn->n_sets; i++)
		there &= judge_is_there(v, learn->set[i].value);
	return there && (!learn || action_is_there(v, &learn->otherwise));
}

static bool rule_is_there(const struct visit *v, const struct app_rule *rule)
{
	for (size_t i = 0; i < rule->n_match; i++)
		if (!judge_ref_is_there(v, &rule->match[i].ref))
			return false;
	for (size_t i = 0; i < rule->do_.n; i++)
		if (!judge_is_there(v, rule->do_.item[i].value))
			return false;
	return judge_is_there(v, rule->when) && action_is_there(v, &rule->action) && learn_is_there(v, rule->learn) &&
	       learn_is_there(v, rule->allocate);
}

static bool rule_holds(const struct visit *v, const struct app_rule *rule)
{
	if (!rule->any_state && !(rule->states >> v->looked_up.state & 1))
		return false;
	if (!rule_is_there(v, rule))
		return false;
	for (size_t i = 0; i < rule->n_match; i++)
		if (!judge_matches(v, &rule->match[i]))
			return false;
	return !rule->when || judge_eval(v, rule->when).lo;
}

static unsigned choose_rule(const struct visit *v, bool has_update_key)
{
	for (size_t i = 0; i < v->app->n_rules && has_update_key; i++)
		if (rule_holds(v, &v->app->rule[i]))
			return i;
	return RULE_OTHERWISE;
}

/* ---- update ---------------------------------------------------------------------------------- */

static bool writes_registers(const struct app_rule *rule)
{
	for (size_t i = 0; i < rule->do_.n; i++)
		if (rule->do_.item[i].lhs->ref.kind == REF_REGISTER || judge_has_meter(rule->do_.item[i].value))
			return true;
	return false;
}

static bool rule_creates(const struct app_rule *rule)
{
	return rule && (rule->next > 0 || rule->allocate || (rule->next < 0 && writes_registers(rule)));
}

/* After it the name means what this packet made of it. */
static void write_global(struct visit *v, const struct stmt *stmt)
{
	uint64_t *global = &v->run->judge->global[stmt->lhs->ref.index];

	*global = judge_assigned_global(v, stmt, *global);
	v->run->global[stmt->lhs->ref.index] = *global;
}

static void run_do(struct visit *v, const struct app_rule *rule, struct judge_flow *flow)
{
	v->in_do = true;
	for (size_t i = 0; i < rule->do_.n; i++) {
		const struct stmt *stmt = &rule->do_.item[i];
		const struct ref *to = &stmt->lhs->ref;

		judge_charge(v, flow, stmt->value);
		if (to->kind == REF_GLOBAL)
			write_global(v, stmt);
		else if (to->kind == REF_VARIABLE)
			v->run->var[to->index] = judge_assigned(v, stmt);
		else
			flow->reg[to->index] = judge_assigned(v, stmt);
	}
	v->in_do = false;
}

/* The flow holds what was claimed for it, and no longer what it held. */
static void take_claimed(struct visit *v, const struct app_rule *rule, struct judge_flow *flow)
{
	judge_release(v->run->judge, v->table, &flow->claim);
	flow->claim = v->claimed.claim;
	flow->reg[rule->allocate->reg] = v->claimed.reg[rule->allocate->reg];
}

/* Before anything is changed: `do` is tried on a copy, which key and values may read. */
static bool claim_first(struct visit *v, const struct app_rule *rule)
{
	struct judge_flow flow = v->looked_up;
	struct run run = *v->run;
	uint64_t global[APP_GLOBALS_MAX];
	bool claimed;

	memcpy(global, v->run->judge->global, sizeof(global));
	run_do(v, rule, &v->looked_up);
	claimed = judge_allocate(v, rule->allocate);
	memcpy(v->run->judge->global, global, sizeof(global));
	memcpy(v->run->global, run.global, sizeof(run.global));
	memcpy(v->run->var, run.var, sizeof(run.var));
	v->looked_up = flow;
	return claimed;
}

static bool asks_to_notify(const struct stmt_list *action)
{
	for (size_t i = 0; i < action->n; i++)
		if (action->item[i].kind == STMT_NOTIFY)
			return true;
	return false;
}

static const struct stmt_list *action_of(const struct app_table *t, unsigned rule)
{
	if (rule == RULE_ABSENT)
		return &t->absent;
	return rule == RULE_OTHERWISE ? &t->otherwise : &t->rule[rule].action;
}

/* `do`, `next` and the timeouts on 'flow', which lies in the visit. */
static void apply_rule(struct visit *v, unsigned index, struct judge_flow *flow, bool is_new)
{
	const struct app_rule *rule = index < v->app->n_rules ? &v->app->rule[index] : NULL;
	unsigned old_state = flow->state;

	if (rule)
		run_do(v, rule, flow);
	if (rule && rule->allocate)
		take_claimed(v, rule, flow);
	if (rule && rule->next >= 0)
		judge_enter(v->app, flow, rule->next, v->run->now_ns);
	if (is_new || !rule || !rule->no_refresh || rule->next == 0)
		flow->last_used_ns = v->run->now_ns;
	if (asks_to_notify(action_of(v->app, index)))
		judge_tell(v->run, EVENT_STATE, v->table, old_state, flow->state, index);
}

/* EXIT_NONE: go on. */
static enum exit_reason create_flow(struct visit *v, struct judge_table *t, unsigned rule,
				    const struct judge_flow *flow)
{
	if (!judge_room(v->run, v->table, v->n_events)) {
		/* The rule's actions run, nothing is remembered. */
		if (t->app->when_full == FULL_CONTINUE && asks_to_notify(action_of(t->app, rule)))
			judge_tell(v->run, EVENT_STATE, v->table, 0, flow->state, rule);
		return t->app->when_full == FULL_PASS	    ? EXIT_TABLE_FULL_PASS
		       : t->app->when_full == FULL_CONTINUE ? EXIT_NONE
							    : EXIT_TABLE_FULL;
	}
	judge_add(t, flow);
	t->created++;
	return EXIT_NONE;
}

/* What rule 'index' makes of the flow of the update scope; 'image' lies in the visit.  'is_new': it fell to the first
 * state. */
static void update_flow(struct visit *v, struct judge_table *t, unsigned index, struct judge_flow *found,
			struct judge_flow *image, bool is_new)
{
	const struct app_rule *rule = index < v->app->n_rules ? &v->app->rule[index] : NULL;
	bool ends = rule && rule->next == 0;

	apply_rule(v, index, image, is_new);
	t->expired += is_new;
	if (ends || (is_new && !rule_creates(rule))) {
		judge_remove(v->run->judge, v->table, found);
		t->freed += !is_new;
		return;
	}
	t->created += is_new;
	*found = *image;
}

/* Brings 'image' to the present: a copy of what was found, or an empty flow under its key.  True: it is new. */
static bool begin_image(struct run *run, const struct visit *v, const struct judge_flow *found,
			struct judge_flow *image)
{
	struct judge_flow empty = *image;

	if (!found)
		return true;
	*image = *found;
	if (!judge_fall(v->run->judge, run, v->table, image, v->run->now_ns))
		return false;
	*image = empty;
	return true;
}

static enum exit_reason update_scope(struct visit *v, struct judge_table *t, unsigned rule, struct judge_flow *image)
{
	enum exit_reason reason;
	struct judge_flow *found;
	bool is_new;

	judge_catch_up(v->run, v->table, image);
	v->n_events = v->run->result.n_events;
	found = judge_find(t, image);
	is_new = begin_image(v->run, v, found, image);

	if (found) {
		update_flow(v, t, rule, found, image, is_new);
		return EXIT_NONE;
	}
	apply_rule(v, rule, image, true);
	if (rule >= v->app->n_rules || !rule_creates(&v->app->rule[rule]))
		return EXIT_NONE;
	reason = create_flow(v, t, rule, image);
	if (reason)
		judge_release(v->run->judge, v->table, &v->claimed.claim);
	return reason;
}

/* ---- action ---------------------------------------------------------------------------------- */

static bool assign(struct visit *v, const struct stmt *stmt)
{
	struct judge_value value;

	judge_charge(v, NULL, stmt->value);
	value = judge_assigned(v, stmt);
	if (stmt->lhs->ref.kind == REF_VARIABLE) {
		v->run->var[stmt->lhs->ref.index] = value;
		return true;
	}
	v->run->result.retagged |= is_tag_field(&stmt->lhs->ref);
	return judge_set(v->run, stmt->lhs->ref.field->name, value);
}

/* EXIT_NONE: the next table, its number in '*ret_next'. */
static enum exit_reason give_verdict(struct visit *v, const struct stmt *stmt, unsigned *ret_next)
{
	uint64_t port;

	switch (stmt->verdict) {
	case VERDICT_PASS: return EXIT_PASS;
	case VERDICT_DELIVER: return EXIT_DELIVER;
	case VERDICT_DROP: return EXIT_DROP;
	case VERDICT_FLOOD: return EXIT_FLOOD;
	case VERDICT_REFLECT: return EXIT_REFLECT;
	case VERDICT_GOTO: *ret_next = stmt->target; return EXIT_NONE;
	case VERDICT_OUTPUT:
		port = judge_eval(v, stmt->value).lo;
		if (port < 1 || port > v->run->judge->n_ports)
			return EXIT_NO_PORT;
		v->run->result.out_port = port;
		return EXIT_OUTPUT;
	default: abort();
	}
}

static enum exit_reason run_action(struct visit *v, const struct stmt_list *action, unsigned *ret_next)
{
	for (size_t i = 0; i < action->n; i++) {
		const struct stmt *stmt = &action->item[i];

		switch (stmt->kind) {
		case STMT_ASSIGN:
			if (!assign(v, stmt))
				return EXIT_WRITE_FAILED;
			break;
		case STMT_PUSH_VLAN:
			v->run->result.retagged = true;
			judge_packet_push_vlan(&v->run->packet);
			break;
		case STMT_POP_VLAN:
			v->run->result.retagged = true;
			if (!judge_packet_pop_vlan(&v->run->packet))
				return EXIT_PUSH_FAILED;
			break;
		case STMT_VERDICT: return give_verdict(v, stmt, ret_next);
		case STMT_NOTIFY:
		case STMT_CONTROLLER: break;
		default: abort(); /* Not judged. */
		}
	}
	*ret_next = v->table + 1;
	return *ret_next < v->run->judge->app->n_tables ? EXIT_NONE : EXIT_PASS;
}

/* ---- one table ------------------------------------------------------------------------------- */

static void compute_lets(struct visit *v)
{
	for (size_t i = 0; i < v->app->n_lets; i++)
		v->let[i] = judge_eval(v, v->app->let[i].expr);
}

static void leave_registers(struct visit *v)
{
	v->run->ran[v->table] = true;
	memcpy(v->run->left[v->table], v->looked_up.reg, sizeof(v->looked_up.reg));
}

/* A rule that writes nothing, refreshes nothing and tells nobody leaves the flow of the update scope alone: its
 * timeouts wait for a packet that does, or for the agent. */
static bool visits_update_scope(const struct app_table *t, unsigned index)
{
	const struct app_rule *rule = index < t->n_rules ? &t->rule[index] : NULL;

	return !rule || rule->do_.n || rule->next >= 0 || !rule->no_refresh || asks_to_notify(&rule->action);
}

/* Decides on the flow of the lookup scope, and updates the one of the update scope. */
static enum exit_reason run_stateful(struct visit *v, struct judge_table *t, unsigned *ret_rule)
{
	struct judge_flow key = v->looked_up;
	bool has_update_key = true;

	if (v->app->update)
		has_update_key = judge_key(v, v->app->update, v->app->n_update, &v->updated);
	judge_catch_up(v->run, v->table, &v->looked_up);
	begin_image(NULL, v, judge_find(t, &v->looked_up), &v->looked_up);
	compute_lets(v);
	*ret_rule = choose_rule(v, has_update_key);
	if (v->app->update)
		return has_update_key && visits_update_scope(v->app, *ret_rule)
			       ? update_scope(v, t, *ret_rule, &v->updated)
			       : EXIT_NONE;
	if (*ret_rule < v->app->n_rules && v->app->rule[*ret_rule].allocate &&
	    !claim_first(v, &v->app->rule[*ret_rule])) {
		v->otherwise = &v->app->rule[*ret_rule].allocate->otherwise;
		return EXIT_NONE;
	}
	v->looked_up = key;
	return update_scope(v, t, *ret_rule, &v->looked_up);
}

/* The action of the best entry is its rule, if the packet has what the action names. */
static unsigned run_entries(struct visit *v)
{
	const struct entry *entry = judge_entry(v);

	v->looked_up.state = entry ? entry->action : 0;
	compute_lets(v);
	return choose_rule(v, true);
}

/* EXIT_NONE: the next table. */
static enum exit_reason run_table(struct run *run, unsigned *table)
{
	struct judge_table *t = &run->judge->table[*table];
	struct visit v = {.run = run,
			  .table = *table,
			  .app = t->app,
			  .global = run->global,
			  .now_ns = run->now_ns,
			  .entered = run->packet,
			  .n_events = run->result.n_events};
	enum exit_reason reason = EXIT_NONE;
	const struct app_learn *learn;
	bool found = true;
	unsigned rule;

	judge_find_headers(&v);
	judge_draw(&v);
	if (t->app->stateful && !judge_key(&v, t->app->lookup, t->app->n_lookup, &v.looked_up)) {
		rule = RULE_ABSENT;
		compute_lets(&v);
		if (asks_to_notify(&t->app->absent))
			judge_tell(run, EVENT_STATE, *table, 0, 0, rule);
	} else if (t->app->has_entries) {
		rule = run_entries(&v);
		found = rule != RULE_OTHERWISE;
	} else if (t->app->stateful) {
		reason = run_stateful(&v, t, &rule);
	} else {
		compute_lets(&v);
		rule = choose_rule(&v, true);
		apply_rule(&v, rule, &v.looked_up, true);
	}
	if (reason)
		return reason;
	t->rule[rule]++;
	learn = rule < t->app->n_rules && !v.otherwise ? t->app->rule[rule].learn : NULL;
	if (learn && !judge_learn(&v, learn))
		v.otherwise = &learn->otherwise;
	reason = run_action(&v, v.otherwise ? v.otherwise : action_of(t->app, rule), table);
	if (!reason && rule != RULE_ABSENT && found)
		leave_registers(&v);
	return reason;
}

/* ---- one packet ------------------------------------------------------------------------------ */

struct judge_result judge_send(struct judge *j, unsigned port, const struct frame *frame, uint64_t now_ns)
{
	static const enum exit_reason unread[] = {
		[JUDGE_SHORT] = EXIT_PARSE_SHORT,
		[JUDGE_MALFORMED] = EXIT_PARSE_MALFORMED,
		[JUDGE_DEPTH] = EXIT_PARSE_DEPTH,
		[JUDGE_MAPPED] = EXIT_PARSE_MAPPED,
	};
	static struct run run;
	enum judge_fault fault;
	unsigned table = 0;

	memset(&run, 0, sizeof(run));
	run.judge = j;
	run.now_ns = now_ns;
	memcpy(run.global, j->global, sizeof(run.global));
	run.in_port = port;
	run.out_port = j->hook == HOOK_TC_EGRESS ? port : 0;
	fault = judge_packet_read(frame, &run.packet);
	run.result.exit = fault ? unread[fault] : EXIT_NONE;
	while (!run.result.exit)
		run.result.exit = run_table(&run, &table);
	run.result.frame = run.packet.frame;
	return run.result;
}
