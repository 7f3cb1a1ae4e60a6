/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../common/cleanup.h"

enum { CONNECT_TIMEOUT_MS = 4000, CALL_TIMEOUT_MS = 20000, PROGRESS_INTERVAL_MS = 100 };

static void say(const char *format, va_list args)
{
	fflush(stdout);
	fputs("mealy: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int cli_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	return EXIT_FAILED;
}

int cli_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	return EXIT_USAGE;
}

/* A socket that is not there needs no waiting to be found missing. */
static int check_socket(const struct cli *cli)
{
	if (strncmp(cli->url, "ipc://", 6) != 0 || access(cli->url + 6, F_OK) == 0)
		return 0;
	if (errno == EACCES)
		return cli_fail("%s: permission denied (its folder is for root and its group)", cli->url);
	return cli_fail("nothing listens at %s; is %s running there?", cli->url,
			cli->is_agent ? "mealy-agent" : "mealy-controller");
}

int cli_connect(struct cli *cli)
{
	bool is_tcp = strncmp(cli->url, "tcp://", 6) == 0;
	int r;

	if (cli->mealy)
		return 0;
	r = check_socket(cli);
	if (r)
		return r;
	if (is_tcp && cli->insecure)
		fputs("mealy: INSECURE: nothing is sealed on this connection\n", stderr);
	if (is_tcp && !cli->insecure)
		r = mealy_open_sealed(cli->url, cli->keys, "mealy", CONNECT_TIMEOUT_MS, &cli->mealy);
	else
		r = mealy_open(cli->url, cli->insecure, "mealy", CONNECT_TIMEOUT_MS, &cli->mealy);
	if (r < 0) {
		cli_fail("%s", cli->mealy ? mealy_error(cli->mealy) : strerror(-r));
		mealy_close(TAKE_PTR(cli->mealy));
		return r == -EPERM ? EXIT_USAGE : EXIT_FAILED;
	}
	mealy_set_timeout(cli->mealy, CALL_TIMEOUT_MS);
	return 0;
}

int cli_call(struct cli *cli, struct message *request, enum message_kind expected, struct message **ret_reply)
{
	enum error_code code;
	int r;

	r = cli_connect(cli);
	if (r)
		return r;
	if (!request->switch_name)
		request->switch_name = cli->switch_name;
	r = mealy_call(cli->mealy, request, ret_reply, &code);
	if (r < 0)
		return cli_fail("%s", mealy_error(cli->mealy));
	if ((*ret_reply)->kind == expected)
		return 0;
	cli_fail("%s answered with %s instead of %s", cli->url, message_kind_name((*ret_reply)->kind),
		 message_kind_name(expected));
	message_free(*ret_reply);
	return EXIT_FAILED;
}

int cli_change(struct cli *cli, struct message *request, enum message_kind expected, struct message **ret_reply)
{
	struct message in_bundle = {.kind = MSG_BUNDLE, .switch_name = cli->switch_name};
	uint8_t *bytes;
	int r;

	if (!cli->bundle)
		return cli_call(cli, request, expected, ret_reply);
	request->switch_name = "";
	r = message_pack(request, &bytes, &in_bundle.bundle.member_size);
	if (r < 0)
		return cli_fail("%s", r == -EMSGSIZE ? "too large for one message" : strerror(-r));
	in_bundle.bundle.op = BUNDLE_ADD;
	in_bundle.bundle.id = cli->bundle;
	in_bundle.bundle.member = bytes;
	r = cli_call(cli, &in_bundle, MSG_OK, ret_reply);
	free(bytes);
	return r;
}

static int read_all(FILE *file, const char *path, size_t max, char **ret_text, size_t *ret_size)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, room = 0, n;

	do {
		char *more = realloc(text, room + 65536 + 1);

		if (!more)
			return cli_fail("out of memory");
		text = more;
		room += 65536;
		n = fread(text + size, 1, room - size, file);
		size += n;
		if (size > max)
			return cli_fail("%s is longer than %zu bytes", path, max);
	} while (n > 0);
	if (ferror(file))
		return cli_fail("cannot read %s: %s", path, strerror(errno));
	text[size] = '\0';
	*ret_text = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

