/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xdp_link - a root program on an interface as a bpf_link, at XDP or tcx. */
#ifndef MEALY_XDP_LINK_H
#define MEALY_XDP_LINK_H

#include <stdbool.h>

#include "attach.h"

/* The XDP program of an interface. */
struct xdp_there {
	unsigned prog_id; /* 0: none. */
	bool generic;
};
int xdp_link_query(unsigned ifindex, struct xdp_there *ret_there);

/* "xdp_filter (id 17)", for errors. */
void xdp_link_describe(unsigned prog_id, char *buf, unsigned size);

/* Attaches; with XDP_MODE_AUTO first to the driver, then to skbs.  Returns the link's fd or -errno; '*ret_generic'
 * tells what became of it. */
int xdp_link_create(int prog_fd, unsigned ifindex, enum xdp_mode mode, bool *ret_generic);

/* Attaches at tcx; -EOPNOTSUPP when this kernel has none. */
int tcx_link_create(int prog_fd, unsigned ifindex, bool egress);

/* Interface that a link sits on; 0 when the interface is gone. */
int link_ifindex(int link_fd, unsigned *ret_ifindex);

unsigned prog_id_of(int prog_fd);

#endif
