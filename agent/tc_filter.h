/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tc_filter - a root program as a clsact filter, for kernels without tcx.
 *
 * Such a filter has no owner: ours is found again by its handle, its priority and its program's name. */
#ifndef MEALY_TC_FILTER_H
#define MEALY_TC_FILTER_H

#include <stdbool.h>

enum tc_side { TC_SIDE_INGRESS, TC_SIDE_EGRESS };

enum { TC_FILTER_HANDLE = 0x4d4c, TC_FILTER_PRIORITY = 0x4d4c };

/* Makes the clsact qdisc if there is none; '*ret_made' tells. */
int tc_filter_make_qdisc(unsigned ifindex, bool *ret_made);

/* Puts 'prog_fd' in our place, replacing a program of ours; -EBUSY if it is somebody else's. */
int tc_filter_set(unsigned ifindex, enum tc_side side, int prog_fd);

/* 0 also if there is none of ours. */
int tc_filter_remove(unsigned ifindex, enum tc_side side);

/* Removes the qdisc unless somebody's filter is still in it. */
int tc_filter_remove_qdisc(unsigned ifindex);

#endif
