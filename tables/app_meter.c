/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meters: of all flows together, or of each flow. */
#include <inttypes.h>
#include <stdlib.h>

#include "app_check.h"

/* ---- rates and bursts ---- */

enum unit { UNIT_NONE, UNIT_FRAMES, UNIT_BITS, UNIT_MIXED };

static enum unit unit_of_text(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len < 3)
		return UNIT_NONE;
	return strcmp(text + len - 3, "pps") == 0   ? UNIT_FRAMES
	       : strcmp(text + len - 3, "bps") == 0 ? UNIT_BITS
						    : UNIT_NONE;
}

/* What a rate counts; the number alone does not say. */
static enum unit unit_of(struct checker *c, const struct expr *e)
{
	const struct parameter *param = e->name ? name_find_parameter(c->app, e->name) : NULL;
	enum unit unit = unit_of_text(param ? param->value.text : e->name);

	for (unsigned i = 0; i < e->n_args; i++)
		unit |= unit_of(c, e->arg[i]);
	return unit;
}

static bool read_rate(struct checker *c, const struct yaml_node *node, struct meter_rate *rate, enum unit *ret_unit,
		      char **ret_text)
{
	struct expr *e = expr_check_node(c, node, PLACE_CONSTANT);
	uint64_t value;

	if (!e || expr_constant_node(c, node, TYPE_RATE, &value, ret_text) < 0)
		return false;
	*ret_unit = unit_of(c, e);
	if (*ret_unit == UNIT_NONE || *ret_unit == UNIT_MIXED) {
		ERROR(c, node->loc, "\"%s\" mixes packets and bits a second", node->text);
		return false;
	}
	if (!value)
		ERROR(c, node->loc, "a rate of 0 lets nothing through: drop says that better");
	rate->rate = value;
	return value != 0;
}

/* A burst in bytes or frames; there must be room for tokens. */
static void read_burst(struct checker *c, const struct yaml_node *node, enum unit unit, struct meter_rate *rate,
		       char **ret_text)
{
	uint64_t cost = unit == UNIT_BITS ? METER_COST_BYTES : METER_COST_FRAMES, value;

	const struct expr *e = expr_check_node(c, node, PLACE_CONSTANT);
	bool bytes = e && unit == UNIT_BITS && e->type == TYPE_SIZE;

	if (!e || expr_constant_node(c, node, bytes ? TYPE_SIZE : TYPE_U64, &value, ret_text) < 0)
		return;
	if (!value || value > INT64_MAX / cost) {
		ERROR(c, node->loc, "a burst is from 1 to %" PRIu64 " %s", INT64_MAX / cost,
		      unit == UNIT_BITS ? "bytes" : "packets");
		return;
	}
	rate->burst = value * cost;
	rate->whole_ns = rate->burst / rate->rate + 1;
}

static void read_bucket(struct checker *c, const struct yaml_node *map, const char *rate_key, const char *burst_key,
			struct meter_rate *rate, enum unit *unit, char **ret_rate_text, char **ret_burst_text)
{
	const struct yaml_node *rate_node = yaml_get(map, rate_key), *burst_node = yaml_get(map, burst_key);
	enum unit own = UNIT_NONE;

	if (!rate_node || !burst_node) {
		ERROR(c, map->loc, "a meter with \"%s\" needs \"%s\" too", rate_node ? rate_key : burst_key,
		      rate_node ? burst_key : rate_key);
		return;
	}
	if (!read_rate(c, rate_node, rate, &own, ret_rate_text))
		return;
	read_burst(c, burst_node, own, rate, ret_burst_text);
	if (*unit != UNIT_NONE && *unit != own)
		ERROR(c, rate_node->loc, "one meter counts packets (pps) or bits (bps), not both");
	*unit = own;
}

static void check_order(struct checker *c, const struct app_meter *meter)
{
	const struct meter_rates *r = &meter->rates;

	if (r->peak.rate && r->peak.rate < r->committed.rate)
		ERROR(c, meter->loc, "meter \"%s\": the peak rate is below the committed one", meter->name);
}

static void check_meter(struct checker *c, const struct yaml_node *key, const struct yaml_node *map,
			struct app_meter **ret_meter, size_t *ret_n)
{
	static const char *const keys[] = {"cir", "cbs", "pir", "pbs", NULL};
	struct app_meter meter = {.loc = key->loc};
	enum unit unit = UNIT_NONE;

