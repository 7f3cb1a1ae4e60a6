// SPDX-License-Identifier: GPL-2.0-or-later
/* Two channels and a wire made of an array: it loses, doubles and delays frames as a seed tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/channel.h"
#include "proto/message.h"
#include "proto/pending.h"

enum { SESSION = 77, PACKETS_MAX = 8192 };

static const struct channel_limits limits = {.window_bytes = 64 << 10,
					     .queue_bytes = 1 << 20,
					     .resend_ms = 100,
					     .ack_ms = 10,
					     .echo_ms = 500,
					     .silent_ms = 2000};

/* What a frame carries here: a request or an answer. */
struct note {
	uint64_t id, reply_to;
};

struct packet {
	uint64_t at_ms;
	struct frame frame;
	uint8_t *payload;
	size_t size;
};

struct end {
	struct world *world;
	struct end *other;
	struct channel *channel;
	struct packet in[PACKETS_MAX];
	size_t n_in;
	struct pending asked;
	uint64_t last_id, last_acted;
	unsigned acted, answered, expired;
	unsigned emitted[FRAME_KIND_MAX];
	bool busy; /* The wire takes nothing. */
};

struct world {
	uint64_t now_ms;
	unsigned seed, loss, duplicates, reordering; /* Per cent. */
	struct end a, b;
};

static bool chance(struct world *world, unsigned percent)
{
	return (unsigned)rand_r(&world->seed) % 100 < percent;
}

static void add_packet(struct end *to, const struct frame *frame, const uint8_t *payload, size_t size)
{
	struct world *world = to->world;
	struct packet *packet = &to->in[to->n_in++];

	assert_true(to->n_in <= PACKETS_MAX);
	packet->at_ms = world->now_ms + 1 + (chance(world, world->reordering) ? rand_r(&world->seed) % 20 : 0);
	packet->frame = *frame;
	packet->payload = memcpy(malloc(size + 1), payload ?: (const uint8_t *)"", size);
	packet->size = size;
}

static int emit(void *data, const struct frame *frame, const uint8_t *payload, size_t size)
{
	struct end *end = data;
	struct world *world = end->world;

	if (end->busy)
		return -EAGAIN;
	end->emitted[frame->kind]++;
	assert_true(frame->session == SESSION);
	if (!chance(world, world->loss))
		add_packet(end->other, frame, payload, size);
	if (chance(world, world->duplicates))
		add_packet(end->other, frame, payload, size);
	return 0;
}

static void end_init(struct end *end, struct end *other, struct world *world)
{
	end->world = world;
	end->other = other;
	end->channel = channel_new(SESSION, &limits, world->now_ms, emit, end);
	pending_init(&end->asked);
}

static struct world *world_new(unsigned seed, unsigned loss, unsigned duplicates, unsigned reordering)
{
	struct world *world = calloc(1, sizeof(*world));

	*world = (struct world){
		.now_ms = 1000, .seed = seed, .loss = loss, .duplicates = duplicates, .reordering = reordering};
	end_init(&world->a, &world->b, world);
	end_init(&world->b, &world->a, world);
	return world;
}

static void end_done(struct end *end)
{
	channel_free(end->channel);
	pending_done(&end->asked);
	for (size_t i = 0; i < end->n_in; i++)
		free(end->in[i].payload);
}

static void world_free(struct world *world)
{
	end_done(&world->a);
	end_done(&world->b);
	free(world);
}

static int send_note(struct end *end, struct note note, size_t size)
{
	uint8_t *payload = calloc(1, size < sizeof(note) ? sizeof(note) : size);
	int r;

	memcpy(payload, &note, sizeof(note));
	r = channel_send(end->channel, payload, size, end->world->now_ms);
	if (r < 0)
		free(payload);
	return r;
}

static void ask(struct end *end, size_t size, unsigned timeout_ms)
{
	struct pending_request request = {.id = ++end->last_id, .deadline_ms = end->world->now_ms + timeout_ms};

	assert_int_equal(pending_reserve(&end->asked), 0);
	pending_add(&end->asked, &request);
	assert_int_equal(send_note(end, (struct note){.id = request.id}, size), 0);
}

/* Requests are acted on once and in order; each answer meets a request that waits, or one that expired. */
static void act(struct end *end, const struct note *note)
{
	struct pending_request request;

	if (note->reply_to) {
		end->answered += pending_take(&end->asked, note->reply_to, &request);
		return;
	}
	assert_true(note->id == end->last_acted + 1);
	end->last_acted = note->id;
	end->acted++;
	assert_int_equal(send_note(end, (struct note){.reply_to = note->id}, 16 + note->id % 500), 0);
}

static void receive(struct end *end, struct packet *packet)
{
	if (channel_receive(end->channel, &packet->frame, packet->size, end->world->now_ms))
		act(end, (const struct note *)(const void *)packet->payload);
	free(packet->payload);
}

