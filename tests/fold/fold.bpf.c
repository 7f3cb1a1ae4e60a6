// SPDX-License-Identifier: GPL-2.0-or-later
/* fold - the datapath's source around a constant table, to prove that it folds.
 *
 * fold_table.h defines specialised_table as tables/specialise printed it.  The programs are the interpreter's own, one
 * for one, in a program array of their own, so nothing of the interpreter runs and the map of tables is not there. */
#define MEALY_HOOK_XDP
#define MEALY_SPECIALISED
#define interp_xdp fold_xdp
#include "pipeline.h"
#include "fold_table.h"
#include "switch_root.h"

const volatile struct switch_config switch_config SEC(".rodata.config");
struct globals globals SEC(".data.globals");
struct groups groups SEC(".data.groups");
struct meters meters SEC(".data.meters");

SWITCH_PROGRAM(fold, "xdp.frags", xdp_md, HOOK_XDP, entry)
SWITCH_PROGRAM(fold, "xdp.frags", xdp_md, HOOK_XDP, table)
SWITCH_PROGRAM(fold, "xdp.frags", xdp_md, HOOK_XDP, action)

char LICENSE[] SEC("license") = "GPL";
