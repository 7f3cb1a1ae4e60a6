/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch - the programs at the kernel's tracepoints that count redirects which failed after the verdict.
 *
 * Their links are pinned in the instance's folder and go with it.  A tracepoint's link cannot be given another program,
 * so an older instance's stay attached until it is settled; which of them counts is one word in a shared map. */
#ifndef MEALY_WATCH_H
#define MEALY_WATCH_H

struct bpf_object;

/* Attaches and pins all of them, or none: then '*ret_why' says in words why, and the switch runs without. */
int watch_attach(struct bpf_object *object, const char *folder, char **ret_why);

/* From now on the programs of instance 'number' count, and no others'.  0 or -errno. */
int watch_take(struct bpf_object *object, unsigned number);

#endif
