/* SPDX-License-Identifier: GPL-2.0-or-later */
/* channel - one session with one peer: every payload arrives once and in order, over a wire that
 * loses frames whenever it is busy.
 *
 * A pure machine: no socket, no clock, no callback to those who use it.  It emits frames through
 * 'emit'; the caller hands it the frames that came and the time.  All times are ms of any clock
 * that does not run backwards.
 *
 * C1. The receiver takes DATA only in order (go-back-n): nothing is taken twice, nothing is left
 *     out.  What is out of order is dropped and asked for again with a NACK.
 * C2. Acknowledgements ride on DATA; alone they go after ack_ms, or at once when a quarter of the
 *     window or a repeated frame came.
 * C3. At most window_bytes are sent and not acknowledged, or one payload if it is larger.  Each
 *     payload counts CHANNEL_FRAME_COST more than its size, because so does the kernel's socket
 *     buffer: as long as the window fits into it, a send never finds the wire busy.
 * C4. Unacknowledged frames are sent again after resend_ms, doubled at each repetition up to
 *     eightfold, or when a NACK comes.
 * C5. A frame leaves at least every echo_ms; a peer not heard for silent_ms is lost. */
#ifndef MEALY_CHANNEL_H
#define MEALY_CHANNEL_H

#include <stdbool.h>

#include "frame.h"

enum { CHANNEL_FRAME_COST = 1024 };

struct channel_limits {
	size_t window_bytes, queue_bytes;
	unsigned resend_ms, ack_ms, echo_ms, silent_ms;
};

struct channel;

/* Returns 0, or -EAGAIN when the wire does not take the frame now; channel_run() tries again. */
typedef int (*channel_emit_fn)(void *data, const struct frame *frame, const uint8_t *payload, size_t size);

struct channel *channel_new(uint64_t session, const struct channel_limits *limits, uint64_t now_ms,
			    channel_emit_fn emit, void *data);
void channel_free(struct channel *channel);

/* Queues a payload, which the channel then owns, and sends what the window allows.
 * Returns 0, -EAGAIN (more than queue_bytes wait) or -ENOMEM; 'payload' stays the caller's then. */
int channel_send(struct channel *channel, uint8_t *payload, size_t size, uint64_t now_ms);

/* While held, payloads are only queued. */
void channel_hold(struct channel *channel, bool held, uint64_t now_ms);

/* Takes a DATA, ACK or NACK of this session.  True: the payload is the next in order, and the
 * caller acts on it. */
bool channel_receive(struct channel *channel, const struct frame *frame, size_t size, uint64_t now_ms);

/* Does what is due.  To be called at channel_deadline_ms(), or when the wire takes frames again. */
void channel_run(struct channel *channel, uint64_t now_ms);
uint64_t channel_deadline_ms(const struct channel *channel);

/* Nothing came for silent_ms.  channel_forgive() starts that time anew. */
bool channel_is_silent(const struct channel *channel, uint64_t now_ms);
void channel_forgive(struct channel *channel, uint64_t now_ms);

/* From now on the peer counts as silent. */
void channel_give_up(struct channel *channel);
uint64_t channel_session(const struct channel *channel);

struct channel_stats {
	uint64_t sent, resent, duplicates, gaps;
};
const struct channel_stats *channel_stats(const struct channel *channel);

#endif
