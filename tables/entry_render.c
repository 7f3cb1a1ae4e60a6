/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry_render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint64_t ones(unsigned bits)
{
	return bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
}

struct pattern entry_part_of_record(const struct app_table *table, const struct layout *layout, size_t part,
				    const __u64 *words, const __u64 *mask)
{
	__u64 image[RECORD_WORDS(RECORD_256)], hi, lo;
	struct pattern p = {.kind = PATTERN_MASK};

	layout_get(&layout->key[part], words, &hi, &lo);
	p.hi = hi;
	p.lo = lo;
	memset(image, 0xff, sizeof(image));
	if (mask)
		memcpy(image + FLOW_HEAD_WORDS, mask, KEY_WORDS_MAX * sizeof(*mask));
	layout_get(&layout->key[part], image, &hi, &lo);
	p.mask_hi = hi;
	p.mask_lo = lo;
	return p;
}

/* Length of a mask that is a prefix, of 128; -1: it is none. */
static int prefix_length(const struct pattern *p)
{
	unsigned len = __builtin_popcountll(p->mask_hi) + __builtin_popcountll(p->mask_lo);
	uint64_t hi = len == 0 ? 0 : len >= 64 ? ~0ULL : ~0ULL << (64 - len);
	uint64_t lo = len <= 64 ? 0 : len == 128 ? ~0ULL : ~0ULL << (128 - len);

	return hi == p->mask_hi && lo == p->mask_lo ? (int)len : -1;
}

static const char *render_address(const struct pattern *p, char *buf)
{
	char value[64], mask[64];
	int len = prefix_length(p);
	bool ipv4 = p->hi == 0 && p->lo >> 32 == 0xffff && (len >= 96 || len < 0);

	value_render(TYPE_ADDR, p->hi, p->lo, 0, value, sizeof(value));
	if (len == 128)
		snprintf(buf, ENTRY_TEXT_SIZE, "%s", value);
	else if (len >= 0)
		snprintf(buf, ENTRY_TEXT_SIZE, "%s/%d", value, ipv4 ? len - 96 : len);
	else
		snprintf(buf, ENTRY_TEXT_SIZE, "%s/%s", value,
			 value_render(TYPE_ADDR, ipv4 ? 0 : p->mask_hi,
				      ipv4 ? 0xffffULL << 32 | (uint32_t)p->mask_lo : p->mask_lo, 0, mask,
				      sizeof(mask)));
	return buf;
}

static const char *render_segments(const struct segment_lists *lists, uint64_t fingerprint, char *buf)
{
	struct segments segments;

	if (!lists || segments_get(lists, fingerprint, &segments) < 0)
		return value_render(TYPE_SEGMENTS, 0, fingerprint, 0, buf, ENTRY_TEXT_SIZE);
	return segments_render(&segments, buf);
}

const char *entry_render_pattern(const struct app_key *key, const struct pattern *p, const struct segment_lists *lists,
				 char *buf)
{
	char value[64], mask[64];

	if (key->type == TYPE_SEGMENTS)
		return render_segments(lists, p->lo, buf);
	if (p->kind == PATTERN_RANGE)
		snprintf(buf, ENTRY_TEXT_SIZE, "%" PRIu64 "-%" PRIu64, p->lo, p->last);
	else if (!p->mask_hi && !p->mask_lo)
		snprintf(buf, ENTRY_TEXT_SIZE, "*");
	else if (key->type == TYPE_ADDR)
		return render_address(p, buf);
	else if (p->mask_lo == ones(key->bits))
		value_render(key->type, 0, p->lo, 0, buf, ENTRY_TEXT_SIZE);
	else if (key->type == TYPE_MAC)
		snprintf(buf, ENTRY_TEXT_SIZE, "%s/%s", value_render(TYPE_MAC, 0, p->lo, 0, value, sizeof(value)),
			 value_render(TYPE_MAC, 0, p->mask_lo, 0, mask, sizeof(mask)));
	else
		snprintf(buf, ENTRY_TEXT_SIZE, "0x%" PRIx64 "/0x%" PRIx64, p->lo, p->mask_lo);
	return buf;
}

static const char *render_ns(uint64_t ns, char *buf)
{
	if (!ns)
		buf[0] = '\0';
	else if (ns % 1000000)
		snprintf(buf, ENTRY_TEXT_SIZE, "%" PRIu64 "ns", ns);
	else
		snprintf(buf, ENTRY_TEXT_SIZE, "%" PRIu64 "ms", ns / 1000000);
	return buf;
}

static const char *render_reg(const struct layout_field *f, const __u64 *words, char *buf)
{
	__u64 hi, lo;

	layout_get(f, words, &hi, &lo);
	if (f->type == TYPE_TIME || f->type == TYPE_DURATION)
		snprintf(buf, ENTRY_TEXT_SIZE, "%" PRIu64 "ns", (uint64_t)lo);
	else
		value_render(f->type, hi, lo, 0, buf, ENTRY_TEXT_SIZE);
	return buf;
}

const char *entry_render_column(const struct app_table *table, const struct layout *layout, const char *column,
				const __u64 *words, __u64 now_ns, char *buf)
{
	const __u64 *reg = words + FLOW_HEAD_WORDS + layout->key_words;
	struct flow_head head;

	memcpy(&head, words, sizeof(head));
	buf[0] = '\0';
	for (size_t i = ENTRY_WORDS; i < layout->n_regs; i++)
		if (strcmp(layout->reg[i].name, column) == 0)
			return render_reg(&layout->reg[i], words, buf);
	if (strcmp(column, "action") == 0)
		return layout_state_name(layout, head.state);
	if (strcmp(column, "priority") == 0)
		snprintf(buf, ENTRY_TEXT_SIZE, "%u", (unsigned)(reg[ENTRY_RANK] >> 32));
	if (strcmp(column, "idle") == 0)
		return render_ns(reg[ENTRY_IDLE], buf);
	if (strcmp(column, "hard") == 0 && head.hard_deadline_ns > now_ns)
		return render_ns((head.hard_deadline_ns - now_ns) / 1000000 * 1000000 + 1000000, buf);
	return buf;
}
