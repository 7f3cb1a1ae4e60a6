/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rig_fold - a rig's tables compiled into the datapath's source and put in place of the interpreter's entry. */
#ifndef MEALY_TEST_RIG_FOLD_H
#define MEALY_TEST_RIG_FOLD_H

#include "rig_plan.h"

struct bpf_object;
struct instance;

struct rig_fold { struct bpf_object *object[VERSIONS]; };

/* Compiles and loads; the program shares all maps of 'instance' and becomes the entry of 'slot'. */
void rig_fold_put(struct rig_fold *fold, const struct rig_plan *plan, struct instance *instance, unsigned slot);
void rig_fold_done(struct rig_fold *fold);

unsigned rig_fold_program_size(struct bpf_object *object, const char *program);
unsigned rig_fold_rodata_size(const struct rig_fold *fold);

#endif
