/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_route - `route`: the packet as it is written now goes where the kernel's FIB says.
 *
 * Asked as if the packet had come in by this hook's interface, on which the kernel must forward.  Sent: TTL less one,
 * hardware addresses of the way.  No way: blackhole, unreachable, prohibit.  Left to the kernel, as written and with
 * its TTL: what it must answer (TTL, MTU), resolve (neighbour) or take (its own and group addresses).  The FIB does not
 * tell an address of the host from one without any route, so that is left to it too, which answers. */
#ifndef MEALY_PKT_ROUTE_H
#define MEALY_PKT_ROUTE_H

#include "pkt_rewrite.h"

struct way {
	__u32 ifindex; /* Native: the port, 0: none of the switch's. */
	__u64 src_mac, dst_mac;
};

/* EXIT_ROUTE, EXIT_ROUTE_KERNEL or EXIT_ROUTE_NONE. */
HOOK_FN enum exit_reason route_ask(struct hook *h, const struct scratch *s, struct way *ret_way);
/* Out by the way; says in '*reason' if that failed.  '*ret_port': the switch's port, 0: another interface. */
HOOK_FN int route_send(struct hook *h, const struct way *way, __u32 *ret_port, enum exit_reason *reason);

#ifdef __bpf__
enum { FAMILY_IPV4 = 2, FAMILY_IPV6 = 10 };

HOOK_FN __u32 route_ifindex(struct hook *h)
{
#ifdef MEALY_HOOK_TC
	return h->ctx->ingress_ifindex && h->id == HOOK_TC_EGRESS ? h->ctx->ingress_ifindex : h->ctx->ifindex;
#else
	return h->ctx->ingress_ifindex;
#endif
}

/* Of an aggregated frame the kernel compares the segments with the MTU: size 0 asks it to. */
HOOK_FN bool route_fill(struct hook *h, const struct scratch *s, struct bpf_fib_lookup *fib)
{
	__u64 l3 = s->off[BASE_L3];
	const __u8 *at;

	if (pkt_has(s, PRESENT_IPV6)) {
		at = pkt_at(h, l3, IPV6_SIZE);
		if (!at)
			return false;
		fib->family = FAMILY_IPV6;
		fib->flowinfo = PKT_READ(__u32, at) & PKT_SWAP(32, 0x0fffffffu);
		fib->tot_len = pkt_be16(at + 4) + IPV6_SIZE;
		for (int i = 0; i < 4; i++) {
			fib->ipv6_src[i] = PKT_READ(__u32, at + 8 + 4 * i);
			fib->ipv6_dst[i] = PKT_READ(__u32, at + 24 + 4 * i);
		}
	} else {
		at = pkt_at(h, l3, IPV4_SIZE);
		if (!at)
			return false;
		fib->family = FAMILY_IPV4;
		fib->tos = at[1];
		fib->tot_len = pkt_be16(at + 2);
		fib->ipv4_src = PKT_READ(__u32, at + 12);
		fib->ipv4_dst = PKT_READ(__u32, at + 16);
	}
	fib->l4_protocol = s->cells[CELL_IP_PROTO];
	if (pkt_has(s, PRESENT_L4)) {
		at = pkt_at(h, s->off[BASE_L4], 4);
		if (at) {
			fib->sport = PKT_READ(__u16, at);
			fib->dport = PKT_READ(__u16, at + 2);
		}
	}
#ifdef MEALY_HOOK_TC
	fib->tot_len = 0;
#endif
	return true;
}

/* VERIFIER: on the stack, so by aligned halves. */
HOOK_FN __u64 route_mac(const __u8 *mac)
{
	const volatile __u16 *half = (const volatile __u16 *)mac;

	return (__u64)PKT_SWAP(16, half[0]) << 32 | (__u64)PKT_SWAP(16, half[1]) << 16 | PKT_SWAP(16, half[2]);
}

HOOK_FN enum exit_reason route_ask(struct hook *h, const struct scratch *s, struct way *ret_way)
{
	struct bpf_fib_lookup fib = {};

	if (!route_fill(h, s, &fib))
		return EXIT_ROUTE_NONE;
	fib.ifindex = route_ifindex(h);
	switch (bpf_fib_lookup(h->ctx, &fib, sizeof(fib), 0)) {
	case BPF_FIB_LKUP_RET_SUCCESS: break;
	case BPF_FIB_LKUP_RET_BLACKHOLE:
	case BPF_FIB_LKUP_RET_UNREACHABLE:
	case BPF_FIB_LKUP_RET_PROHIBIT: return EXIT_ROUTE_NONE;
	default: return EXIT_ROUTE_KERNEL;
	}
	ret_way->ifindex = fib.ifindex;
	ret_way->src_mac = route_mac(fib.smac);
	ret_way->dst_mac = route_mac(fib.dmac);
	return EXIT_ROUTE;
}

