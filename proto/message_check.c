// SPDX-License-Identifier: GPL-2.0-or-later
/* message_check - the limits of message_table.c applied to a message, before it is sent and
 * before anybody acts on one that came. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../tables/layout.h"
#include "message_table.h"

enum { WHY_SIZE = 256 };

static int check_shape(const struct shape *shape, const void *structure, char *ret_why);

static int refuse(const struct shape *shape, const struct member *member, const char *problem, char *ret_why)
{
	if (ret_why)
		snprintf(ret_why, WHY_SIZE, "%s.%s: %s", shape->name, member->name, problem);
	return -EPROTO;
}

/* Bytes of the UTF-8 character at 's', or 0: not one (overlong forms and surrogates are none). */
static size_t utf8_size(const unsigned char *s)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned code;
	size_t size;

	if (s[0] < 0x80)
		return 1;
	size = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	code = s[0] & (0x7f >> size);
	for (size_t i = 1; i < size; i++) {
		if ((s[i] & 0xc0) != 0x80) /* Also the end of the string. */
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return size;
}

static bool is_control(unsigned char c, bool lines)
{
	if (lines && (c == '\n' || c == '\t' || c == '\r'))
		return false;
	return c < 0x20 || c == 0x7f;
}

/* NULL, or what is wrong with the string. */
static const char *check_string(const char *string, size_t min, size_t max, bool lines)
{
	const unsigned char *s = (const unsigned char *)(string ?: "");
	size_t len = strnlen((const char *)s, max + 1);
	size_t size;

	if (len > max)
		return "too long";
	if (len < min)
		return "empty";
	for (size_t i = 0; i < len; i += size) {
		if (is_control(s[i], lines))
			return "control character";
		size = utf8_size(s + i);
		if (!size)
			return "not UTF-8";
	}
	return NULL;
}

static uint64_t load_uint(const void *at, size_t size)
{
	switch (size) {
	case 1: return *(const uint8_t *)at;
	case 2: return *(const uint16_t *)at;
	case 4: return *(const uint32_t *)at;
	}
	return *(const uint64_t *)at;
}

static int check_items(const struct member *member, const char *items, size_t n, char *ret_why)
{
	int r;

	for (size_t i = 0; i < n; i++) {
		r = check_shape(member->shape, items + i * member->shape->size, ret_why);
		if (r < 0)
			return r;
	}
	return 0;
}

/* NULL, or what is wrong with the strings of a MEMBER_LINES. */
static const char *check_lines(const char *const *lines, size_t n)
{
	const char *problem = NULL;

	for (size_t i = 0; i < n && !problem; i++)
		problem = check_string(lines[i], 0, LINE_SIZE_MAX, false);
	return problem;
}

static const char *check_count(const struct member *member, const void *structure)
{
	size_t n = member_count(member, structure);

	if (n > member->max)
		return "too many";
	return n < member->min ? "too few" : NULL;
}

static int check_member(const struct shape *shape, const struct member *member, const void *structure, char *ret_why)
{
	const void *at = member_at(member, structure);
	const char *problem = NULL;

	switch (member->kind) {
	case MEMBER_UINT: problem = load_uint(at, member->size) > member->max ? "out of range" : NULL; break;
	case MEMBER_LINE:
	case MEMBER_TEXT:
		problem = check_string(*(const char *const *)at, member->min, member->max, member->kind == MEMBER_TEXT);
		break;
	case MEMBER_BUFFER: problem = check_string(at, member->min, member->max, false); break;
	case MEMBER_BYTES: problem = check_count(member, structure); break;
	case MEMBER_LINES:
		problem = check_count(member, structure);
		if (!problem)
			problem = check_lines(*(const char *const *const *)at, member_count(member, structure));
		break;
	case MEMBER_ITEMS:
		problem = check_count(member, structure);
		if (!problem)
			return check_items(member, *(const char *const *)at, member_count(member, structure), ret_why);
		break;
	case MEMBER_INLINE:
		problem = check_count(member, structure);
		if (!problem)
			return check_items(member, at, member_count(member, structure), ret_why);
		break;
	case MEMBER_OPTIONAL:
		return check_items(member, *(const char *const *)at, *(const char *const *)at ? 1 : 0, ret_why);
	}
	return problem ? refuse(shape, member, problem, ret_why) : 0;
}

