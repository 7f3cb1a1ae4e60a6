/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trial as a file: the application, "---", and for each packet a line "after NS port N HEX". */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../common/cleanup.h"
#include "trial.h"

static const char separator[] = "---\n";

void trial_free(struct trial *trial)
{
	free(trial->yaml);
	free(trial->packet);
	*trial = (struct trial){};
}

void trial_write(const struct trial *trial, FILE *out)
{
	fputs(trial->yaml, out);
	fputs(separator, out);
	for (unsigned i = 0; i < trial->n; i++) {
		const struct packet *p = &trial->packet[i];

		fprintf(out, "after %" PRIu64 " port %u ", p->after_ns, p->port);
		for (unsigned b = 0; b < p->frame.size; b++)
			fprintf(out, "%02x", p->frame.data[b]);
		fputc('\n', out);
	}
}

static bool read_packet(const char *line, struct packet *ret_packet)
{
	uint8_t bytes[FRAME_ROOM];
	unsigned size = 0;
	int hex = 0;

	if (sscanf(line, "after %" SCNu64 " port %u %n", &ret_packet->after_ns, &ret_packet->port, &hex) != 2 || !hex)
		return false;
	while (size < FRAME_ROOM && sscanf(line + hex + 2 * size, "%2hhx", &bytes[size]) == 1)
		size++;
	ret_packet->frame = frame_of_bytes(bytes, size);
	return size >= 14;
}

static int read_packets(FILE *in, struct trial *trial)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, in) > 0) {
		trial->packet = realloc(trial->packet, (trial->n + 1) * sizeof(*trial->packet));
		if (!trial->packet || !read_packet(line, &trial->packet[trial->n]))
			return -EINVAL;
		trial->n++;
	}
	return 0;
}

/* Comments in front are the file's, not the application's. */
static char *read_yaml(FILE *in)
{
	_cleanup_free_ char *line = NULL;
	char *yaml = NULL;
	size_t room = 0, size;
	FILE *out = open_memstream(&yaml, &size);

	if (!out)
		abort();
	while (getline(&line, &room, in) > 0 && strcmp(line, separator) != 0)
		if (*line != '#')
			fputs(line, out);
	fclose(out);
	return yaml;
}

int trial_read(const char *path, struct trial *ret_trial)
{
	_cleanup_file_ FILE *in = fopen(path, "r");

	*ret_trial = (struct trial){};
	if (!in) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -EINVAL;
	}
	ret_trial->yaml = read_yaml(in);
	if (read_packets(in, ret_trial) == 0)
		return 0;
	fprintf(stderr, "%s: packet %u is not understood\n", path, ret_trial->n + 1);
	trial_free(ret_trial);
	return -EINVAL;
}