static void end_step(struct end *end)
{
	struct pending_request request;
	size_t n = 0;

	for (size_t i = 0; i < end->n_in; i++) {
		struct packet packet = end->in[i];

		if (packet.at_ms <= end->world->now_ms)
			receive(end, &packet);
		else
			end->in[n++] = packet;
	}
	end->n_in = n;
	while (pending_take_expired(&end->asked, end->world->now_ms, &request))
		end->expired++;
	if (end->world->now_ms >= channel_deadline_ms(end->channel))
		channel_run(end->channel, end->world->now_ms);
}

static void advance(struct world *world, unsigned ms)
{
	while (ms--) {
		world->now_ms++;
		end_step(&world->a);
		end_step(&world->b);
	}
}

/* ---- both ways ---- */

static void converse(unsigned seed, unsigned loss, unsigned duplicates, unsigned reordering)
{
	struct world *world = world_new(seed, loss, duplicates, reordering);

	for (unsigned i = 0; i < 300; i++) {
		ask(&world->a, 16 + i * 7 % 3000, 1000000);
		ask(&world->b, 16 + i * 11 % 3000, 1000000);
		if (i % 10 == 0)
			advance(world, 1);
	}
	for (unsigned i = 0; i < 600 && world->a.answered + world->b.answered < 600; i++)
		advance(world, 1000);
	assert_int_equal(world->a.answered, 300);
	assert_int_equal(world->b.answered, 300);
	assert_int_equal(world->a.acted, 300);
	assert_int_equal(world->b.acted, 300);
	world_free(world);
}

static void a_good_wire_needs_no_repetition(void **state)
{
	struct world *world = world_new(1, 0, 0, 0);

	for (unsigned i = 0; i < 500; i++)
		ask(&world->a, 1000, 1000000);
	advance(world, 200);
	assert_int_equal(world->a.answered, 500);
	assert_int_equal(channel_stats(world->a.channel)->resent + channel_stats(world->b.channel)->resent, 0);
	world_free(world);
}

static void every_request_is_answered_once_over_a_bad_wire(void **state)
{
	for (unsigned seed = 1; seed <= 10; seed++) {
		converse(seed, 10, 0, 0);
		converse(seed, 0, 30, 0);
		converse(seed, 0, 0, 30);
		converse(seed, 30, 10, 10);
	}
}

static void requests_over_a_dead_wire_expire_once(void **state)
{
	struct world *world = world_new(1, 100, 0, 0);

	for (unsigned i = 0; i < 100; i++)
		ask(&world->a, 100, 500 + i);
	advance(world, 549);
	assert_int_equal(world->a.expired, 50);
	advance(world, 1000);
	assert_int_equal(world->a.expired, 100);
	assert_int_equal(world->a.answered + world->b.acted, 0);
	world_free(world);
}

/* What had expired may still arrive: it is acted on, and its answer meets nobody. */
static void a_wire_that_recovers_delivers_late(void **state)
{
	struct world *world = world_new(1, 100, 0, 0);

	ask(&world->a, 100, 200);
	advance(world, 300);
	assert_int_equal(world->a.expired, 1);
	world->loss = 0;
	advance(world, 1000);
	assert_int_equal(world->b.acted, 1);
	assert_int_equal(world->a.answered, 0);
	world_free(world);
}

/* ---- window and queue ---- */

static void the_window_bounds_what_is_sent(void **state)
{
	struct world *world = world_new(1, 0, 0, 0);
	unsigned fit = limits.window_bytes / (4000 + CHANNEL_FRAME_COST);

	for (unsigned i = 0; i < 100; i++)
		ask(&world->a, 4000, 1000000);
	assert_int_equal(world->a.emitted[FRAME_DATA], fit);
	advance(world, 500);
	assert_int_equal(world->a.answered, 100);
	world_free(world);
}

static void a_payload_larger_than_the_window_goes_alone(void **state)
{
	struct world *world = world_new(1, 0, 0, 0);

	ask(&world->a, 200 << 10, 1000000);
	ask(&world->a, 16, 1000000);
	assert_int_equal(world->a.emitted[FRAME_DATA], 1);
	advance(world, 100);
	assert_int_equal(world->a.answered, 2);
	world_free(world);
}

static void a_full_queue_refuses_and_keeps_its_hands_off(void **state)
{
	struct world *world = world_new(1, 100, 0, 0);
	unsigned n = 0;
	int r;

	while ((r = send_note(&world->a, (struct note){.id = n + 1}, 10000)) == 0)
		n++;
	assert_int_equal(r, -EAGAIN);
	assert_int_equal(n, limits.queue_bytes / (10000 + CHANNEL_FRAME_COST));
	world_free(world);
}

static void a_held_channel_only_queues(void **state)
{
	struct world *world = world_new(1, 0, 0, 0);

	channel_hold(world->a.channel, true, world->now_ms);
	ask(&world->a, 16, 1000000);
	advance(world, 50);
	assert_int_equal(world->a.emitted[FRAME_DATA], 0);
	channel_hold(world->a.channel, false, world->now_ms);
	assert_int_equal(world->a.emitted[FRAME_DATA], 1);
	world_free(world);
}

