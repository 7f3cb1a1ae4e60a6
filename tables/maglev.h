/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maglev - consistent hashing (Eisenbud et al., Maglev, NSDI 2016), weighted.
 *
 * Members take turns to claim the slots of a table, each in an order of its own, so that the loss of one moves few
 * slots of the others.  Which slots are whose follows from ids, weights and size alone: all switches agree. */
#ifndef MEALY_MAGLEV_H
#define MEALY_MAGLEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMBER_WEIGHT_MAX = 65535 };

struct maglev_member {
	unsigned id;
	unsigned weight; /* 0: gets no slot. */
};

/* A prime: then every step walks through all slots. */
bool maglev_is_size(uint64_t size);

/* Fills 'size' slots with ids, in the order of ids whatever the order of 'member'; MEMBER_NONE where no member has a
 * weight.  0 or -ENOMEM. */
int maglev_fill(const struct maglev_member *member, size_t n, uint16_t *ret_slot, unsigned size);

#endif
