/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench - one frame under the parser and the rewriter, natively.
 *
 * The frame lies at the end of a heap block of exactly its size and headroom, so that the address sanitizer sees every
 * access outside it. */
#ifndef MEALY_TEST_BENCH_H
#define MEALY_TEST_BENCH_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "datapath/pkt_rewrite.h"
#include "tests/harness/frame.h"

enum { BENCH_HEADROOM = 16 };

struct bench {
	struct hook h;
	struct scratch s;
	uint8_t *block;
};

static inline void bench_set(struct bench *b, const uint8_t *data, unsigned size)
{
	memset(b, 0, sizeof(*b));
	b->block = malloc(BENCH_HEADROOM + size + !size);
	assert_non_null(b->block);
	memset(b->block, 0xee, BENCH_HEADROOM);
	memcpy(b->block + BENCH_HEADROOM, data, size);
	b->h = (struct hook){
		.id = HOOK_XDP,
		.scratch = &b->s,
		.room_begin = b->block,
		.begin = b->block + BENCH_HEADROOM,
		.end = b->block + BENCH_HEADROOM + size,
		.room_end = b->block + BENCH_HEADROOM + size,
		.frames = 1,
	};
	/* What an earlier packet left must not matter. */
	memset(&b->s, 0x5a, sizeof(b->s));
	b->s.step = 0;
	b->s.cells[CELL_PRESENT] = 0;
	b->s.cells[CELL_LENGTH] = hook_length(&b->h);
}

static inline void bench_done(struct bench *b)
{
	free(b->block);
	b->block = NULL;
}

/* Parses 'size' bytes; bench_done() afterwards. */
static inline enum exit_reason bench_parse(struct bench *b, const uint8_t *data, unsigned size)
{
	bench_set(b, data, size);
	return pkt_parse(&b->h, &b->s);
}

#define NEED(header) (1ULL << PRESENT_##header)

#endif
