/* SPDX-License-Identifier: GPL-2.0-or-later */
/* back_machine_op - the machine's cells: filled from a packet and the globals, worked on by operations. */
#ifndef BACK_MACHINE_OP_H
#define BACK_MACHINE_OP_H

#include "back_machine.h"

/* The metadata of a packet, and which headers it has. */
void machine_set_meta(struct machine *m, const struct part *part, size_t n);
/* The fields that table 't' loads. */
void machine_run_loads(struct machine *m, const struct table *t, const struct part *part, size_t n);
void machine_load_globals(struct machine *m, const struct table *t);
/* Operations 'first' to 'first' + 'n' - 1 of 't'. */
void machine_run_ops(struct machine *m, const struct table *t, unsigned first, unsigned n);

#endif
