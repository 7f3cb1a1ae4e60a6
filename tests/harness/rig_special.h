/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rig_special - a rig's tables compiled into the datapath's source and put in place of the interpreter, as the agent
 * does it. */
#ifndef MEALY_TEST_RIG_SPECIAL_H
#define MEALY_TEST_RIG_SPECIAL_H

#include <stdbool.h>

#include "../../agent/special.h"
#include "rig_plan.h"

struct rig_special {
	struct special *table[VERSIONS][HOOK_TABLES_MAX];
};

/* Compiles the tables of 'hook' in 'slot', which the instance holds already, and makes them the slot's programs.  A
 * version without a first table stays with the interpreter. */
void rig_special_put(struct rig_special *special, struct instance *instance, enum hook_id hook, unsigned slot);
void rig_special_done(struct rig_special *special);

/* Of a loaded object: machine code of a program in bytes, whether it uses a map, and its read-only data. */
unsigned rig_program_size(struct bpf_object *object, const char *program);
bool rig_program_uses(struct bpf_object *object, const char *program, int map);
unsigned rig_special_rodata_size(struct bpf_object *object);

#endif
