/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rig_fold - a rig's tables compiled into the datapath's source and put in place of the interpreter's entry. */
#ifndef MEALY_TEST_RIG_FOLD_H
#define MEALY_TEST_RIG_FOLD_H

#include <stdbool.h>

#include "rig_plan.h"

struct bpf_object;
struct instance;

struct rig_fold {
	struct bpf_object *object[VERSIONS];
};

/* Compiles the version's table into the datapath's programs, which share all maps of 'instance' and become the entry of
 * 'slot'. A version that has not exactly one table stays with the interpreter. */
void rig_fold_put(struct rig_fold *fold, const struct rig_plan *plan, struct instance *instance, unsigned slot);
void rig_fold_done(struct rig_fold *fold);

/* Of a loaded object: machine code of a program in bytes, whether it uses a map, and its read-only data. */
unsigned rig_fold_program_size(struct bpf_object *object, const char *program);
bool rig_fold_program_uses(struct bpf_object *object, const char *program, int map);
unsigned rig_fold_rodata_size(struct bpf_object *object);

#endif
