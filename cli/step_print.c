/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "step_print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"

enum { NAME_WIDTH = 20 };

static void line(const char *before, const char *text)
{
	if (!text[0])
		return;
	printf("%*s%s", NAME_WIDTH, "", before);
	cli_print_indented(stdout, text, NAME_WIDTH + (unsigned)strlen(before));
	putchar('\n');
}

static void print_flow(const struct msg_traced_step *step)
{
	const char *what = step->created ? "new flow" : step->found ? "flow found" : "no flow";

	if (step->key[0]) {
		printf("key ");
		cli_print_indented(stdout, step->key, NAME_WIDTH + 4);
		printf("   %s", what);
	} else {
		fputs(step->absent ? "the packet has no such key" : step->old_state[0] ? what : "rules only", stdout);
	}
	if (step->old_state[0])
		printf(": state %s", step->old_state);
	if (step->fell_from[0])
		printf(" (it was %s, until a timeout)", step->fell_from);
	if (step->new_state[0] && strcmp(step->new_state, step->old_state))
		printf(" -> %s", step->new_state);
	if (step->freed)
		fputs(", freed", stdout);
	putchar('\n');
}

void step_print_text(struct cli *cli, const struct msg_traced_step *step)
{
	char name[2 * NAME_LEN_MAX + 8];

	snprintf(name, sizeof(name), "%s / %s", step->deployment, step->table);
	printf("%-*s", NAME_WIDTH, name);
	if (strlen(name) >= NAME_WIDTH)
		printf("\n%*s", NAME_WIDTH, "");
	print_flow(step);
	printf("%*srule ", NAME_WIDTH, "");
	cli_paint(cli, stdout, "1", step->rule);
	if (step->rule_line)
		printf(" (line %u)", step->rule_line);
	putchar('\n');
	line("when     ", step->conditions);
	line("updates  ", step->updates);
	line("verdict  ", step->verdict);
}

static void print_record(struct render *r, const struct msg_traced_step *step, const struct layout *layout)
{
	uint64_t words[RECORD_SIZE(RECORD_256) / sizeof(uint64_t)];

	if (!layout || step->record_size != RECORD_SIZE(layout->record_class))
		return;
	memcpy(words, step->record, step->record_size);
	render_record(r, layout, words);
}

void step_print_json(struct render *r, const struct msg_traced_step *step, const struct layout *layout)
{
	render_row_begin(r);
	render_u64(r, "frame", step->frame);
	render_string(r, "deployment", step->deployment);
	render_string(r, "table", step->table);
	render_string(r, "key", step->key);
	render_bool(r, "absent", step->absent);
	render_bool(r, "found", step->found);
	render_bool(r, "created", step->created);
	render_bool(r, "freed", step->freed);
	render_string(r, "fell_from", step->fell_from);
	render_string(r, "old_state", step->old_state);
	render_string(r, "new_state", step->new_state);
	render_string(r, "rule", step->rule);
	render_u64(r, "rule_line", step->rule_line);
	render_string(r, "conditions", step->conditions);
	render_string(r, "updates", step->updates);
	render_string(r, "verdict", step->verdict);
	print_record(r, step, layout);
	render_row_end(r);
}

static bool is_drop(const char *exit)
{
	static const char *const goes_on[] = {"pass",	 "deliver",	   "output", "flood",
					      "reflect", "no-application", "copy",   "table-full-pass"};

	for (size_t i = 0; i < ARRAY_SIZE(goes_on); i++)
		if (!strcmp(exit, goes_on[i]))
			return false;
	return true;
}

static void print_rewritten(const struct msg_traced_frame *frame, const uint8_t *before, size_t before_size)
{
	size_t n = frame->size < before_size ? frame->size : before_size, first = 0, last = n;

	if (frame->size == before_size && !memcmp(frame->bytes, before, n))
		return;
	while (first < n && frame->bytes[first] == before[first])
		first++;
	while (last > first && frame->size == before_size && frame->bytes[last - 1] == before[last - 1])
		last--;
	printf("%*srewritten: %zu -> %zu bytes, from byte %zu:", NAME_WIDTH, "", before_size, frame->size, first);
	if (frame->size != before_size)
		last = frame->size;
	for (size_t i = first; i < last && i < first + 32; i++)
		printf(" %02x", frame->bytes[i]);
	puts(last > first + 32 ? " ..." : "");
}

void step_print_exit(struct cli *cli, const struct msg_traced_frame *frame, const uint8_t *before, size_t before_size)
{
	printf("%-*s", NAME_WIDTH, "leaves");
	cli_paint(cli, stdout, is_drop(frame->exit) ? "31" : "32", frame->exit);
	if (frame->out_port)
		printf(", port %u", frame->out_port);
	putchar('\n');
	if (!is_drop(frame->exit))
		print_rewritten(frame, before, before_size);
}

void step_print_exit_json(struct render *r, size_t index, const struct msg_traced_frame *frame, uint64_t version)
{
	static const char digits[] = "0123456789abcdef";
	_cleanup_free_ char *hex = malloc(2 * frame->size + 1);

	if (!hex)
		return;
	for (size_t i = 0; i < frame->size; i++) {
		hex[2 * i] = digits[frame->bytes[i] >> 4];
		hex[2 * i + 1] = digits[frame->bytes[i] & 15];
	}
	hex[2 * frame->size] = '\0';
	render_row_begin(r);
	render_u64(r, "frame", index);
	render_string(r, "exit", frame->exit);
	render_u64(r, "out_port", frame->out_port);
	render_u64(r, "version", version);
	render_u64(r, "bytes", frame->size);
	render_string(r, "packet", hex);
	render_row_end(r);
}
