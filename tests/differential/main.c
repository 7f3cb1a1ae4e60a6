/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One tier against the judge: kept failures first, then the examples, then random applications.
 *
 *     test_differential TIER             MEALY_SEED=WHAT:SEED runs one trial, MEALY_LONG=1 ten times as many
 *     test_differential TIER FILE...     only these, kept as trial_write() writes them */
#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../common/cleanup.h"
#include "../judge/judge.h"
#include "generate.h"

enum { APPS = 200, APP_PACKETS = 200, EXAMPLE_PACKETS = 100000, TRIAL_PACKETS = 2000, ATTEMPTS = 400, EVERY = 50 };

/* What examples must be told. */
static const struct needs {
	const char *example, *setting[TRIAL_SETTINGS];
} needs[] = {
	{"udp-firewall", {"inside=port1", "outside=port2"}},
	{"static-router", {"inside=port1", "outside=port2"}},
	{"flowlet", {"up1=port1", "up2=port2"}},
	{"port-pairs", {"inside=port1", "outside=port2"}},
};

static enum rig_tier tier;
static unsigned n_trials, n_packets, n_failed;

/* ---- one trial ------------------------------------------------------------------------------- */

static void report(struct trial *trial, const char *what, const char *why, unsigned packets)
{
	_cleanup_file_ FILE *out = NULL;
	char small[TRIAL_WHY], path[128];
	unsigned i = 0;

	fprintf(stderr, "%s on %s: packet %u:\n%s", what, rig_tier_name(tier), packets, why);
	trial_shrink(trial, tier);
	if (trial_run(trial, tier, 1, small, &i))
		snprintf(small, sizeof(small), "(the smaller one does not fail)\n");
	snprintf(path, sizeof(path), "differential-%s-%u.yaml", rig_tier_name(tier), n_failed);
	out = fopen(path, "w");
	if (out)
		trial_write(trial, out);
	fprintf(stderr, "made smaller, %u packets, in %s:\n", trial->n, path);
	trial_write(trial, stderr);
	fprintf(stderr, "%s\n", small);
}

/* Takes the trial. */
static bool judge_trial(struct trial *trial, const char *what)
{
	char why[TRIAL_WHY];
	unsigned packets;
	bool good = trial_run(trial, tier, EVERY, why, &packets);

	n_trials++;
	n_packets += trial->n;
	if (!good) {
		report(trial, what, why, packets);
		n_failed++;
	}
	trial_free(trial);
	return good;
}

/* ---- examples -------------------------------------------------------------------------------- */

static char *read_file(const char *path)
{
	_cleanup_file_ FILE *in = fopen(path, "r");
	char *text = calloc(1, APP_TEXT_MAX);

	if (in && text && fread(text, 1, APP_TEXT_MAX - 1, in) > 0)
		return text;
	fprintf(stderr, "cannot read %s\n", path);
	exit(1);
}

/* Without the comments in front. */
static char *read_application(const char *path)
{
	_cleanup_free_ char *text = read_file(path);
	const char *begin = strstr(text, "\napp:");

	return strdup(begin ? begin + 1 : text);
}

static const char *name_of(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(name, size, "%s", slash ? slash + 1 : path);
	*strchrnul(name, '.') = 0;
	return name;
}

/* Says once why an example is left out. */
static bool is_left_out(const struct app *app)
{
	static char last[NAME_LEN_MAX + 1];
	const char *what = judge_lacks(app);

	if (what && strcmp(last, app->name) != 0)
		printf("left out: %s, the judge does not know %s\n", app->name, what);
	snprintf(last, sizeof(last), "%s", app->name);
	return what;
}

static void run_example(const char *path, const char *name, uint64_t seed, unsigned n)
{
	struct trial trial = {.yaml = read_application(path)};
	struct draw draw = {seed};
	char why[TRIAL_WHY], what[128];
	struct app *app;

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (!strcmp(needs[i].example, name))
			memcpy(trial.setting, needs[i].setting, sizeof(needs[i].setting));
	app = trial_parse(&trial, tier, why, sizeof(why));
	snprintf(what, sizeof(what), "MEALY_SEED=%s:%" PRIx64, name, seed);
	if (app && is_left_out(app)) {
		app_free(app);
		trial_free(&trial);
		return;
	}
	if (!app) {
		fprintf(stderr, "%s: %s", what, why);
		n_failed++;
		trial_free(&trial);
		return;
	}
	trial.packet = generate_packets(&draw, app, n);
	trial.n = n;
	app_free(app);
	judge_trial(&trial, what);
}

