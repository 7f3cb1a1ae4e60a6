// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "frame.h"
#include "message.h"

/* As it lies on the wire. */
struct head {
	char magic[4];
	uint16_t wire_version;
	uint8_t kind;
	uint8_t zero;
	uint64_t session, sequence, acknowledged;
};
_Static_assert(sizeof(struct head) == FRAME_HEAD_SIZE, "a new WIRE_VERSION");

static const char magic[4] = "MEAL";

void frame_encode(const struct frame *frame, uint8_t ret_head[static FRAME_HEAD_SIZE])
{
	struct head head = {
		.wire_version = htole16(WIRE_VERSION),
		.kind = frame->kind,
		.session = htole64(frame->session),
		.sequence = htole64(frame->sequence),
		.acknowledged = htole64(frame->acknowledged),
	};

	memcpy(head.magic, magic, sizeof(magic));
	memcpy(ret_head, &head, sizeof(head));
}

int frame_decode(const uint8_t *bytes, size_t size, struct frame *ret_frame)
{
	struct head head;

	if (size < sizeof(head))
		return -EPROTO;
	memcpy(&head, bytes, sizeof(head));
	if (memcmp(head.magic, magic, sizeof(magic)) != 0)
		return -EPROTO;
	*ret_frame = (struct frame){
		.kind = head.kind,
		.wire_version = le16toh(head.wire_version),
		.session = le64toh(head.session),
		.sequence = le64toh(head.sequence),
		.acknowledged = le64toh(head.acknowledged),
	};
	if (ret_frame->wire_version != WIRE_VERSION)
		return -EPROTONOSUPPORT;
	if (head.kind < FRAME_DATA || head.kind >= FRAME_KIND_MAX || !ret_frame->session)
		return -EPROTO;
	if ((head.kind == FRAME_DATA) != (ret_frame->sequence != 0))
		return -EPROTO;
	return 0;
}
