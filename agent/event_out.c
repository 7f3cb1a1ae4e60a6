/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event_out.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { KEY_TEXT_MAX = 1024, REGISTERS_TEXT_MAX = 4000, VALUE_TEXT_MAX = 128 };

uint64_t unix_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

/* "NAME=VALUE ..." of some fields of a record. */
static void render_fields(const struct layout_field *field, size_t n, const struct event *event, char *buf, size_t size)
{
	__u64 image[RECORD_WORDS(RECORD_256)] = {};
	char value[VALUE_TEXT_MAX];
	size_t used = 0;

	memcpy(image, event->words, sizeof(image[0]) * (event->n_words < 32 ? event->n_words : 32));
	buf[0] = '\0';
	for (size_t i = 0; i < n && used < size; i++) {
		const struct layout_field *f = &field[i];
		__u64 hi = 0, lo = 0;

		layout_get(f, image, &hi, &lo);
		used += snprintf(buf + used, size - used, "%s%s=%s", i ? " " : "", f->name,
				 value_render(f->type, hi, lo, event->time_ns, value, sizeof(value)));
	}
}

static const char *kind_name(unsigned kind)
{
	switch (kind) {
	case EVENT_STATE: return "state";
	case EVENT_TIMEOUT: return "timeout";
	case EVENT_TABLE_FULL: return "table-full";
	case EVENT_PUNT: return "packet-in";
	}
	return NULL;
}

/* The moment of the event on the calendar. */
static uint64_t event_time_ms(const struct agent *agent, const struct event *event)
{
	uint64_t now_ns = instance_now_ns(agent->instance);
	uint64_t age_ms = now_ns > event->time_ns ? (now_ns - event->time_ns) / 1000000 : 0;

	return unix_now_ms() - age_ms;
}

void event_out(struct agent *agent, const struct event *event, const uint8_t *packet)
{
	const struct plan *plan = versions_plan_of(agent->versions, event->version);
	const struct plan_table *t = plan_find_id(plan, event->table);
	const struct port *port = event->port ? wiring_port(agent->wiring, event->port) : NULL;
	char key[KEY_TEXT_MAX] = "", registers[REGISTERS_TEXT_MAX] = "";
	struct msg_event out = {
		.time_ms = event_time_ms(agent, event),
		.kind = kind_name(event->kind),
		.port = port ? port->name : NULL,
		.change = event->change,
		.cpu = event->cpu,
		.sequence = event->sequence,
		.count = 1,
		.packet = packet,
		.packet_size = packet ? event->packet_size : 0,
	};

	if (!out.kind || !notify_is_wanted(agent->notify, out.kind))
		return;
	if (t) {
		out.deployment = held_get(t->app->held)->name;
		out.table = plan_app_table(t)->name;
		out.rule = event->rule < RULES_ROOM ? plan_rule_name(t, event->rule) : NULL;
	}
	if (t && t->layout) {
		out.old_state = layout_state_name(t->layout, event->old_state);
		out.new_state = layout_state_name(t->layout, event->new_state);
	}
	if (t && t->layout && event->n_words > FLOW_HEAD_WORDS) {
		render_fields(t->layout->key, t->layout->n_keys, event, key, sizeof(key));
		render_fields(t->layout->reg, t->layout->n_regs, event, registers, sizeof(registers));
		out.key = key;
		out.registers = registers;
	}
	notify_add(agent->notify, &out);
}
