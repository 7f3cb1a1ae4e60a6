/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "known.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "entries.h"
#include "../common/log.h"
#include "../tables/app.h"
#include "relay.h"
#include "sync.h"
#include "work.h"

enum { TWIN_SHOWN_MS = 5 * 60 * 1000 };

#define TWIN_TEXT "two agents with this name take the switch from each other: give one of them another name"

uint64_t unix_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static bool has_twin(const struct known *k)
{
	return k->twin_ms && unix_ms() - k->twin_ms < TWIN_SHOWN_MS;
}

bool known_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_LEN_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

struct known *known_find(struct controller *c, const char *name)
{
	for (size_t i = 0; i < c->n_known; i++)
		if (!strcmp(c->known[i]->name, name))
			return c->known[i];
	return NULL;
}

/* Keeps the list in the order of names, which is how people see it. */
static int insert(struct controller *c, struct known *k)
{
	struct known **list = realloc(c->known, (c->n_known + 1) * sizeof(*list));
	size_t i = c->n_known;

	if (!list)
		return -ENOMEM;
	for (; i > 0 && strcmp(list[i - 1]->name, k->name) > 0; i--)
		list[i] = list[i - 1];
	list[i] = k;
	c->known = list;
	c->n_known++;
	return 0;
}

struct known *known_add(struct controller *c, const char *name)
{
	struct known *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->c = c;
	k->name = strdup(name);
	k->build = strdup("");
	k->kernel = strdup("");
	k->work_end = &k->work;
	sync_init(k);
	if (!k->name || !k->build || !k->kernel || insert(c, k) < 0) {
		known_free(k);
		return NULL;
	}
	return k;
}

int known_forget(struct known *k)
{
	struct controller *c = k->c;
	struct known **list = realloc(c->forgotten, (c->n_forgotten + 1) * sizeof(*list));
	size_t i = 0;
	int r;

	if (!list)
		return -ENOMEM;
	c->forgotten = list;
	r = store_remove_switch(c->store, k->name);
	if (r < 0)
		return r;
	c->forgotten[c->n_forgotten++] = k;
	while (c->known[i] != k)
		i++;
	memmove(&c->known[i], &c->known[i + 1], (--c->n_known - i) * sizeof(c->known[0]));
	log_info("switch %s: forgotten", k->name);
	relay_own(c, "switch", k->name, "", "forgotten");
	return 0;
}

void known_free(struct known *k)
{
	if (!k)
		return;
	work_drop(k);
	entries_forget(k);
	sync_done(k);
	for (size_t i = 0; i < k->n_outcomes; i++) {
		free(k->outcome[i].name);
		free(k->outcome[i].problem);
	}
	free(k->outcome);
	free(k->name);
	free(k->build);
	free(k->kernel);
	free(k);
}

struct peer *known_peer(struct known *k)
{
	return k->peer ? peer_find(k->c->agents, k->peer) : NULL;
}

static void remember(struct known *k)
{
	struct known_switch row = {
		.name = k->name, .address = "", .build = k->build, .kernel = k->kernel, .seen_ms = k->since_ms};

	if (store_put_switch(k->c->store, &row) < 0)
		log_warn("switch %s: not noted in the store: %s", k->name, store_error(k->c->store));
}

static void replace_string(char **to, const char *text)
{
	char *copy = strdup(text);

	if (copy) {
		free(*to);
		*to = copy;
	}
}

/* An agent that was started again comes with a new instance and its old one never returns; two that are alive take
 * turns. */
static void look_for_twin(struct known *k, const struct msg_hello *hello)
{
	if (!k->instance || k->instance == hello->instance)
		return;
	if (hello->instance == k->before) {
		if (!has_twin(k)) {
			log_error("switch %s: two agents with this name take the switch from each other: give one of "
				  "them "
				  "another name",
				  k->name);
			relay_own(k->c, "switch", k->name, "", TWIN_TEXT);
		}
		k->twin_ms = unix_ms();
	}
	k->before = k->instance;
}

void known_connect(struct known *k, struct peer *peer, const struct msg_hello *hello)
{
	if (k->peer) {
		log_warn("switch %s: connected again while its earlier connection was still open; the new one counts",
			 k->name);
		known_disconnect(k, "replaced by a newer connection");
	}
	look_for_twin(k, hello);
	k->peer = peer_id(peer);
	k->instance = hello->instance;
	k->active_version = hello->active_version;
	k->n_ports = hello->n_ports;
	k->since_ms = unix_ms();
	k->event_sequence = 0;
	replace_string(&k->build, hello->build);
	replace_string(&k->kernel, hello->kernel);
	remember(k);
	log_info("switch %s: connected, build %s, kernel %s, %u port%s", k->name, k->build, k->kernel, k->n_ports,
		 k->n_ports == 1 ? "" : "s");
	relay_own(k->c, "switch", k->name, "", "connected");
	sync_connected(k, hello->state_digest);
}

void known_disconnect(struct known *k, const char *why)
{
	if (!k->peer)
		return;
	k->peer = 0;
	k->since_ms = unix_ms();
	remember(k);
	log_warn("switch %s: connection lost: %s", k->name, why);
	work_drop(k);
	entries_forget(k);
	sync_lost(k);
	relay_own(k->c, "switch", k->name, "", why[0] ? why : "connection lost");
}

static struct outcome *find_outcome(const struct known *k, const char *name)
{
	for (size_t i = 0; i < k->n_outcomes; i++)
		if (!strcmp(k->outcome[i].name, name))
			return &k->outcome[i];
	return NULL;
}

static struct outcome *add_outcome(struct known *k, const char *name)
{
	struct outcome *list = realloc(k->outcome, (k->n_outcomes + 1) * sizeof(*list));
	char *copy = strdup(name);

	if (list)
		k->outcome = list;
	if (!list || !copy) {
		free(copy);
		return NULL;
	}
	list[k->n_outcomes] = (struct outcome){.name = copy};
	return &list[k->n_outcomes++];
}

void known_set_outcome(struct known *k, const char *name, uint64_t version, const char *problem)
{
	struct outcome *o = find_outcome(k, name);

	if (!o)
		o = add_outcome(k, name);
	if (!o)
		return; /* Without memory it reads as pending, which is what a person should look at. */
	free(o->problem);
	o->problem = problem ? strdup(problem) : NULL;
	o->version = version;
}

void known_drop_outcome(struct known *k, const char *name)
{
	struct outcome *o = find_outcome(k, name);

	if (!o)
		return;
	free(o->name);
	free(o->problem);
	*o = k->outcome[--k->n_outcomes];
}

uint32_t known_count_pending(const struct known *k, const struct deployment_list *desired, const char **ret_problem)
{
	uint32_t n = 0;

	*ret_problem = has_twin(k) ? TWIN_TEXT : k->sync_problem ? k->sync_problem : "";
	for (size_t i = 0; i < desired->n; i++) {
		const struct outcome *o = find_outcome(k, desired->item[i].name);

		if (fnmatch(desired->item[i].switches, k->name, 0) != 0)
			continue;
		if (o && o->version == desired->item[i].version && !o->problem)
			continue;
		n++;
		if (o && o->problem && !(*ret_problem)[0])
			*ret_problem = o->problem;
	}
	return n;
}
