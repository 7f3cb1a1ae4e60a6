// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "channel.h"

enum { BACKOFF_MAX = 8 };

struct item {
	struct item *next;
	uint64_t sequence;
	size_t size;
	uint8_t *payload;
};

struct channel {
	uint64_t session;
	struct channel_limits limits;
	channel_emit_fn emit;
	void *data;
	bool held;
	bool given_up;

	/* Out: items from 'oldest' up to 'unsent' are sent and not acknowledged. */
	struct item *oldest, *newest, *unsent;
	uint64_t last_queued, highest_sent, last_acked; /* Sequence numbers. */
	size_t in_flight, queued;			/* Cost in bytes; of all items together. */
	uint64_t resend_at_ms;
	uint64_t went_back_ms;
	unsigned backoff;

	/* In. */
	uint64_t last_taken;
	size_t owed;	     /* Cost of what is taken and not acknowledged. */
	uint64_t ack_at_ms;  /* UINT64_MAX: nothing is owed. */
	uint64_t nack_at_ms; /* Not before. */

	uint64_t emitted_ms, heard_ms;
	struct channel_stats stats;
};

static size_t cost(size_t size)
{
	return size + CHANNEL_FRAME_COST;
}

struct channel *channel_new(uint64_t session, const struct channel_limits *limits, uint64_t now_ms,
			    channel_emit_fn emit, void *data)
{
	struct channel *channel = calloc(1, sizeof(*channel));

	if (!channel)
		return NULL;
	channel->session = session;
	channel->limits = *limits;
	channel->emit = emit;
	channel->data = data;
	channel->backoff = 1;
	channel->resend_at_ms = UINT64_MAX;
	channel->ack_at_ms = UINT64_MAX;
	channel->emitted_ms = now_ms;
	channel->heard_ms = now_ms;
	return channel;
}

static void drop_oldest(struct channel *channel)
{
	struct item *item = channel->oldest;

	channel->oldest = item->next;
	if (!channel->oldest)
		channel->newest = NULL;
	channel->queued -= cost(item->size);
	free(item->payload);
	free(item);
}

void channel_free(struct channel *channel)
{
	if (!channel)
		return;
	while (channel->oldest)
		drop_oldest(channel);
	free(channel);
}

/* ---- out ---- */

static int emit(struct channel *channel, enum frame_kind kind, const struct item *item, uint64_t now_ms)
{
	struct frame frame = {
		.kind = kind,
		.session = channel->session,
		.sequence = item ? item->sequence : 0,
		.acknowledged = channel->last_taken,
	};
	int r = channel->emit(channel->data, &frame, item ? item->payload : NULL, item ? item->size : 0);

	if (r < 0)
		return r;
	channel->emitted_ms = now_ms;
	channel->ack_at_ms = UINT64_MAX;
	channel->owed = 0;
	return 0;
}

static bool window_allows(const struct channel *channel, const struct item *item)
{
	return !channel->in_flight || channel->in_flight + cost(item->size) <= channel->limits.window_bytes;
}

static void push(struct channel *channel, uint64_t now_ms)
{
	while (!channel->held && channel->unsent && window_allows(channel, channel->unsent)) {
		struct item *item = channel->unsent;

		if (emit(channel, FRAME_DATA, item, now_ms) < 0)
			break;
		if (item->sequence <= channel->highest_sent)
			channel->stats.resent++;
		else
			channel->highest_sent = item->sequence;
		channel->stats.sent++;
		channel->in_flight += cost(item->size);
		channel->unsent = item->next;
		if (channel->resend_at_ms == UINT64_MAX)
			channel->resend_at_ms = now_ms + channel->limits.resend_ms * channel->backoff;
	}
}

int channel_send(struct channel *channel, uint8_t *payload, size_t size, uint64_t now_ms)
{
	struct item *item;

	if (channel->queued && channel->queued + cost(size) > channel->limits.queue_bytes)
		return -EAGAIN;
	item = calloc(1, sizeof(*item));
	if (!item)
		return -ENOMEM;
	item->sequence = ++channel->last_queued;
	item->size = size;
	item->payload = payload;
	if (channel->newest)
		channel->newest->next = item;
	else
		channel->oldest = item;
	channel->newest = item;
	channel->queued += cost(size);
	if (!channel->unsent)
		channel->unsent = item;
	push(channel, now_ms);
	return 0;
}

void channel_hold(struct channel *channel, bool held, uint64_t now_ms)
{
	channel->held = held;
	push(channel, now_ms);
}

/* Sends again everything that is not acknowledged. */
static void go_back(struct channel *channel, uint64_t now_ms)
{
	channel->unsent = channel->oldest;
	channel->in_flight = 0;
	channel->went_back_ms = now_ms;
	channel->resend_at_ms = UINT64_MAX;
	push(channel, now_ms);
	if (channel->resend_at_ms == UINT64_MAX && channel->oldest) /* The wire took nothing. */
		channel->resend_at_ms = now_ms + channel->limits.resend_ms;
}

