/* SPDX-License-Identifier: GPL-2.0-or-later */
/* samples - a message of each kind in which every member is set, and a comparison. */
#ifndef MEALY_TEST_SAMPLES_H
#define MEALY_TEST_SAMPLES_H

#include "proto/message_table.h"
#include "proto/pool.h"

/* Lies in 'pool'. */
struct message *sample_message(struct pool *pool, enum message_kind kind);

/* True if both messages mean the same; NULL strings count as "". */
bool sample_equal(const struct message *a, const struct message *b);

#endif
