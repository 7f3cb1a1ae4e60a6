/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control - what the agent does to flows, by the protocol of packets: expire, delete, set, renumber.
 *
 * The command names an element of `tables`, so the version is the one that the agent means; every step is a
 * function of its own for the verifier. */
#ifndef MEALY_CONTROL_H
#define MEALY_CONTROL_H

#include "xfsm_step.h"

/* ---- one slot ---------------------------------------------------------------------------------------- */

HOOK_FN enum free_why control_why(__u32 op)
{
	if (op == CONTROL_EXPIRE)
		return FREE_DUE;
	return op == CONTROL_DELETE ? FREE_DELETE : FREE_UNKNOWN;
}

/* Expires, deletes or renumbers the flow in s->work.slot.  Returns enum control_result. */
COLD_FN(control_slot)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);
	struct place *p = &s->free.at;
	const struct flow_desc *desc;
	struct flow flow = {.bucket = NULL};

	if (!t || !(t->flags & TABLE_STATEFUL) || !s->work.slot)
		return CONTROL_NOTHING;
	desc = map_flow_desc(h, t->flow_table);
	if (!desc || !desc->valid || !flow_open(h, t, s->work.slot, &flow))
		return CONTROL_NOTHING;
	image_read(t, &flow, s->timeout);
	place_of_hash(p, desc, flow_hash(desc->secret, &s->timeout[FLOW_HEAD_WORDS], t->key_words));
	p->slot = s->work.slot;
	if (!entry_find(h, t, p, &flow))
		return CONTROL_NOTHING;
	s->free.why = control_why(s->work.op);
	s->free.change = s->work.change;
	s->free.now = s->cells[CELL_NOW];
	return COLD_CALL(flow_free, h, s);
}

HOOK_FN void control_slots(struct hook *h, struct scratch *s, struct control *c)
{
	/* Counted in the frame: the verifier of 6.1 would follow each pair of counts that registers can hold. */
	c->freed = c->changed = 0;
	LOOP
	for (__u32 i = 0; i < CONTROL_SLOTS_MAX; i++) {
		int result;

		if (i >= AGAIN(c->n))
			break;
		s->work.slot = c->item[i].slot;
		s->work.change = c->item[i].change;
		result = COLD_CALL(control_slot, h, s);
		c->freed += result == CONTROL_FREED;
		c->changed += result == CONTROL_CHANGED;
		c->item[i].slot = result;
	}
}

/* ---- one key -------------------------------------------------------------------------------------------- */

/* What ties the record to one of another table is nobody's to set. */
HOOK_FN void control_keep_claim(struct scratch *s, const struct table *t, const struct flow *flow)
{
	__u32 word = t->claim_word & (EVENT_WORDS_MAX - 1);

	if (!(t->flags & (TABLE_CLAIMS | TABLE_CLAIMED)))
		return;
	image_read(t, flow, s->timeout);
	step_image(s)[word] = s->timeout[word];
}

/* An entry that is changed goes on counting, and is as old as it was; COUNT has more to add.  The record is locked. */
HOOK_FN void control_keep_counts(struct scratch *s, const struct table *t, const struct flow *flow, __u64 *image)
{
	__u64 first = image_registers(t) + ENTRY_SINCE;
	bool more = s->work.op == CONTROL_COUNT;

	image_read(t, flow, s->timeout);
	LOOP
	for (__u32 i = 0; i < ENTRY_WORDS - ENTRY_SINCE; i++) {
		__u64 word = first + i;

		OPAQUE(word);
		if (word >= EVENT_WORDS_MAX)
			break;
		image[word] = s->timeout[word] + (more && i ? image[word] : 0);
	}
}

/* Gives the flow found the state and the registers of the image. */
HOOK_FN enum control_result control_overwrite(struct hook *h, struct scratch *s, const struct table *t,
					      struct flow *flow)
{
	__u64 *image = step_image(s);
	bool mine, alive;

	flow->lock = map_lock(h, LOCK_OF_SLOT(t->flow_table, s->place.slot));
	if (!flow->lock)
		return CONTROL_NOTHING;
	hook_lock(flow->lock);
	mine = flow_is_mine(t, &image[FLOW_HEAD_WORDS], &s->place, flow);
	alive = READ(flow_head(flow)->alive);
	if (mine) {
		control_keep_claim(s, t, flow);
		if (t->flags & TABLE_ENTRIES)
			control_keep_counts(s, t, flow, image);
		image_head(image)->alive = 1;
		image_write(t, image, flow, true);
	}
	hook_unlock(flow->lock);
	if (mine)
		return CONTROL_CHANGED;
	if (!alive)
		COLD_CALL(flow_help, h, s);
	return CONTROL_AGAIN;
}

