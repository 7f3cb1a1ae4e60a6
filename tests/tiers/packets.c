// SPDX-License-Identifier: GPL-2.0-or-later
/* Whole frames as rules make them, against frames that scapy built from scratch; see packets.py. */
#include "../../agent/host.h"
#include "tiers.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_ROOM = 8192, TEXT_ROOM = 4096, TYPE_AT = 12, KERNEL_FAMILIES = 6 << 16 | 3 << 8 };

extern const char packets_text[];

struct packet_case {
	char name[64], exit[32], tiers[16], text[TEXT_ROOM], rule[TEXT_ROOM], table[TEXT_ROOM];
	struct frame in, out;
};

static void read_frame(struct frame *frame, const char *hex)
{
	for (frame->size = 0; isxdigit((unsigned char)hex[0]); hex += 2) {
		char byte[3] = {hex[0], hex[1]};

		assert_true(frame->size < sizeof(frame->data));
		frame->data[frame->size++] = strtoul(byte, NULL, 16);
	}
}

/* The next case of the file, or false. */
static bool read_case(FILE *file, struct packet_case *c)
{
	static char line[LINE_ROOM];

	memset(c, 0, sizeof(*c));
	while (fgets(line, sizeof(line), file)) {
		char *value = strchr(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || !value)
			continue;
		*value++ = '\0';
		if (!strcmp(line, "case"))
			snprintf(c->name, sizeof(c->name), "%s", value);
		else if (!strcmp(line, "text"))
			snprintf(c->text + strlen(c->text), TEXT_ROOM - strlen(c->text), "%s\n", value);
		else if (!strcmp(line, "table"))
			snprintf(c->table + strlen(c->table), TEXT_ROOM - strlen(c->table), "    %s\n", value);
		else if (!strcmp(line, "rule"))
			snprintf(c->rule, TEXT_ROOM, "%s", value);
		else if (!strcmp(line, "tiers"))
			snprintf(c->tiers, sizeof(c->tiers), "%s", value);
		else if (!strcmp(line, "exit"))
			snprintf(c->exit, sizeof(c->exit), "%s", value);
		else if (!strcmp(line, "in"))
			read_frame(&c->in, value);
		else if (!strcmp(line, "out"))
			read_frame(&c->out, value);
		if (!strcmp(line, "out"))
			return true;
	}
	return false;
}

static const char *exit_name(enum exit_reason reason)
{
	static const char *const names[] = {
#define X(id, name, text) [EXIT_##id] = name,
		EXIT_REASON_LIST(X)
#undef X
	};

	return names[reason];
}

static bool is_ip(const struct frame *frame)
{
	unsigned type = frame->data[TYPE_AT] << 8 | frame->data[TYPE_AT + 1];

	return type == 0x0800 || type == 0x86dd;
}

/* Before 6.3 a kernel cannot be told that what tc takes a header off is of another family: datapath/pkt_room.h. */
static bool changes_family_in_vain(const struct packet_case *c)
{
	bool tc = tier == RIG_TC_INGRESS || tier == RIG_TC_EGRESS;

	return tc && host_kernel_version() < KERNEL_FAMILIES && (strstr(c->rule, "pop(") || strstr(c->table, "pop(")) &&
	       is_ip(&c->in) && is_ip(&c->out) && memcmp(c->in.data + TYPE_AT, c->out.data + TYPE_AT, 2) != 0;
}

static void run_case(const struct packet_case *c)
{
	const char *expected = changes_family_in_vain(c) ? "push-failed" : c->exit;
	static char text[2 * TEXT_ROOM + 128], rule[TEXT_ROOM + 64];
	struct rig_result result;
	struct rig *rig;

	if (c->table[0])
		snprintf(rule, sizeof(rule), "%s", c->table);
	else
		snprintf(rule, sizeof(rule), "    rules:\n      - %s\n    otherwise: drop\n", c->rule);
	snprintf(text, sizeof(text), "app: packets\n%stables:\n  - name: t\n%s", c->text, rule);
	rig = rig_with(text, NULL);
	result = rig_send_real(rig, 1, c->in);
	if (strcmp(exit_name(result.exit), expected))
		fail_msg("%s: left by %s, not %s", c->name, exit_name(result.exit), expected);
	if (expected == c->exit &&
	    (result.frame.size != c->out.size || memcmp(result.frame.data, c->out.data, c->out.size))) {
		print_message("%s\n", c->name);
		assert_frame_equal(c->out.data, c->out.size, result.frame.data, result.frame.size);
	}
	rig_close(rig);
}

static void frames_are_what_scapy_makes(void **state)
{
	static struct packet_case c;
	FILE *file = fmemopen((void *)packets_text, strlen(packets_text), "r");
	unsigned n = 0;

	assert_non_null(file);
	for (; read_case(file, &c); n++)
		if (!strcmp(c.tiers, "all") || tier == RIG_XDP || tier == RIG_NATIVE)
			run_case(&c);
	fclose(file);
	assert_true(n > 0);
}

TESTS(packets, cmocka_unit_test(frames_are_what_scapy_makes));
