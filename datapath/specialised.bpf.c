/* SPDX-License-Identifier: GPL-2.0-or-later */
/* specialised - the programs of one table, compiled around it.
 *
 * MEALY_SPECIALISED names the file that tables/specialise printed: the table as a constant, what leads from and to it,
 * and which of the programs it needs.  MEALY_MADE_FROM is the hash of all that the object is made from (agent/made.h),
 * as a string, which the object carries as a note. */
#include MEALY_SPECIALISED
#if SPECIALISED_XDP
#define MEALY_HOOK_XDP
#else
#define MEALY_HOOK_TC
#endif
#include "switch_root.h"
#if SPECIALISED_MATCH
#include "match.h"
#endif

const volatile struct switch_config switch_config SEC(".rodata.config");
struct globals globals SEC(".data.globals");
struct meters meters SEC(".data.meters");
#if SPECIALISED_GROUPS
struct groups groups SEC(".data.groups");
#endif

/* An ELF note: sizes of name and content, type, name, content. */
const struct {
	__u32 name_size, size, type;
	char name[8], made_from[sizeof(MEALY_MADE_FROM)];
} made_from __attribute__((used)) SEC(".note.mealy") = {6, sizeof(MEALY_MADE_FROM), 1, "Mealy", MEALY_MADE_FROM};

#if SPECIALISED_XDP
#define SPECIAL_PROGRAM(what) SWITCH_PROGRAM(special, "xdp.frags", xdp_md, HOOK_XDP, what)
#elif SPECIALISED_INGRESS
#define SPECIAL_PROGRAM(what) SWITCH_PROGRAM(special, "tc", __sk_buff, HOOK_TC_INGRESS, what)
#else
#define SPECIAL_PROGRAM(what) SWITCH_PROGRAM(special, "tc", __sk_buff, HOOK_TC_EGRESS, what)
#endif

#if SPECIALISED_ENTRY
SPECIAL_PROGRAM(entry)
#endif
#if SPECIALISED_REACHED
SPECIAL_PROGRAM(table)
#endif
#if SPECIALISED_ACTION
SPECIAL_PROGRAM(action)
#endif
#if SPECIALISED_MATCH
SPECIAL_PROGRAM(match)
#endif

char LICENSE[] SEC("license") = "GPL";
