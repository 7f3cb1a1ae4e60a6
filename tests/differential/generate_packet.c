/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets from few addresses, ports and flags, with every header the parser knows, and damaged ones. */
#include <stdlib.h>
#include <string.h>

#include "generate.h"

enum { PAYLOAD_MAX = 400 };

static void draw_l4(struct draw *d, struct pkt *p)
{
	static const int flags[] = {FRAME_ZERO, 0x02, 0x10, 0x12, 0x11, 0x04, 0x18, 0xff};

	switch (draw_below(d, 6)) {
	case 0:
	case 1:
		p->tcp_sport = DRAW_OF(d, generate_port);
		p->tcp_dport = DRAW_OF(d, generate_port);
		p->tcp_flags = DRAW_OF(d, flags);
		p->tcp_seq = draw_chance(d, 50) ? draw_below(d, 4) + 1 : 0xfffffff0 + draw_below(d, 16);
		p->tcp_options = draw_chance(d, 20) ? 4 * draw_below(d, 11) : 0;
		p->tcp_urgent = draw_below(d, 3);
		break;
	case 2:
	case 3:
		p->udp_sport = DRAW_OF(d, generate_port);
		p->udp_dport = DRAW_OF(d, generate_port);
		p->udp_no_csum = !p->ip6 && draw_chance(d, 20);
		break;
	case 4:
		p->icmp_type = draw_chance(d, 50) ? 0 : 1 + draw_below(d, 200);
		p->icmp_id = 1 + draw_below(d, 3);
		p->icmp_seq = draw_below(d, 3);
		break;
	default:
		p->ip_proto = draw_chance(d, 50) ? 50 : 6 + draw_below(d, 60);
		if (p->ip_proto == 43 || p->ip_proto == 44 || p->ip_proto == 60)
			p->ip_proto = 47;
	}
}

static void draw_ip(struct draw *d, struct pkt *p)
{
	static const int ttls[] = {FRAME_ZERO, 1, 63, 64, 65, 255};

	p->ip6 = draw_chance(d, 40);
	p->ip_src = p->ip6 ? DRAW_OF(d, generate_ip6) : DRAW_OF(d, generate_ip4);
	p->ip_dst = p->ip6 ? DRAW_OF(d, generate_ip6) : DRAW_OF(d, generate_ip4);
	p->ip_ttl = DRAW_OF(d, ttls);
	p->ip_dscp = draw_chance(d, 30) ? draw_below(d, 64) : 0;
	p->ip_ecn = draw_below(d, 4);
	p->ip_id = 1 + draw_below(d, 3);
	p->dont_fragment = draw_chance(d, 30);
	p->ip6_flow = draw_chance(d, 30) ? draw_below(d, 1 << 20) : 0;
	p->ip_options = draw_chance(d, 10) ? 4 * draw_below(d, 11) : 0;
	if (draw_chance(d, 12)) {
		p->frag_offset = draw_chance(d, 50) ? 8 * (1 + draw_below(d, 100)) : 0;
		p->more_fragments = draw_chance(d, 60);
	}
	if (p->ip6 && draw_chance(d, 25)) {
		p->hopopts = draw_below(d, 2);
		p->routing = draw_below(d, 2);
		p->dstopts = draw_below(d, draw_chance(d, 10) ? 9 : 2);
		p->frag6 = draw_chance(d, 20);
		p->ext_len = draw_below(d, 3);
	}
	draw_l4(d, p);
}

static void draw_tags(struct draw *d, struct pkt *p)
{
	if (!draw_chance(d, 25))
		return;
	p->vlan_id = 1 + draw_below(d, 8);
	p->vlan_prio = draw_below(d, 8);
	p->vlan_dei = draw_below(d, 2);
	p->vlan_tpid = draw_chance(d, 20) ? 0x88a8 : 0;
	if (draw_chance(d, 70))
		return;
	p->vlan2_id = 1 + draw_below(d, 8);
	p->vlan2_prio = draw_below(d, 8);
}

