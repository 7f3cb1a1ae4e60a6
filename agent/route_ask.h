/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route_ask - what the kernel's routes say of one packet, by netlink: for trace, which runs nothing in the kernel. */
#ifndef MEALY_ROUTE_ASK_H
#define MEALY_ROUTE_ASK_H

#include "../datapath/native.h"

/* 'in_ifindex' is where the packet came in.  Returns EXIT_ROUTE with '*ret_ifindex' and the hardware addresses of
 * '*ret_way' (its port stays 0), EXIT_ROUTE_KERNEL or EXIT_ROUTE_NONE.  What the kernel
 * does not answer is left to it. */
enum exit_reason route_ask_kernel(const struct native_route *ask, unsigned in_ifindex, unsigned *ret_ifindex,
				  struct native_way *ret_way);

#endif
