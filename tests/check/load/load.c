// SPDX-License-Identifier: GPL-2.0-or-later
/* Loads every program of the switch and says what it costs: instructions that the verifier looked at, instructions and
 * machine code. Fails when a program comes near the kernel's limit of a million. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "datapath/object.h"

enum { VERIFIED_MAX = 900000, SKIP = 77 };

static int report(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size)) {
		printf("%-12s no information\n", bpf_program__name(program));
		return 1;
	}
	printf("%-12s %10u %10u %10u%s\n", bpf_program__name(program), info.verified_insns, info.xlated_prog_len / 8,
	       info.jited_prog_len, info.verified_insns > VERIFIED_MAX ? "  too many verified" : "");
	return info.verified_insns > VERIFIED_MAX;
}

int main(void)
{
	struct bpf_object *object;
	struct bpf_program *program;
	int failed = 0;

	if (geteuid())
		return SKIP;
	object = bpf_object__open_mem(mealy_bpf_object_data, mealy_bpf_object_size, NULL);
	if (!object || bpf_object__load(object)) {
		fprintf(stderr, "the object does not load\n");
		bpf_object__close(object);
		return 1;
	}
	printf("%-12s %10s %10s %10s\n", "program", "verified", "insns", "bytes");
	bpf_object__for_each_program(program, object) failed |= report(program);
	bpf_object__close(object);
	return failed;
}
