// SPDX-License-Identifier: GPL-2.0-or-later
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);

static const char *folder;
static unsigned n_seeds;

void fuzz_seed(const void *data, size_t size)
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s/seed-%03u", folder, n_seeds++);
	out = fopen(path, "wb");
	CHECK(out && fwrite(data, 1, size, out) == size);
	CHECK(fclose(out) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	for (int i = 1; i < *argc; i++) {
		if (strncmp((*argv)[i], "--seeds=", 8) != 0)
			continue;
		folder = (*argv)[i] + 8;
		fuzz_seeds();
		exit(0);
	}
	return 0;
}

uint8_t bytes_u8(struct bytes *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

uint32_t bytes_u32(struct bytes *in)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value |= (uint32_t)bytes_u8(in) << i * 8;
	return value;
}

char *bytes_text(struct bytes *in)
{
	char *text = malloc(in->left + 1);

	CHECK(text);
	memcpy(text, in->at, in->left);
	text[in->left] = '\0';
	in->at += in->left;
	in->left = 0;
	return text;
}
