/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulator.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../tables/encode.h"
#include "../tables/explain.h"
#include "../tables/group.h"
#include "native_entry.h"

struct simulator {
	bool has_entries; /* Those of the text were written. */
	const struct app *app;
	enum hook_id hook;
	struct native_switch *sw;
	struct placement placement;
	struct layout layout[APP_TABLES_MAX];
	struct explain *explain[APP_TABLES_MAX];
	bool here[APP_TABLES_MAX]; /* On the hook that is run. */
	unsigned n_tables;	   /* On that hook. */
	unsigned table_of[HOOK_TABLES_MAX];
	struct native_result result;
};

/* ---- ports ------------------------------------------------------------------------------------- */

unsigned simulator_port(struct simulator_ports *ports, const char *name)
{
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (isdigit((unsigned char)name[0]) && !*end)
		return number <= PORTS_MAX ? number : 0;
	for (unsigned i = 1; i <= ports->n; i++)
		if (!strcmp(ports->name[i], name))
			return i;
	if (ports->n == PORTS_MAX || !name[0] || strlen(name) > NAME_LEN_MAX)
		return 0;
	strcpy(ports->name[++ports->n], name);
	return ports->n;
}

static int find_port(void *data, const char *name)
{
	unsigned number = simulator_port(data, name);

	return number ? (int)number : -ENOENT;
}

struct port_names simulator_port_names(struct simulator_ports *ports)
{
	return (struct port_names){.find = find_port, .data = ports};
}

/* ---- building ------------------------------------------------------------------------------------ */

static void place(struct simulator *sim, unsigned index, unsigned *counter)
{
	struct table_placement *p = &sim->placement.table[index];
	const struct app_table *table = &sim->app->table[index];

	p->hook = table->hook >= 0 ? (enum hook_id)table->hook : sim->hook;
	sim->here[index] = p->hook == sim->hook;
	p->flow_table = index;
	p->id = index + 1;
	p->stats = *counter;
	*counter += TABLE_STAT_MAX;
	for (unsigned rule = 0; rule < RULES_ROOM; rule++)
		p->rule_counter[rule] = (*counter)++;
	for (unsigned state = 0; state < STATES_MAX; state++)
		p->state_id[state] = state;
	if (!sim->here[index])
		return;
	p->first_on_hook = sim->n_tables == 0;
	p->hook_table = sim->n_tables;
	sim->table_of[sim->n_tables++] = index;
}

/* Entries of the text; there are no others.  Their times begin with the first packet. */
static int add_entries(struct simulator *sim, unsigned index, uint64_t now_ns)
{
	unsigned element = TABLE_INDEX(0, sim->hook, sim->placement.table[index].hook_table);
	struct native_entries *entries = calloc(1, sizeof(*entries));
	const struct app_entry *mistake;
	struct entry_table et;
	int r;

	if (!entries)
		return -ENOMEM;
	native_entries_open(sim->sw, sim->app, index, &sim->placement.table[index], &sim->layout[index], element,
			    now_ns, entries, &et);
	r = entry_table_install(&et, &mistake);
	free(entries);
	return r;
}

static int add_table(struct simulator *sim, unsigned index)
{
	const struct app_table *table = &sim->app->table[index];
	struct layout *layout = &sim->layout[index];
	struct diag_list diags;
	struct table *encoded;
	const char *why;
	int r = 0;

	if (table->stateful && layout_make(sim->app, table, layout, &why) < 0)
		return -E2BIG;
	if (!sim->here[index])
		return 0;
	encoded = calloc(1, sizeof(*encoded));
	if (!encoded)
		return -ENOMEM;
	diag_init(&diags, "");
	r = encode_table(sim->app, index, sim->hook, &sim->placement, &diags, encoded);
	diag_done(&diags);
	if (r == 0)
		r = native_set_table(sim->sw, TABLE_INDEX(0, sim->hook, sim->placement.table[index].hook_table),
				     encoded);
	if (r == 0 && table->stateful)
		r = native_add_flow_table(sim->sw, index, layout->record_class, layout->key_words, table->capacity);
	free(encoded);
	return r < 0 ? r : explain_new(sim->app, index, sim->hook, &sim->explain[index]);
}

