/* SPDX-License-Identifier: GPL-2.0-or-later */
/* event_out - an event of the datapath, told with names to those who watch. */
#ifndef MEALY_EVENT_OUT_H
#define MEALY_EVENT_OUT_H

#include "agent.h"

/* 'packet' as in event_ring.h. */
void event_out(struct agent *agent, const struct event *event, const uint8_t *packet);

/* Unix time, ms. */
uint64_t unix_now_ms(void);

/* "ip.src=10.0.0.1 l4.dst=53": the key in a record's image of 'n_words' words. */
void render_key(const struct layout *layout, const uint64_t *words, unsigned n_words, char *buf, size_t size);

#endif
