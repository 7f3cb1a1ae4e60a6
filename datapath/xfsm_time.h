/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xfsm_time - timeouts of states: when a flow falls, where to, and its next deadline.
 *
 * A late packet replays what would have happened: each fall happens at the moment of its own deadline, and the next one
 * counts from there.  Of two deadlines that are due the earlier one falls, the hard one when they are equal, so a
 * packet that comes late and the agent's scan that came in time leave the same state. */
#ifndef MEALY_XFSM_TIME_H
#define MEALY_XFSM_TIME_H

#include "hook.h"

#ifdef MEALY_SPECIALISED
/* Choices of numbers, field by field, instead of an index or an address: so nothing of the table is left in memory. */
HOOK_FN void state_choose(struct state_def *ret, const struct state_def *sd, bool is)
{
	ret->idle_ns = is ? sd->idle_ns : ret->idle_ns;
	ret->hard_ns = is ? sd->hard_ns : ret->hard_ns;
	ret->idle_to = is ? sd->idle_to : ret->idle_to;
	ret->hard_to = is ? sd->hard_to : ret->hard_to;
	ret->flags = is ? sd->flags : ret->flags;
	ret->first_test = is ? sd->first_test : ret->first_test;
	ret->first_timeout = is ? sd->first_timeout : ret->first_timeout;
	ret->n_timeout = is ? sd->n_timeout : ret->n_timeout;
}

HOOK_FN struct state_def state_value(const struct table *t, __u32 state)
{
	struct state_def ret = {0};

#define STATE_CHOICE(i, t) state_choose(&ret, &(t)->states[i], state == i);
	STATE_CHOICE(0, t)
	SPECIALISED_STATES(STATE_CHOICE, t)
#undef STATE_CHOICE
	return ret;
}
/* Lives as long as the caller. */
#define time_state(t, state) (&((const struct state_def[]){state_value(t, state)})[0])
#else
HOOK_FN const struct state_def *time_state(const struct table *t, __u32 state)
{
	return &t->states[state & (STATES_MAX - 1)];
}
#endif

/* A version that took the timeout away from a state takes it away from its flows too. */
HOOK_FN __u64 time_hard_at(const struct flow_head *image, const struct state_def *sd)
{
	return sd->hard_ns ? image->hard_deadline_ns : 0;
}

HOOK_FN __u64 time_idle_at(const struct flow_head *image, const struct state_def *sd)
{
	return sd->idle_ns ? image->last_used_ns + sd->idle_ns : 0;
}

/* An entry of a match table has an idle time of its own. */
HOOK_FN __u64 time_idle_of_entry(const struct table *t, const struct flow_head *image)
{
	const __u64 *words = (const __u64 *)image;
	__u64 word = FLOW_HEAD_WORDS + t->key_words + ENTRY_IDLE;

	OPAQUE(word);
	if (word >= EVENT_WORDS_MAX || !words[word])
		return 0;
	return image->last_used_ns + words[word];
}

/* Arms the hard timeout of the state that is entered at 'when'. */
HOOK_FN void time_enter(const struct table *t, struct flow_head *image, __u32 state, __u64 when)
{
	const struct state_def *sd = time_state(t, state);

	image->state = state;
	image->hard_deadline_ns = sd->hard_ns ? when + sd->hard_ns : 0;
}

HOOK_FN void time_set_deadline(const struct table *t, struct flow_head *image)
{
	const struct state_def *sd = time_state(t, image->state);
	__u64 hard = time_hard_at(image, sd), idle = time_idle_at(image, sd);

	if (AGAIN(t->flags) & TABLE_ENTRIES)
		idle = time_idle_of_entry(t, image);
	image->deadline_ns = !hard || (idle && idle < hard) ? idle : hard;
}

HOOK_FN void note_add(struct scratch *s, __u16 kind, __u16 old_state, __u16 new_state, __u16 rule)
{
	__u32 n = s->n_notes;

	if (n >= NOTES_MAX)
		return;
	s->note[n].kind = kind;
	s->note[n].old_state = old_state;
	s->note[n].new_state = new_state;
	s->note[n].rule = rule;
	s->n_notes = n + 1;
}

HOOK_FN void time_note_fall(struct scratch *s, const struct flow_head *image, __u32 to)
{
	const __u64 *words = (const __u64 *)image;

	KEEP_LOOP
	for (__u32 i = 0; i < EVENT_WORDS_MAX; i++)
		s->fallen[i] = words[i];
	note_add(s, EVENT_TIMEOUT, image->state, to, RULES_ROOM);
}

/* ---- falling ----------------------------------------------------------------------------------------------- */

/* The timeout of 'state' that is due first, and where it leads; 0: none. */
HOOK_FN __u64 time_next(const struct table *t, const struct flow_head *image, __u32 *ret_to)
{
	const struct state_def *sd = time_state(t, image->state);
	__u64 hard = time_hard_at(image, sd), idle = time_idle_at(image, sd);
	bool by_hard = hard && (!idle || hard <= idle);

	*ret_to = by_hard ? sd->hard_to : sd->idle_to;
	return by_hard ? hard : idle;
}

/* Lets the flow fall by every timeout that is due at 'now', at most FALLS_MAX.  True: it reached the first
 * state, so the flow is over.  Writes only the image, and notes when 'noting'. */
HOOK_FN bool time_fall(struct scratch *s, const struct table *t, struct flow_head *image, __u64 now, bool noting)
{
	KEEP_LOOP
	for (__u32 i = 0; i < FALLS_MAX; i++) {
		__u32 to;
		__u64 when = time_next(t, image, &to);

		if (!when || when > now)
			return false;
		if (noting && (time_state(t, image->state)->flags & STATE_NOTIFY))
			time_note_fall(s, image, to);
		time_enter(t, image, to, when);
		image->last_used_ns = when;
		if (!to)
			return true;
	}
	return false;
}

#endif
