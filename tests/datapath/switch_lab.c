// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch_lab.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

enum { PORT = 1, AT_ONCE = 1000, SOURCE_LAST_BYTE = 29 };

/* How many frames to send next, of the sender's next source. */
static unsigned next_frames(struct sender *sender)
{
	uint64_t left = sender->n ? sender->n - sender->sent : AT_ONCE;

	if (sender->sources <= 1)
		return left < AT_ONCE ? left : AT_ONCE;
	sender->random = sender->random * 1664525 + 1013904223 + sender->cpu;
	sender->frame.data[SOURCE_LAST_BYTE] = (sender->random >> 16) % sender->sources;
	if (!sender->in_a_row)
		return 1;
	return left < sender->in_a_row ? left : sender->in_a_row;
}

static void *send_frames(void *data)
{
	struct sender *sender = data;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sender->cpu % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	while (!sender->stop && (!sender->n || sender->sent < sender->n)) {
		unsigned times = next_frames(sender);

		rig_repeat(sender->rig, PORT, sender->frame, times);
		sender->sent += times;
	}
	return NULL;
}

void sender_start(struct sender *sender)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, send_frames, sender), 0);
	sender->thread = thread;
}

void sender_join(struct sender *sender)
{
	if (!sender->n)
		sender->stop = true;
	pthread_join(sender->thread, NULL);
}

uint64_t exits_of_port(struct rig *rig)
{
	uint64_t sum = 0;

	for (unsigned r = 0; r < EXIT_REASON_ROOM; r++)
		sum += rig_exit_count(rig, PORT, r);
	return sum;
}
