/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_rewrite - a rule's steps: cells -> packet, checksums kept right incrementally (RFC 1624).
 *
 * A checksum that was wrong stays wrong by as much.  UDP without a checksum stays so.  A later fragment has no L4
 * header, so only IP's own checksum follows; a first one's L4 checksum covers the whole packet and follows.
 * What was written before a step that fails stays written; the packet leaves with the reason. */
#ifndef MEALY_PKT_REWRITE_H
#define MEALY_PKT_REWRITE_H

#include "meter.h"
#include "pkt_load.h"
#include "pkt_parse.h"
#include "xfsm_op.h"

enum { IPV4_SUM_OFF = 10, TCP_SUM_OFF = 16, UDP_SUM_OFF = 6, ICMP_SUM_OFF = 2, IPV6_DST_OFF = 24 };

/* A reserved cell, for FORGET(). */
enum { CELL_FORGET = CELLS - 1 };

/* No reason to leave. */
#define STEP_IS_BIG ((enum exit_reason)EXIT_REASON_ROOM)

/* ---- checksums ------------------------------------------------------------------------------ */

/* Folds the sum of up to eight 16-bit words and keeps 16 bits. */
HOOK_FN __u32 sum_fold(__u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32 & 0xffff) + (sum >> 48);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* ~old + new of 'size' bytes that begin at 'off' of a header.  The checksum adds words that begin at even
 * offsets; when the value's last byte does not end such a word, its bytes have changed places. */
HOOK_FN __u32 sum_delta(__u64 old, __u64 value, __u32 off, __u32 size)
{
	__u32 delta = sum_fold(sum_fold(value) + (~sum_fold(old) & 0xffff));

	return (off + size) & 1 ? (delta & 0xff) << 8 | delta >> 8 : delta;
}

/* Offset of the L4 checksum, 0: the packet has none.  '*ret_none' says whether 0 means none. */
HOOK_FN __u32 sum_l4_off(const struct scratch *s, __u32 csum, bool *ret_none)
{
	__u64 present = s->cells[CELL_PRESENT];
	__u32 l4 = s->off[BASE_L4];

	*ret_none = false;
	if (!(csum & (CSUM_PSEUDO | CSUM_L4)))
		return 0;
	if (present & PRESENT_BIT(TCP))
		return l4 + TCP_SUM_OFF;
	if (present & PRESENT_BIT(UDP)) {
		*ret_none = true;
		return l4 + UDP_SUM_OFF;
	}
	if (present & PRESENT_BIT(ICMPV6) || (present & PRESENT_BIT(ICMP) && csum & CSUM_L4))
		return l4 + ICMP_SUM_OFF;
	return 0;
}

/* Changes the checksums of the packet that 'csum' names by 'delta'. */
HOOK_FN int sum_update_outer(struct hook *h, const struct scratch *s, __u32 csum, __u32 delta)
{
	bool none;
	__u32 l4_off = sum_l4_off(s, csum, &none);

	if (csum & CSUM_IP && pkt_has(s, PRESENT_IPV4) && pkt_sum_ip(h, s->off[BASE_L3] + IPV4_SUM_OFF, delta))
		return -1;
	return l4_off ? pkt_sum_l4(h, l4_off, delta, csum & CSUM_PSEUDO, none) : 0;
}

/* ---- checksums of the packet quoted or inside ---- */

/* Changes a checksum that no device fills in: a quoted one, or that of an error.  'none': 0 means none. */
HOOK_FN int sum_change(struct hook *h, __u64 off, __u32 delta, bool none)
{
	__u64 sum;

	if (pkt_get(h, off, 2, &sum))
		return -1;
	if (none && !sum)
		return 0;
	sum = ~sum_fold((~sum & 0xffff) + delta) & 0xffff;
	return pkt_put(h, off, 2, none && !sum ? 0xffff : sum, false);
}

