/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame - what travels in one nanomsg message: a head of fixed size, then a payload (one packed
 * message, later sealed) or nothing.
 *
 *   0  "MEAL"    4  wire version, 2 bytes    6  kind    7  zero
 *   8  session   16 sequence                 24 acknowledged
 *
 * All numbers little endian.  The first 16 bytes are the same in every wire version, so that a
 * frame of another version is recognised and can be answered. */
#ifndef MEALY_FRAME_H
#define MEALY_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum { FRAME_HEAD_SIZE = 32 };
#define FRAME_SESSION_ANY UINT64_MAX /* Of a RESET to somebody whose session is not known; sealed only. */

enum frame_kind {
	FRAME_DATA = 1, /* Number 'sequence' of its session; the payload is a message. */
	FRAME_ACK,	/* Only 'acknowledged'; also the heartbeat. */
	FRAME_NACK,	/* The same, and what follows it got lost: send it again. */
	FRAME_RESET,	/* There is no such session (any more); the payload is a MSG_ERROR. */
	FRAME_BYE,	/* The sender ends the session. */
	FRAME_KIND_MAX,
};

struct frame {
	enum frame_kind kind;
	uint16_t wire_version; /* Only read by frame_decode(); frame_encode() writes its own. */
	uint64_t session;      /* Drawn by the dialing side for each hello. */
	uint64_t sequence;     /* DATA: 1, 2, 3, ... in each direction; otherwise 0. */
	uint64_t acknowledged; /* All DATA up to this number has arrived. */
};

void frame_encode(const struct frame *frame, uint8_t ret_head[static FRAME_HEAD_SIZE]);

/* Returns 0; -EPROTO for what is no frame; -EPROTONOSUPPORT for another wire version, when
 * 'wire_version' and 'session' are valid and nothing else is. */
int frame_decode(const uint8_t *bytes, size_t size, struct frame *ret_frame);

#endif
