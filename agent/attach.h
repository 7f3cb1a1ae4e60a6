/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attach - the roots of an instance on the hooks of the ports.
 *
 * XDP and, where the kernel has it, tcx are attached by links pinned in the switch's `links` folder.
 * A link of an older instance is updated in place, so no packet meets an interface without a root.
 * Without tcx a clsact filter with a fixed handle and priority does the same.  Names in the folder
 * are "xdp-<ifindex>", "tcx-in-<ifindex>", "tcx-out-<ifindex>"; empty folders "filter-in-<ifindex>",
 * "filter-out-<ifindex>" and "clsact-<ifindex>" (the qdisc is ours) stand for what cannot be pinned.
 *
 * A foreign XDP program is never replaced.
 *
 * Works in the network namespace of the caller.  One thread.  Logs nothing. */
#ifndef MEALY_ATTACH_H
#define MEALY_ATTACH_H

#include "instance.h"

struct attach;

enum xdp_mode { XDP_MODE_AUTO, XDP_MODE_NATIVE, XDP_MODE_GENERIC };
enum tc_mode { TC_MODE_AUTO, TC_MODE_TCX, TC_MODE_FILTER };

/* Where and how one port is attached. */
struct attach_state {
	unsigned hooks; /* Bits 1 << enum hook_id. */
	bool generic;	/* XDP runs on skbs. */
	bool tcx;
};

int attach_new(struct instance *instance, enum xdp_mode xdp_mode, enum tc_mode tc_mode, struct attach **ret_attach);
/* Closes; the roots stay where they are. */
void attach_free(struct attach *attach);

/* Makes the root programs of this instance run on exactly the hooks in 'hooks' (bits 1 << enum hook_id)
 * of interface 'ifindex'.  A root that this object put there is not touched again, so what fails costs no other hook.
 *
 *   -EBUSY    a foreign XDP program is there; the text names it;
 *   -ENODEV   no such interface;
 *   -EOPNOTSUPP  XDP_MODE_NATIVE, and the driver has no XDP. */
int attach_set(struct attach *attach, unsigned ifindex, unsigned hooks, char **ret_why);

/* Forgets an interface that is gone or no port any more; what is still attached goes. */
void attach_drop(struct attach *attach, unsigned ifindex);

/* -ENOENT when nothing is attached there. */
int attach_get(const struct attach *attach, unsigned ifindex, struct attach_state *ret_state);

/* Drops every interface found in the links folder that attach_set() has not claimed. */
void attach_settle(struct attach *attach);

/* Detaches everything that the links folder names, without an instance. */
int attach_remove_all(const struct pin *pin, char **ret_why);

#endif
