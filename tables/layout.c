/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "layout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The reason of the last refusal of this thread. */
static _Thread_local char why[160];

/* ---- names and widths ----------------------------------------------------------------------- */

struct end_names {
	const char *name;
	enum value_type type;
	unsigned bits;
};

static const struct end_names biflow_l4[] = {
	{"a.ip", TYPE_ADDR, 128},
	{"b.ip", TYPE_ADDR, 128},
	{"a.port", TYPE_U64, 16},
	{"b.port", TYPE_U64, 16},
};
static const struct end_names biflow_ip[] = {{"a.ip", TYPE_ADDR, 128}, {"b.ip", TYPE_ADDR, 128}};
static const struct end_names biflow_eth[] = {{"a.eth", TYPE_MAC, 48}, {"b.eth", TYPE_MAC, 48}};

static unsigned biflow_ends(enum key_kind kind, const struct end_names **ret_ends)
{
	switch (kind) {
	case KEY_BIFLOW_L4: *ret_ends = biflow_l4; return 4;
	case KEY_BIFLOW_IP: *ret_ends = biflow_ip; return 2;
	case KEY_BIFLOW_ETH: *ret_ends = biflow_eth; return 2;
	case KEY_FIELD:
	case KEY_VARIABLE:
	case KEY_TABLE_REGISTER: break;
	}
	return 0;
}

/* An address keeps only the bits that count; a narrower field keeps its width, with zeros behind. */
static unsigned key_bits(const struct app_key *key)
{
	bool is_prefix = key->bits == 128 && key->prefix_len > 0 && key->prefix_len < 128;

	return is_prefix ? key->prefix_len : key->bits;
}

static int key_field_add(struct layout *layout, const char *name, enum value_type type, unsigned bits)
{
	struct layout_field *f;

	if (layout->n_keys >= KEY_PARTS_MAX) {
		snprintf(why, sizeof(why), "the key has more than %d parts", KEY_PARTS_MAX);
		return -E2BIG;
	}
	f = &layout->key[layout->n_keys++];
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->type = type;
	f->bits = bits;
	return 0;
}

