/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "desired.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"

struct held {
	unsigned n_refs;
	struct message *msg;
	uint64_t digest;
};

/* ---- one deployment ---- */

/* Copies through the wire's form: it owns everything and keeps the message's limits. */
static int held_new(const struct deployment *deployment, struct held **ret_held)
{
	struct message msg = {.kind = MSG_DEPLOY, .id = 1, .switch_name = "", .deploy = *deployment};
	_cleanup_free_ uint8_t *bytes = NULL;
	struct held *held;
	char why[256];
	size_t size;
	int r;

	r = message_pack(&msg, &bytes, &size);
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	held = calloc(1, sizeof(*held));
	if (!held)
		return -ENOMEM;
	r = message_unpack(bytes, size, &held->msg, why);
	if (r < 0) {
		free(held);
		return r == -ENOMEM ? r : -EINVAL;
	}
	held->n_refs = 1;
	held->digest = deployment_digest(&held->msg->deploy);
	*ret_held = held;
	return 0;
}

static void held_drop(struct held *held)
{
	if (--held->n_refs)
		return;
	message_free(held->msg);
	free(held);
}

const struct deployment *held_get(const struct held *held)
{
	return &held->msg->deploy;
}

uint64_t held_digest(const struct held *held)
{
	return held->digest;
}

/* ---- the set ---- */

struct desired *desired_new(void)
{
	return calloc(1, sizeof(struct desired));
}

void desired_free(struct desired *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n; i++)
		held_drop(set->item[i]);
	for (size_t i = 0; i < set->n_removed; i++)
		free(set->removed[i].name);
	free(set);
}

struct desired *desired_copy(const struct desired *set)
{
	struct desired *copy = desired_new();

	if (!copy)
		return NULL;
	for (size_t i = 0; i < set->n; i++) {
		copy->item[copy->n++] = set->item[i];
		set->item[i]->n_refs++;
	}
	for (size_t i = 0; i < set->n_removed; i++) {
		copy->removed[i].name = strdup(set->removed[i].name);
		if (!copy->removed[i].name) {
			desired_free(copy);
			return NULL;
		}
		copy->removed[i].version = set->removed[i].version;
		copy->n_removed++;
	}
	return copy;
}

/* Where 'name' is, or where it belongs. */
static size_t place_of(const struct desired *set, const char *name, bool *ret_found)
{
	size_t i = 0;
	int c = -1;

	while (i < set->n && (c = strcmp(held_get(set->item[i])->name, name)) < 0)
		i++;
	*ret_found = i < set->n && c == 0;
	return i;
}

const struct held *desired_find(const struct desired *set, const char *name)
{
	bool found;
	size_t i = place_of(set, name, &found);

	return found ? set->item[i] : NULL;
}

static struct removed *find_removed(const struct desired *set, const char *name)
{
	for (size_t i = 0; i < set->n_removed; i++)
		if (!strcmp(set->removed[i].name, name))
			return (struct removed *)&set->removed[i];
	return NULL;
}

static void forget_removed(struct desired *set, size_t i)
{
	free(set->removed[i].name);
	set->n_removed--;
	memmove(&set->removed[i], &set->removed[i + 1], (set->n_removed - i) * sizeof(set->removed[0]));
}

static int remember_removed(struct desired *set, const char *name, uint64_t version)
{
	struct removed *old = find_removed(set, name);
	char *copy;

	if (old) {
		if (version > old->version)
			old->version = version;
		return 0;
	}
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	if (set->n_removed == REMOVED_MAX)
		forget_removed(set, 0);
	set->removed[set->n_removed++] = (struct removed){copy, version};
	return 0;
}

uint64_t desired_version(const struct desired *set, const char *name)
{
	const struct held *held = desired_find(set, name);
	const struct removed *gone = find_removed(set, name);

	return held ? held_get(held)->version : gone ? gone->version : 0;
}

/* 'force' or newer: goes on with 0.  The same again: 1. */
static int check_version(const struct desired *set, const struct held *held, bool force)
{
	const struct deployment *deployment = held_get(held);
	const struct held *old = desired_find(set, deployment->name);

	if (old && old->digest == held->digest && held_get(old)->version == deployment->version)
		return 1;
	if (force || deployment->version > desired_version(set, deployment->name))
		return 0;
	return old && deployment->version == held_get(old)->version ? 0 : -ESTALE;
}

int desired_put(struct desired *set, const struct deployment *deployment, bool force)
{
	struct deployment numbered = *deployment;
	struct removed *gone;
	struct held *held;
	bool found;
	size_t i;
	int r;

	if (!numbered.version) {
		numbered.version = desired_version(set, numbered.name);
		numbered.version += !numbered.version;
		force = true;
	}
	r = held_new(&numbered, &held);
	if (r < 0)
		return r;
	r = check_version(set, held, force);
	i = place_of(set, numbered.name, &found);
	if (r == 0 && !found && set->n == DEPLOYMENTS_MAX)
		r = -ENOSPC;
	if (r != 0) {
		held_drop(held);
		return r < 0 ? r : DESIRED_SAME;
	}
	if (found) {
		held_drop(set->item[i]);
	} else {
		memmove(&set->item[i + 1], &set->item[i], (set->n - i) * sizeof(set->item[0]));
		set->n++;
	}
	set->item[i] = held;
	gone = find_removed(set, numbered.name);
	if (gone)
		forget_removed(set, gone - set->removed);
	return DESIRED_CHANGED;
}

int desired_remove(struct desired *set, const char *name, uint64_t version)
{
	uint64_t known = desired_version(set, name);
	bool found;
	size_t i = place_of(set, name, &found);
	int r;

	if (version && version < known)
		return -ESTALE;
	if (!found && !known && !version)
		return DESIRED_SAME;
	r = remember_removed(set, name, version ? version : known);
	if (r < 0)
		return r;
	if (!found)
		return DESIRED_SAME;
	held_drop(set->item[i]);
	set->n--;
	memmove(&set->item[i], &set->item[i + 1], (set->n - i) * sizeof(set->item[0]));
	return DESIRED_CHANGED;
}

uint64_t desired_digest(const struct desired *set)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < set->n; i++)
		sum = state_digest_add(sum, set->item[i]->digest);
	return sum;
}
