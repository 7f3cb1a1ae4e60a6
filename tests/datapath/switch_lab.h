/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch_lab - frames through the programs of a rig from several CPUs at once. */
#ifndef MEALY_TEST_SWITCH_LAB_H
#define MEALY_TEST_SWITCH_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../harness/rig.h"

/* A thread on one CPU that sends one frame again and again by port 1. */
struct sender {
	struct rig *rig;
	struct frame frame;
	unsigned cpu;
	unsigned sources;  /* Above 1: each frame comes from one of so many (up to 256) IPv4 addresses. */
	unsigned in_a_row; /* So many of one address before the next; 0: one. */
	uint64_t n;	   /* Frames to send; 0: until stopped. */
	_Atomic bool stop;
	_Atomic uint64_t sent;
	uint32_t random;
	unsigned long thread;
};

void sender_start(struct sender *sender);
/* Waits for the end, having told it to stop if it has none. */
void sender_join(struct sender *sender);

/* Sum over all reasons of port 1. */
uint64_t exits_of_port(struct rig *rig);

#endif