/* What is acknowledged after going back, and before being sent again, had arrived after all. */
static void take_acknowledgement(struct channel *channel, uint64_t acknowledged, uint64_t now_ms)
{
	if (acknowledged <= channel->last_acked || acknowledged > channel->highest_sent)
		return;
	while (channel->oldest && channel->oldest->sequence <= acknowledged) {
		if (channel->unsent == channel->oldest)
			channel->unsent = channel->oldest->next;
		else
			channel->in_flight -= cost(channel->oldest->size);
		drop_oldest(channel);
	}
	channel->last_acked = acknowledged;
	channel->backoff = 1;
	channel->resend_at_ms = channel->in_flight ? now_ms + channel->limits.resend_ms : UINT64_MAX;
	push(channel, now_ms);
}

/* The frames of a burst all cause NACKs when the first is lost: only one is heeded. */
static void take_nack(struct channel *channel, uint64_t now_ms)
{
	bool just_did = channel->went_back_ms && now_ms < channel->went_back_ms + channel->limits.resend_ms / 4;

	if (channel->in_flight && !just_did)
		go_back(channel, now_ms);
}

/* ---- in ---- */

static void owe_ack(struct channel *channel, uint64_t at_ms)
{
	if (at_ms < channel->ack_at_ms)
		channel->ack_at_ms = at_ms;
}

static bool take_data(struct channel *channel, const struct frame *frame, size_t size, uint64_t now_ms)
{
	if (frame->sequence <= channel->last_taken) {
		channel->stats.duplicates++;
		owe_ack(channel, now_ms); /* Ours got lost. */
		return false;
	}
	if (frame->sequence > channel->last_taken + 1) {
		channel->stats.gaps++;
		if (now_ms >= channel->nack_at_ms && emit(channel, FRAME_NACK, NULL, now_ms) == 0)
			channel->nack_at_ms = now_ms + channel->limits.resend_ms / 4;
		return false;
	}
	channel->last_taken = frame->sequence;
	channel->nack_at_ms = 0;
	channel->owed += cost(size);
	owe_ack(channel, channel->owed >= channel->limits.window_bytes / 4 ? now_ms : now_ms + channel->limits.ack_ms);
	return true;
}

bool channel_receive(struct channel *channel, const struct frame *frame, size_t size, uint64_t now_ms)
{
	bool taken = false;

	channel->heard_ms = now_ms;
	if (frame->kind == FRAME_DATA)
		taken = take_data(channel, frame, size, now_ms);
	take_acknowledgement(channel, frame->acknowledged, now_ms);
	if (frame->kind == FRAME_NACK)
		take_nack(channel, now_ms);
	return taken;
}

/* ---- time ---- */

void channel_run(struct channel *channel, uint64_t now_ms)
{
	if (now_ms >= channel->resend_at_ms) {
		if (channel->backoff < BACKOFF_MAX)
			channel->backoff *= 2;
		go_back(channel, now_ms);
	}
	push(channel, now_ms);
	if (now_ms >= channel->ack_at_ms && emit(channel, FRAME_ACK, NULL, now_ms) < 0)
		channel->ack_at_ms = now_ms + channel->limits.ack_ms;
	if (now_ms >= channel->emitted_ms + channel->limits.echo_ms && emit(channel, FRAME_ACK, NULL, now_ms) < 0)
		channel->emitted_ms = now_ms; /* The wire is busy or gone: no need to hurry. */
}

uint64_t channel_deadline_ms(const struct channel *channel)
{
	uint64_t deadline_ms = channel->emitted_ms + channel->limits.echo_ms;

	if (channel->given_up)
		return 0;
	if (channel->ack_at_ms < deadline_ms)
		deadline_ms = channel->ack_at_ms;
	if (channel->resend_at_ms < deadline_ms)
		deadline_ms = channel->resend_at_ms;
	if (channel->heard_ms + channel->limits.silent_ms < deadline_ms)
		deadline_ms = channel->heard_ms + channel->limits.silent_ms;
	return deadline_ms;
}

bool channel_is_silent(const struct channel *channel, uint64_t now_ms)
{
	return channel->given_up || now_ms >= channel->heard_ms + channel->limits.silent_ms;
}

void channel_give_up(struct channel *channel)
{
	channel->given_up = true;
}

void channel_forgive(struct channel *channel, uint64_t now_ms)
{
	channel->heard_ms = now_ms;
}

uint64_t channel_session(const struct channel *channel)
{
	return channel->session;
}

const struct channel_stats *channel_stats(const struct channel *channel)
{
	return &channel->stats;
}
