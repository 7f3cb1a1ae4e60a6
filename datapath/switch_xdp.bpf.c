/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch_xdp - the switch at XDP.  All programs know fragments, or they could not share a program array. */
#define MEALY_HOOK_XDP
#include "switch_root.h"

SWITCH_PROGRAMS(xdp, "xdp.frags", xdp_md, HOOK_XDP)

char LICENSE[] SEC("license") = "GPL";
