/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frames - Ethernet frames from where a person has them: fields, hexadecimal digits, a capture.
 *
 * One after the other, so a capture of any size needs the memory of one frame. */
#ifndef MEALY_FRAMES_H
#define MEALY_FRAMES_H

#include "args.h"

enum { ETHERNET_HEADER = 14, FRAME_SIZE_MAX = 65535 };

struct frames;

struct frame_view {
	const uint8_t *bytes; /* Until the next call. */
	size_t size;
	uint64_t time_ns; /* Unix time of a capture, 0: none. */
};

/* Reads --hex, --pcap, or the arguments from 'first' on as fields.  Returns 0, or an exit code after
 * saying what is wrong. */
int frames_open(const struct args *args, size_t first, struct frames **ret_frames);
void frames_close(struct frames *frames);

/* 1 and a frame, 0 at the end, -1 after saying what is wrong. */
int frames_next(struct frames *frames, struct frame_view *ret_frame);

/* Writes a capture that tcpdump reads, with nanoseconds. */
struct frame_writer;
int frame_writer_open(const char *path, struct frame_writer **ret_writer);
/* 0 or an exit code after saying what is wrong: the file is whole only then. */
int frame_writer_close(struct frame_writer *writer);
void frame_writer_put(struct frame_writer *writer, const uint8_t *bytes, size_t size, uint64_t time_ns);

#endif
