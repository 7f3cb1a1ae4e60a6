/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz - what a fuzz target supplies, and what it may call.  A target aborts when something is wrong. */
#ifndef MEALY_TEST_FUZZ_H
#define MEALY_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

void fuzz_begin(void);				 /* Gives examples. */
void fuzz_one(const uint8_t *data, size_t size); /* One input; 'data' is not aligned and not terminated. */
void fuzz_end(void);

/* Supplied by the driver. */
void fuzz_example(const void *data, size_t size);

#endif