/* Offset of the inner L4 checksum, 0: there is none or it was not quoted. */
HOOK_FN __u64 inner_l4_sum_off(struct hook *h, const struct scratch *s, __u32 csum)
{
	__u64 present = s->cells[CELL_PRESENT], l4 = s->off[BASE_INNER_L4], off = 0, sum;

	if (!(csum & (CSUM_PSEUDO | CSUM_L4)))
		return 0;
	if (present & PRESENT_BIT(INNER_TCP))
		off = l4 + TCP_SUM_OFF;
	else if (present & PRESENT_BIT(INNER_UDP))
		off = l4 + UDP_SUM_OFF;
	else if (present & PRESENT_BIT(INNER_ICMP) && (csum & CSUM_L4 || present & PRESENT_BIT(INNER_IPV6)))
		off = l4 + ICMP_SUM_OFF;
	if (!off || off + 2 > s->off[BASE_PAYLOAD] + s->cells[CELL_PAYLOAD_LENGTH] || pkt_get(h, off, 2, &sum))
		return 0;
	return present & PRESENT_BIT(INNER_UDP) && !sum ? 0 : off;
}

/* A checksum that covers the bytes changes by the opposite amount, so to the error around them a change that one inner
 * checksum follows is none, and one that two follow is the opposite. */
HOOK_FN int inner_sum_update(struct hook *h, const struct scratch *s, __u32 csum, __u32 delta)
{
	bool is_udp = pkt_has(s, PRESENT_INNER_UDP), ip = csum & CSUM_IP && pkt_has(s, PRESENT_INNER_IPV4);
	__u64 l4 = inner_l4_sum_off(h, s, csum);

	if (ip && sum_change(h, s->off[BASE_INNER_L3] + IPV4_SUM_OFF, delta, false))
		return -1;
	if (pkt_has(s, PRESENT_INNER_WHOLE))
		return l4 ? pkt_sum_l4(h, l4, delta, csum & CSUM_PSEUDO, is_udp) : 0;
	if (l4 && sum_change(h, l4, delta, is_udp))
		return -1;
	if (ip && l4)
		return sum_change(h, s->off[BASE_L4] + ICMP_SUM_OFF, ~delta & 0xffff, false);
	return ip || l4 ? 0 : sum_change(h, s->off[BASE_L4] + ICMP_SUM_OFF, delta, false);
}

/* The same for a field of the packet quoted or inside. */
HOOK_FN int sum_update(struct hook *h, const struct scratch *s, __u32 csum, __u32 delta)
{
	return csum & CSUM_INNER ? inner_sum_update(h, s, csum, delta) : sum_update_outer(h, s, csum, delta);
}

/* Whether a checksum of the packet changes by as much as the bytes that 'csum' covers; see pkt_tc.h. */
HOOK_FN bool sum_balances(struct hook *h, const struct scratch *s, __u32 csum)
{
	__u64 sum = 1;
	__u32 l4_off;
	bool none;

	if (csum & CSUM_INNER)
		return csum & CSUM_L4 && pkt_has(s, PRESENT_INNER_WHOLE) && inner_l4_sum_off(h, s, csum);
	if (csum & CSUM_IP)
		return true;
	if (!(csum & CSUM_L4))
		return false;
	l4_off = sum_l4_off(s, csum, &none);
	return l4_off && !(none && !pkt_get(h, l4_off, 2, &sum) && !sum);
}

/* Which bit says that what a step writes is in a packet of IPv6. */
HOOK_FN __u8 step_family(const struct step *step)
{
	return step->csum & CSUM_INNER ? PRESENT_INNER_IPV6 : PRESENT_IPV6;
}

/* ---- fields ----------------------------------------------------------------------------------- */

HOOK_FN int write_bits(struct hook *h, struct scratch *s, const struct step *step)
{
	bool ipv6 = pkt_has(s, step_family(step));
	__u32 field_off = ipv6 ? step->off6 : step->off, size = ipv6 ? step->size6 : step->size;
	__u32 csum = ipv6 ? step->csum6 : step->csum, shift = (ipv6 ? step->shift6 : step->shift) & 63;
	__u64 off = pkt_off(s, step->base, field_off), old, value;
	bool balanced = step->base == BASE_ETH || sum_balances(h, s, csum);

	if (pkt_get(h, off, size, &old))
		return -1;
	value = (old & ~(step->mask << shift)) | (s->cells[step->cell] & step->mask) << shift;
	if (pkt_put(h, off, size, value, balanced))
		return -1;
	return csum ? sum_update(h, s, csum, FORGET(s->cells[CELL_FORGET], sum_delta(old, value, field_off, size))) : 0;
}

