/* SPDX-License-Identifier: GPL-2.0-or-later */
/* generate - random applications and packets that meet each other: both draw from the same few addresses, ports and
 * numbers, and packets come about as far apart as the application's timeouts. */
#ifndef MEALY_TEST_GENERATE_H
#define MEALY_TEST_GENERATE_H

#include "../../tables/app.h"
#include "trial.h"

/* splitmix64 (Steele, Lea and Flood 2014). */
struct draw {
	uint64_t state;
};

uint64_t draw_bits(struct draw *d);
unsigned draw_below(struct draw *d, unsigned n);
/* True in 'percent' of 100 cases. */
bool draw_chance(struct draw *d, unsigned percent);
#define DRAW_OF(d, list) ((list)[draw_below(d, sizeof(list) / sizeof((list)[0]))])

/* An application as text, mostly one that the checker accepts.  The caller frees. */
char *generate_app(struct draw *d);

/* 'n' packets for 'app'. */
struct packet *generate_packets(struct draw *d, const struct app *app, unsigned n);

/* For applications and packets. */
extern const char *const generate_ip4[4], *const generate_ip6[4], *const generate_mac[4];
extern const unsigned generate_port[6];

#endif
