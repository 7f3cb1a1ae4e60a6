// SPDX-License-Identifier: GPL-2.0-or-later
/* message_unpack - bytes -> struct message.  Everything lies in one pool: protobuf-c's structures,
 * which hold the strings and bytes, and the plain ones, which point into them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../datapath/pipeline.h"
#include "../tables/layout.h"
#include "mealy.pb-c.h"
#include "message_scan.h"
#include "message_table.h"
#include "pool.h"

/* What a message may cost in memory.  A wire structure of few bytes becomes one of some hundred, and a
 * layout of a hundred one of 8 KiB: the base has room for the layouts of every table a switch can have. */
enum { BUDGET_BASE = 64 << 10, BUDGET_FACTOR = 24, LAYOUTS_MAX = HOOK_TABLES_MAX * HOOK_MAX };

enum { WHY_SIZE = 256 };

static int unpack_shape(struct pool *pool, const struct shape *shape, const ProtobufCMessage *wire, void *structure);

static void *allocate(void *data, size_t size)
{
	return pool_take(data, size);
}

/* The pool is given back as a whole. */
static void release(void *data, void *piece)
{
	(void)data;
	(void)piece;
}

static uint64_t load_wire_uint(const ProtobufCFieldDescriptor *field, const void *at)
{
	if (field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_FIXED64)
		return *(const uint64_t *)at;
	return *(const uint32_t *)at;
}

/* The limit is checked here, because a narrower member would hide that it was exceeded. */
static int store_uint(const struct member *member, void *to, uint64_t value)
{
	if (value > member->max)
		return -EPROTO;
	switch (member->size) {
	case 1: *(uint8_t *)to = value; break;
	case 2: *(uint16_t *)to = value; break;
	case 4: *(uint32_t *)to = value; break;
	default: *(uint64_t *)to = value; break;
	}
	return 0;
}

static int unpack_buffer(const struct member *member, const char *string, char *to)
{
	size_t len = strlen(string);

	if (len >= member->size)
		return -EPROTO;
	memcpy(to, string, len + 1);
	return 0;
}

