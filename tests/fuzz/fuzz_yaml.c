// SPDX-License-Identifier: GPL-2.0-or-later
/* Applications: any text is an application or is refused with words, and nothing else happens.  The examples of the
 * tree are where it begins. */
#include <glob.h>
#include <string.h>

#include "app_checks.h"
#include "fuzz.h"

static void seed_from(const char *path)
{
	static char text[1 << 16];
	FILE *in = fopen(path, "r");
	size_t size;

	CHECK(in);
	size = fread(text, 1, sizeof(text), in);
	fclose(in);
	fuzz_seed(text, size);
}

void fuzz_seeds(void)
{
	glob_t found;

	CHECK(glob(MEALY_TOP "/examples/*.yaml", 0, NULL, &found) == 0);
	CHECK(glob(MEALY_TOP "/tests/fuzz/apps/*.yaml", GLOB_APPEND, NULL, &found) == 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		seed_from(found.gl_pathv[i]);
	globfree(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	app_check_text((const char *)data, size);
	return 0;
}
