/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "specialiser.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../common/cleanup.h"
#include "../common/log.h"
#include "../tables/specialise.h"
#include "compiler.h"
#include "host.h"
#include "object_cache.h"
#include "special.h"
#include "why.h"

static const double REST_S = 0.2, REST_MAX_S = 30.0;
enum { NS_PER_S = 1000000000 };

enum job_state { JOB_WAITS, JOB_READY, JOB_FAILED };

/* One table of the active version. */
struct job {
	enum job_state state;
	char made_from[SHA256_TEXT];
	char *constant; /* Until it is ready. */
	char *why;	/* JOB_FAILED. */
	bool cached;
	uint64_t compile_us;
};

/* What a hook runs. */
struct tier {
	struct job job[HOOK_TABLES_MAX];
	unsigned n_tables, n_special;
	bool tried; /* All tables are, and what could be was put in place. */
	bool specialised;
	char *why; /* Why not, or not all. */
	time_t since;
	struct special_stats stats; /* Of all tables together. */
	uint64_t compile_us, swap_us;
	unsigned n_cached;
};

struct specialiser {
	const struct config *config;
	struct ev_loop *loop;
	struct instance *instance;
	struct versions *versions;
	struct object_cache cache;
	struct compiler compiler;
	struct compile compile;
	struct job *compiling; /* NULL: nothing is. */
	struct compile_limits limits;
	struct tier tier[HOOK_MAX];
	ev_timer rest, limit;
	ev_io said;
	double rest_s;
	struct {
		uint64_t compiled, cached, failed, swaps;
	} stats;
};

/* ---- the tables --------------------------------------------------------------------------------------- */

static struct specialise_hook hook_of(const struct specialiser *sp, enum hook_id id)
{
	unsigned slot = instance_active(sp->instance);

	return (struct specialise_hook){
		.id = id,
		.table = &instance_tables(sp->instance)[TABLE_INDEX(slot, id, 0)],
		.chain = &instance_chains(sp->instance)[CHAIN_INDEX(slot, id)],
		.n_tables = versions_plan(sp->versions)->n_tables[id],
	};
}

static char *print_constant(const struct specialise_hook *hook, unsigned i)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r = out ? specialise_print(out, hook, i) : -ENOMEM;

	if (out && fclose(out) != 0)
		r = -ENOMEM;
	if (r == 0)
		return text;
	free(text);
	return NULL;
}

static void forget_job(struct job *job)
{
	free(job->constant);
	free(job->why);
	*job = (struct job){};
}

static void forget_tier(struct tier *tier)
{
	for (unsigned i = 0; i < HOOK_TABLES_MAX; i++)
		forget_job(&tier->job[i]);
	free(tier->why);
	*tier = (struct tier){.since = time(NULL)};
}

/* Counted and said once, here. */
static void job_failed(struct specialiser *sp, struct job *job, char *why)
{
	job->state = JOB_FAILED;
	job->why = why ?: strdup("no memory");
	sp->stats.failed++;
	log_warn("specialised tier: %s; the interpreter goes on", job->why ?: "no memory");
}

/* ---- in place ------------------------------------------------------------------------------------------- */

static int load_table(struct specialiser *sp, enum hook_id hook, struct job *job, struct special **ret_special)
{
	char path[PATH_MAX], *why = NULL;
	int r;

	object_cache_path(&sp->cache, job->made_from, "o", path);
	r = special_load(sp->instance, hook, instance_active(sp->instance), path, job->made_from, ret_special, &why);
	if (r < 0)
		job_failed(sp, job, why);
	return r;
}

static void add_stats(struct tier *tier, const struct job *job, const struct special *special)
{
	struct special_stats stats = special_stats(special);

	tier->n_special++;
	tier->n_cached += job->cached;
	tier->compile_us += job->compile_us;
	tier->stats.instructions += stats.instructions;
	tier->stats.machine_bytes += stats.machine_bytes;
	tier->stats.verified += stats.verified;
	tier->stats.load_us += stats.load_us;
}

static const char *first_failure(const struct tier *tier)
{
	for (unsigned i = 0; i < tier->n_tables; i++)
		if (tier->job[i].state == JOB_FAILED)
			return tier->job[i].why;
	return NULL;
}