static void a_busy_wire_is_tried_again(void **state)
{
	struct world *world = world_new(1, 0, 0, 0);

	world->a.busy = true;
	ask(&world->a, 16, 1000000);
	advance(world, 10);
	assert_int_equal(world->b.acted, 0);
	world->a.busy = false;
	channel_run(world->a.channel, world->now_ms);
	advance(world, 20);
	assert_int_equal(world->a.answered, 1);
	world_free(world);
}

/* ---- acknowledgements and time ---- */

static void acknowledgements_ride_on_data(void **state)
{
	struct world *world = world_new(1, 0, 0, 0);

	for (unsigned i = 0; i < 50; i++) {
		ask(&world->a, 100, 1000000);
		advance(world, 2);
	}
	assert_int_equal(world->a.emitted[FRAME_ACK] + world->b.emitted[FRAME_ACK], 0);
	advance(world, 20);
	assert_int_equal(world->a.emitted[FRAME_ACK], 1); /* Of the last answer. */
	world_free(world);
}

static void a_loss_is_mended_before_the_timer(void **state)
{
	struct world *world = world_new(1, 100, 0, 0);

	ask(&world->a, 100, 1000000);
	world->loss = 0;
	ask(&world->a, 100, 1000000);
	advance(world, 20);
	assert_int_equal(world->b.emitted[FRAME_NACK], 1);
	assert_int_equal(world->a.answered, 2);
	world_free(world);
}

static void an_idle_channel_beats_and_notices_silence(void **state)
{
	struct world *world = world_new(1, 0, 0, 0);

	advance(world, 1600);
	assert_int_equal(world->a.emitted[FRAME_ACK], 3);
	assert_false(channel_is_silent(world->a.channel, world->now_ms));
	world->b.busy = true;
	advance(world, 2100);
	assert_true(channel_is_silent(world->a.channel, world->now_ms));
	assert_false(channel_is_silent(world->b.channel, world->now_ms));
	channel_give_up(world->b.channel);
	assert_true(channel_is_silent(world->b.channel, world->now_ms));
	world_free(world);
}

/* ---- frames ---- */

static void frames_are_read_back_and_garbage_is_not(void **state)
{
	struct frame frame = {.kind = FRAME_DATA, .session = 1ull << 63, .sequence = 5, .acknowledged = 4}, back;
	uint8_t head[FRAME_HEAD_SIZE];

	frame_encode(&frame, head);
	assert_int_equal(frame_decode(head, sizeof(head), &back), 0);
	assert_true(back.kind == FRAME_DATA && back.session == 1ull << 63);
	assert_true(back.sequence == 5 && back.acknowledged == 4);
	assert_int_equal(frame_decode(head, sizeof(head) - 1, &back), -EPROTO);
	head[6] = FRAME_KIND_MAX;
	assert_int_equal(frame_decode(head, sizeof(head), &back), -EPROTO);
	head[6] = FRAME_ACK; /* With a sequence number. */
	assert_int_equal(frame_decode(head, sizeof(head), &back), -EPROTO);
	head[4] = WIRE_VERSION + 1;
	assert_int_equal(frame_decode(head, sizeof(head), &back), -EPROTONOSUPPORT);
	assert_int_equal(back.wire_version, WIRE_VERSION + 1);
	assert_true(back.session == 1ull << 63);
	head[0] = 'm';
	assert_int_equal(frame_decode(head, sizeof(head), &back), -EPROTO);
}

static void acknowledgements_of_what_was_never_sent_are_ignored(void **state)
{
	struct world *world = world_new(1, 0, 0, 0);
	struct frame frame = {.kind = FRAME_ACK, .session = SESSION, .acknowledged = UINT64_MAX};

	assert_false(channel_receive(world->a.channel, &frame, 0, world->now_ms));
	ask(&world->a, 16, 1000000);
	assert_false(channel_receive(world->a.channel, &frame, 0, world->now_ms));
	advance(world, 20);
	assert_int_equal(world->a.answered, 1);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_wire_needs_no_repetition),
		cmocka_unit_test(every_request_is_answered_once_over_a_bad_wire),
		cmocka_unit_test(requests_over_a_dead_wire_expire_once),
		cmocka_unit_test(a_wire_that_recovers_delivers_late),
		cmocka_unit_test(the_window_bounds_what_is_sent),
		cmocka_unit_test(a_payload_larger_than_the_window_goes_alone),
		cmocka_unit_test(a_full_queue_refuses_and_keeps_its_hands_off),
		cmocka_unit_test(a_held_channel_only_queues),
		cmocka_unit_test(a_busy_wire_is_tried_again),
		cmocka_unit_test(acknowledgements_ride_on_data),
		cmocka_unit_test(a_loss_is_mended_before_the_timer),
		cmocka_unit_test(an_idle_channel_beats_and_notices_silence),
		cmocka_unit_test(frames_are_read_back_and_garbage_is_not),
		cmocka_unit_test(acknowledgements_of_what_was_never_sent_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
