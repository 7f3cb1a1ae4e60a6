// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "message_scan.h"

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

struct cursor {
	const uint8_t *at, *end;
};

static bool take_varint(struct cursor *cursor, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		if (cursor->at == cursor->end)
			return false;
		value |= (uint64_t)(*cursor->at & 0x7f) << (shift & 63);
		if (!(*cursor->at++ & 0x80)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static bool take_bytes(struct cursor *cursor, uint64_t size, const uint8_t **ret_bytes)
{
	if (size > (size_t)(cursor->end - cursor->at))
		return false;
	*ret_bytes = cursor->at;
	cursor->at += size;
	return true;
}

static enum wire_type wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_FIXED64: return WIRE_64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE: return WIRE_LENGTH;
	default: return WIRE_VARINT; /* mealy.proto has no other types. */
	}
}

/* A length-delimited field: a string, bytes, or a message, scanned in its turn (no type of
 * mealy.proto contains itself, so this ends). */
static bool scan_length(const ProtobufCFieldDescriptor *field, struct cursor *cursor)
{
	const uint8_t *bytes;
	uint64_t size;

	if (!take_varint(cursor, &size) || !take_bytes(cursor, size, &bytes))
		return false;
	if (!field)
		return true;
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return size == 0 || !memchr(bytes, 0, size);
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return message_scan(field->descriptor, bytes, size);
	return true;
}

static bool scan_field(const ProtobufCMessageDescriptor *type, struct cursor *cursor)
{
	const ProtobufCFieldDescriptor *field;
	const uint8_t *bytes;
	uint64_t tag;

	if (!take_varint(cursor, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
		return false;
	field = protobuf_c_message_descriptor_get_field(type, tag >> 3);
	if (field && wire_type_of(field->type) != (tag & 7))
		return false;
	switch (tag & 7) {
	case WIRE_VARINT: return take_varint(cursor, &tag);
	case WIRE_64: return take_bytes(cursor, 8, &bytes);
	case WIRE_32: return take_bytes(cursor, 4, &bytes);
	case WIRE_LENGTH: return scan_length(field, cursor);
	}
	return false;
}

bool message_scan(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size)
{
	struct cursor cursor = {bytes, bytes + size};

	while (cursor.at != cursor.end)
		if (!scan_field(type, &cursor))
			return false;
	return true;
}

bool message_scan_version(const uint8_t *bytes, size_t size, uint64_t *ret_version)
{
	struct cursor cursor = {bytes, bytes + size};
	uint64_t tag;

	return take_varint(&cursor, &tag) && tag == (1 << 3 | WIRE_VARINT) && take_varint(&cursor, ret_version);
}

/* The envelope's own fields, as in mealy.proto. */
enum { FIELD_ID = 2, FIELD_REPLY_TO = 3, FIELD_OWN_MAX = 15 };

static bool scan_trait(struct cursor *cursor, struct message_traits *traits)
{
	const uint8_t *bytes;
	uint64_t tag, value = 0;

	if (!take_varint(cursor, &tag))
		return false;
	if (tag >> 3 > FIELD_OWN_MAX)
		traits->body_field = tag >> 3;
	switch (tag & 7) {
	case WIRE_VARINT:
		if (!take_varint(cursor, &value))
			return false;
		break;
	case WIRE_64: return take_bytes(cursor, 8, &bytes);
	case WIRE_32: return take_bytes(cursor, 4, &bytes);
	case WIRE_LENGTH: return take_varint(cursor, &value) && take_bytes(cursor, value, &bytes);
	default: return false;
	}
	if (tag >> 3 == FIELD_ID)
		traits->id = value;
	if (tag >> 3 == FIELD_REPLY_TO)
		traits->reply_to = value;
	return true;
}

void message_scan_traits(const uint8_t *bytes, size_t size, struct message_traits *ret_traits)
{
	struct cursor cursor = {bytes, bytes + size};

	*ret_traits = (struct message_traits){};
	while (cursor.at != cursor.end && scan_trait(&cursor, ret_traits))
		;
}