/* Most damage is near the front, where the headers are. */
static void damage(struct draw *d, struct frame *frame)
{
	unsigned at, cut;

	switch (draw_below(d, 4)) {
	case 0:
		cut = draw_below(d, frame->size - 14 + 1);
		frame->size -= cut;
		break;
	case 1: /* A length, a type, a version, an offset. */
		at = 12 + draw_below(d, 50);
		if (at < frame->size)
			frame->data[at] = draw_bits(d);
		break;
	case 2:
		at = draw_below(d, frame->size);
		frame->data[at] ^= 1 << draw_below(d, 8);
		break;
	case 3:
		for (unsigned i = 0; i < 3; i++)
			frame->data[12 + draw_below(d, frame->size - 12)] = draw_bits(d);
		break;
	}
}

/* What declared headers read: mostly small numbers, which their conditions ask for. */
static void draw_payload(struct draw *d, uint8_t *bytes, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		bytes[i] = draw_chance(d, 70) ? draw_below(d, 8) : draw_bits(d);
}

static struct frame draw_frame(struct draw *d, const struct app *app)
{
	uint8_t payload[PAYLOAD_MAX];
	struct pkt p = {.eth_src = DRAW_OF(d, generate_mac), .eth_dst = DRAW_OF(d, generate_mac)};
	unsigned kind = draw_below(d, 20);
	struct frame frame;

	draw_tags(d, &p);
	if (kind == 0) {
		p.eth_type = 0x88cc;
	} else if (kind < 3) {
		p.arp_op = 1 + draw_below(d, 2);
		p.arp_spa = DRAW_OF(d, generate_ip4);
		p.arp_tpa = DRAW_OF(d, generate_ip4);
	} else {
		draw_ip(d, &p);
	}
	p.payload_size = draw_chance(d, 70) ? draw_below(d, 40) : draw_below(d, PAYLOAD_MAX);
	if (app->n_headers) {
		draw_payload(d, payload, p.payload_size);
		p.payload = payload;
	}
	p.trailer = draw_chance(d, 20) ? draw_below(d, 30) : 0;
	frame = frame_make(&p);
	if (draw_chance(d, 8))
		damage(d, &frame);
	return frame;
}

/* ---- time ---- */

static uint64_t draw_timeout(struct draw *d, const struct app *app)
{
	const struct app_table *t = &app->table[draw_below(d, app->n_tables)];
	const struct app_state *s = &t->state[draw_below(d, t->n_states)];
	uint64_t ns = draw_chance(d, 50) ? s->idle_ns : s->hard_ns;

	return ns ? ns : 1000000000;
}

static uint64_t draw_pause(struct draw *d, const struct app *app)
{
	uint64_t timeout;

	if (draw_chance(d, 60))
		return 1 + draw_below(d, 1000000);
	timeout = draw_timeout(d, app);
	switch (draw_below(d, 6)) {
	case 0: return timeout > 1 ? timeout - 1 : 1;
	case 1: return timeout;
	case 2: return timeout + 1;
	case 3: return 1 + timeout / 2;
	case 4: return 3 * timeout;
	default: return 1 + timeout / (2 + draw_below(d, 8));
	}
}

struct packet *generate_packets(struct draw *d, const struct app *app, unsigned n)
{
	struct packet *packets = calloc(n ? n : 1, sizeof(*packets));

	if (!packets)
		abort();
	for (unsigned i = 0; i < n; i++) {
		packets[i].after_ns = draw_pause(d, app);
		packets[i].port = 1 + draw_below(d, RIG_PORTS);
		/* Mostly a flow that was seen shortly before. */
		if (i && draw_chance(d, 55))
			packets[i].frame = packets[i - 1 - draw_below(d, i < 12 ? i : 12)].frame;
		else
			packets[i].frame = draw_frame(d, app);
	}
	return packets;
}
