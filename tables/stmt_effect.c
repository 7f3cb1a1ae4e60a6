/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a step of an action needs of the packet, and which headers it leaves for later steps to write. */
#include "expr.h"

#define NEED(x) (1ULL << PRESENT_##x)

/* Of a packet that lost a header nothing is known but what the switch will find. */
#define ANYTHING (~PRESENT_TABLES)

static uint64_t outer_ip(const struct stmt *stmt)
{
	return NEED(IP) | (stmt->family == 6 ? NEED(IPV6) : NEED(IPV4));
}

static uint64_t pushed(const struct stmt *stmt, uint64_t there)
{
	switch (stmt->header) {
	case PUSH_MPLS: return NEED(MPLS);
	case PUSH_IPIP: return outer_ip(stmt) | NEED(INNER_IP);
	case PUSH_VXLAN: return outer_ip(stmt) | NEED(UDP) | NEED(L4) | NEED(VXLAN);
	case PUSH_SRV6: return outer_ip(stmt) | NEED(ROUTING) | NEED(SRH) | NEED(INNER_IP);
	case PUSH_SRH: return there | NEED(ROUTING) | NEED(SRH);
	case PUSH_MAX: break;
	}
	return there;
}

uint64_t stmt_leaves(const struct stmt *stmt, uint64_t there)
{
	switch (stmt->kind) {
	case STMT_PUSH_VLAN: return there | NEED(VLAN);
	case STMT_POP_VLAN: return there & ~NEED(VLAN);
	case STMT_PUSH: return pushed(stmt, there) | NEED(ETH);
	case STMT_POP: return ANYTHING;
	case STMT_BECOME:
	case STMT_EMIT: return stmt->makes;
	case STMT_EMITTED: return 0;
	default: return there;
	}
}

static uint64_t popped(const struct stmt *stmt)
{
	switch (stmt->header) {
	case PUSH_MPLS: return NEED(MPLS);
	case PUSH_IPIP: return NEED(INNER_WHOLE) | NEED(INNER_IP);
	case PUSH_VXLAN: return NEED(VXLAN);
	case PUSH_SRV6: return NEED(SRH) | NEED(INNER_WHOLE) | NEED(INNER_IP);
	case PUSH_SRH: return NEED(SRH);
	case PUSH_MAX: break;
	}
	return 0;
}

static uint64_t asked(const struct stmt *stmt)
{
	switch (stmt->kind) {
	case STMT_POP_VLAN: return NEED(VLAN);
	case STMT_PUSH:
		if (stmt->header == PUSH_IPIP || stmt->header == PUSH_SRV6)
			return NEED(IP);
		return stmt->header == PUSH_SRH ? NEED(IPV6) : 0;
	case STMT_POP: return popped(stmt);
	case STMT_NEXT_SEGMENT: return NEED(SRH);
	case STMT_VERDICT: return stmt->verdict == VERDICT_ROUTE ? NEED(IP) : 0;
	default: return 0;
	}
}

uint64_t stmt_asks(const struct stmt *stmt, uint64_t there)
{
	uint64_t asks = asked(stmt);

	if (stmt->kind == STMT_ASSIGN && stmt->lhs->ref.kind == REF_FIELD && stmt->op == EOP_NONE)
		asks = stmt->lhs->ref.field->needs;
	return asks & ~there;
}