int cli_layout(struct cli *cli, const char *deployment, const char *table, struct message **ret_reply,
	       const struct layout **ret_layout)
{
	struct message request = {.kind = MSG_GET_TABLES, .tables = {.layouts = true}};
	struct message *reply;
	bool stateless = false;
	int r;

	r = cli_call(cli, &request, MSG_TABLES, &reply);
	if (r)
		return r;
	for (size_t i = 0; i < reply->tables.n; i++) {
		const struct msg_table *t = &reply->tables.item[i];

		if (strcmp(t->deployment, deployment) || strcmp(t->table, table))
			continue;
		stateless = !t->layout;
		if (t->layout) {
			*ret_reply = reply;
			*ret_layout = t->layout;
			return 0;
		}
	}
	message_free(reply);
	if (stateless)
		return cli_fail("table %s of %s keeps no flows", table, deployment);
	return cli_fail("there is no table %s of %s here (mealy table list shows what there is)", table, deployment);
}

int cli_read_file(const char *path, size_t max, char **ret_text, size_t *ret_size)
{
	_cleanup_file_ FILE *file = NULL;
	int r;

	if (!strcmp(path, "-"))
		return read_all(stdin, "standard input", max, ret_text, ret_size);
	file = fopen(path, "re");
	if (!file)
		return cli_fail("cannot read %s: %s", path, strerror(errno));
	r = read_all(file, path, max, ret_text, ret_size);
	if (r == 0 && strlen(*ret_text) != *ret_size) {
		free(TAKE_PTR(*ret_text));
		return cli_fail("%s is no text: it has a zero byte", path);
	}
	return r;
}

void cli_paint(const struct cli *cli, FILE *out, const char *color, const char *text)
{
	if (cli->color)
		fprintf(out, "\033[%sm%s\033[0m", color, text);
	else
		fputs(text, out);
}

void cli_print_indented(FILE *out, const char *text, unsigned indent)
{
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '\n' && !text[1])
			break;
		if (c == '\n')
			fprintf(out, "\n%*s", (int)indent, "");
		else
			fputc(c < 0x20 || c == 0x7f ? (c == '\t' ? '\t' : '?') : c, out);
	}
}

const char *cli_duration(uint64_t ns, char *buf, size_t size)
{
	uint64_t s = ns / 1000000000;

	if (ns < 1000000)
		snprintf(buf, size, "%" PRIu64 " us", ns / 1000);
	else if (ns < 10000000)
		snprintf(buf, size, "%.1f ms", ns / 1e6);
	else if (s < 1)
		snprintf(buf, size, "%" PRIu64 " ms", ns / 1000000);
	else if (s < 60)
		snprintf(buf, size, "%.1f s", ns / 1e9);
	else if (s < 3600)
		snprintf(buf, size, "%" PRIu64 " min", s / 60);
	else if (s < 86400)
		snprintf(buf, size, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
	else
		snprintf(buf, size, "%" PRIu64 " days", s / 86400);
	return buf;
}

uint64_t cli_unix_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

const char *cli_clock(uint64_t unix_ms, bool with_ms, char *buf, size_t size)
{
	time_t then = unix_ms / 1000, now = time(NULL);
	struct tm tm, today;
	size_t n;

	localtime_r(&then, &tm);
	localtime_r(&now, &today);
	n = strftime(buf, size, tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year ? "%T" : "%F %T", &tm);
	if (with_ms && n < size)
		snprintf(buf + n, size - n, ".%03u", (unsigned)(unix_ms % 1000));
	return buf;
}

static uint64_t progress_shown_ms;

void cli_progress(const char *what, uint64_t done, uint64_t total)
{
	static int shown = -1;
	uint64_t now;

	if (shown < 0)
		shown = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
	if (!shown)
		return;
	now = cli_unix_ms();
	if (now - progress_shown_ms < PROGRESS_INTERVAL_MS)
		return;
	progress_shown_ms = now;
	if (total)
		fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " %s (%u %%)\033[K", done, total, what,
			(unsigned)(done * 100 / (total > done ? total : done)));
	else
		fprintf(stderr, "\r%" PRIu64 " %s\033[K", done, what);
}

void cli_progress_end(void)
{
	if (progress_shown_ms)
		fputs("\r\033[K", stderr);
	progress_shown_ms = 0;
}