HOOK_FN int route_send(struct hook *h, const struct way *way, __u32 *ret_port, enum exit_reason *reason)
{
	*ret_port = entry_port(map_port_of_ifindex(way->ifindex));
#ifdef MEALY_HOOK_TC
	return hook_redirect(h, way->ifindex, 0, reason);
#else
	if (*ret_port) {
		int verdict = hook_output(h, *ret_port, reason);

		if (*reason == EXIT_OUTPUT)
			*reason = EXIT_ROUTE;
		return verdict;
	}
	return bpf_redirect(way->ifindex, 0);
#endif
}
#else
HOOK_FN __u64 route_old_mac(struct hook *h, __u64 off)
{
	__u64 mac = 0;

	return pkt_get(h, off, 6, &mac) ? 0 : mac;
}

HOOK_FN enum exit_reason route_ask(struct hook *h, const struct scratch *s, struct way *ret_way)
{
	__u32 l3 = s->off[BASE_L3];
	struct native_route ask = {.is_ipv6 = pkt_has(s, PRESENT_IPV6), .in_port = s->cells[CELL_IN_PORT]};
	const __u8 *at = pkt_at(h, l3, ask.is_ipv6 ? IPV6_SIZE : IPV4_SIZE);
	struct native_way way = {};
	enum exit_reason reason;

	*ret_way = (struct way){};
	if (!at)
		return EXIT_ROUTE_NONE;
	if (!h->sw->route) {
		ret_way->dst_mac = route_old_mac(h, 0);
		ret_way->src_mac = route_old_mac(h, 6);
		return EXIT_ROUTE;
	}
	memcpy(ask.src, at + (ask.is_ipv6 ? 8 : 12), ask.is_ipv6 ? 16 : 4);
	memcpy(ask.dst, at + (ask.is_ipv6 ? 24 : 16), ask.is_ipv6 ? 16 : 4);
	ask.proto = s->cells[CELL_IP_PROTO];
	ask.tos = ask.is_ipv6 ? pkt_be16(at) >> 4 : at[1];
	ask.size = ask.is_ipv6 ? pkt_be16(at + 4) + IPV6_SIZE : pkt_be16(at + 2);
	reason = h->sw->route(h->sw->route_data, &ask, &way);
	*ret_way = (struct way){.ifindex = way.port, .src_mac = way.src_mac, .dst_mac = way.dst_mac};
	return reason;
}

HOOK_FN int route_send(struct hook *h, const struct way *way, __u32 *ret_port, enum exit_reason *reason)
{
	*ret_port = way->ifindex;
	if (h->result)
		h->result->out_port = way->ifindex;
	return NATIVE_ROUTE;
}
#endif

/* ---- the packet ---- */

/* Group and broadcast addresses are the kernel's business. */
HOOK_FN bool route_is_single(struct hook *h, const struct scratch *s)
{
	__u64 first = 0, l3 = s->off[BASE_L3];

	if (pkt_has(s, PRESENT_IPV6))
		return !pkt_get(h, l3 + 24, 1, &first) && first != 0xff;
	return !pkt_get(h, l3 + 16, 1, &first) && first < 224;
}

HOOK_FN __u64 route_ttl_off(const struct scratch *s)
{
	return s->off[BASE_L3] + (pkt_has(s, PRESENT_IPV6) ? 7 : 8);
}

HOOK_FN int route_write(struct hook *h, struct scratch *s, const struct way *way)
{
	bool ipv4 = pkt_has(s, PRESENT_IPV4);
	__u64 ttl;

	if (pkt_put(h, 0, 6, way->dst_mac, true) || pkt_put(h, 6, 6, way->src_mac, true))
		return -1;
	if (pkt_get(h, route_ttl_off(s), 1, &ttl) || pkt_put(h, route_ttl_off(s), 1, ttl - 1, ipv4))
		return -1;
	return ipv4 ? pkt_sum_ip(h, s->off[BASE_L3] + IPV4_SUM_OFF,
				 FORGET(s->cells[CELL_FORGET], sum_delta(ttl, ttl - 1, 8, 1)))
		    : 0;
}

HOOK_FN int verdict_route(struct hook *h, struct scratch *s)
{
	enum exit_reason reason;
	struct way way;
	__u32 port = 0;
	__u64 ttl = 0;
	int verdict;

	if (!pkt_has(s, PRESENT_IP) || pkt_get(h, route_ttl_off(s), 1, &ttl))
		return switch_exit(h, s, EXIT_ROUTE_NONE, hook_drop(h));
	if (ttl <= 1 || !route_is_single(h, s))
		return switch_exit(h, s, EXIT_ROUTE_KERNEL, hook_deliver(h));
	reason = route_ask(h, s, &way);
	if (reason == EXIT_ROUTE_NONE)
		return switch_exit(h, s, reason, hook_drop(h));
	if (reason == EXIT_ROUTE_KERNEL)
		return switch_exit(h, s, reason, hook_deliver(h));
	if (route_write(h, s, &way))
		return switch_fault(h, s, EXIT_WRITE_FAILED);
	verdict = route_send(h, &way, &port, &reason);
	if (reason == EXIT_ROUTE && port)
		hook_count(h, COUNTER_TX + port, s->cells[CELL_FRAMES], s->cells[CELL_LENGTH]);
	return switch_exit(h, s, reason, verdict);
}

#endif