static int set_chain(struct simulator *sim)
{
	struct chain chain = {.version = 1, .valid = 1, .n_tables = sim->n_tables, .parse_verdict = VERDICT_DROP};

	memset(chain.next_app, CHAIN_END, sizeof(chain.next_app));
	for (unsigned port = 0; port <= PORTS_MAX; port++)
		chain.next_app[port][0] = encode_target(sim->app, &sim->placement, sim->table_of[0]);
	return native_set_chain(sim->sw, CHAIN_INDEX(0, sim->hook), &chain);
}

static int write_members(struct simulator *sim, unsigned i)
{
	_cleanup_free_ struct members *members = malloc(sizeof(*members));

	if (!members)
		return -ENOMEM;
	group_members(&sim->app->group[i], NULL, NULL, members);
	return group_write(native_groups(sim->sw), i, &sim->app->group[i], members);
}

static int build(struct simulator *sim, const struct simulator_ports *ports, uint64_t seed)
{
	unsigned counter = COUNTER_RULES;
	int r;

	r = native_new(NULL, &sim->sw);
	if (r < 0)
		return r;
	native_set_seed(sim->sw, seed);
	sim->placement.hash_seed = encode_hash_seed(sim->app->name);
	native_set_active(sim->sw, 0);
	for (unsigned i = 1; i <= ports->n; i++)
		native_set_port(sim->sw, i, true);
	for (unsigned i = 0; i < sim->app->n_tables; i++)
		place(sim, i, &counter);
	for (unsigned i = 0; i < sim->app->n_globals; i++) {
		sim->placement.global[i] = i;
		native_set_global(sim->sw, i, sim->app->global[i].initial);
	}
	for (unsigned i = 0; i < sim->app->n_templates && r == 0; i++) {
		struct template t;

		encode_template(sim->app, i, &t);
		r = native_set_template(sim->sw, TEMPLATE_INDEX(0, sim->hook, i), &t);
	}
	for (unsigned i = 0; i < sim->app->n_meters; i++)
		sim->placement.meter[i] = i;
	for (unsigned i = 0; i < sim->app->n_groups && r == 0; i++) {
		sim->placement.group[i] = i;
		r = write_members(sim, i);
	}
	for (unsigned i = 0; i < sim->app->n_tables && r == 0; i++)
		r = add_table(sim, i);
	return r < 0 ? r : set_chain(sim);
}

int simulator_new(const struct source *source, const struct simulator_ports *ports, uint64_t seed,
		  struct simulator **ret_simulator)
{
	struct simulator *sim = calloc(1, sizeof(*sim));
	int r;

	if (!sim)
		return cli_fail("out of memory");
	sim->app = source->app;
	sim->hook = source->hook;
	r = build(sim, ports, seed);
	if (r == 0 && !sim->n_tables) {
		r = cli_usage("%s has no table on %s; say --hook", source->app->name, hook_name(source->hook));
		simulator_free(sim);
		return r;
	}
	if (r < 0) {
		simulator_free(sim);
		return cli_fail("%s cannot be simulated: %s", source->app->name, strerror(-r));
	}
	*ret_simulator = sim;
	return 0;
}

void simulator_free(struct simulator *sim)
{
	if (!sim)
		return;
	for (unsigned i = 0; i < APP_TABLES_MAX; i++)
		explain_free(sim->explain[i]);
	native_free(sim->sw);
	free(sim);
}

/* ---- running ------------------------------------------------------------------------------------- */

static int add_all_entries(struct simulator *sim, uint64_t now_ns)
{
	int r = 0;

	for (unsigned i = 0; i < sim->app->n_tables && r == 0; i++)
		if (sim->app->table[i].has_entries && sim->here[i])
			r = add_entries(sim, i, now_ns);
	sim->has_entries = r == 0;
	return r;
}

const struct native_result *simulator_run(struct simulator *sim, unsigned port, uint64_t now_ns, uint8_t **frame,
					  unsigned size, unsigned room)
{
	if (!sim->has_entries && add_all_entries(sim, now_ns) < 0)
		return NULL;
	return native_run(sim->sw, sim->hook, port, now_ns, frame, size, room, 1, &sim->result) < 0 ? NULL
												    : &sim->result;
}