/* 'one': only the example of this name. */
static void run_examples(const char *one, uint64_t seed, unsigned times)
{
	_cleanup_free_ char *pattern = NULL;
	struct draw draw = {seed};
	char name[64];
	glob_t found;
	unsigned n;

	if (asprintf(&pattern, "%s/examples/*.yaml", MEALY_TOP) < 0 || glob(pattern, 0, NULL, &found))
		exit(1);
	n = one ? 1 : (EXAMPLE_PACKETS / found.gl_pathc / TRIAL_PACKETS + 1) * times;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		name_of(found.gl_pathv[i], name, sizeof(name));
		for (unsigned k = 0; k < n && (!one || !strcmp(one, name)); k++)
			run_example(found.gl_pathv[i], name, one ? seed : draw_bits(&draw), TRIAL_PACKETS);
	}
	globfree(&found);
}

/* ---- generated applications ------------------------------------------------------------------ */

/* Draws until the checker accepts. */
static struct app *draw_app(struct draw *draw, struct trial *trial, unsigned *attempts)
{
	char why[TRIAL_WHY];
	struct app *app = NULL;

	for (unsigned i = 0; i < ATTEMPTS && !app; i++) {
		free(trial->yaml);
		trial->yaml = generate_app(draw);
		app = trial_parse(trial, tier, why, sizeof(why));
		++*attempts;
		if (!app && getenv("MEALY_SHOW_REFUSED"))
			fprintf(stderr, "%s", why);
	}
	if (app)
		return app;
	fprintf(stderr, "no application in %d attempts:\n%s", ATTEMPTS, why);
	exit(1);
}

static void run_generated(uint64_t seed, unsigned *attempts)
{
	struct trial trial = {};
	struct draw draw = {seed};
	struct app *app = draw_app(&draw, &trial, attempts);
	char what[64];

	trial.packet = generate_packets(&draw, app, APP_PACKETS);
	trial.n = APP_PACKETS;
	app_free(app);
	snprintf(what, sizeof(what), "MEALY_SEED=app:%" PRIx64, seed);
	judge_trial(&trial, what);
}

/* ---- kept ones ------------------------------------------------------------------------------- */

static void run_file(const char *path)
{
	struct trial trial;

	if (trial_read(path, &trial) < 0) {
		n_failed++;
		return;
	}
	judge_trial(&trial, path);
}

static void run_kept(void)
{
	_cleanup_free_ char *pattern = NULL;
	glob_t found;

	if (asprintf(&pattern, "%s/tests/differential/regress/*.yaml", MEALY_TOP) < 0)
		exit(1);
	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		run_file(found.gl_pathv[i]);
	globfree(&found);
}

/* ---- all ------------------------------------------------------------------------------------- */

static void run_one(const char *what)
{
	const char *colon = strchr(what, ':');
	_cleanup_free_ char *name = colon ? strndup(what, colon - what) : NULL;
	unsigned attempts = 0;

	if (!colon) {
		fprintf(stderr, "MEALY_SEED=%s: expected app:SEED or EXAMPLE:SEED\n", what);
		exit(2);
	}
	if (strcmp(name, "app") == 0)
		run_generated(strtoull(colon + 1, NULL, 16), &attempts);
	else
		run_examples(name, strtoull(colon + 1, NULL, 16), 1);
}

static void run_suite(void)
{
	bool is_long = getenv("MEALY_LONG");
	unsigned times = is_long ? 10 : 1, attempts = 0;
	struct draw draw = {is_long ? (uint64_t)time(NULL) : 1};

	printf("seed %" PRIx64 "\n", draw.state);
	run_kept();
	run_examples(NULL, draw_bits(&draw), times);
	for (unsigned i = 0; i < APPS * times; i++)
		run_generated(draw_bits(&draw), &attempts);
	printf("%u applications drawn, %u used\n", attempts, APPS * times);
}

static int find_tier(const char *name)
{
	for (unsigned i = 0; i < RIG_TIER_MAX; i++)
		if (!strcmp(rig_tier_name(i), name))
			return i;
	return -1;
}

int main(int argc, char **argv)
{
	int t = argc > 1 ? find_tier(argv[1]) : -1;

	if (t < 0) {
		fprintf(stderr, "usage: %s xdp|tc-ingress|tc-egress|native [FILE...]\n", argv[0]);
		return 2;
	}
	tier = t;
	if (!rig_can(tier))
		return RIG_SKIP;
	if (getenv("MEALY_SEED"))
		run_one(getenv("MEALY_SEED"));
	else if (argc == 2)
		run_suite();
	for (int i = 2; i < argc; i++)
		run_file(argv[i]);
	printf("%u trials, %u packets, %u of %u rules applied, %u failed\n", n_trials, n_packets, trial_rules_hit,
	       trial_rules, n_failed);
	return n_failed != 0;
}
