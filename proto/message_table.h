/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message_table - every structure of message.h described once: its members, their limits and
 * the wire message they belong to.  Packing, unpacking and checking all walk these tables, so a
 * new message is a row in mealy.proto, a struct in message.h and a few rows here.
 *
 * T1. The members of a shape stand in the order of their field numbers in mealy.proto, under the
 *     same names (a unit test compares them), so a wire field is found by its position.
 * T2. Shapes do not contain themselves, so walking them recurses a few levels at most.
 *
 * Private to message_*.c. */
#ifndef MEALY_MESSAGE_TABLE_H
#define MEALY_MESSAGE_TABLE_H

#include <protobuf-c/protobuf-c.h>

#include "message.h"

enum member_kind {
	MEMBER_UINT,	 /* bool, enum or unsigned of any width, min..max. */
	MEMBER_LINE,	 /* const char *, min..max bytes, no control characters. */
	MEMBER_TEXT,	 /* const char *, min..max bytes, tabs and line ends allowed. */
	MEMBER_BUFFER,	 /* char[], a line. */
	MEMBER_BYTES,	 /* const uint8_t * and its size, min..max bytes. */
	MEMBER_LINES,	 /* const char ** and their count, min..max of them. */
	MEMBER_ITEMS,	 /* Pointer to 'shape's and their count, min..max of them. */
	MEMBER_INLINE,	 /* Array of 'shape's within the structure, and their count. */
	MEMBER_OPTIONAL, /* Pointer to one 'shape', or NULL. */
};

struct member {
	enum member_kind kind;
	const char *name;
	size_t offset, size; /* In the C structure. */
	size_t count_offset; /* Of a size_t. */
	uint64_t min, max;
	const struct shape *shape;
};

struct shape {
	const char *name;
	const ProtobufCMessageDescriptor *wire;
	size_t size; /* Of the C structure. */
	const struct member *member;
	size_t n_members;
	/* What no single member can tell: NULL, or a static text that says what is wrong. */
	const char *(*check)(const void *structure);
};

/* Field number of kind k in the envelope: BODY_FIELD + k. */
enum { BODY_FIELD = 16 };

struct body {
	const char *name; /* Of the kind, for people. */
	const struct shape *shape;
	size_t offset; /* Of the structure in struct message. */
};

extern const struct body message_bodies[MSG_KIND_MAX];

/* The limits that several files know. */
enum {
	LINE_SIZE_MAX = 4096,
	PACKET_SIZE_MAX = 1 << 16,
	FRAME_SIZE_MIN = 14,
};

/* message_check.c: the 'check's of shapes. */
const char *check_layout(const void *structure);
const char *check_chunk(const void *structure);
const char *check_traced(const void *structure);
const char *check_global(const void *structure);
const char *check_hello(const void *structure);

static inline const void *member_at(const struct member *member, const void *structure)
{
	return (const char *)structure + member->offset;
}

static inline size_t member_count(const struct member *member, const void *structure)
{
	return *(const size_t *)((const char *)structure + member->count_offset);
}

#endif