static int unpack_items(struct pool *pool, const struct shape *shape, ProtobufCMessage *const *item, size_t n, char *to)
{
	int r;

	for (size_t i = 0; i < n; i++) {
		r = unpack_shape(pool, shape, item[i], to + i * shape->size);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Makes room for 'n' structures of the member and fills them. */
static int unpack_new_items(struct pool *pool, const struct member *member, ProtobufCMessage *const *item, size_t n,
			    void *to)
{
	char *structures;

	if (!n)
		return 0;
	structures = pool_take_zeroed(pool, n * member->shape->size);
	if (!structures)
		return -ENOMEM;
	*(char **)to = structures;
	return unpack_items(pool, member->shape, item, n, structures);
}

static int unpack_member(struct pool *pool, const struct member *member, const ProtobufCFieldDescriptor *field,
			 const char *wire, char *structure)
{
	const void *at = wire + field->offset;
	void *to = structure + member->offset;
	bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
	size_t n = repeated ? *(const size_t *)(const void *)(wire + field->quantifier_offset) : 0;

	if (repeated) {
		if (n > member->max)
			return -EPROTO;
		*(size_t *)(void *)(structure + member->count_offset) = n;
	}
	switch (member->kind) {
	case MEMBER_UINT: return store_uint(member, to, load_wire_uint(field, at));
	case MEMBER_LINE:
	case MEMBER_TEXT:
	case MEMBER_LINES: *(void **)to = *(void *const *)at; return 0;
	case MEMBER_BUFFER: return unpack_buffer(member, *(const char *const *)at, to);
	case MEMBER_BYTES:
		*(size_t *)(void *)(structure + member->count_offset) = ((const ProtobufCBinaryData *)at)->len;
		*(uint8_t **)to = ((const ProtobufCBinaryData *)at)->data;
		return 0;
	case MEMBER_ITEMS: return unpack_new_items(pool, member, *(ProtobufCMessage *const *const *)at, n, to);
	case MEMBER_INLINE: return unpack_items(pool, member->shape, *(ProtobufCMessage *const *const *)at, n, to);
	case MEMBER_OPTIONAL: return unpack_new_items(pool, member, at, *(ProtobufCMessage *const *)at ? 1 : 0, to);
	}
	return -EPROTO;
}

static int unpack_shape(struct pool *pool, const struct shape *shape, const ProtobufCMessage *wire, void *structure)
{
	int r;

	for (size_t i = 0; i < shape->n_members; i++) {
		r = unpack_member(pool, &shape->member[i], &shape->wire->fields[i], (const char *)wire, structure);
		if (r < 0)
			return r;
	}
	return 0;
}

static int unpack_envelope(struct pool *pool, const Mealy__Envelope *envelope, struct message *msg, char *why)
{
	const struct body *body;
	int kind = (int)envelope->body_case - BODY_FIELD;
	int r;

	if (kind <= MSG_NONE || kind >= MSG_KIND_MAX) {
		snprintf(why, WHY_SIZE, "unknown kind of message");
		return -EPROTO;
	}
	msg->kind = kind;
	msg->id = envelope->id;
	msg->reply_to = envelope->reply_to;
	msg->switch_name = envelope->switch_name;
	body = &message_bodies[msg->kind];
	r = unpack_shape(pool, body->shape, (const ProtobufCMessage *)envelope->hello, (char *)msg + body->offset);
	if (r == -EPROTO)
		snprintf(why, WHY_SIZE, "%s: a value or a count is out of range", body->name);
	return r < 0 ? r : message_check(msg, why);
}

static int unpack_into(struct pool *pool, const uint8_t *bytes, size_t size, struct message **ret_msg, char *why)
{
	ProtobufCAllocator allocator = {allocate, release, pool};
	Mealy__Envelope *envelope = mealy__envelope__unpack(&allocator, size, bytes);
	struct message *msg;
	int r;

	if (!envelope) {
		snprintf(why, WHY_SIZE, "not a message, or one that would take too much memory");
		return -EPROTO;
	}
	msg = pool_take_zeroed(pool, sizeof(*msg));
	if (!msg)
		return -ENOMEM;
	r = unpack_envelope(pool, envelope, msg, why);
	if (r < 0)
		return r;
	msg->owner = pool;
	*ret_msg = msg;
	return 0;
}

/* Tells what can be told before anything is allocated. */
static int examine(const uint8_t *bytes, size_t size, char *why)
{
	uint64_t version;

	if (size > MESSAGE_SIZE_MAX) {
		snprintf(why, WHY_SIZE, "a message of %zu bytes; at most %d are accepted", size, MESSAGE_SIZE_MAX);
		return -EPROTO;
	}
	if (!message_scan_version(bytes, size, &version)) {
		snprintf(why, WHY_SIZE, "not a message");
		return -EPROTO;
	}
	if (version != WIRE_VERSION) {
		snprintf(why, WHY_SIZE, "the other side speaks version %llu of the control channel, this one %d",
			 (unsigned long long)version, WIRE_VERSION);
		return -EPROTONOSUPPORT;
	}
	if (!message_scan(&mealy__envelope__descriptor, bytes, size)) {
		snprintf(why, WHY_SIZE, "a field is cut off, of a wrong type, or text with a NUL");
		return -EPROTO;
	}
	return 0;
}

int message_unpack(const uint8_t *bytes, size_t size, struct message **ret_msg, char *ret_why)
{
	char unheard[WHY_SIZE];
	char *why = ret_why ?: unheard;
	struct pool *pool;
	int r;

	r = examine(bytes, size, why);
	if (r < 0)
		return r;
	pool = pool_new(BUDGET_BASE + LAYOUTS_MAX * sizeof(struct layout) + BUDGET_FACTOR * size);
	if (!pool)
		return -ENOMEM;
	r = unpack_into(pool, bytes, size, ret_msg, why);
	if (r < 0)
		pool_free(pool);
	return r;
}
