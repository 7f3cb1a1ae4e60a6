/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WHY_SIZE = 256 };

static const struct layout_field *find_field(const struct layout_field *field, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(field[i].name, name))
			return &field[i];
	return NULL;
}

static int refuse_name(const struct layout_field *field, size_t n, const char *what, const char *name, char *why)
{
	size_t used = snprintf(why, WHY_SIZE, "no %s \"%.63s\"; there %s", what, name, n ? "is" : "is none");

	for (size_t i = 0; i < n && used < WHY_SIZE; i++)
		used += snprintf(why + used, WHY_SIZE - used, "%s %s", i ? "," : "", field[i].name);
	return -EINVAL;
}

/* Ports go by number or by name, times (registers only) by the distance to 'now_ns'. */
static int parse_value(const struct layout_field *f, const char *text, const struct port_names *ports, uint64_t now_ns,
		       uint64_t *ret_hi, uint64_t *ret_lo, char *why)
{
	int number = f->type == TYPE_PORT && ports ? ports->find(ports->data, text) : -ENOENT;

	*ret_hi = *ret_lo = 0;
	if (number > 0) {
		*ret_lo = number;
		return 0;
	}
	if (value_parse_at(f->type, text, now_ns, ret_hi, ret_lo) < 0) {
		snprintf(why, WHY_SIZE, "%s: \"%.100s\" is not a %s%s", f->name, text, value_type_name(f->type),
			 f->type == TYPE_TIME ? ": now, +5s, -200ms or nanoseconds of the switch's clock" : "");
		return -EINVAL;
	}
	if (f->bits < 64 && *ret_lo >> f->bits) {
		snprintf(why, WHY_SIZE, "%s: \"%.100s\" does not fit into %u bits", f->name, text, f->bits);
		return -EINVAL;
	}
	return 0;
}

int flow_filter_make(const struct layout *layout, const struct msg_flow *flow, const struct port_names *ports,
		     struct flow_filter *ret_filter, char *why)
{
	*ret_filter = (struct flow_filter){.layout = layout};
	for (size_t i = 0; i < flow->n_keys; i++) {
		const struct layout_field *f = find_field(layout->key, layout->n_keys, flow->key[i].name);
		unsigned at = ret_filter->n;

		if (!f)
			return refuse_name(layout->key, layout->n_keys, "part of the key", flow->key[i].name, why);
		for (unsigned j = 0; j < at; j++) {
			if (ret_filter->part[j].field == f) {
				snprintf(why, WHY_SIZE, "%.100s is given twice", f->name);
				return -EINVAL;
			}
		}
		if (parse_value(f, flow->key[i].text, ports, 0, &ret_filter->part[at].hi, &ret_filter->part[at].lo,
				why) < 0)
			return -EINVAL;
		ret_filter->part[at].field = f;
		ret_filter->n++;
	}
	return 0;
}

bool flow_filter_matches(const struct flow_filter *filter, const uint64_t *words)
{
	for (unsigned i = 0; i < filter->n; i++) {
		__u64 hi = 0, lo = 0;

		layout_get(filter->part[i].field, (const __u64 *)words, &hi, &lo);
		if (hi != filter->part[i].hi || lo != filter->part[i].lo)
			return false;
	}
	return true;
}

int flow_key_parse(const struct layout *layout, const struct msg_flow *flow, const struct port_names *ports,
		   uint64_t *ret_key, char *why)
{
	__u64 words[RECORD_WORDS(RECORD_256)] = {};
	struct flow_filter parts;

	if (flow_filter_make(layout, flow, ports, &parts, why) < 0)
		return -EINVAL;
	if (parts.n < layout->n_keys) {
		for (size_t i = 0; i < layout->n_keys; i++) {
			bool given = false;

			for (unsigned j = 0; j < parts.n; j++)
				given |= parts.part[j].field == &layout->key[i];
			if (!given) {
				snprintf(why, WHY_SIZE, "the key needs %s too", layout->key[i].name);
				return -EINVAL;
			}
		}
	}
	for (unsigned i = 0; i < parts.n; i++)
		layout_put(parts.part[i].field, words, parts.part[i].hi, parts.part[i].lo);
	memcpy(ret_key, words + FLOW_HEAD_WORDS, KEY_WORDS_MAX * sizeof(*ret_key));
	return 0;
}

int flow_key_registers(const struct layout *layout, const struct msg_flow *flow, const struct port_names *ports,
		       uint64_t now_ns, uint64_t *words, char *why)
{
	for (size_t i = 0; i < flow->n_regs; i++) {
		const struct layout_field *f = find_field(layout->reg, layout->n_regs, flow->reg[i].name);
		uint64_t hi, lo;

		if (!f)
			return refuse_name(layout->reg, layout->n_regs, "register", flow->reg[i].name, why);
		if (parse_value(f, flow->reg[i].text, ports, now_ns, &hi, &lo, why) < 0)
			return -EINVAL;
		layout_put(f, (__u64 *)words, hi, lo);
	}
	return 0;
}
