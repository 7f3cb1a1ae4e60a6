// SPDX-License-Identifier: GPL-2.0-or-later
/* driver - runs a fuzz target without libFuzzer: mutates the target's own examples for some seconds.
 *
 *     fuzz_frame [SECONDS [SEED]]
 *
 * The seed is printed first, so that a run can be repeated; an input that ends the program is left in
 * ./fuzz-NAME.bin when a sanitizer reports it. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUT_MAX = 4096, CORPUS_MAX = 256, DEFAULT_SECONDS = 5, ROUNDS = 256 };

struct input {
	size_t size;
	uint8_t data[INPUT_MAX];
};

static struct input corpus[CORPUS_MAX];
static size_t n_corpus;
static struct input current;
static uint64_t state;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

void fuzz_example(const void *data, size_t size)
{
	if (n_corpus == CORPUS_MAX || size > INPUT_MAX)
		return;
	corpus[n_corpus].size = size;
	memcpy(corpus[n_corpus++].data, data, size);
}

/* One small change: a bit, a byte, an interesting number, a cut, a copy from elsewhere. */
static void mutate(struct input *in)
{
	static const uint8_t interesting[] = {0, 1, 4, 5, 6, 15, 16, 17, 0x40, 0x45, 0x60, 0x7f, 0x80, 0x81, 0xff};
	size_t at = in->size ? draw() % in->size : 0;
	const struct input *other = &corpus[draw() % n_corpus];

	switch (draw() % 7) {
	case 0: in->data[at] ^= 1 << draw() % 8; break;
	case 1: in->data[at] = draw(); break;
	case 2: in->data[at] = interesting[draw() % sizeof(interesting)]; break;
	case 3: in->size = at; break;
	case 4:
		if (in->size < INPUT_MAX)
			in->data[in->size++] = draw();
		break;
	case 5:
		if (at < other->size)
			memcpy(in->data + at, other->data + at, (other->size - at) % 40);
		break;
	case 6:
		if (in->size + 8 < INPUT_MAX) {
			memmove(in->data + at + 8, in->data + at, in->size - at);
			in->size += 8;
		}
		break;
	}
}

/* Named by a sanitizer's last word: called before the program is ended. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void keep_input(void)
{
	FILE *out = fopen("fuzz-failed.bin", "wb");

	if (!out)
		return;
	fwrite(current.data, 1, current.size, out);
	fclose(out);
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 1 ? strtoul(argv[1], NULL, 0) : DEFAULT_SECONDS;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL) * 2654435761u + 1;
	time_t end = time(NULL) + seconds;
	uint64_t runs = 0;

	printf("seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	state = seed ?: 1;
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_input);
	fuzz_begin();
	if (!n_corpus)
		fuzz_example("", 1);
	while (time(NULL) < end) {
		for (int i = 0; i < ROUNDS; i++, runs++) {
			current = corpus[draw() % n_corpus];
			for (uint64_t n = draw() % 8; n; n--)
				mutate(&current);
			fuzz_one(current.data, current.size);
		}
	}
	fuzz_end();
	printf("%llu inputs\n", (unsigned long long)runs);
	return 0;
}
