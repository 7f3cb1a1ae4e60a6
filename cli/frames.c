/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frames.h"

#include <ctype.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "packet_spec.h"

struct frames {
	pcap_t *pcap; /* NULL: one frame in 'bytes'. */
	const char *path;
	bool given;
	size_t size;
	uint8_t bytes[FRAME_SIZE_MAX];
};

static int hex_digit(int c)
{
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

/* Digits in pairs; blanks, colons and a leading 0x are skipped. */
static int read_hex(struct frames *frames, const char *text)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	while (*text) {
		if (isspace((unsigned char)*text) || *text == ':') {
			text++;
			continue;
		}
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
			return cli_usage("--hex: \"%.10s\" is no pair of hexadecimal digits", text);
		if (frames->size == sizeof(frames->bytes))
			return cli_usage("--hex: a frame has at most %d bytes", FRAME_SIZE_MAX);
		frames->bytes[frames->size++] = hex_digit(text[0]) << 4 | hex_digit(text[1]);
		text += 2;
	}
	return frames->size ? 0 : cli_usage("--hex: no bytes");
}

static int open_pcap(struct frames *frames, const char *path)
{
	char why[PCAP_ERRBUF_SIZE];

	frames->path = path;
	frames->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!frames->pcap)
		return cli_fail("cannot read %s as a capture: %s", path, why);
	if (pcap_datalink(frames->pcap) != DLT_EN10MB)
		return cli_fail("%s has no Ethernet frames (link type %s)", path,
				pcap_datalink_val_to_name(pcap_datalink(frames->pcap)) ?: "unknown");
	return 0;
}

static int compose(struct frames *frames, const struct args *args, size_t first)
{
	char why[256];

	if (args->n_args <= first)
		return cli_usage("say which packet: fields like 'ipv4.src=10.0.0.7 udp.dst=53', --hex or --pcap");
	if (packet_spec_compose(args->arg + first, args->n_args - first, frames->bytes, &frames->size, why) < 0)
		return cli_usage("%s", why);
	return 0;
}

int frames_open(const struct args *args, size_t first, struct frames **ret_frames)
{
	const char *hex = args_get(args, "hex"), *pcap = args_get(args, "pcap");
	struct frames *frames;
	int r;

	if ((hex != NULL) + (pcap != NULL) + (args->n_args > first) > 1)
		return cli_usage("fields, --hex and --pcap exclude each other");
	frames = calloc(1, sizeof(*frames));
	if (!frames)
		return cli_fail("out of memory");
	r = hex ? read_hex(frames, hex) : pcap ? open_pcap(frames, pcap) : compose(frames, args, first);
	if (r) {
		frames_close(frames);
		return r;
	}
	*ret_frames = frames;
	return 0;
}

void frames_close(struct frames *frames)
{
	if (!frames)
		return;
	if (frames->pcap)
		pcap_close(frames->pcap);
	free(frames);
}

static int next_of_pcap(struct frames *frames, struct frame_view *ret_frame)
{
	struct pcap_pkthdr *head;
	const u_char *bytes;
	int r = pcap_next_ex(frames->pcap, &head, &bytes);

	if (r == PCAP_ERROR_BREAK)
		return 0;
	if (r != 1) {
		cli_fail("%s: %s", frames->path, pcap_geterr(frames->pcap));
		return -1;
	}
	if (head->caplen != head->len || head->caplen > FRAME_SIZE_MAX) {
		cli_fail("%s: a frame of %u bytes was captured with %u: capture whole frames (tcpdump -s 0)",
			 frames->path, head->len, head->caplen);
		return -1;
	}
	/* The fraction is in nanoseconds, as asked for at the opening. */
	*ret_frame = (struct frame_view){
		.bytes = bytes, .size = head->caplen, .time_ns = head->ts.tv_sec * 1000000000ull + head->ts.tv_usec};
	return 1;
}

int frames_next(struct frames *frames, struct frame_view *ret_frame)
{
	if (frames->pcap)
		return next_of_pcap(frames, ret_frame);
	if (frames->given)
		return 0;
	frames->given = true;
	*ret_frame = (struct frame_view){.bytes = frames->bytes, .size = frames->size};
	return 1;
}

struct frame_writer {
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	const char *path;
};

int frame_writer_open(const char *path, struct frame_writer **ret_writer)
{
	struct frame_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return cli_fail("out of memory");
	writer->path = path;
	writer->pcap = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65535 + 64, PCAP_TSTAMP_PRECISION_NANO);
	writer->dumper = writer->pcap ? pcap_dump_open(writer->pcap, path) : NULL;
	if (!writer->dumper) {
		int r = cli_fail("cannot write %s: %s", path,
				 writer->pcap ? pcap_geterr(writer->pcap) : "out of memory");

		frame_writer_close(writer);
		return r;
	}
	*ret_writer = writer;
	return 0;
}

int frame_writer_close(struct frame_writer *writer)
{
	int r = 0;

	if (!writer)
		return 0;
	if (writer->dumper) {
		if (pcap_dump_flush(writer->dumper) < 0 || ferror(pcap_dump_file(writer->dumper)))
			r = cli_fail("cannot write %s: %s", writer->path, strerror(errno));
		pcap_dump_close(writer->dumper);
	}
	if (writer->pcap)
		pcap_close(writer->pcap);
	free(writer);
	return r;
}

void frame_writer_put(struct frame_writer *writer, const uint8_t *bytes, size_t size, uint64_t time_ns)
{
	struct pcap_pkthdr head = {
		.ts = {.tv_sec = time_ns / 1000000000, .tv_usec = time_ns % 1000000000}, .caplen = size, .len = size};

	pcap_dump((u_char *)writer->dumper, &head, bytes);
}
