/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pinned - what an agent finds when it takes over: files of its state directory, and maps. */
#ifndef MEALY_TEST_FUZZ_PINNED_H
#define MEALY_TEST_FUZZ_PINNED_H

#include "fuzz.h"

/* The body of a version file, below a right first line: refused in words, or a version that can be planned. */
void pinned_version(struct bytes *in);
/* Whole files, as they are: versions, `committed`, `ports`. */
void pinned_folder(struct bytes *in);
/* Descriptor, records and buckets of a flow table: not there, or read, traced and run without a step outside. */
void pinned_flows(struct bytes *in);

/* Examples for each, behind the byte that chooses it. */
void pinned_version_seeds(uint8_t choice);
void pinned_folder_seeds(uint8_t choice);
void pinned_flows_seeds(uint8_t choice);

#endif
