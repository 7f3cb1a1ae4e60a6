// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tiers.h"

enum rig_tier tier;

struct rig *rig_with(const char *path_or_text, const char *setting)
{
	struct rig *rig = rig_open(tier);

	rig_load(rig, path_or_text, setting, NULL);
	rig_commit(rig);
	return rig;
}

/* Natively, as the kernel answers for what it has no neighbour for. */
static enum exit_reason no_neighbour(void *data, const struct native_route *ask, struct native_way *ret_way)
{
	(void)data;
	(void)ask;
	(void)ret_way;
	return EXIT_ROUTE_KERNEL;
}

struct rig *rig_before_kernel(const char *path_or_text, const char *setting)
{
	struct rig *rig = rig_with(path_or_text, setting);

	if (tier == RIG_NATIVE)
		rig_set_router(rig, no_neighbour);
	return rig;
}

enum exit_reason send_one(struct rig *rig, unsigned port, struct frame frame)
{
	return rig_send(rig, port, frame).exit;
}

int open_inner_map(struct rig *rig, const char *name)
{
	__u32 zero = 0, id;
	int fd;

	assert_int_equal(bpf_map_lookup_elem(rig_map_fd(rig, name), &zero, &id), 0);
	fd = bpf_map_get_fd_by_id(id);
	assert_true(fd >= 0);
	return fd;
}

static int find_tier(const char *name)
{
	for (unsigned i = 0; i < RIG_TIER_MAX; i++)
		if (!strcmp(rig_tier_name(i), name))
			return i;
	return -1;
}

static const struct {
	const struct CMUnitTest *tests;
	const size_t *n;
	const char *name;
	bool specialised;
} groups[] = {
#define TIER_GROUP(noun, name, specialised) {noun##_tests, &n_##noun##_tests, name, specialised},
	TIER_GROUPS(TIER_GROUP)
#undef TIER_GROUP
};

/* All groups in one tier; nonzero: a test failed, RIG_SKIP: the tier is not to be had here. */
static int run_tier(enum rig_tier t)
{
	int failed = 0;

	tier = t;
	if (!rig_can(tier))
		return RIG_SKIP;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (tier != RIG_SPECIALISED || groups[i].specialised || getenv("MEALY_LONG"))
			failed += _cmocka_run_group_tests(groups[i].name, groups[i].tests, *groups[i].n, NULL, NULL);
	return failed != 0;
}

/* Several tiers in one process load the programs once. */
int main(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc && !status; i++) {
		int t = find_tier(argv[i]);

		status = t < 0 ? 2 : run_tier(t);
	}
	if (argc < 2 || status == 2)
		fprintf(stderr, "usage: %s xdp|tc-ingress|tc-egress|native|specialised...\n", argv[0]);
	return argc < 2 ? 2 : status;
}
