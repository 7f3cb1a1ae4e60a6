/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event_out - an event of the datapath, told with names to those who watch. */
#ifndef MEALY_EVENT_OUT_H
#define MEALY_EVENT_OUT_H

#include "agent.h"

/* 'packet' as in event_ring.h. */
void event_out(struct agent *agent, const struct event *event, const uint8_t *packet);

/* Unix time, ms. */
uint64_t unix_now_ms(void);

#endif