static void put_in_place(struct specialiser *sp, enum hook_id hook, struct special **table, int entry)
{
	struct tier *tier = &sp->tier[hook];
	uint64_t begin_ns = host_monotonic_ns();
	const char *failure = first_failure(tier);
	int r = entry >= 0 && table[entry]
			? special_put(sp->instance, hook, instance_active(sp->instance), table, tier->n_tables)
			: -ENOENT;

	tier->why = failure ? strdup(failure) : NULL;
	if (r < 0 && r != -ENOENT)
		why_set(&tier->why, r, "the programs cannot be put in place: %s", strerror(-r));
	if (r < 0)
		return;
	tier->swap_us = (host_monotonic_ns() - begin_ns) / 1000;
	tier->specialised = true;
	tier->since = time(NULL);
	sp->stats.swaps++;
	log_info("hook %s: %u of %u tables specialised", hook_name(hook), tier->n_special, tier->n_tables);
}

static void finish_hook(struct specialiser *sp, enum hook_id hook)
{
	struct special *table[HOOK_TABLES_MAX] = {};
	struct specialise_hook of = hook_of(sp, hook);
	struct tier *tier = &sp->tier[hook];

	tier->tried = true;
	for (unsigned i = 0; i < tier->n_tables; i++)
		if (tier->job[i].state == JOB_READY && load_table(sp, hook, &tier->job[i], &table[i]) == 0)
			add_stats(tier, &tier->job[i], table[i]);
	put_in_place(sp, hook, table, specialise_entry_table(&of));
	for (unsigned i = 0; i < tier->n_tables; i++)
		special_free(table[i]);
}

/* ---- compiling ------------------------------------------------------------------------------------------- */

static struct job *next_job(struct specialiser *sp)
{
	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		for (unsigned i = 0; i < sp->tier[hook].n_tables; i++)
			if (sp->tier[hook].job[i].state == JOB_WAITS)
				return &sp->tier[hook].job[i];
	return NULL;
}

static bool is_tried(const struct tier *tier)
{
	for (unsigned i = 0; i < tier->n_tables; i++)
		if (tier->job[i].state == JOB_WAITS)
			return false;
	return true;
}

static int start(struct specialiser *sp, struct job *job)
{
	char header[PATH_MAX], made[PATH_MAX];
	int r = job->constant ? object_cache_begin(&sp->cache, job->made_from, job->constant) : -ENOMEM;

	object_cache_path(&sp->cache, job->made_from, "h", header);
	object_cache_path(&sp->cache, job->made_from, "new", made);
	if (r == 0)
		r = compile_start(&sp->compiler, header, job->made_from, made, &sp->limits, &sp->compile);
	if (r < 0) {
		object_cache_end(&sp->cache, job->made_from, false);
		return r;
	}
	sp->compiling = job;
	ev_io_set(&sp->said, sp->compile.fd, EV_READ);
	ev_io_start(sp->loop, &sp->said);
	ev_timer_set(&sp->limit, sp->limits.wall_s + 0.1, 0.0);
	ev_timer_start(sp->loop, &sp->limit);
	return 0;
}

/* Goes on with the next table, and finishes the hooks that need no more. */
static void go_on(struct specialiser *sp)
{
	struct job *job;

	while (!sp->compiling && (job = next_job(sp))) {
		char *why = NULL;
		int r = start(sp, job);

		if (r < 0) {
			why_set(&why, r, "the compiler cannot be started: %s", strerror(-r));
			job_failed(sp, job, why);
		}
	}
	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		if (sp->tier[hook].n_tables && !sp->tier[hook].tried && is_tried(&sp->tier[hook]))
			finish_hook(sp, hook);
}

