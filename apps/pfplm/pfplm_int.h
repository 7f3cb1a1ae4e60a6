/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of pfplm share. */
#ifndef MEALY_PFPLM_INT_H
#define MEALY_PFPLM_INT_H

#include "../../lib/mealy.h"
#include "pfplm.h"

enum { PFPLM_WHY = 256 };

struct pfplm {
	struct mealy *mealy;
	bool is_agent;
	char why[PFPLM_WHY]; /* "": ask the connection. */
};

/* Fills the sentence and returns 'r'. */
int pfplm_fail(struct pfplm *pfplm, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Sends 'request' to 'at' and gets its answer.  -ENOENT if the other side knows no such thing. */
int pfplm_call(struct pfplm *pfplm, const char *at, struct message *request, struct message **ret_reply);

/* Names of what runs where flows leave and arrive. */
struct pfplm_end {
	const char *deployment, *keys, *counts;
	const char *text; /* The application. */
	unsigned hook;
};
extern const struct pfplm_end pfplm_ends[2];

#endif
