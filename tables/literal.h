/* SPDX-License-Identifier: GPL-2.0-or-later */
/* literal - one constant as the language writes it: 42, 0x2a, 1.5s, 64KiB, 10Mbps, 10.0.0.1,
 * 2001:db8::/32, 02:00:00:00:00:01. */
#ifndef MEALY_LITERAL_H
#define MEALY_LITERAL_H

#include "field.h"

struct literal {
	enum value_type type; /* U64, DURATION, SIZE, RATE, ADDR, PREFIX or MAC. */
	uint64_t hi, lo;      /* An IPv4 address is v4-mapped. */
	unsigned prefix_len;  /* PREFIX: of 128. */
};

enum { LITERAL_ERROR_SIZE = 160 };

/* Reads the literal at the beginning of 'text'.
 *
 * Returns 0 with its length in '*ret_len'; -ENOENT when no literal begins there; or -EINVAL
 * when one does and is wrong, with a sentence in 'ret_error' and the length of the wrong text. */
int literal_scan(const char *text, struct literal *ret_literal, size_t *ret_len, char ret_error[LITERAL_ERROR_SIZE]);

/* The same for a whole string: what follows the literal is an error. */
int literal_parse(const char *text, struct literal *ret_literal, char ret_error[LITERAL_ERROR_SIZE]);

/* Bits of the mask of a prefix of 'len' (0..128) bits. */
void literal_mask(unsigned len, uint64_t *ret_hi, uint64_t *ret_lo);

/* The units in order: name, what they measure, how many of the smallest unit; NULL behind the last. */
const char *unit_at(size_t index, enum value_type *ret_type, uint64_t *ret_factor);

#endif