static void compiled(struct specialiser *sp, int r, char *why)
{
	struct job *job = sp->compiling;
	int kept = object_cache_end(&sp->cache, job->made_from, r == 0);

	ev_io_stop(sp->loop, &sp->said);
	ev_timer_stop(sp->loop, &sp->limit);
	sp->compiling = NULL;
	sp->rest_s = REST_S;
	job->compile_us = sp->compile.took_ns / 1000;
	if (r == 0 && kept < 0)
		r = why_set(&why, kept, "%s: cannot be written: %s", sp->cache.folder, strerror(-kept));
	if (r < 0) {
		job_failed(sp, job, why);
		return;
	}
	job->state = JOB_READY;
	sp->stats.compiled++;
	object_cache_prune(&sp->cache);
}

static void on_said(struct ev_loop *loop, ev_io *io, int events)
{
	struct specialiser *sp = io->data;
	char *why = NULL;
	int r = compile_read(&sp->compile, &why);

	if (r == 1)
		return;
	compiled(sp, r, why);
	go_on(sp);
}

/* Ends the compiler; that is read as its end. */
static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct specialiser *sp = timer->data;

	compile_left_ms(&sp->compile);
}

/* A version came while a compiler ran for the one before. */
static void stop_compiling(struct specialiser *sp)
{
	if (!sp->compiling)
		return;
	compile_stop(&sp->compile);
	object_cache_end(&sp->cache, sp->compiling->made_from, false);
	ev_io_stop(sp->loop, &sp->said);
	ev_timer_stop(sp->loop, &sp->limit);
	sp->compiling = NULL;
	sp->rest_s = sp->rest_s * 2 < REST_MAX_S ? sp->rest_s * 2 : REST_MAX_S;
}

/* ---- versions --------------------------------------------------------------------------------------------- */

/* True if there is an object of that name, and it says that it is made from what its name says.  One that does not is
 * damaged, or somebody else put it there: compiled anew. */
static bool is_cached(struct specialiser *sp, const char *made_from)
{
	char path[PATH_MAX], says[SHA256_TEXT] = "";

	if (!object_cache_has(&sp->cache, made_from))
		return false;
	object_cache_path(&sp->cache, made_from, "o", path);
	if (special_read_note(path, says) == 0 && !strcmp(says, made_from))
		return true;
	log_warn("specialised tier: %s is not made from what its name says: removed", path);
	sp->stats.failed++;
	object_cache_remove(&sp->cache, made_from);
	return false;
}

static void begin_table(struct specialiser *sp, const struct specialise_hook *hook, unsigned i)
{
	struct job *job = &sp->tier[hook->id].job[i];

	job->constant = print_constant(hook, i);
	if (!job->constant) {
		job_failed(sp, job, NULL);
		return;
	}
	compiler_made_from(&sp->compiler, job->constant, job->made_from);
	if (is_cached(sp, job->made_from)) {
		job->state = JOB_READY;
		job->cached = true;
		sp->stats.cached++;
	}
}

/* The compiler and the sources may have come since, or gone. */
static int open_compiler(struct specialiser *sp, char **ret_why)
{
	compiler_close(&sp->compiler);
	return compiler_open(sp->config->clang, sp->config->sources, &sp->compiler, ret_why);
}

static bool has_tables(const struct specialiser *sp)
{
	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		if (sp->tier[hook].n_tables)
			return true;
	return false;
}

/* Without a compiler every hook stays as it is. */
static void no_compiler(struct specialiser *sp, char *why)
{
	sp->stats.failed++;
	log_warn("specialised tier: %s; the interpreter goes on", why ?: "no memory");
	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		sp->tier[hook].tried = true;
		sp->tier[hook].why = strdup(why ?: "no memory");
	}
	free(why);
}

static void on_rest(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct specialiser *sp = timer->data;
	char *why = NULL;

	ev_timer_stop(loop, timer);
	if (!has_tables(sp))
		return;
	if (open_compiler(sp, &why) < 0) {
		no_compiler(sp, why);
		return;
	}
	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		struct specialise_hook of = hook_of(sp, hook);

		for (unsigned i = 0; i < sp->tier[hook].n_tables; i++)
			begin_table(sp, &of, i);
	}
	go_on(sp);
}