HOOK_FN enum control_result control_create(struct hook *h, struct scratch *s, const struct table *t)
{
	switch (COLD_CALL(flow_create, h, s)) {
	case CREATE_DONE: return CONTROL_CREATED;
	case CREATE_AGAIN: return CONTROL_AGAIN;
	case CREATE_FULL: return flow_make_room(h, s, t) ? CONTROL_AGAIN : CONTROL_FULL;
	}
	return CONTROL_NOTHING;
}

/* Writes the flow whose key, state and registers are in the image.  Returns enum control_result. */
COLD_FN(control_flow)
{
	COLD_BEGIN
	const struct table *t = cold_table(h, s);
	struct flow flow = {.bucket = NULL};
	const struct flow_desc *desc;
	__u64 *image = step_image(s);

	if (!t || !(t->flags & TABLE_STATEFUL))
		return CONTROL_NOTHING;
	desc = map_flow_desc(h, t->flow_table);
	if (!desc || !desc->valid)
		return CONTROL_NOTHING;
	image_head(image)->last_used_ns = s->cells[CELL_NOW];
	if (t->flags & TABLE_ENTRIES)
		image_head(image)->hard_deadline_ns = s->work.hard_ns;
	else
		time_enter(t, image_head(image), image_head(image)->state, s->cells[CELL_NOW]);
	time_set_deadline(t, image_head(image));
	place_of_hash(&s->place, desc, flow_hash(desc->secret, &image[FLOW_HEAD_WORDS], t->key_words));
	if (flow_find(h, t, &image[FLOW_HEAD_WORDS], &s->place, &flow))
		return control_overwrite(h, s, t, &flow);
	if (s->work.op == CONTROL_COUNT)
		return CONTROL_NOTHING;
	return control_create(h, s, t);
}

HOOK_FN void control_set(struct hook *h, struct scratch *s, const struct table *t, struct control *c)
{
	__u64 *image = &s->cells[CELL_LOOKUP];
	__u32 first = image_registers(t);

	for (__u32 i = 0; i < FLOW_HEAD_WORDS; i++)
		image[i] = 0;
	for (__u32 i = 0; i < KEY_WORDS_MAX; i++)
		image[FLOW_HEAD_WORDS + i] = c->key[i];
	LOOP
	for (__u32 i = 0; i < EVENT_WORDS_MAX - FLOW_HEAD_WORDS; i++) {
		__u64 word = first + i;

		OPAQUE(word);
		if (word >= EVENT_WORDS_MAX)
			break;
		image[word] = c->registers[i];
	}
	image_head(image)->state = c->state;
	s->work.hard_ns = c->hard_ns;
	s->base = CELL_LOOKUP;
	c->result = COLD_CALL(control_flow, h, s);
}

/* ---- the command ------------------------------------------------------------------------------------------- */

HOOK_FN void control_begin(struct hook *h, struct scratch *s, const struct control *c)
{
	__u32 element = c->table;

	s->slot = element / (HOOK_MAX * HOOK_TABLES_MAX);
	s->hook = element / HOOK_TABLES_MAX % HOOK_MAX;
	s->table = element % HOOK_TABLES_MAX;
	s->port = 0;
	s->n_notes = 0;
	s->record_slot = 0;
	s->work.op = c->op;
	s->cells[CELL_LENGTH] = 0;
	s->cells[CELL_FRAMES] = 0;
	s->cells[CELL_NOW] = c->now_ns ? c->now_ns : hook_now_ns(h);
}

/* Does what 'c' asks and writes the results into it.  False: not a command. */
HOOK_FN bool switch_control(struct hook *h, struct scratch *s, struct control *c)
{
	const struct table *t;

	if (c->magic != CONTROL_MAGIC || c->table >= TABLE_ELEMENTS || c->n > CONTROL_SLOTS_MAX)
		return false;
	control_begin(h, s, c);
	t = cold_table(h, s);
	if (!t || !(t->flags & TABLE_VALID))
		return false;
	switch (c->op) {
	case CONTROL_EXPIRE:
	case CONTROL_DELETE:
	case CONTROL_RENUMBER: control_slots(h, s, c); return true;
	case CONTROL_SET:
	case CONTROL_COUNT: control_set(h, s, t, c); return true;
	}
	return false;
}

#endif
