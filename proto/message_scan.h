/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message_scan - a look at the bytes of a message before protobuf-c allocates anything for it. */
#ifndef MEALY_MESSAGE_SCAN_H
#define MEALY_MESSAGE_SCAN_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first field of an envelope of any wire version; false if the bytes do not begin with it. */
bool message_scan_version(const uint8_t *bytes, size_t size, uint64_t *ret_version);

/* True if every field of 'type' and of the messages in it ends where it should, has the wire type
 * that belongs to it, and no string holds a NUL (protobuf-c would silently cut it off there). */
bool message_scan(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size);

/* What can be read of an envelope that message_unpack() refused; 0 where nothing can. */
struct message_traits {
	uint64_t id, reply_to;
	uint64_t body_field; /* Number of the last field that is none of the envelope's own. */
};
void message_scan_traits(const uint8_t *bytes, size_t size, struct message_traits *ret_traits);

#endif
