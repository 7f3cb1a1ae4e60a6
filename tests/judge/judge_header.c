/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers that the application declares, and fields by name: those of such headers and all others. */
#include <string.h>

#include "judge_int.h"
#include "judge_sum.h"

/* ---- where ----------------------------------------------------------------------------------- */

/* Of the header that a field or header of this name belongs to; -1: the language's own. */
static int number_of(const struct app *app, const char *name)
{
	size_t size = strcspn(name, ".");

	for (size_t i = 0; i < app->n_headers; i++)
		if (strncmp(app->header[i].name, name, size) == 0 && !app->header[i].name[size])
			return i;
	return -1;
}

static bool begins_with_one_of(const char *field, const char *const *words)
{
	for (; *words; words++)
		if (strncmp(field, *words, strlen(*words)) == 0)
			return true;
	return false;
}

/* Behind the innermost of the headers that `after` names: the payload, what follows IP, or what follows Ethernet. */
static unsigned begin_of(const struct visit *v, const struct app_header *header)
{
	static const char *const l4[] = {"tcp", "udp", "icmp", "l4.", NULL};
	static const char *const ip[] = {"ip", "hopopts", "routing", "frag6", "dstopts", NULL};
	const struct judge_packet *p = &v->entered;
	unsigned begin = p->l3;
	int behind = -1;

	for (size_t i = 0; i < header->n_after; i++) {
		const struct ref *ref = &header->after[i].ref;
		const char *name = ref->kind == REF_FIELD ? ref->field->name : "";
		int other = number_of(v->run->judge->app, name);

		if (other > behind)
			behind = other;
		else if (begins_with_one_of(name, l4) && behind < 0)
			begin = p->end - p->payload_length;
		else if (begins_with_one_of(name, ip) && behind < 0 && begin == p->l3)
			begin = p->l4;
	}
	return behind < 0 ? begin : p->declared_at[behind] + v->run->judge->app->header[behind].size;
}

static bool follows(const struct visit *v, const struct app_header *header)
{
	for (size_t i = 0; i < header->n_after; i++)
		if (!judge_ref_is_there(v, &header->after[i].ref) || !judge_matches(v, &header->after[i]))
			return false;
	return true;
}

static unsigned bits_of(const struct app_header *header)
{
	unsigned bits = 0;

	for (size_t i = 0; i < header->n_fields; i++)
		bits += header->field[i].bits;
	return bits;
}

void judge_find_headers(struct visit *v)
{
	const struct app *app = v->run->judge->app;
	struct judge_packet *p = &v->entered;

	memset(p->has_declared, 0, sizeof(p->has_declared));
	for (size_t i = 0; i < app->n_headers; i++) {
		if (!follows(v, &app->header[i]))
			continue;
		p->declared_at[i] = begin_of(v, &app->header[i]);
		/* Later fragments have only what follows Ethernet. */
		p->has_declared[i] = p->declared_at[i] + bits_of(&app->header[i]) / 8 <= p->end &&
				     !(p->frag_offset && p->declared_at[i] >= p->l4);
	}
	memcpy(v->run->packet.has_declared, p->has_declared, sizeof(p->has_declared));
	memcpy(v->run->packet.declared_at, p->declared_at, sizeof(p->declared_at));
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* Where a field of a declared header begins within it, in bits. */
static unsigned bit_of(const struct app_header *header, const char *name, unsigned *ret_bits)
{
	unsigned bit = 0, i = 0;

	for (; strcmp(header->field[i].name, name) != 0; i++)
		bit += header->field[i].bits;
	*ret_bits = header->field[i].bits;
	return bit;
}

bool judge_has(const struct run *run, const struct judge_packet *p, const char *name)
{
	int number = number_of(run->judge->app, name);

	return number < 0 ? judge_packet_has(p, name) : p->has_declared[number];
}

struct judge_value judge_get(const struct run *run, const struct judge_packet *p, const char *field)
{
	int number = number_of(run->judge->app, field);
	struct judge_value value = {};
	unsigned bit, bits;

	if (number < 0)
		return judge_packet_get(p, field);
	if (!p->has_declared[number])
		return value;
	bit = bit_of(&run->judge->app->header[number], field, &bits);
	value.lo = judge_bits_get(p->frame.data + p->declared_at[number], bit, bits);
	return value;
}

bool judge_set(struct run *run, const char *field, struct judge_value value)
{
	int number = number_of(run->judge->app, field);
	struct judge_packet *p = &run->packet;
	unsigned bit, bits;

	if (number < 0)
		return judge_packet_set(p, field, value);
	bit = bit_of(&run->judge->app->header[number], field, &bits);
	judge_packet_write(p, p->declared_at[number], bit, bits, value.lo);
	return p->has_declared[number];
}