static int key_add(struct layout *layout, const struct app_key *key)
{
	const struct end_names *ends;
	unsigned n = biflow_ends(key->kind, &ends);

	if (n == 0)
		return key_field_add(layout, key->text, key->type, key_bits(key));
	for (unsigned i = 0; i < n; i++) {
		int r = key_field_add(layout, ends[i].name, ends[i].type, ends[i].bits);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- packing -------------------------------------------------------------------------------- */

/* 'used' counts the bits taken of each word, from the low end. */
static bool place(struct layout_field *f, unsigned *used)
{
	for (unsigned w = 0; w < KEY_WORDS_MAX; w++) {
		if (f->bits <= 64 && used[w] + f->bits <= 64) {
			f->word = w;
			f->shift = used[w];
			used[w] += f->bits;
			return true;
		}
		if (f->bits > 64 && w + 1 < KEY_WORDS_MAX && used[w] == 0 && used[w + 1] == 0) {
			f->word = w;
			f->shift = 0;
			used[w] = 64;
			used[w + 1] = f->bits - 64;
			return true;
		}
	}
	return false;
}

/* First fit, widest first: wide parts take whole words, the rest fills the gaps. */
static int pack_key(struct layout *layout)
{
	unsigned used[KEY_WORDS_MAX] = {};
	struct layout_field tag = {};
	unsigned sum = 0;
	bool fits = true;

	for (size_t i = 0; i < layout->n_keys; i++)
		sum += layout->key[i].bits;
	sum += layout->tag_bits;
	for (unsigned bits = 128; bits > 0; bits--)
		for (size_t i = 0; i < layout->n_keys; i++)
			if (layout->key[i].bits == bits)
				fits = place(&layout->key[i], used) && fits;
	tag.bits = layout->tag_bits;
	if (tag.bits)
		fits = place(&tag, used) && fits;
	layout->tag_word = tag.bits ? tag.word + FLOW_HEAD_WORDS : 0;
	layout->tag_shift = tag.shift;
	if (!fits) {
		snprintf(why, sizeof(why),
			 "key too long: %u bits (%u bytes) packed into words of 64, room for %d bytes", sum,
			 (sum + 7) / 8, KEY_WORDS_MAX * 8);
		return -E2BIG;
	}
	for (size_t i = 0; i < layout->n_keys; i++)
		layout->key[i].word += FLOW_HEAD_WORDS;
	while (layout->key_words < KEY_WORDS_MAX && used[layout->key_words] > 0)
		layout->key_words++;
	return 0;
}

static int add_registers(struct layout *layout, const struct app_table *table)
{
	unsigned first = FLOW_HEAD_WORDS + layout->key_words;
	unsigned n_words = 0;

	for (size_t i = 0; i < table->n_regs; i++)
		n_words += table->reg[i].type == TYPE_ADDR ? 2 : 1;
	if (table->claims_from || table->claimed)
		layout->claim_word = first + n_words++;
	if (first + n_words > RECORD_WORDS(RECORD_256)) {
		snprintf(why, sizeof(why),
			 "registers do not fit: %u words of key and %u of registers, a record has room for %d",
			 layout->key_words, n_words, (int)(RECORD_WORDS(RECORD_256) - FLOW_HEAD_WORDS));
		return -E2BIG;
	}
	for (size_t i = 0; i < table->n_regs; i++) {
		struct layout_field *f = &layout->reg[i];

		snprintf(f->name, sizeof(f->name), "%s", table->reg[i].name);
		f->type = table->reg[i].type;
		f->word = first + table->reg[i].word;
		f->bits = f->type == TYPE_ADDR ? 128 : 64;
	}
	layout->n_regs = table->n_regs;
	layout->n_registers = n_words;
	layout->record_class = RECORD_64;
	while (RECORD_WORDS(layout->record_class) < first + n_words)
		layout->record_class++;
	return 0;
}

/* ---- hash ----------------------------------------------------------------------------------- */

/* FNV-1a; only ever compared between builds of this project. */
static void mix_bytes(__u64 *hash, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < size; i++)
		*hash = (*hash ^ p[i]) * 0x100000001b3ULL;
}

static void mix_u64(__u64 *hash, __u64 value)
{
	mix_bytes(hash, &value, sizeof(value));
}

static void mix_string(__u64 *hash, const char *text)
{
	mix_bytes(hash, text, strlen(text) + 1);
}

static void mix_scope(__u64 *hash, const struct app_key *key, size_t n)
{
	mix_u64(hash, n);
	for (size_t i = 0; i < n; i++) {
		mix_u64(hash, key[i].kind);
		mix_string(hash, key[i].text);
		mix_u64(hash, key_bits(&key[i]));
		mix_u64(hash, key[i].prefix_len);
		/* The same name may lie elsewhere in the next version. */
		if (key[i].ref.kind == REF_FIELD && field_is_declared(key[i].ref.field))
			mix_u64(hash, HEADER_IMM(key[i].ref.field->load.base, key[i].ref.field->load.off,
						 key[i].ref.field->load.shift));
	}
}

static __u64 layout_hash(const struct layout *layout, const struct app_table *table)
{
	__u64 hash = 0xcbf29ce484222325ULL;

	mix_u64(&hash, FLOW_FORMAT_VERSION);
	mix_u64(&hash, layout->record_class);
	mix_u64(&hash, layout->key_words);
	mix_u64(&hash, layout->capacity);
	mix_scope(&hash, table->lookup, table->n_lookup);
	mix_scope(&hash, table->update, table->update ? table->n_update : 0);
	if (table->has_entries)
		mix_bytes(&hash, table->key_match, table->n_lookup * sizeof(table->key_match[0]));
	mix_u64(&hash, layout->n_regs);
	for (size_t i = 0; i < layout->n_regs; i++) {
		mix_string(&hash, layout->reg[i].name);
		mix_u64(&hash, layout->reg[i].type);
	}
	return hash;
}

/* Records of two tables that name each other are kept or lost together. */
static void mix_claims(__u64 *hash, const struct app *app, const struct app_table *table)
{
	for (size_t i = 0; i < app->n_tables; i++) {
		const struct app_table *other = &app->table[i];

		if (other->claims_from != table && table->claims_from != other)
			continue;
		mix_string(hash, other->name);
		mix_scope(hash, other->lookup, other->n_lookup);
		mix_u64(hash, other->capacity);
		mix_u64(hash, other->n_regs);
		for (size_t r = 0; r < other->n_regs; r++) {
			mix_string(hash, other->reg[r].name);
			mix_u64(hash, other->reg[r].type);
		}
	}
}

/* ---- public --------------------------------------------------------------------------------- */

int layout_make(const struct app *app, const struct app_table *table, struct layout *ret_layout, const char **ret_why)
{
	struct layout layout = {};
	int r = 0;

	snprintf(layout.table, sizeof(layout.table), "%s", table->name);
	layout.capacity = table->capacity;
	for (size_t i = 0; i < table->n_lookup && r == 0; i++)
		r = key_add(&layout, &table->lookup[i]);
	if (table->masked)
		layout.tag_bits = MASK_TAG_BITS;
	if (r == 0)
		r = pack_key(&layout);
	if (r == 0)
		r = add_registers(&layout, table);
	if (r < 0) {
		*ret_why = why;
		return r;
	}
	for (size_t i = 0; i < table->n_states && i < STATES_MAX; i++) {
		snprintf(layout.state[i].name, sizeof(layout.state[i].name), "%s", table->state[i].name);
		layout.state[i].id = i;
		layout.n_states++;
	}
	layout.hash = layout_hash(&layout, table);
	mix_claims(&layout.hash, app, table);
	*ret_layout = layout;
	return 0;
}

static __u64 low_bits(unsigned bits)
{
	return bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
}

void layout_get(const struct layout_field *f, const __u64 *words, __u64 *ret_hi, __u64 *ret_lo)
{
	*ret_hi = 0;
	if (f->bits > 64) {
		*ret_hi = words[f->word];
		*ret_lo = (words[f->word + 1] & low_bits(f->bits - 64)) << (128 - f->bits);
		return;
	}
	*ret_lo = (words[f->word] >> f->shift) & low_bits(f->bits);
	if (f->type == TYPE_ADDR) {
		*ret_hi = *ret_lo << (64 - f->bits);
		*ret_lo = 0;
	}
}

static void put_bits(__u64 *word, unsigned shift, unsigned bits, __u64 value)
{
	__u64 mask = low_bits(bits);

	*word = (*word & ~(mask << shift)) | ((value & mask) << shift);
}

void layout_put(const struct layout_field *f, __u64 *words, __u64 hi, __u64 lo)
{
	if (f->bits > 64) {
		words[f->word] = hi;
		put_bits(&words[f->word + 1], 0, f->bits - 64, lo >> (128 - f->bits));
	} else if (f->type == TYPE_ADDR) {
		put_bits(&words[f->word], f->shift, f->bits, hi >> (64 - f->bits));
	} else {
		put_bits(&words[f->word], f->shift, f->bits, lo);
	}
}

const char *layout_state_name(const struct layout *layout, unsigned id)
{
	for (size_t i = 0; i < layout->n_states; i++)
		if (layout->state[i].id == id)
			return layout->state[i].name;
	/* An id this version does not know reads as the first state. */
	return layout->n_states > 0 ? layout->state[0].name : "";
}
