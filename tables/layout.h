/* SPDX-License-Identifier: GPL-2.0-or-later */
/* layout - how the records of one stateful table are laid out, for those who read or write
 * records: encoder, dump, flow get/set, trace.  It travels in messages, so a reader needs
 * no application. */
#ifndef MEALY_LAYOUT_H
#define MEALY_LAYOUT_H

#include "app.h"

enum { MASK_TAG_BITS = 8 }; /* Numbers 1..MASKS_MAX. */
enum { LAYOUT_FIELDS_MAX = 2 * KEY_PARTS_MAX + 28 };

/* One named value in a record: a part of the key or a register. */
struct layout_field {
	char name[NAME_LEN_MAX + 1]; /* "ip.src"; a biflow gives "a.ip", "b.ip", "a.port", "b.port". */
	enum value_type type;
	__u8 word; /* Of the record image, head included. */
	__u8 shift;
	__u8 bits; /* 128: word holds the high half, word + 1 the low. */
};

struct layout_state {
	char name[NAME_LEN_MAX + 1];
	__u16 id; /* As in records. */
};

struct layout {
	char table[NAME_LEN_MAX + 1];
	__u32 capacity;
	__u32 record_class;
	__u32 key_words;
	__u32 n_registers; /* Words, with the one below. */
	__u32 claim_word;  /* Of the image: ties the record to one of another table (allocate); 0: none. */
	size_t n_keys, n_regs, n_states;
	struct layout_field key[2 * KEY_PARTS_MAX];
	struct layout_field reg[28];
	/* Where the keys of a masked match table have the number of their mask; 0 bits: they have none. */
	__u8 tag_bits, tag_word, tag_shift;
	struct layout_state state[STATES_MAX];
	__u64 hash; /* Of scopes, registers, record format and capacity: equal -> flows can be kept. */
};

/* Lays out the records of 'table'.  State ids are 0..n in file order until the agent gives others
 * (ids follow names).  Returns 0, or -E2BIG with *ret_why (static text): key or registers do not fit. */
int layout_make(const struct app *app, const struct app_table *table, struct layout *ret_layout, const char **ret_why);

/* Reads field 'f' from a record image of 'words'. */
void layout_get(const struct layout_field *f, const __u64 *words, __u64 *ret_hi, __u64 *ret_lo);
void layout_put(const struct layout_field *f, __u64 *words, __u64 hi, __u64 lo);
const char *layout_state_name(const struct layout *layout, unsigned id);

/* Renders one record for people and scripts: calls 'emit' for each of state, keys, registers, idle,
 * expires.  See render.h for the emitter. */

#endif
