/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_key - keys and registers that people write, as the words of a record.  Pure. */
#ifndef MEALY_FLOW_KEY_H
#define MEALY_FLOW_KEY_H

#include "../proto/message.h"
#include "../tables/layout.h"

/* Parts of a key that must be equal. */
struct flow_filter {
	const struct layout *layout;
	unsigned n;
	struct {
		const struct layout_field *field;
		uint64_t hi, lo;
	} part[2 * KEY_PARTS_MAX];
};

/* All return 0 or -EINVAL with a sentence in 'why' (256 bytes).  'ports' resolves names of ports; may be
 * NULL. */

/* Every part of the key must be given, once. */
int flow_key_parse(const struct layout *layout, const struct msg_flow *flow, const struct port_names *ports,
		   uint64_t *ret_key, char *why);

/* Writes the registers that are named into the image; times may be told from 'now_ns' on the switch's clock. */
int flow_key_registers(const struct layout *layout, const struct msg_flow *flow, const struct port_names *ports,
		       uint64_t now_ns, uint64_t *words, char *why);

/* Of any parts of the key; none: everything matches. */
int flow_filter_make(const struct layout *layout, const struct msg_flow *flow, const struct port_names *ports,
		     struct flow_filter *ret_filter, char *why);
bool flow_filter_matches(const struct flow_filter *filter, const uint64_t *words);

#endif
