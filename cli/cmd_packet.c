/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet out: frames out of a port of a switch. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "handlers.h"

/* What a port can send begins with an Ethernet header. */
static int check_size(const struct frame_view *frame, uint64_t number)
{
	if (frame->size >= ETHERNET_HEADER)
		return 0;
	return cli_usage("frame %" PRIu64 " has %zu byte%s; give whole Ethernet frames, at least the header's %d bytes "
			 "(destination, source, type)",
			 number, (size_t)frame->size, frame->size == 1 ? "" : "s", ETHERNET_HEADER);
}

/* By number if it is one, else by name. */
static void set_port(struct message *request, const char *port)
{
	char *end;
	unsigned long number = strtoul(port, &end, 10);

	request->packet_out.port_name = "";
	if (isdigit((unsigned char)port[0]) && !*end && number <= PORTS_MAX)
		request->packet_out.port = number;
	else
		request->packet_out.port_name = port;
}

static int send_all(struct cli *cli, const char *port, struct frames *frames, uint64_t *ret_sent)
{
	struct frame_view frame;
	int r;

	while ((r = frames_next(frames, &frame)) > 0) {
		struct message request = {.kind = MSG_PACKET_OUT}, *reply;

		r = check_size(&frame, *ret_sent + 1);
		if (r)
			return r;
		set_port(&request, port);
		request.packet_out.packet = frame.bytes;
		request.packet_out.size = frame.size;
		r = cli_call(cli, &request, MSG_OK, &reply);
		if (r)
			return r;
		message_free(reply);
		cli_progress("frames", ++*ret_sent, 0);
	}
	return r < 0 ? EXIT_FAILED : EXIT_OK;
}

int packet_out(struct cli *cli, const struct args *args)
{
	const char *port = args_get(args, "port");
	struct frames *frames;
	uint64_t sent = 0;
	int r;

	if (!port)
		return cli_usage("say where: --port NAME");
	r = frames_open(args, 0, &frames);
	if (r)
		return r;
	r = send_all(cli, port, frames, &sent);
	cli_progress_end();
	frames_close(frames);
	if (cli->json)
		printf("{\"sent\":%" PRIu64 "}\n", sent);
	else if (sent || r == EXIT_OK)
		printf("%" PRIu64 " frame%s sent out of %s\n", sent, sent == 1 ? "" : "s", port);
	return r;
}
