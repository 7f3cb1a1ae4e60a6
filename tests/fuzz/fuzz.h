/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz - what a fuzz target supplies, and what it may call.  libFuzzer supplies main().
 *
 *     fuzz_frame --seeds=FOLDER      writes the target's own examples there and ends
 *
 * Everything else is libFuzzer's: see run.sh. */
#ifndef MEALY_TEST_FUZZ_H
#define MEALY_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the run with what was expected. */
#define CHECK(x)                                                                                                       \
	do {                                                                                                           \
		if (!(x)) {                                                                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                        \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Calls fuzz_seed() for each example that follows the code: a frame or message of each kind. */
void fuzz_seeds(void);
void fuzz_seed(const void *data, size_t size);

/* Takes bytes off the front of an input; 0 when there are no more. */
struct bytes {
	const uint8_t *at;
	size_t left;
};
uint8_t bytes_u8(struct bytes *in);
uint32_t bytes_u32(struct bytes *in);
/* The rest as a string of its own allocation, so that a sanitizer sees every byte read beyond it. */
char *bytes_text(struct bytes *in);

#endif
