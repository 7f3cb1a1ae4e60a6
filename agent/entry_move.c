/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry_move.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "../common/log.h"

struct entry_move {
	struct entry_move *next;
	char *table; /* "router/routes" */
	unsigned from;
	struct counter *count; /* By slot: what was taken along. */
	size_t n_slots;
};

struct entry_moves {
	struct entry_move *first;
};

void entry_moves_free(struct entry_moves *moves)
{
	struct entry_move *move, *next;

	if (!moves)
		return;
	for (move = moves->first; move; move = next) {
		next = move->next;
		free(move->table);
		free(move->count);
		free(move);
	}
	free(moves);
}

static struct entry_move *move_new(struct entry_moves **moves, const struct plan_table *from)
{
	struct entry_move *move = calloc(1, sizeof(*move));

	if (!*moves)
		*moves = calloc(1, sizeof(**moves));
	if (!*moves || !move) {
		free(move);
		return NULL;
	}
	move->next = (*moves)->first;
	(*moves)->first = move;
	move->from = plan_placement(from)->flow_table;
	move->n_slots = from->layout->capacity + 1;
	move->table = strdup(from->name);
	move->count = calloc(move->n_slots, sizeof(*move->count));
	return move->table && move->count ? move : NULL;
}

static int open_table(struct entry_store *entries, const struct plan_table *t, unsigned slot, struct entry_table *ret)
{
	const struct table_placement *place = plan_placement(t);

	return entry_store_open(entries, t->app->app, t->index, place, t->layout,
				TABLE_INDEX(slot, place->hook, place->hook_table), ret);
}

static const __u64 *registers_of(const struct entry_table *et, const uint64_t *words)
{
	return (const __u64 *)words + FLOW_HEAD_WORDS + et->layout->key_words;
}

/* ---- there ---- */

struct carry {
	struct entry_move *move;
	struct entry_table et; /* Where they go. */
	struct entry_notes *notes;
	const struct entry_notes *old_notes;
	bool new_text;
};

static bool is_known(const struct entry_table *et, unsigned state)
{
	for (unsigned i = 1; i < et->table->n_states; i++)
		if (et->state_id[i] == state)
			return true;
	return false;
}

static int carry_note(struct carry *carry, __u64 id)
{
	if (carry->new_text && id & ENTRY_OF_TEXT)
		return 0;
	return entry_notes_carry(carry->notes, carry->old_notes, id & ~ENTRY_OF_TEXT, carry->et.table->n_lookup);
}

static int carry_record(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	struct carry *carry = data;
	struct entry_table *et = &carry->et;
	const __u64 *key = (const __u64 *)words + FLOW_HEAD_WORDS, *reg = registers_of(et, words);
	struct flow_head head;
	bool created = false;
	int r;

	memcpy(&head, words, sizeof(head));
	if (!is_known(et, head.state) || (head.deadline_ns && head.deadline_ns <= et->now_ns))
		return 0;
	if (slot < carry->move->n_slots)
		carry->move->count[slot] = (struct counter){reg[ENTRY_PACKETS], reg[ENTRY_BYTES]};
	r = et->ops->set(et->data, key, head.state, reg, head.hard_deadline_ns, &created);
	if (r < 0)
		return r;
	if (et->table->masked)
		mask_set_add(et->masks, mask_number(et->layout, key), reg[ENTRY_RANK], created);
	return carry_note(carry, reg[ENTRY_ID]);
}

int entry_moves_add(struct entry_moves **moves, struct entry_store *entries, const struct plan_table *from,
		    const struct plan_table *to, unsigned slot)
{
	struct carry carry = {.new_text = to->new_entries};
	struct entry_table old;
	uint32_t cursor = 0;
	int r;

	carry.move = move_new(moves, from);
	if (!carry.move)
		return -ENOMEM;
	r = open_table(entries, from, !slot, &old);
	if (r < 0)
		return r;
	carry.old_notes = entry_store_notes(entries);
	r = open_table(entries, to, slot, &carry.et);
	if (r < 0)
		return r;
	carry.notes = entry_store_notes(entries);
	for (unsigned i = 1; i <= MASKS_MAX; i++) {
		carry.et.masks->at[i] = (struct mask_use){};
		memcpy(carry.et.masks->at[i].mask, old.masks->at[i].mask, sizeof(old.masks->at[i].mask));
	}
	r = entry_store_walk(entries, carry.move->from, &cursor, carry_record, &carry);
	return r < 0 ? r : entry_table_publish(&carry.et);
}

/* ---- afterwards ---- */

struct settle {
	const struct entry_move *move;
	struct entry_store *entries;
	struct entry_table et;
};

static int settle_record(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	struct settle *settle = data;
	const __u64 *old = registers_of(&settle->et, words), *reg;
	__u64 now[RECORD_WORDS(RECORD_256)];
	struct counter more;

	if (slot >= settle->move->n_slots)
		return 0;
	more = (struct counter){old[ENTRY_PACKETS] - settle->move->count[slot].packets,
				old[ENTRY_BYTES] - settle->move->count[slot].bytes};
	if (!more.packets || settle->et.ops->find(settle->et.data, (const __u64 *)words + FLOW_HEAD_WORDS, now) < 0)
		return 0;
	reg = registers_of(&settle->et, (const uint64_t *)now);
	if ((reg[ENTRY_ID] ^ old[ENTRY_ID]) & ~ENTRY_OF_TEXT)
		return 0;
	return entry_store_count_more(settle->entries, now, &more);
}

void entry_moves_settle(struct entry_moves *moves, struct entry_store *entries, const struct plan *plan, unsigned slot)
{
	for (struct entry_move *move = moves ? moves->first : NULL; move; move = move->next) {
		struct settle settle = {.move = move, .entries = entries};
		const struct plan_table *t = plan_find_name(plan, move->table);
		uint32_t cursor = 0;
		int r = 0;

		if (t && t->renewed)
			r = open_table(entries, t, slot, &settle.et);
		if (t && t->renewed && r == 0)
			r = entry_store_walk(entries, move->from, &cursor, settle_record, &settle);
		if (r < 0)
			log_error("%s: what entries counted while they were changed is lost: %s", move->table,
				  strerror(-r));
	}
}