	meter.name = node_name(c, key, "the name of a meter", false);
	if (!meter.name || !name_check_free(c, key->loc, meter.name, "meter"))
		return;
	if (!node_check_keys(c, map, "a meter", keys, NULL))
		return;
	read_bucket(c, map, "cir", "cbs", &meter.rates.committed, &unit, &meter.cir_text, &meter.cbs_text);
	if (yaml_get(map, "pir") || yaml_get(map, "pbs"))
		read_bucket(c, map, "pir", "pbs", &meter.rates.peak, &unit, &meter.pir_text, &meter.pbs_text);
	meter.rates.bytes = unit == UNIT_BITS;
	meter.rates.cost = unit == UNIT_BITS ? METER_COST_BYTES : METER_COST_FRAMES;
	check_order(c, &meter);
	GROW(c, *ret_meter, *ret_n);
	(*ret_meter)[(*ret_n)++] = meter;
}

void app_check_meters(struct checker *c, const struct yaml_node *map, struct app_meter **ret_meter, size_t *ret_n,
		      unsigned max)
{
	if (map->kind != YAML_MAP) {
		ERROR(c, map->loc, "expected meters as \"NAME: {cir: rate, cbs: burst, pir: rate, pbs: burst}\"");
		return;
	}
	if (map->n > max) {
		ERROR(c, map->loc, "%zu meters; at most %u fit", map->n, max);
		return;
	}
	for (size_t i = 0; i < map->n; i++)
		check_meter(c, map->key[i], map->item[i], ret_meter, ret_n);
}

void meter_add_registers(struct checker *c, struct app_table *t)
{
	static const char *const words[METER_WORDS] = {"committed", "peak", "last"};
	unsigned word = 0;

	for (size_t i = 0; i < t->n_regs; i++)
		word += t->reg[i].type == TYPE_ADDR ? 2 : 1;
	for (size_t m = 0; m < t->n_meters; m++) {
		t->meter[m].reg = t->n_regs;
		for (unsigned i = 0; i < METER_WORDS; i++) {
			GROW(c, t->reg, t->n_regs);
			t->reg[t->n_regs++] = (struct typed){
				.name = arena_printf(c->arena, "%s.%s", t->meter[m].name, words[i]),
				.type = i == METER_WORDS - 1 ? TYPE_TIME : TYPE_U64,
				.hidden = true,
				.word = word++,
				.loc = t->meter[m].loc,
				.read = true,
				.written = true,
			};
		}
	}
}

/* ---- calls ---- */

static bool check_own(struct checker *c, struct expr *e, int index)
{
	if (c->place != PLACE_DO) {
		ERROR(c, e->loc, "\"%s\" is a meter of each flow: it is charged in do:, like \"c = meter(%s)\"",
		      e->arg[0]->name, e->arg[0]->name);
		return false;
	}
	c->table->meter[index].used = true;
	e->arg[0]->ref = (struct ref){.kind = REF_REGISTER, .index = c->table->meter[index].reg};
	e->value = index;
	return true;
}

bool meter_check_call(struct checker *c, struct expr *e)
{
	const char *names[APP_METERS_MAX + TABLE_METERS_MAX], *name;
	size_t n = 0;
	int index;

	e->type = TYPE_COLOUR;
	if (e->n_args != 1 || e->arg[0]->kind != EXPR_NAME) {
		ERROR(c, e->loc, "meter() takes the name of a meter");
		return false;
	}
	name = e->arg[0]->name;
	index = c->table ? name_find_meter(c->table->meter, c->table->n_meters, name) : -ENOENT;
	if (index >= 0)
		return check_own(c, e, index);
	index = name_find_meter(c->app->meter, c->app->n_meters, name);
	for (size_t i = 0; i < c->app->n_meters; i++)
		names[n++] = c->app->meter[i].name;
	for (size_t i = 0; c->table && i < c->table->n_meters; i++)
		names[n++] = c->table->meter[i].name;
	if (index < 0) {
		ERROR(c, e->arg[0]->loc, "meter(%s): there is no such meter%s", name, did_you_mean(c, name, names, n));
		return false;
	}
	if (c->place != PLACE_ACTION && c->place != PLACE_ABSENT) {
		ERROR(c, e->loc, "\"%s\" is a meter of all flows: it is charged in action:, like \"c = meter(%s)\"",
		      name, name);
		return false;
	}
	c->app->meter[index].used = true;
	e->value = index;
	return true;
}

static unsigned count_calls(const struct expr *e)
{
	unsigned n = e->kind == EXPR_CALL && strcmp(e->name, "meter") == 0;

	for (unsigned i = 0; i < e->n_args; i++)
		n += count_calls(e->arg[i]);
	return n;
}

void meter_check_rule(struct checker *c, const struct stmt_list *do_, struct loc loc)
{
	unsigned n = 0;

	for (size_t i = 0; i < do_->n; i++)
		n += do_->item[i].value ? count_calls(do_->item[i].value) : 0;
	if (n > 1)
		ERROR(c, loc, "%u meters in the do: of one rule; one is charged, others belong into another table", n);
}
