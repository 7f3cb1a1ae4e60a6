/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trial - one application and some packets, by the datapath and by the judge. */
#ifndef MEALY_TEST_TRIAL_H
#define MEALY_TEST_TRIAL_H

#include "../harness/rig.h"

struct packet {
	uint64_t after_ns; /* Since the one before. */
	unsigned port;
	struct frame frame;
};

enum { TRIAL_SETTINGS = 8, TRIAL_WHY = 4096 };

struct trial {
	char *yaml;				 /* Owned. */
	const char *setting[TRIAL_SETTINGS + 1]; /* "name=value", NULL behind the last. */
	struct packet *packet;			 /* Owned. */
	unsigned n;
};

void trial_free(struct trial *trial);

/* The checked application, or NULL with what is wrong in 'why' (may be NULL).  The caller frees. */
struct app *trial_parse(const struct trial *trial, enum rig_tier tier, char *why, size_t size);

/* Runs it.  'every': after how many packets flows and counters are compared, besides at the end.  Returns true if the
 * two agree, else false and in 'why' on what they do not; '*ret_packets' is how many packets it took. */
bool trial_run(const struct trial *trial, enum rig_tier tier, unsigned every, char why[TRIAL_WHY],
	       unsigned *ret_packets);

/* Of all trials: how many rules their applications had, and how many of these applied to a packet. */
extern unsigned trial_rules, trial_rules_hit;

/* Makes a failing trial smaller for as long as it fails. */
void trial_shrink(struct trial *trial, enum rig_tier tier);

/* A file: the application, a line "---", one line for each packet. */
void trial_write(const struct trial *trial, FILE *out);
/* Returns 0, or -EINVAL with a message printed. */
int trial_read(const char *path, struct trial *ret_trial);

#endif
