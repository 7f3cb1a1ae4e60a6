/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire - a raw nanomsg socket: frames out, frames in, addresses.  The only file that sees nanomsg.
 *
 * A listening wire (REP) tells its peers apart by the address that comes with each frame; a
 * dialing one (REQ) has a single peer and takes no address.  nanomsg connects, and connects
 * again, by itself and in a thread of its own; frames for a peer whose pipe is busy or gone are
 * dropped by a listening wire without a word, and refused with -EAGAIN by a dialing one. */
#ifndef MEALY_WIRE_H
#define MEALY_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire;

/* Opaque; two frames of one connection come with equal addresses. */
struct wire_address {
	size_t size;
	uint8_t bytes[64];
};

/* 'why' has 256 bytes.  Returns 0, or a negative errno with *ret_why: -EINVAL (no such url), -EPERM
 * (tcp:// without 'insecure'), -EADDRINUSE, -EEXIST (something that is no socket has the path), ... */
int wire_listen(const char *url, bool insecure, struct wire **ret_wire, char *ret_why);

/* Tries to connect from now on, at first every 'backoff_min_ms', at last every 'backoff_max_ms'. */
int wire_dial(const char *url, bool insecure, unsigned backoff_min_ms, unsigned backoff_max_ms, struct wire **ret_wire,
	      char *ret_why);
void wire_close(struct wire *wire);

/* File descriptors that are readable when wire_receive() has something, and when wire_send() of a
 * dialing wire would take something.  Only to be polled. */
int wire_receive_fd(const struct wire *wire);
int wire_send_fd(const struct wire *wire);

/* Sends head and body as one frame; both stay the caller's.  0, or -EAGAIN. */
int wire_send(struct wire *wire, const struct wire_address *to, const void *head, size_t head_size, const void *body,
	      size_t body_size);

/* Returns 0 and a frame for wire_release(), or -EAGAIN.  'ret_from' is left alone by a dialing wire. */
int wire_receive(struct wire *wire, struct wire_address *ret_from, uint8_t **ret_bytes, size_t *ret_size);
void wire_release(uint8_t *bytes);

/* How many connections of this wire have ended so far. */
uint64_t wire_broken(const struct wire *wire);
bool wire_is_connected(const struct wire *wire);

#endif