static int check_shape(const struct shape *shape, const void *structure, char *ret_why)
{
	const char *problem;
	int r;

	for (size_t i = 0; i < shape->n_members; i++) {
		r = check_member(shape, &shape->member[i], structure, ret_why);
		if (r < 0)
			return r;
	}
	problem = shape->check ? shape->check(structure) : NULL;
	if (!problem)
		return 0;
	if (ret_why)
		snprintf(ret_why, WHY_SIZE, "%s: %s", shape->name, problem);
	return -EPROTO;
}

int message_check(const struct message *msg, char *ret_why)
{
	const struct body *body;
	const char *problem;

	if (msg->kind <= MSG_NONE || msg->kind >= MSG_KIND_MAX) {
		if (ret_why)
			snprintf(ret_why, WHY_SIZE, "unknown kind of message");
		return -EPROTO;
	}
	problem = check_string(msg->switch_name, 0, NAME_LEN_MAX, false);
	if (problem) {
		if (ret_why)
			snprintf(ret_why, WHY_SIZE, "switch name: %s", problem);
		return -EPROTO;
	}
	body = &message_bodies[msg->kind];
	return check_shape(body->shape, (const char *)msg + body->offset, ret_why);
}

/* ---- what no single member can tell ---- */

const char *check_hello(const void *structure)
{
	const struct msg_hello *hello = structure;

	return hello->instance ? NULL : "no instance";
}

/* A field lies behind the head and within the record. */
static const char *check_layout_fields(const struct layout_field *field, size_t n, unsigned words)
{
	for (size_t i = 0; i < n; i++) {
		const struct layout_field *f = &field[i];
		bool wide = f->bits == 128;

		if (f->word < FLOW_HEAD_WORDS || f->word + (wide ? 1u : 0u) >= words)
			return "field outside of the record";
		if (f->bits == 0 || (!wide && f->shift + f->bits > 64) || (wide && f->shift))
			return "field outside of its word";
	}
	return NULL;
}

const char *check_layout(const void *structure)
{
	const struct layout *layout = structure;
	unsigned words = RECORD_WORDS(layout->record_class);
	const char *problem;

	if (FLOW_HEAD_WORDS + layout->key_words + layout->n_registers > words)
		return "key and registers exceed the record";
	if (layout->claim_word && (layout->claim_word < FLOW_HEAD_WORDS || layout->claim_word >= words))
		return "claim word outside of the record";
	problem = check_layout_fields(layout->key, layout->n_keys, words);
	if (!problem)
		problem = check_layout_fields(layout->reg, layout->n_regs, words);
	return problem;
}

const char *check_global(const void *structure)
{
	const struct msg_global *global = structure;

	return global->min > global->max ? "a range that ends before it begins" : NULL;
}

static bool is_record_size(size_t size)
{
	return size == RECORD_SIZE(RECORD_64) || size == RECORD_SIZE(RECORD_128) || size == RECORD_SIZE(RECORD_256);
}

const char *check_chunk(const void *structure)
{
	const struct msg_dump_chunk *chunk = structure;

	if (!chunk->record_size)
		return chunk->size ? "records without a size" : NULL;
	if (!is_record_size(chunk->record_size))
		return "no such record size";
	if (chunk->size % chunk->record_size)
		return "a record is cut off";
	if (chunk->layout && RECORD_SIZE(chunk->layout->record_class) != chunk->record_size)
		return "records and layout differ in size";
	return NULL;
}

const char *check_traced(const void *structure)
{
	const struct msg_traced *traced = structure;

	for (size_t i = 0; i < traced->n_steps; i++) {
		const struct msg_traced_step *step = &traced->step[i];

		if (step->frame >= traced->n_frames)
			return "a step of a frame that is not there";
		if (step->record_size && !is_record_size(step->record_size))
			return "no such record size";
	}
	return NULL;
}
