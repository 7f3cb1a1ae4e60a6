// SPDX-License-Identifier: GPL-2.0-or-later
/* message_pack - struct message -> bytes.  The wire structures are made in a pool and point to
 * the caller's strings and bytes; these are copied once, into the result. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mealy.pb-c.h"
#include "message_table.h"
#include "pool.h"

static ProtobufCMessage *pack_shape(struct pool *pool, const struct shape *shape, const void *structure);

/* Stores 'value' where protobuf-c keeps the field. */
static void store_wire_uint(const ProtobufCFieldDescriptor *field, void *to, uint64_t value)
{
	if (field->type == PROTOBUF_C_TYPE_UINT64 || field->type == PROTOBUF_C_TYPE_FIXED64)
		*(uint64_t *)to = value;
	else
		*(uint32_t *)to = value;
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

static int pack_items(struct pool *pool, const struct shape *shape, const char *items, size_t n, size_t *to_n, void *to)
{
	ProtobufCMessage **item;

	if (!n)
		return 0;
	item = pool_take(pool, n * sizeof(*item));
	if (!item)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		item[i] = pack_shape(pool, shape, items + i * shape->size);
		if (!item[i])
			return -ENOMEM;
	}
	*to_n = n;
	*(ProtobufCMessage ***)to = item;
	return 0;
}

static int pack_lines(struct pool *pool, const char *const *lines, size_t n, size_t *to_n, char ***to)
{
	if (!n)
		return 0;
	*to = pool_take(pool, n * sizeof(**to));
	if (!*to)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		(*to)[i] = (char *)(lines[i] ?: "");
	*to_n = n;
	return 0;
}

static int pack_member(struct pool *pool, const struct member *member, const ProtobufCFieldDescriptor *field,
		       const void *structure, char *wire)
{
	const void *at = member_at(member, structure);
	void *to = wire + field->offset;
	size_t *to_n = (size_t *)(void *)(wire + field->quantifier_offset);

	switch (member->kind) {
	case MEMBER_UINT: store_wire_uint(field, to, load_uint(at, member->size)); return 0;
	case MEMBER_LINE:
	case MEMBER_TEXT: *(char **)to = (char *)(*(const char *const *)at ?: ""); return 0;
	case MEMBER_BUFFER: *(const char **)to = at; return 0;
	case MEMBER_BYTES:
		((ProtobufCBinaryData *)to)->len = member_count(member, structure);
		((ProtobufCBinaryData *)to)->data = *(uint8_t *const *)at;
		return 0;
	case MEMBER_LINES:
		return pack_lines(pool, *(const char *const *const *)at, member_count(member, structure), to_n, to);
	case MEMBER_ITEMS:
		return pack_items(pool, member->shape, *(const char *const *)at, member_count(member, structure), to_n,
				  to);
	case MEMBER_INLINE: return pack_items(pool, member->shape, at, member_count(member, structure), to_n, to);
	case MEMBER_OPTIONAL:
		if (!*(const void *const *)at)
			return 0;
		*(ProtobufCMessage **)to = pack_shape(pool, member->shape, *(const void *const *)at);
		return *(ProtobufCMessage **)to ? 0 : -ENOMEM;
	}
	return -EINVAL;
}

/* NULL without memory. */
static ProtobufCMessage *pack_shape(struct pool *pool, const struct shape *shape, const void *structure)
{
	ProtobufCMessage *wire = pool_take(pool, shape->wire->sizeof_message);

	if (!wire)
		return NULL;
	shape->wire->message_init(wire);
	for (size_t i = 0; i < shape->n_members; i++)
		if (pack_member(pool, &shape->member[i], &shape->wire->fields[i], structure, (char *)wire) < 0)
			return NULL;
	return wire;
}

static int pack_envelope(struct pool *pool, const struct message *msg, Mealy__Envelope *ret_envelope)
{
	const struct body *body = &message_bodies[msg->kind];
	ProtobufCMessage *wire = pack_shape(pool, body->shape, (const char *)msg + body->offset);

	if (!wire)
		return -ENOMEM;
	mealy__envelope__init(ret_envelope);
	ret_envelope->wire_version = WIRE_VERSION;
	ret_envelope->id = msg->id;
	ret_envelope->reply_to = msg->reply_to;
	ret_envelope->switch_name = (char *)(msg->switch_name ?: "");
	ret_envelope->body_case = BODY_FIELD + msg->kind;
	ret_envelope->hello = (Mealy__Hello *)wire; /* All bodies share the union's one pointer. */
	return 0;
}

int message_pack(const struct message *msg, uint8_t **ret_bytes, size_t *ret_size)
{
	Mealy__Envelope envelope;
	struct pool *pool;
	uint8_t *bytes = NULL;
	size_t size;
	int r;

	if (message_check(msg, NULL) < 0)
		return -EINVAL;
	pool = pool_new(SIZE_MAX);
	if (!pool)
		return -ENOMEM;
	r = pack_envelope(pool, msg, &envelope);
	if (r == 0) {
		size = mealy__envelope__get_packed_size(&envelope);
		bytes = size <= MESSAGE_SIZE_MAX ? malloc(size) : NULL;
		r = size > MESSAGE_SIZE_MAX ? -EMSGSIZE : bytes ? 0 : -ENOMEM;
	}
	if (r == 0) {
		mealy__envelope__pack(&envelope, bytes);
		*ret_bytes = bytes;
		*ret_size = size;
	}
	pool_free(pool);
	return r;
}
