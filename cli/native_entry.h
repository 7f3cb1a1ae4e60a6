/* SPDX-License-Identifier: GPL-2.0-or-later */
/* native_entry - the entries of match tables in a native switch with memory of its own. */
#ifndef MEALY_NATIVE_ENTRY_H
#define MEALY_NATIVE_ENTRY_H

#include "../datapath/native.h"
#include "../tables/encode.h"
#include "../tables/entry_table.h"

struct native_entries {
	struct native_switch *sw;
	unsigned flow_table, element;
	unsigned key_words, n_registers;
	__u64 now_ns;
	struct mask_set masks;
};

/* One match table; 'entries' is zeroed before the first time, and must outlive '*ret_table'. */
void native_entries_open(struct native_switch *sw, const struct app *app, unsigned table,
			 const struct table_placement *place, const struct layout *layout, unsigned element,
			 __u64 now_ns, struct native_entries *entries, struct entry_table *ret_table);

#endif
