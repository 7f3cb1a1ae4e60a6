/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet_spec - a frame from a few fields: "ipv4.src=10.0.0.7 udp.dst=53".
 *
 * Fields and their places come from the one table of fields, so every field of the language can be
 * given.  A header exists if a field of it is given or it is named alone ("tcp", "hopopts").
 * What is not given takes its default:
 *
 *     eth      02:00:00:00:00:01 -> 02:00:00:00:00:02 (an ARP question: to everyone)
 *     vlan     id 1; below a second tag its type is qinq
 *     ip       IPv4 unless an address or header says IPv6; 192.0.2.1 -> 192.0.2.2 or
 *              2001:db8::1 -> 2001:db8::2, ttl 64
 *     l4       UDP unless something says otherwise; ports 49152 -> 53 (UDP), 80 (TCP, a SYN);
 *              ICMP: an echo request
 *     lengths and checksums are made right, unless they are given
 *
 * Besides fields: "length=1500" (bytes of the whole frame) and "payload=HEX". */
#ifndef MEALY_PACKET_SPEC_H
#define MEALY_PACKET_SPEC_H

#include <stddef.h>
#include <stdint.h>

enum { PACKET_SPEC_FRAME_MAX = 9216 };

/* Composes the frame that 'words' describe; each may hold several, with blanks between.
 * Returns 0, or -EINVAL and '*ret_why' (256 bytes). */
int packet_spec_compose(const char *const *words, size_t n_words, uint8_t *ret_frame, size_t *ret_size, char *ret_why);

#endif
