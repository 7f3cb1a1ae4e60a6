// SPDX-License-Identifier: GPL-2.0-or-later
#include "hand.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* clang may order read-only variables otherwise than the source does, so BTF says where each one lies. */
static void set_rodata(struct bpf_object *object, const char *name, __u64 value)
{
	struct btf *btf = bpf_object__btf(object);
	size_t size;
	char *data = (char *)bpf_map__initial_value(bpf_object__find_map_by_name(object, ".rodata"), &size);
	const struct btf_type *sec = btf__type_by_id(btf, btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC));
	const struct btf_var_secinfo *var = btf_var_secinfos(sec);

	for (unsigned i = 0; i < btf_vlen(sec); i++, var++) {
		const struct btf_type *type = btf__type_by_id(btf, var->type);

		if (strcmp(btf__name_by_offset(btf, type->name_off), name))
			continue;
		memcpy(data + var->offset, &value, var->size);
		return;
	}
	errno = ENOENT;
	fail(name);
}

struct bpf_object *hand_open(unsigned flows, bool in_order, unsigned out_ifindex)
{
	struct bpf_object *object = bpf_object__open(HAND_OBJECT);

	if (!object)
		fail(HAND_OBJECT);
	set_rodata(object, "interval_ns", 1000000000);
	set_rodata(object, "burst", 5);
	set_rodata(object, "flow_mask", flows - 1);
	set_rodata(object, "in_order", in_order);
	set_rodata(object, "out_ifindex", out_ifindex);
	if (bpf_object__load(object))
		fail("load of the hand-written programs");
	return object;
}

int hand_fd(struct bpf_object *object, const char *program)
{
	return bpf_program__fd(bpf_object__find_program_by_name(object, program));
}

int hand_wheel(struct bpf_object *object, bool tc, int target)
{
	int map = bpf_object__find_map_fd_by_name(object, tc ? "wheel_tc_next" : "wheel_xdp_next");
	__u32 zero = 0;

	if (bpf_map_update_elem(map, &zero, &target, BPF_ANY))
		fail("wheel");
	return hand_fd(object, tc ? "wheel_tc" : "wheel_xdp");
}
