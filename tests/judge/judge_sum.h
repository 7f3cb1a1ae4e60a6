/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge_sum - the bits of a frame, and the checksums that cover them. */
#ifndef MEALY_JUDGE_SUM_H
#define MEALY_JUDGE_SUM_H

#include "judge_packet.h"

/* Bits of a header count from its first byte's highest one, as in the RFCs' pictures. */
uint64_t judge_bits_get(const uint8_t *p, unsigned bit, unsigned n);
void judge_bits_put(uint8_t *p, unsigned bit, unsigned n, uint64_t value);

/* What the bytes add up to that the two checksums cover, themselves included. */
struct judge_sums {
	unsigned ip, l4;
};
struct judge_sums judge_sums_of(const struct judge_packet *p);

/* Changes the checksums by what the bytes have changed since 'before'. */
void judge_sums_move(struct judge_packet *p, struct judge_sums before);

#endif