/* Writes eight bytes of an IPv6 address. */
HOOK_FN int write_addr6_half(struct hook *h, struct scratch *s, __u64 off, __u64 value, __u32 csum)
{
	__u64 old;

	if (pkt_get(h, off, 8, &old) || pkt_put(h, off, 8, value, sum_balances(h, s, csum)))
		return -1;
	return sum_update(h, s, csum, FORGET(s->cells[CELL_FORGET], sum_delta(old, value, 0, 8)));
}

/* The pseudo header has the last segment, not the one the packet is on the way to. */
HOOK_FN bool is_waypoint(const struct scratch *s, const struct step *step)
{
	return step->base == BASE_L3 && step->off6 == IPV6_DST_OFF && pkt_has(s, PRESENT_SRH) &&
	       s->off[BASE_SEGMENT] != s->off[BASE_ROUTING] + EXT_SIZE;
}

/* Fails when the address belongs to the other family. */
HOOK_FN int write_addr(struct hook *h, struct scratch *s, const struct step *step)
{
	__u64 hi = s->cells[step->cell], lo = s->cells[(step->cell + 1) & (CELLS - 1)], off, old;
	bool is_ipv4 = !hi && lo >> 32 == ADDR_MAPPED >> 32;

	if (is_ipv4 == pkt_has(s, step_family(step)))
		return -1;
	if (!is_ipv4) {
		__u32 csum = is_waypoint(s, step) ? CSUM_NONE : step->csum6;

		off = pkt_off(s, step->base, step->off6);
		return write_addr6_half(h, s, off, hi, csum) ?: write_addr6_half(h, s, off + 8, lo, csum);
	}
	off = pkt_off(s, step->base, step->off);
	lo &= 0xffffffff;
	if (pkt_get(h, off, 4, &old) || pkt_put(h, off, 4, lo, sum_balances(h, s, step->csum)))
		return -1;
	return sum_update(h, s, step->csum, FORGET(s->cells[CELL_FORGET], sum_delta(old, lo, 0, 4)));
}

/* ---- VLAN tags ----------------------------------------------------------------------------------- */

HOOK_FN int write_vlan(struct hook *h, struct scratch *s, const struct step *step, __u32 shift, __u32 mask)
{
	__u32 tci = s->cells[CELL_VLAN_TCI];

	tci = (tci & ~(mask << shift)) | (s->cells[step->cell] & mask) << shift;
	if (pkt_vlan_set(h, s->cells[CELL_VLAN_TPID], tci))
		return -1;
	s->cells[CELL_VLAN_TCI] = tci;
	return 0;
}

HOOK_FN void move_headers(struct scratch *s, int move)
{
#pragma clang loop unroll(full)
	for (int i = BASE_L3; i < BASE_MAX; i++) /* Those that are not there, too. */
		s->off[i] += move;
}

HOOK_FN int push_vlan(struct hook *h, struct scratch *s, __u32 tpid)
{
	__u64 present = s->cells[CELL_PRESENT];
	int move;

	if (pkt_vlan_push(h, tpid, 0, &move))
		return -1;
	move_headers(s, move);
	s->cells[CELL_LENGTH] += TAG_SIZE;
	if (present & PRESENT_BIT(VLAN))
		present |= PRESENT_BIT(VLAN2);
	s->cells[CELL_PRESENT] = present | PRESENT_BIT(VLAN);
	s->cells[CELL_VLAN2_TPID] = s->cells[CELL_VLAN_TPID];
	s->cells[CELL_VLAN2_TCI] = s->cells[CELL_VLAN_TCI];
	s->cells[CELL_VLAN_TPID] = tpid;
	s->cells[CELL_VLAN_TCI] = 0;
	return 0;
}

/* What was behind the inner tag may be a tag too, so they are read again. */
HOOK_FN int pop_vlan(struct hook *h, struct scratch *s)
{
	struct parse p = {.frame_end = s->cells[CELL_LENGTH]};
	int move;

	if (!pkt_has(s, PRESENT_VLAN) || pkt_vlan_pop(h, &move))
		return -1;
	move_headers(s, move);
	s->cells[CELL_LENGTH] -= TAG_SIZE;
	s->cells[CELL_PRESENT] &= ~(PRESENT_BIT(VLAN) | PRESENT_BIT(VLAN2));
	return parse_ether(h, s, &p) ? -1 : 0;
}

