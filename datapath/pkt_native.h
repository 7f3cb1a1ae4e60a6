/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkt_native - the frame in the caller's buffer. */
#ifndef MEALY_PKT_NATIVE_H
#define MEALY_PKT_NATIVE_H

#include "pkt_direct.h"

HOOK_FN void *pkt_begin(struct hook *h)
{
	return h->begin;
}

HOOK_FN void *pkt_end(struct hook *h)
{
	return h->end;
}

/* As at XDP, an Ethernet header must remain. */
HOOK_FN int pkt_move_begin(struct hook *h, int delta)
{
	enum { LEAST = 14 };

	if (delta < h->room_begin - h->begin || delta > h->end - h->begin - LEAST)
		return -1;
	h->begin += delta;
	return 0;
}

#endif
