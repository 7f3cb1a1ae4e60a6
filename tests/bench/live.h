/* SPDX-License-Identifier: GPL-2.0-or-later */
/* live - frames through a veth: the switch beside nothing, a hand-written program and nftables' rate limit. */
#ifndef MEALY_BENCH_LIVE_H
#define MEALY_BENCH_LIVE_H

#include <stdbool.h>

void live_run(bool quick);

/* Sends 2^20 frames with as many sources out of 'interface'.  Returns an exit status. */
int live_fill(const char *interface);

#endif
