/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mealy-reference - keeps the language reference true.
 *
 *     mealy-reference PAGE          prints the page with the parts between "<!-- made: NAME -->" and "<!-- end -->"
 * made anew mealy-reference --try PAGE    gives every application of the page to the checker and runs its packets
 *
 * An application is a fenced block "```yaml" that begins with "app:"; settings follow the word "yaml".  Packets
 * stand in a block "```packets" directly behind it. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "part.h"
#include "story.h"

#define MADE "<!-- made: "
#define END  "<!-- end -->"

static char *read_page(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!in || getdelim(&text, &size, '\0', in) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		free(text);
		text = NULL;
	}
	if (in)
		fclose(in);
	return text;
}

/* The next line without its end, or NULL; 'at' moves on. */
static char *next_line(char **at)
{
	char *line = *at, *end;

	if (!*line)
		return NULL;
	end = strchr(line, '\n');
	*at = end ? end + 1 : line + strlen(line);
	if (end)
		*end = '\0';
	return line;
}

static bool begins_with(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

static int print_made(const char *line)
{
	char name[32];
	int r;

	if (sscanf(line, MADE "%31s", name) != 1)
		return -EINVAL;
	puts(line);
	r = part_print(name, stdout);
	if (r == -ENOENT)
		fprintf(stderr, "there is no part \"%s\"\n", name);
	puts(END);
	return r;
}

static int print_page(char *text)
{
	bool inside = false;
	char *line;
	int r = 0;

	while (r == 0 && (line = next_line(&text))) {
		if (begins_with(line, MADE)) {
			r = print_made(line);
			inside = true;
		} else if (begins_with(line, END)) {
			inside = false;
		} else if (!inside) {
			puts(line);
		}
	}
	return r;
}

/* ---- examples ---- */

struct walk {
	char *at;
	unsigned line;
	unsigned n_apps, n_stories, n_bad;
};

static char *walk_line(struct walk *w)
{
	w->line++;
	return next_line(&w->at);
}

/* The lines up to the closing fence, as one text; the caller frees. */
static char *read_block(struct walk *w)
{
	char *text = NULL, *line;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	while (out && (line = walk_line(w)) && !begins_with(line, "```"))
		fprintf(out, "%s\n", line);
	if (out)
		fclose(out);
	return text;
}

static void try_block(struct walk *w, const char *settings)
{
	unsigned line = w->line;
	_cleanup_free_ char *yaml = read_block(w), *packets = NULL;

	if (!yaml || !begins_with(yaml, "app:"))
		return;
	if (begins_with(w->at, "```packets")) {
		walk_line(w);
		packets = read_block(w);
		w->n_stories++;
	}
	w->n_apps++;
	if (story_run(yaml, settings, packets, line) < 0)
		w->n_bad++;
}

static int try_page(char *text)
{
	struct walk w = {.at = text};
	char *line;

	while ((line = walk_line(&w))) {
		if (begins_with(line, "```yaml"))
			try_block(&w, line + strlen("```yaml"));
		else if (begins_with(line, "```"))
			free(read_block(&w));
	}
	printf("%u applications, %u of them with packets, %u wrong\n", w.n_apps, w.n_stories, w.n_bad);
	return w.n_bad || !w.n_apps ? -EINVAL : 0;
}

int main(int argc, char **argv)
{
	bool try = argc == 3 && strcmp(argv[1], "--try") == 0;
	_cleanup_free_ char *text = NULL;

	if (argc != 2 + try) {
		fprintf(stderr, "usage: %s [--try] PAGE\n", argv[0]);
		return 2;
	}
	text = read_page(argv[argc - 1]);
	if (!text)
		return 2;
	return (try ? try_page(text) : print_page(text)) < 0;
}
