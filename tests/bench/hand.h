/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hand - the programs of hand.bpf.c, loaded. */
#ifndef MEALY_BENCH_HAND_H
#define MEALY_BENCH_HAND_H

#include <bpf/libbpf.h>
#include <stdbool.h>

/* 'flows' is a power of two: how many sources the wheel turns through, in order or at random. */
struct bpf_object *hand_open(unsigned flows, bool in_order, unsigned out_ifindex);
int hand_fd(struct bpf_object *object, const char *program);
/* Puts the wheel in front of 'target' and returns the wheel's fd. */
int hand_wheel(struct bpf_object *object, bool tc, int target);

#endif