void specialiser_version_changed(struct specialiser *sp)
{
	const struct plan *plan = versions_plan(sp->versions);

	stop_compiling(sp);
	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		forget_tier(&sp->tier[hook]);
		sp->tier[hook].n_tables = plan->chain[hook].valid ? plan->n_tables[hook] : 0;
	}
	if (!sp->config->specialise)
		return;
	ev_timer_stop(sp->loop, &sp->rest);
	ev_timer_set(&sp->rest, sp->rest_s, 0.0);
	ev_timer_start(sp->loop, &sp->rest);
}

/* ---- life --------------------------------------------------------------------------------------------------- */

int specialiser_new(const struct config *config, struct ev_loop *loop, struct instance *instance,
		    struct versions *versions, struct specialiser **ret)
{
	struct specialiser *sp = calloc(1, sizeof(*sp));
	int r;

	if (!sp)
		return -ENOMEM;
	sp->config = config;
	sp->loop = loop;
	sp->instance = instance;
	sp->versions = versions;
	sp->rest_s = REST_S;
	sp->limits = compile_limits_default;
	if (config->compile_time_ns)
		sp->limits.cpu_s = sp->limits.wall_s = (config->compile_time_ns + NS_PER_S - 1) / NS_PER_S;
	if (config->compile_memory)
		sp->limits.memory_bytes = config->compile_memory;
	ev_timer_init(&sp->rest, on_rest, 0.0, 0.0);
	ev_timer_init(&sp->limit, on_limit, 0.0, 0.0);
	ev_io_init(&sp->said, on_said, -1, EV_READ);
	sp->rest.data = sp->limit.data = sp->said.data = sp;
	r = config->specialise ? object_cache_open(&sp->cache, config->state) : 0;
	if (r < 0) {
		free(sp);
		return r;
	}
	specialiser_version_changed(sp);
	*ret = sp;
	return 0;
}

void specialiser_free(struct specialiser *sp)
{
	if (!sp)
		return;
	stop_compiling(sp);
	ev_timer_stop(sp->loop, &sp->rest);
	for (unsigned hook = 0; hook < HOOK_MAX; hook++)
		forget_tier(&sp->tier[hook]);
	compiler_close(&sp->compiler);
	free(sp);
}

/* ---- what people see ------------------------------------------------------------------------------------------ */

static const char *why_interpreted(const struct specialiser *sp, const struct tier *tier)
{
	if (!sp->config->specialise)
		return "specialise: no";
	return tier->tried ? tier->why ?: "no memory" : "the specialised programs are being made";
}

char *specialiser_line(const struct specialiser *sp, enum hook_id hook)
{
	const struct tier *tier = &sp->tier[hook];
	char since[32] = "", *line = NULL;
	struct tm tm;

	if (!tier->n_tables)
		return NULL;
	if (localtime_r(&tier->since, &tm))
		strftime(since, sizeof(since), "%F %T", &tm);
	if (!tier->specialised) {
		why_set(&line, 0, "tier %s: interpreter since %s (%s)", hook_name(hook), since,
			why_interpreted(sp, tier));
		return line;
	}
	why_set(&line, 0,
		"tier %s: specialised since %s, %u of %u table%s; %u instructions, %u bytes of machine code; compiled "
		"in "
		"%" PRIu64 " ms (%u from the cache), verified and loaded in %" PRIu64 " ms (%u instructions followed), "
		"swapped in %" PRIu64 " us%s%s",
		hook_name(hook), since, tier->n_special, tier->n_tables, tier->n_tables == 1 ? "" : "s",
		tier->stats.instructions, tier->stats.machine_bytes, tier->compile_us / 1000, tier->n_cached,
		tier->stats.load_us / 1000, tier->stats.verified, tier->swap_us,
		tier->why ? "; the rest interpreted: " : "", tier->why ?: "");
	return line;
}

char *specialiser_sums(const struct specialiser *sp)
{
	char *line = NULL;

	if (sp->stats.compiled || sp->stats.cached || sp->stats.failed || sp->stats.swaps)
		why_set(&line, 0,
			"specialiser: %" PRIu64 " objects compiled, %" PRIu64 " from the cache, %" PRIu64
			" failures, %" PRIu64 " hooks swapped",
			sp->stats.compiled, sp->stats.cached, sp->stats.failed, sp->stats.swaps);
	return line;
}