/* ---- steps ------------------------------------------------------------------------------------------ */

/* OP_MEMBER too. */
HOOK_FN void step_op(struct hook *h, struct scratch *s, const struct op *op)
{
	if (op->code == OP_MEMBER)
		s->cells[op->dst] = op_member(h, s->cells[op->a], op->imm);
	else
		op_run(s->cells, op);
}

/* What a step computes rather than writes. */
HOOK_FN enum exit_reason step_compute(struct hook *h, struct scratch *s, const struct table *t, const struct step *step)
{
	__u64 member = s->cells[step->cell];

	switch (step->code) {
	case STEP_OP: step_op(h, s, &t->ops[step->imm & (OPS_MAX - 1)]); break;
	case STEP_METER:
		s->cells[step->cell] = meter_shared(h, s, &t->meters[step->base & (TABLE_METERS_MAX - 1)], step->imm);
		break;
	case STEP_MEMBER:
		if (!op_member(h, member, MEMBER_INDEX(step->imm, 0, MEMBER_VALID)))
			return EXIT_NO_MEMBER;
		hook_count(h, COUNTER_MEMBER(step->imm & (GROUPS_MAX - 1), member & (GROUP_MEMBERS - 1)),
			   s->cells[CELL_FRAMES], s->cells[CELL_LENGTH]);
		break;
	}
	return EXIT_NONE;
}

HOOK_FN enum exit_reason write_step(struct hook *h, struct scratch *s, const struct table *t, const struct step *step)
{
	int ret = -1;

	switch (step->code) {
	case STEP_PUSH_VLAN: return push_vlan(h, s, step->imm) ? EXIT_PUSH_FAILED : EXIT_NONE;
	case STEP_POP_VLAN: return pop_vlan(h, s) ? EXIT_PUSH_FAILED : EXIT_NONE;
	case STEP_OP:
	case STEP_METER:
	case STEP_MEMBER: return step_compute(h, s, t, step);
	}
	if (!pkt_has(s, step->need))
		return EXIT_WRITE_FAILED;
	switch (step->code) {
	case STEP_NONE: ret = 0; break;
	case STEP_BITS: ret = write_bits(h, s, step); break;
	case STEP_ADDR: ret = write_addr(h, s, step); break;
	case STEP_VLAN_ID: ret = write_vlan(h, s, step, 0, 0xfff); break;
	case STEP_VLAN_DEI: ret = write_vlan(h, s, step, 12, 1); break;
	case STEP_VLAN_PRIO: ret = write_vlan(h, s, step, 13, 7); break;
	}
	return ret ? EXIT_WRITE_FAILED : EXIT_NONE;
}

/* A step of INTERP_PACKET's. */
HOOK_FN bool step_is_big(const struct step *step)
{
	return step->code >= STEP_MIRROR;
}

/* Executes the steps of 'rule' from 's->step' on, in order.  Returns EXIT_NONE, EXIT_WRITE_FAILED, EXIT_PUSH_FAILED,
 * EXIT_NO_MEMBER, or STEP_IS_BIG: 's->step' is INTERP_PACKET's. */
HOOK_FN enum exit_reason pkt_rewrite(struct hook *h, struct scratch *s, const struct table *t, const struct rule *rule)
{
	enum exit_reason reason;

	LOOP
	for (__u32 i = 0; i < RULE_STEPS_MAX; i++) {
		__u32 step = rule->first_step + i;

		if (i >= AGAIN(rule->n_steps))
			break;
		if (i < AGAIN(s->step))
			continue;
		if (step >= STEPS_MAX)
			return EXIT_INTERNAL;
		if (step_is_big(&t->steps[step])) {
			s->step = i;
			return STEP_IS_BIG;
		}
		reason = write_step(h, s, t, &t->steps[step]);
		if (reason)
			return reason;
	}
	return EXIT_NONE;
}

#endif
