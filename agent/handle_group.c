/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups and meters as they are: members with what they were given, meters with what they said. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../tables/group.h"
#include "agent.h"
#include "dispatch.h"

static const char *deployment_name(const struct plan_app *pa)
{
	return held_get(pa->held)->name;
}

static bool is_wanted(const struct request *rq, const struct plan_app *pa)
{
	const char *filter = rq->msg->get.filter;

	return !filter[0] || strcmp(filter, deployment_name(pa)) == 0;
}

/* Answers if there is no such deployment. */
static bool check_filter(const struct request *rq, const struct plan *plan)
{
	const char *filter = rq->msg->get.filter;

	if (!filter[0] || desired_find(plan->desired, filter))
		return true;
	reply_error(&rq->from, ERROR_UNKNOWN, "there is no deployment \"%s\"", filter);
	return false;
}

/* ---- groups ---- */

struct member_list {
	struct msg_member *item;
	char **values; /* Owned, one each. */
	size_t n, room;
};

static void list_done(struct member_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->values[i]);
	free(list->values);
	free(list->item);
}

static char *values_text(const struct app_group *group, const __u64 *word)
{
	char *text = NULL, buf[64];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < group->n_values; i++) {
		const struct typed *value = &group->value[i];
		bool wide = value->type == TYPE_ADDR;

		fprintf(out, "%s%s=%s", i ? " " : "", value->name,
			value_render(value->type, wide ? word[value->word] : 0, word[value->word + wide], 0, buf,
				     sizeof(buf)));
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static unsigned count_slots(const struct groups *groups, unsigned index, unsigned id)
{
	__u64 table = groups->at[index].table;
	unsigned n = 0;

	for (unsigned i = 0; i < GROUP_SIZE(table); i++)
		n += groups->slot[GROUP_FIRST(table) + i] == id;
	return n;
}

static int add_member(struct request *rq, struct member_list *list, const struct plan_app *pa, size_t i,
		      const struct app_member *member)
{
	const struct app_group *group = &pa->app->group[i];
	struct groups *groups = instance_groups(rq->agent->instance);
	unsigned index = pa->placement.group[i];
	struct msg_member *item = &list->item[list->n];
	const __u64 *word;
	struct counter counter = {};

	*item = (struct msg_member){.deployment = deployment_name(pa),
				    .group = group->name,
				    .type = app_group_type_name(group->type),
				    .none = !member,
				    .size = group->size,
				    .values = ""};
	list->values[list->n++] = NULL;
	if (!member)
		return 0;
	word = &groups->member[MEMBER_INDEX(index, member->id, 0)];
	if (counter_read(rq->agent->counters, COUNTER_MEMBER(index, member->id), 1, &counter) < 0)
		return -EIO;
	list->values[list->n - 1] = values_text(group, word);
	if (!list->values[list->n - 1])
		return -ENOMEM;
	item->values = list->values[list->n - 1];
	item->id = member->id;
	item->weight = member->weight;
	item->up = !member->down;
	item->port = word[MEMBER_PORT];
	item->slots = count_slots(groups, index, member->id);
	item->packets = counter.packets;
	item->bytes = counter.bytes;
	return 0;
}

static int add_group(struct request *rq, struct member_list *list, const struct plan_app *pa, size_t i)
{
	_cleanup_free_ struct members *members = malloc(sizeof(*members));
	size_t room = list->n + GROUP_MEMBERS;
	struct msg_member *item = reallocarray(list->item, room, sizeof(*item));
	char **values = reallocarray(list->values, room, sizeof(*values));
	int r = 0;

	list->item = item ?: list->item;
	list->values = values ?: list->values;
	if (!members || !item || !values)
		return -ENOMEM;
	group_members(&pa->app->group[i], NULL, held_get(pa->held)->members, members);
	if (!members->n)
		return add_member(rq, list, pa, i, NULL);
	for (size_t m = 0; m < members->n && r == 0; m++)
		r = add_member(rq, list, pa, i, &members->item[m]);
	return r;
}

void handle_groups(struct request *rq)
{
	const struct plan *plan = versions_plan(rq->agent->versions);
	struct message msg = {.kind = MSG_GROUPS, .switch_name = rq->agent->config->name};
	struct member_list list = {};
	int r = 0;

	if (!check_filter(rq, plan))
		return;
	for (size_t a = 0; a < plan->n_apps && r == 0; a++)
		for (size_t i = 0; i < plan->app[a].app->n_groups && r == 0; i++)
			if (is_wanted(rq, &plan->app[a]))
				r = add_group(rq, &list, &plan->app[a], i);
	if (r < 0) {
		reply_error(&rq->from, r == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INTERNAL, "members cannot be read: %s",
			    strerror(-r));
	} else {
		msg.groups.item = list.item;
		msg.groups.n = list.n;
		reply_message(&rq->from, &msg);
	}
	list_done(&list);
}

/* ---- meters ---- */

static char *rates_text(const struct app_meter *meter)
{
	char *text;
	int n;

	if (meter->pir_text)
		n = asprintf(&text, "cir %s cbs %s pir %s pbs %s", meter->cir_text, meter->cbs_text, meter->pir_text,
			     meter->pbs_text);
	else
		n = asprintf(&text, "cir %s cbs %s", meter->cir_text, meter->cbs_text);
	return n < 0 ? NULL : text;
}

/* A bucket that the programs have not looked at for a while is fuller than it says. */
static uint64_t now_in(const struct meter_rate *rate, const struct meter_rates *rates, uint64_t tokens,
		       uint64_t elapsed_ns)
{
	uint64_t sum = rate->burst;

	if (elapsed_ns < rate->whole_ns && tokens + elapsed_ns * rate->rate < rate->burst)
		sum = tokens + elapsed_ns * rate->rate;
	return sum / rates->cost;
}

/* Read without the lock: a packet may be charged meanwhile. */
static void read_meter(const struct request *rq, const struct plan_app *pa, size_t i, struct msg_meter *ret)
{
	const struct meter *meter = &instance_meters(rq->agent->instance)->at[pa->placement.meter[i]];
	const struct meter_rates *rates = &pa->app->meter[i].rates;
	uint64_t last = meter->seen == meter->reset ? meter->state.last_ns : 0;
	uint64_t now = instance_now_ns(rq->agent->instance), elapsed = !last ? UINT64_MAX : now > last ? now - last : 0;

	*ret = (struct msg_meter){.deployment = deployment_name(pa),
				  .name = pa->app->meter[i].name,
				  .green = meter->packets[COLOUR_GREEN],
				  .yellow = meter->packets[COLOUR_YELLOW],
				  .red = meter->packets[COLOUR_RED],
				  .committed = now_in(&rates->committed, rates, meter->state.committed, elapsed),
				  .peak = now_in(&rates->peak, rates, meter->state.peak, elapsed),
				  .bytes = rates->bytes};
}

void handle_meters(struct request *rq)
{
	const struct plan *plan = versions_plan(rq->agent->versions);
	struct message msg = {.kind = MSG_METERS, .switch_name = rq->agent->config->name};
	struct msg_meter *item = calloc(METERS_MAX, sizeof(*item));
	size_t n = 0;

	if (!item) {
		reply_error(&rq->from, ERROR_NO_MEMORY, "no memory");
		return;
	}
	if (check_filter(rq, plan)) {
		for (size_t a = 0; a < plan->n_apps; a++)
			for (size_t i = 0; i < plan->app[a].app->n_meters && n < METERS_MAX; i++) {
				if (!is_wanted(rq, &plan->app[a]))
					continue;
				read_meter(rq, &plan->app[a], i, &item[n]);
				item[n++].rates = rates_text(&plan->app[a].app->meter[i]);
			}
		msg.meters.item = item;
		msg.meters.n = n;
		reply_message(&rq->from, &msg);
	}
	for (size_t i = 0; i < n; i++)
		free((char *)item[i].rates);
	free(item);
}

/* Full buckets; the packet that comes next does it, under the meter's lock. */
void handle_reset_meter(struct request *rq)
{
	const struct plan *plan = versions_plan(rq->agent->versions);

	for (size_t a = 0; a < plan->n_apps; a++) {
		const struct plan_app *pa = &plan->app[a];
		const char *name = rq->msg->get.filter;
		size_t len = strlen(deployment_name(pa));

		if (strncmp(name, deployment_name(pa), len) != 0 || name[len] != '/')
			continue;
		for (size_t i = 0; i < pa->app->n_meters; i++) {
			if (strcmp(pa->app->meter[i].name, name + len + 1) != 0)
				continue;
			__atomic_fetch_add(&instance_meters(rq->agent->instance)->at[pa->placement.meter[i]].reset, 1,
					   __ATOMIC_RELAXED);
			reply_ok(&rq->from, "", 0, 1);
			return;
		}
	}
	reply_error(&rq->from, ERROR_UNKNOWN, "there is no meter \"%s\"", rq->msg->get.filter);
}
