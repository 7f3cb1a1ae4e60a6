/* SPDX-License-Identifier: GPL-2.0-or-later */
/* special - programs compiled around a table: loaded, checked, and put in place of the interpreter's.
 *
 * A hook of a version's slot runs either the interpreter, or the specialised programs of some of its tables with the
 * interpreter's for the rest (datapath/hook_special.h).  Both use the same maps and the same tables' bytes, so to
 * change from one to the other is one store to the roots' array, at any time, under load; what is under way ends where
 * it began.  A slot's array is filled only while nobody runs it. */
#ifndef MEALY_SPECIAL_H
#define MEALY_SPECIAL_H

#include "../common/sha256.h"
#include "instance.h"

struct special; /* The programs of one table. */

struct special_stats {
	unsigned instructions;	/* As the kernel runs them. */
	unsigned machine_bytes; /* 0: it has no compiler for them. */
	unsigned verified;	/* Instructions that the verifier followed. */
	uint64_t load_us;
};

/* The hash that an object says it is made from.
 *   -EPROTO  it is no object of ours, or says nothing. */
int special_read_note(const char *path, char ret_made_from[SHA256_TEXT]);

/* Loads the object at 'path', which must be made from 'made_from', with the instance's maps and configuration, for one
 * hook and slot.
 *   -EPROTO  it is made from something else;  or what the kernel says. */
int special_load(struct instance *instance, enum hook_id hook, unsigned slot, const char *path, const char *made_from,
		 struct special **ret_special, char **ret_why);
void special_free(struct special *special);
struct special_stats special_stats(const struct special *special);

/* Fills the slot's array with the programs of 'table' (NULL: the interpreter's) and sends its packets there; what was
 * loaded may be freed then.  One of them must have the hook's entry. */
int special_put(struct instance *instance, enum hook_id hook, unsigned slot, struct special *const *table,
		unsigned n_tables);

/* Sends the slot's packets to the interpreter.  Nothing to do for a hook whose programs are not loaded. */
int special_take_off(struct instance *instance, enum hook_id hook, unsigned slot);

/* Frees what special_put() left in the array; after grace, when nobody runs it. */
void special_clear(struct instance *instance, enum hook_id hook, unsigned slot);

/* For tests: the loaded object. */
struct bpf_object *special_object(const struct special *special);

#endif
