/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trial.h"

#include <stdlib.h>
#include <string.h>

#include "../../common/cleanup.h"
#include "../../tables/encode.h"
#include "../harness/rig_plan.h"
#include "trial_compare.h"

static enum hook_id hook_of(enum rig_tier tier)
{
	switch (tier) {
	case RIG_TC_INGRESS: return HOOK_TC_INGRESS;
	case RIG_TC_EGRESS: return HOOK_TC_EGRESS;
	default: return HOOK_XDP;
	}
}

static size_t read_settings(const struct trial *trial, struct setting *setting, char *copy[TRIAL_SETTINGS])
{
	size_t n = 0;

	for (; trial->setting[n]; n++) {
		copy[n] = strdup(trial->setting[n]);
		setting[n].name = strsep(&copy[n], "=");
		setting[n].text = copy[n];
	}
	return n;
}

struct app *trial_parse(const struct trial *trial, enum rig_tier tier, char *why, size_t size)
{
	const struct port_names ports = {.find = rig_port_find};
	struct setting setting[TRIAL_SETTINGS];
	char *copy[TRIAL_SETTINGS];
	struct diag_list diags;
	struct app *app = NULL;
	size_t n = read_settings(trial, setting, copy);

	diag_init(&diags, "trial");
	if (app_parse(trial->yaml, strlen(trial->yaml), setting, n, &ports, &diags, &app) == 0 &&
	    encode_check(app, hook_of(tier), &diags) < 0) {
		app_free(app);
		app = NULL;
	}
	if (!app && why) {
		_cleanup_file_ FILE *out = fmemopen(why, size, "w");

		if (out)
			diag_print(&diags, trial->yaml, out);
	}
	diag_done(&diags);
	for (size_t i = 0; i < n; i++)
		free((char *)setting[i].name);
	return app;
}

unsigned trial_rules, trial_rules_hit;

static void count_rules(const struct judge *judge)
{
	for (unsigned i = 0; i < judge->app->n_tables; i++)
		for (unsigned r = 0; r < judge->app->table[i].n_rules; r++) {
			trial_rules++;
			trial_rules_hit += judge->table[i].rule[r] > 0;
		}
}

static struct rig *open_rig(const struct trial *trial, enum rig_tier tier)
{
	const char *const *s = trial->setting;
	struct rig *rig = rig_open(tier);

	rig_watch_events(rig);
	rig_load(rig, trial->yaml, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], NULL);
	rig_commit(rig);
	return rig;
}

/* A test run at tc refuses frames that end in front of or within a first header of IP. */
static bool can_send(enum rig_tier tier, const struct frame *frame)
{
	unsigned type = frame->data[12] << 8 | frame->data[13];
	unsigned needed = type == 0x0800 ? 34 : type == 0x86dd ? 54 : 15;

	return (tier != RIG_TC_INGRESS && tier != RIG_TC_EGRESS) || frame->size >= needed;
}

static bool run_packet(struct judge *judge, struct rig *rig, enum rig_tier tier, const struct packet *p, FILE *why)
{
	struct judge_result expected;
	struct rig_result is;

	rig_advance_ns(rig, p->after_ns);
	if (!can_send(tier, &p->frame))
		return true;
	/* The moment is drawn at random, and stays when packets in front are taken away. */
	judge->random = rig_now_ns(rig);
	rig_set_random(rig, judge->random);
	is = rig_send(rig, p->port, p->frame);
	expected = judge_send(judge, p->port, &p->frame, rig_now_ns(rig));
	return compare_results(judge, &is, &expected, tier, why);
}

static bool run_all(const struct trial *trial, enum rig_tier tier, unsigned every, struct judge *judge, struct rig *rig,
		    FILE *why, unsigned *ret_packets)
{
	bool good = true;

	for (unsigned i = 0; i < trial->n && good; i++) {
		*ret_packets = i + 1;
		good = run_packet(judge, rig, tier, &trial->packet[i], why);
		if (good && ((i + 1) % every == 0 || i + 1 == trial->n))
			good = compare_flows(judge, rig, why) & compare_counters(judge, rig, why) &
			       compare_globals(judge, rig, why);
	}
	return good;
}

bool trial_run(const struct trial *trial, enum rig_tier tier, unsigned every, char why[TRIAL_WHY],
	       unsigned *ret_packets)
{
	struct app *app = trial_parse(trial, tier, why, TRIAL_WHY);
	_cleanup_file_ FILE *out = NULL;
	struct judge *judge;
	struct rig *rig;
	bool good;

	*ret_packets = 0;
	if (!app)
		return false;
	out = fmemopen(why, TRIAL_WHY, "w");
	if (!out)
		abort();
	judge = judge_new(app, hook_of(tier), RIG_PORTS);
	rig = open_rig(trial, tier);
	good = run_all(trial, tier, every, judge, rig, out, ret_packets);
	rig_close(rig);
	count_rules(judge);
	judge_free(judge);
	app_free(app);
	return good;
}
