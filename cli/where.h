/* SPDX-License-Identifier: GPL-2.0-or-later */
/* where - conditions on flow records: "FIELD OP VALUE", OP one of = == != < <= > >=.
 *
 * FIELD is a part of the key, a register, "state" or "idle" (since the last use, "90s").  An
 * address may be compared (= !=) with a prefix.  Times compare as ages: "start < -2s" is a
 * moment more than two seconds ago. */
#ifndef MEALY_WHERE_H
#define MEALY_WHERE_H

#include "../tables/layout.h"

enum { WHERE_MAX = 16 };

struct where {
	const char *text[WHERE_MAX];
	size_t n;
	bool resolved;
	struct condition {
		enum { WHERE_FIELD, WHERE_STATE, WHERE_IDLE } kind;
		enum { WHERE_EQ, WHERE_NE, WHERE_LT, WHERE_LE, WHERE_GT, WHERE_GE } op;
		struct layout_field field;
		uint64_t hi, lo;
		uint64_t mask_hi, mask_lo; /* Of a prefix. */
		bool relative;		   /* The value is an offset from now. */
		unsigned state;
	} condition[WHERE_MAX];
};

/* Adds a condition's text, which must live as long.  0, or -E2BIG. */
int where_add(struct where *where, const char *text);

/* Finds the names in the table's layout and reads the values.  Returns 0, or -EINVAL and '*ret_why'
 * (256 bytes). */
int where_resolve(struct where *where, const struct layout *layout, char *ret_why);

/* Do all conditions hold?  Resolved before. */
bool where_matches(const struct where *where, const uint64_t *words, uint64_t now_ns);

#endif
