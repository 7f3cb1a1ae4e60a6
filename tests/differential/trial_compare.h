/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trial_compare - what datapath and judge say about one packet, and what they remember. */
#ifndef MEALY_TEST_TRIAL_COMPARE_H
#define MEALY_TEST_TRIAL_COMPARE_H

#include <stdio.h>

#include "../judge/judge.h"
#include "trial.h"

/* All write to 'why' on what the two do not agree and return whether they do. */
bool compare_results(const struct judge *judge, const struct rig_result *is, const struct judge_result *expected,
		     enum rig_tier tier, FILE *why);
bool compare_flows(const struct judge *judge, struct rig *rig, FILE *why);
bool compare_globals(const struct judge *judge, struct rig *rig, FILE *why);
bool compare_counters(const struct judge *judge, struct rig *rig, FILE *why);

#endif
