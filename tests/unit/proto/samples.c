// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables know every member, so they also know how to fill and compare them. */
#include <stdio.h>
#include <string.h>

#include "samples.h"
#include "tables/layout.h"

static unsigned n_filled; /* Makes values differ. */

static void fill_shape(struct pool *pool, const struct shape *shape, char *structure);

static uint64_t small(uint64_t max)
{
	return max < 200 ? n_filled++ % (max + 1) : 1 + n_filled++ % 200;
}

static void store(void *to, size_t size, uint64_t value)
{
	switch (size) {
	case 1: *(uint8_t *)to = value; break;
	case 2: *(uint16_t *)to = value; break;
	case 4: *(uint32_t *)to = value; break;
	default: *(uint64_t *)to = value << 40 | value;
	}
}

static char *text(struct pool *pool)
{
	char *string = pool_take(pool, 32);

	snprintf(string, 32, "t\xc3\xa4xt-%u", n_filled++);
	return string;
}

static void fill_member(struct pool *pool, const struct member *member, char *structure)
{
	char *at = structure + member->offset;
	size_t *count = (size_t *)(void *)(structure + member->count_offset);
	size_t n = member->max < 2 ? member->max : 2;

	switch (member->kind) {
	case MEMBER_UINT: store(at, member->size, small(member->max)); break;
	case MEMBER_LINE:
	case MEMBER_TEXT: *(char **)at = text(pool); break;
	case MEMBER_BUFFER: strcpy(at, text(pool)); break;
	case MEMBER_BYTES:
		*count = 64;
		*(char **)at = memset(pool_take(pool, *count), small(255), *count);
		break;
	case MEMBER_LINES:
		*count = n;
		*(char ***)at = pool_take(pool, n * sizeof(char *));
		for (size_t i = 0; i < n; i++)
			(*(char ***)at)[i] = text(pool);
		break;
	case MEMBER_OPTIONAL: n = 1;							   /* fall through */
	case MEMBER_ITEMS: *(char **)at = pool_take_zeroed(pool, n * member->shape->size); /* fall through */
	case MEMBER_INLINE:
		if (member->kind != MEMBER_OPTIONAL)
			*count = n;
		for (size_t i = 0; i < n; i++)
			fill_shape(pool, member->shape,
				   (member->kind == MEMBER_INLINE ? at : *(char **)at) + i * member->shape->size);
		break;
	}
}

/* What the single limits do not know. */
static void mend(const struct shape *shape, void *structure)
{
	if (strcmp(shape->name, "layout") == 0) {
		struct layout *layout = structure;

		layout->record_class = RECORD_64;
		layout->key_words = 1;
		layout->n_registers = 3;
		layout->claim_word = 7;
	} else if (strcmp(shape->name, "layout_field") == 0) {
		struct layout_field *field = structure;

		field->word = FLOW_HEAD_WORDS + n_filled++ % 4;
		field->shift = 16;
		field->bits = 1 + n_filled++ % 48;
	} else if (strcmp(shape->name, "chunk") == 0) {
		((struct msg_dump_chunk *)structure)->record_size = 64;
	} else if (strcmp(shape->name, "traced_step") == 0) {
		((struct msg_traced_step *)structure)->frame = 1;
	}
}

static void fill_shape(struct pool *pool, const struct shape *shape, char *structure)
{
	for (size_t i = 0; i < shape->n_members; i++)
		fill_member(pool, &shape->member[i], structure);
	mend(shape, structure);
}

struct message *sample_message(struct pool *pool, enum message_kind kind)
{
	struct message *msg = pool_take_zeroed(pool, sizeof(*msg));

	msg->kind = kind;
	msg->id = 1ull << 40;
	msg->reply_to = 7;
	msg->switch_name = "edge-1";
	fill_shape(pool, message_bodies[kind].shape, (char *)msg + message_bodies[kind].offset);
	return msg;
}

/* ---- comparison ---- */

static bool shapes_equal(const struct shape *shape, const char *a, const char *b);

static bool strings_equal(const char *a, const char *b)
{
	return strcmp(a ?: "", b ?: "") == 0;
}

static bool items_equal(const struct shape *shape, const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!shapes_equal(shape, a + i * shape->size, b + i * shape->size))
			return false;
	return true;
}

static bool members_equal(const struct member *member, const char *a, const char *b)
{
	const char *at_a = a + member->offset, *at_b = b + member->offset;
	const char *to_a = NULL, *to_b = NULL; /* Where members point to, if they do. */
	size_t n = 1;

	memcpy(&to_a, at_a, member->size < sizeof(to_a) ? member->size : sizeof(to_a));
	memcpy(&to_b, at_b, member->size < sizeof(to_b) ? member->size : sizeof(to_b));

	if (member->count_offset) {
		n = member_count(member, a);
		if (n != member_count(member, b))
			return false;
	}
	switch (member->kind) {
	case MEMBER_UINT: return memcmp(at_a, at_b, member->size) == 0;
	case MEMBER_LINE:
	case MEMBER_TEXT: return strings_equal(to_a, to_b);
	case MEMBER_BUFFER: return strings_equal(at_a, at_b);
	case MEMBER_BYTES: return n == 0 || memcmp(to_a, to_b, n) == 0;
	case MEMBER_LINES:
		for (size_t i = 0; i < n; i++)
			if (!strings_equal(((char **)to_a)[i], ((char **)to_b)[i]))
				return false;
		return true;
	case MEMBER_OPTIONAL: return !to_a ? !to_b : to_b && items_equal(member->shape, to_a, to_b, 1);
	case MEMBER_ITEMS: return items_equal(member->shape, to_a, to_b, n);
	case MEMBER_INLINE: return items_equal(member->shape, at_a, at_b, n);
	}
	return false;
}

static bool shapes_equal(const struct shape *shape, const char *a, const char *b)
{
	for (size_t i = 0; i < shape->n_members; i++)
		if (!members_equal(&shape->member[i], a, b))
			return false;
	return true;
}

bool sample_equal(const struct message *a, const struct message *b)
{
	if (a->kind != b->kind || a->id != b->id || a->reply_to != b->reply_to)
		return false;
	if (!strings_equal(a->switch_name, b->switch_name))
		return false;
	return shapes_equal(message_bodies[a->kind].shape, (const char *)a + message_bodies[a->kind].offset,
			    (const char *)b + message_bodies[b->kind].offset);
}
