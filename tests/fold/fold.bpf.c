// SPDX-License-Identifier: GPL-2.0-or-later
/* fold - the datapath's source around constant tables, to prove that it folds.
 *
 * fold_tables.h holds the tables of one hook as tables/specialise printed them. Going on to another table stays in
 * this program; what must begin again, and packet writes, go on in the interpreter, which shares all maps. */
#define MEALY_HOOK_XDP
#define hook_tail hook_tail_interpreter
#include "hook.h"
#undef hook_tail

HOOK_FN int hook_tail(struct hook *h, enum interp_prog prog)
{
	return prog == INTERP_TABLE ? TAIL_TABLE : hook_tail_interpreter(h, prog);
}

#include "switch.h"
#include "fold_tables.h"

HOOK_FN int fold_run(struct hook *h, struct scratch *s)
{
	int ret = switch_entry(h, s);

#pragma clang loop unroll(full)
	for (unsigned i = 0; i < fold_tables_n; i++)
		if (ret == TAIL_TABLE && s->table == i && !s->phase && !s->restarts)
			ret = switch_run_table(h, s, &fold_tables[i]);
	if (ret != TAIL_TABLE)
		return ret;
	hook_tail_interpreter(h, INTERP_TABLE);
	return switch_fault(h, s, EXIT_NO_PROGRAM);
}

SEC("xdp.frags") int xdp_fold(struct xdp_md *ctx)
{
	struct hook h = { .id = HOOK_XDP, .ctx = ctx };
	struct scratch *s = map_scratch(&h);

	return s ? fold_run(&h, s) : hook_fault(&h);
}

char LICENSE[] SEC("license") = "GPL";
