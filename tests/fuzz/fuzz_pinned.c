// SPDX-License-Identifier: GPL-2.0-or-later
/* The layout that an agent finds.  The first byte chooses what is found. */
#include "pinned.h"

enum choice { CHOICE_VERSION, CHOICE_FOLDER, CHOICE_FLOWS, CHOICE_MAX };

void fuzz_seeds(void)
{
	pinned_version_seeds(CHOICE_VERSION);
	pinned_folder_seeds(CHOICE_FOLDER);
	pinned_flows_seeds(CHOICE_FLOWS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = {data, size};

	switch ((enum choice)(bytes_u8(&in) % CHOICE_MAX)) {
	case CHOICE_VERSION: pinned_version(&in); break;
	case CHOICE_FOLDER: pinned_folder(&in); break;
	case CHOICE_FLOWS: pinned_flows(&in); break;
	case CHOICE_MAX: break;
	}
	return 0;
}
