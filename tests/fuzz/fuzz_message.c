// SPDX-License-Identifier: GPL-2.0-or-later
/* fuzz_message - any bytes as a frame and as a message: what is accepted keeps every limit, and means
 * the same after being packed and unpacked again.  Examples are a message of each kind. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "proto/frame.h"
#include "tests/unit/proto/samples.h"

void fuzz_seeds(void)
{
	for (enum message_kind kind = MSG_HELLO; kind < MSG_KIND_MAX; kind++) {
		struct pool *pool = pool_new(SIZE_MAX);
		uint8_t *bytes;
		size_t size;

		CHECK(pool && message_pack(sample_message(pool, kind), &bytes, &size) == 0);
		fuzz_seed(bytes, size);
		free(bytes);
		pool_free(pool);
	}
}

static void expect_same(const struct message *msg)
{
	struct message *copy;

	CHECK(message_check(msg, NULL) == 0);
	if (message_copy(msg, &copy) == -EMSGSIZE)
		return; /* Packed in its longest form it may exceed the limit. */
	CHECK(sample_equal(msg, copy));
	message_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ?: 1); /* So that a sanitizer sees every byte read beyond it. */
	struct message *msg;
	struct frame frame;
	char why[256];

	CHECK(exact);
	memcpy(exact, data, size);
	frame_decode(exact, size, &frame);
	if (message_unpack(exact, size, &msg, why) == 0) {
		expect_same(msg);
		message_free(msg);
	}
	free(exact);
	return 0;
}
