/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet - INTERP_PACKET: a step that changes which headers the packet has; then the action goes on behind it.
 *
 * A program of its own, because the packet is parsed anew: inside the loop over a rule's steps that would be too much
 * for the verifier. */
#ifndef MEALY_PACKET_H
#define MEALY_PACKET_H

#include "pkt_srv6.h"
#include "pkt_template.h"
#include "switch.h"

HOOK_FN int packet_change(struct hook *h, struct scratch *s, const struct step *step)
{
	switch (step->code) {
	case STEP_MIRROR: return pkt_mirror(h, s, s->cells[step->cell]);
	case STEP_BECOME: return pkt_become(h, s, step->imm);
	case STEP_EMIT_BEGIN: return pkt_put_away(h, s) ?: pkt_become(h, s, step->imm);
	case STEP_EMIT: return pkt_mirror(h, s, s->cells[step->cell]) ?: pkt_put_back(h, s);
	case STEP_PUSH_MPLS: return push_mpls(h, s);
	case STEP_POP_MPLS: return pop_mpls(h, s);
	case STEP_PUSH_IP4: return push_ip(h, s, false);
	case STEP_PUSH_IP6: return push_ip(h, s, true);
	case STEP_POP_IP: return pop_ip(h, s);
	case STEP_PUSH_VXLAN: return push_vxlan(h, s, step->imm == 6);
	case STEP_POP_VXLAN: return pop_vxlan(h, s);
	case STEP_PUSH_SRV6: return push_srv6(h, s, step->cell, step->imm);
	case STEP_INSERT_SRV6: return insert_srv6(h, s, step->cell, step->imm);
	case STEP_POP_SRV6: return remove_srv6(h, s);
	case STEP_END_SRV6: return next_segment(h, s);
	}
	return -1;
}

/* Step 's->step' of the rule. */
HOOK_FN int switch_packet(struct hook *h, struct scratch *s)
{
	const struct table *t = map_table(h, TABLE_INDEX(s->slot & 1, h->id, s->table));
	__u32 index;

	if (!t)
		return switch_fault(h, s, EXIT_NO_TABLE);
	index = t->rules[s->rule & RULES_MASK].first_step + s->step;
	if (index >= STEPS_MAX)
		return switch_fault(h, s, EXIT_INTERNAL);
	if (packet_change(h, s, &t->steps[index]))
		return switch_fault(h, s, EXIT_PUSH_FAILED);
	s->cells[CELL_LENGTH] = hook_length(h);
	if (pkt_parse(h, s))
		return switch_fault(h, s, EXIT_PUSH_FAILED);
	s->step++;
	return switch_go(h, s, INTERP_ACTION);
}

#endif