int simulator_explain(struct simulator *sim, const struct native_step *step, struct msg_traced_step *ret_step,
		      struct explanation *ret_owner)
{
	unsigned index = sim->table_of[step->element % HOOK_TABLES_MAX];
	const struct app_table *table = &sim->app->table[index];

	if (explain_step(sim->explain[index], table->stateful ? &sim->layout[index] : NULL, step, ret_owner) < 0)
		return -ENOMEM;
	*ret_step = (struct msg_traced_step){
		.deployment = sim->app->name,
		.table = table->name,
		.key = ret_owner->key,
		.absent = step->absent,
		.found = step->found,
		.created = step->created,
		.freed = step->freed,
		.fell_from = ret_owner->fell_from,
		.old_state = ret_owner->old_state,
		.new_state = ret_owner->new_state,
		.rule = ret_owner->rule,
		.rule_line = ret_owner->rule_line,
		.conditions = ret_owner->conditions,
		.updates = ret_owner->updates,
		.verdict = ret_owner->verdict,
	};
	return 0;
}

/* Slots of one flow table that may be due, handed to the control program in portions. */
struct sweep {
	struct simulator *sim;
	struct control control;
};

static void sweep_flush(struct sweep *sweep)
{
	if (sweep->control.n)
		native_control(sweep->sim->sw, &sweep->control);
	sweep->control.n = 0;
}

static int sweep_flow(void *data, unsigned slot, const __u64 *words)
{
	struct sweep *sweep = data;
	struct flow_head head;

	memcpy(&head, words, sizeof(head));
	if (!head.deadline_ns || head.deadline_ns > sweep->control.now_ns)
		return 0;
	sweep->control.item[sweep->control.n++] = (struct control_item){.slot = slot};
	if (sweep->control.n == CONTROL_SLOTS_MAX)
		sweep_flush(sweep);
	return 0;
}

void simulator_expire(struct simulator *sim, uint64_t now_ns)
{
	for (unsigned i = 0; i < sim->n_tables; i++) {
		unsigned index = sim->table_of[i];
		struct sweep sweep = {.sim = sim,
				      .control = {.magic = CONTROL_MAGIC,
						  .op = CONTROL_EXPIRE,
						  .table = TABLE_INDEX(0, sim->hook, i),
						  .now_ns = now_ns}};

		if (!sim->app->table[index].stateful)
			continue;
		native_flows(sim->sw, index, sweep_flow, &sweep);
		sweep_flush(&sweep);
	}
}

/* ---- reading ------------------------------------------------------------------------------------- */

static int count_flow(void *data, unsigned slot, const __u64 *words)
{
	++*(uint64_t *)data;
	return 0;
}

bool simulator_table(struct simulator *sim, unsigned index, struct simulator_table *ret_table)
{
	struct counter counter;

	if (index >= sim->app->n_tables || !sim->here[index])
		return false;
	*ret_table = (struct simulator_table){.table = &sim->app->table[index]};
	for (unsigned i = 0; i < TABLE_STAT_MAX; i++) {
		native_counter(sim->sw, sim->placement.table[index].stats + i, &counter);
		ret_table->stat[i] = counter.packets;
	}
	if (ret_table->table->stateful)
		native_flows(sim->sw, index, count_flow, &ret_table->n_flows);
	return true;
}

uint64_t simulator_global(struct simulator *sim, unsigned index)
{
	return native_global(sim->sw, sim->placement.global[index]);
}

struct counter simulator_rule(struct simulator *sim, unsigned table, unsigned rule)
{
	struct counter counter = {};

	native_counter(sim->sw, sim->placement.table[table].rule_counter[rule], &counter);
	return counter;
}

struct counter simulator_exit(struct simulator *sim, unsigned port, enum exit_reason reason)
{
	struct counter counter = {};

	native_counter(sim->sw, COUNTER_EXIT(sim->hook, port, reason), &counter);
	return counter;
}
