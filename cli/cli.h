/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli - what every command needs: where to ask, how to answer.
 *
 * Answers go to stdout (text, or one JSON object a line), mistakes to stderr in one line. */
#ifndef MEALY_CLI_H
#define MEALY_CLI_H

#include "../lib/mealy.h"
#include "../tables/render.h"
#include "cmd.h"

struct cli {
	bool json, insecure, color, verbose;
	const char *url;  /* Of the controller or agent. */
	const char *keys; /* Folder of ours and of those that we trust. */
	bool is_agent;
	const char *switch_name; /* "" unless --switch. */
	uint32_t bundle;	 /* Changes go into this bundle; 0: they are done at once. */
	struct mealy *mealy;	 /* NULL: not connected yet. */
};

/* Prints "mealy: ..." on stderr and returns EXIT_FAILED, or EXIT_USAGE. */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
int cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Connects if that was not done yet.  Returns 0, or an exit code after saying why not. */
int cli_connect(struct cli *cli);

/* Asks and waits.  'switch_name' is filled in by --switch if it is NULL.  Returns 0 and an answer of
 * kind 'expected' for message_free(), or an exit code after saying why. */
int cli_call(struct cli *cli, struct message *request, enum message_kind expected, struct message **ret_reply);

/* The same with what changes something: within `bundle add` it goes into the bundle, and the answer is an OK. */
int cli_change(struct cli *cli, struct message *request, enum message_kind expected, struct message **ret_reply);

/* The layout of a table's records; the reply owns it, for message_free().  Returns 0, or an exit code after saying why.
 */
int cli_layout(struct cli *cli, const char *deployment, const char *table, struct message **ret_reply,
	       const struct layout **ret_layout);

/* Reads a whole file ("-": standard input) of at most 'max' bytes.  Returns 0 and a string that the
 * caller frees, or an exit code after saying why; text with a zero byte is refused. */
int cli_read_file(const char *path, size_t max, char **ret_text, size_t *ret_size);

/* 'text' in a colour, if there are colours: "31" red, "32" green, "33" yellow, "1" bold. */
void cli_paint(const struct cli *cli, FILE *out, const char *color, const char *text);

/* Prints text of others: control characters become '?', and every line after the first is indented. */
void cli_print_indented(FILE *out, const char *text, unsigned indent);

/* "3 min", "2 h 10 min", "8.2 ms": for people. */
const char *cli_duration(uint64_t ns, char *buf, size_t size);
/* "14:02:11", with the date when it is not today's. */
const char *cli_clock(uint64_t unix_ms, bool with_ms, char *buf, size_t size);

uint64_t cli_unix_ms(void);

/* Progress on stderr while stdout goes elsewhere; shown at most ten times a second, and only on a
 * terminal.  'total' 0: not known.  cli_progress_end() clears the line. */
void cli_progress(const char *what, uint64_t done, uint64_t total);
void cli_progress_end(void);

#endif
