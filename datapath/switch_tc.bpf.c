/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch_tc - the switch at tc, ingress and egress. */
#define MEALY_HOOK_TC
#include "switch_root.h"

SWITCH_PROGRAMS(tci, "tc", __sk_buff, HOOK_TC_INGRESS)
SWITCH_PROGRAMS(tce, "tc", __sk_buff, HOOK_TC_EGRESS)

char LICENSE[] SEC("license") = "GPL";
