/* SPDX-License-Identifier: GPL-2.0-or-later */
/* specialiser - brings the tables of the active version to the specialised tier, in the background.
 *
 *     commit -> wait until changes rest -> for each table: print its constant, name it by its hash
 *            -> an object of that name is there, or compile one (compiler.h)
 *            -> all tables of a hook are tried: load, check, one store: the hook runs them (special.h)
 *
 * T1. A new version runs on the interpreter at once; whatever fails here leaves it there, is kept in words and counted.
 * T2. Nothing here changes what a packet finds: tables, flows, counters and deadlines are the same in both tiers.
 * T3. A parameter is part of the constant, so a `set` compiles anew: values in a map would be operands of another kind
 *     for the encoder, the folding of constants in applications and every loop of the datapath, for the sake of a
 *     second in the background.  Changes in quick succession only prolong the wait: each one that overtakes a compiler
 *     doubles it, up to REST_MAX_S.
 * T4. One compiler at a time; the loop waits for it only as for any descriptor.  Loading is done in the loop: a table
 *     takes some ten milliseconds of the verifier. */
#ifndef MEALY_SPECIALISER_H
#define MEALY_SPECIALISER_H

#include <ev.h>

#include "config.h"
#include "version.h"

struct specialiser;

/* Without `specialise: yes` it only says that every hook is the interpreter's. */
int specialiser_new(const struct config *config, struct ev_loop *loop, struct instance *instance,
		    struct versions *versions, struct specialiser **ret_specialiser);
void specialiser_free(struct specialiser *specialiser);

/* After each commit and at the start. */
void specialiser_version_changed(struct specialiser *specialiser);

/* "tier xdp: specialised since ...", to be freed; NULL: no table is on the hook. */
char *specialiser_line(const struct specialiser *specialiser, enum hook_id hook);
/* "specialiser: 3 objects compiled, ...", to be freed; NULL: it has done nothing. */
char *specialiser_sums(const struct specialiser *specialiser);

#endif
