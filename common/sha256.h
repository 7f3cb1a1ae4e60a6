/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sha256 - names of contents (FIPS 180-4).  Not for secrets. */
#ifndef MEALY_SHA256_H
#define MEALY_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_TEXT = 65 };

struct sha256 {
	uint32_t state[8];
	uint64_t size; /* Bytes so far. */
	uint8_t block[64];
};

void sha256_init(struct sha256 *sum);
void sha256_add(struct sha256 *sum, const void *data, size_t size);
/* As 64 hexadecimal digits; 'sum' must be begun anew afterwards. */
void sha256_text(struct sha256 *sum, char ret_text[SHA256_TEXT]);

#endif
