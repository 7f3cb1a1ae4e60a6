/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_special - how a table compiled around its constant (MEALY_SPECIALISED) goes on.
 *
 * Each slot of a version has an array with a place for every program of every table.  What is there is this tier's
 * program or, where there is none, the interpreter's: both find the same in the scratch, so either may follow the
 * other.  Behind the first of the interpreter's a packet stays with the interpreter. */
#ifndef MEALY_HOOK_SPECIAL_H
#define MEALY_HOOK_SPECIAL_H

#define SPECIAL_TAIL(h, table, prog)                                                                                   \
	case prog:                                                                                                     \
		bpf_tail_call_static((h)->ctx, &special, SPECIAL_INDEX(table, prog));                                  \
		break
#define SPECIAL_TABLE(table, prog, h)                                                                                  \
	case table: bpf_tail_call_static((h)->ctx, &special, SPECIAL_INDEX(table, prog)); break;

HOOK_FN int hook_tail(struct hook *h, enum interp_prog prog)
{
	switch (prog) {
		SPECIAL_TAIL(h, SPECIALISED_TABLE, INTERP_TABLE);
		SPECIAL_TAIL(h, SPECIALISED_TABLE, INTERP_ACTION);
		SPECIAL_TAIL(h, SPECIALISED_TABLE, INTERP_MATCH);
		SPECIAL_TAIL(h, SPECIALISED_TABLE, INTERP_LEARN);
		SPECIAL_TAIL(h, SPECIALISED_TABLE, INTERP_PACKET);
	default: break;
	}
	return TAIL_FAILED;
}

/* To the program that begins a table: its number, with TARGET_MATCH if it is looked up by masks. */
HOOK_FN int hook_tail_table(struct hook *h, __u32 target)
{
	switch (target & TARGET_TABLE) {
		SPECIALISED_TABLES(SPECIAL_TABLE, h)
	default: break;
	}
	return TAIL_FAILED;
}

#endif
