/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "version_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/cleanup.h"
#include "why.h"

enum { FILE_FORMAT = 1, LINE_MAX_LEN = 128 };

/* FNV-1a of 64 bits: finds damage, not malice (who can write here can do anything). */
static uint64_t checksum(const char *bytes, size_t size)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ (uint8_t)bytes[i]) * 0x100000001b3;
	return sum;
}

/* ---- writing ---- */

static void write_section(FILE *out, const char *kind, const void *bytes, size_t size)
{
	fprintf(out, "%s %zu\n", kind, size);
	fwrite(bytes, 1, size, out);
	fputc('\n', out);
}

static int write_deployment(FILE *out, const struct deployment *deployment)
{
	struct message msg = {.kind = MSG_DEPLOY, .id = 1, .switch_name = "", .deploy = *deployment};
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t size;
	int r;

	r = message_pack(&msg, &bytes, &size);
	if (r == 0)
		write_section(out, "deployment", bytes, size);
	return r;
}

static int write_sections(FILE *out, const struct desired *desired, const struct registry *registry)
{
	_cleanup_free_ char *text = registry_render(registry);
	int r = text ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < desired->n; i++)
		r = write_deployment(out, held_get(desired->item[i]));
	for (size_t i = 0; r == 0 && i < desired->n_removed; i++) {
		_cleanup_free_ char *line = NULL;

		if (asprintf(&line, "%" PRIu64 " %s", desired->removed[i].version, desired->removed[i].name) < 0) {
			line = NULL;
			return -ENOMEM;
		}
		write_section(out, "removed", line, strlen(line));
	}
	if (r == 0)
		write_section(out, "registry", text, strlen(text));
	return r;
}

static int render_body(const struct desired *desired, const struct registry *registry, char **ret_body,
		       size_t *ret_size)
{
	FILE *out = open_memstream(ret_body, ret_size);
	int r;

	if (!out)
		return -ENOMEM;
	r = write_sections(out, desired, registry);
	if (ferror(out) || fflush(out) != 0)
		r = -ENOMEM;
	fclose(out);
	return r;
}

int version_file_render(uint64_t version, const struct desired *desired, const struct registry *registry,
			char **ret_bytes, size_t *ret_size)
{
	_cleanup_free_ char *body = NULL;
	char head[LINE_MAX_LEN], *bytes;
	size_t body_size = 0, head_len;
	int r;

	r = render_body(desired, registry, &body, &body_size);
	if (r < 0)
		return r;
	head_len = snprintf(head, sizeof(head), "mealy-version %d %" PRIu64 " %zu %016" PRIx64 "\n", FILE_FORMAT,
			    version, body_size, checksum(body, body_size));
	bytes = malloc(head_len + body_size);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, head, head_len);
	memcpy(bytes + head_len, body, body_size);
	*ret_bytes = bytes;
	*ret_size = head_len + body_size;
	return 0;
}

/* ---- reading ---- */

struct reader {
	const char *at;
	size_t left;
	struct desired *desired;
	struct registry *registry;
	char **ret_why;
};

/* Takes the next line, without its newline. */
static int take_line(struct reader *rd, char *ret_line)
{
	const char *end = memchr(rd->at, '\n', rd->left < LINE_MAX_LEN ? rd->left : LINE_MAX_LEN);
	size_t len = end ? (size_t)(end - rd->at) : 0;

	if (!end || len >= LINE_MAX_LEN)
		return -EPROTO;
	memcpy(ret_line, rd->at, len);
	ret_line[len] = '\0';
	rd->at += len + 1;
	rd->left -= len + 1;
	return 0;
}

static int read_deployment(struct reader *rd, const char *bytes, size_t size)
{
	struct message *msg;
	char why[256] = "";
	int r;

	r = message_unpack((const uint8_t *)bytes, size, &msg, why);
	if (r < 0)
		return why_set(rd->ret_why, r == -ENOMEM ? r : -EPROTO, "a deployment cannot be read: %s", why);
	r = msg->kind == MSG_DEPLOY ? desired_put(rd->desired, &msg->deploy, true) : -EPROTO;
	message_free(msg);
	return r < 0 ? r : 0;
}

static int read_removed(struct reader *rd, const char *bytes, size_t size)
{
	_cleanup_free_ char *text = strndup(bytes, size);
	char *name;
	uint64_t version;

	if (!text)
		return -ENOMEM;
	version = strtoull(text, &name, 10);
	if (name == text || *name != ' ' || !name[1] || !version || desired_find(rd->desired, name + 1))
		return -EPROTO;
	return desired_remove(rd->desired, name + 1, version);
}

static int read_registry(struct reader *rd, const char *bytes, size_t size)
{
	_cleanup_free_ char *text = strndup(bytes, size);
	unsigned line = 0;
	int r;

	if (!text)
		return -ENOMEM;
	if (rd->registry || strlen(text) != size)
		return -EPROTO;
	r = registry_parse(text, &rd->registry, &line);
	if (r == -EPROTO)
		return why_set(rd->ret_why, r, "line %u of the registry is not understood", line);
	return r;
}

static int read_section(struct reader *rd)
{
	char line[LINE_MAX_LEN], kind[24];
	const char *bytes;
	size_t size;

	if (take_line(rd, line) < 0 || sscanf(line, "%23s %zu", kind, &size) != 2)
		return -EPROTO;
	if (size >= rd->left || rd->at[size] != '\n')
		return -EPROTO;
	bytes = rd->at;
	rd->at += size + 1;
	rd->left -= size + 1;
	if (!strcmp(kind, "deployment"))
		return read_deployment(rd, bytes, size);
	if (!strcmp(kind, "removed"))
		return read_removed(rd, bytes, size);
	if (!strcmp(kind, "registry"))
		return read_registry(rd, bytes, size);
	return -EPROTO;
}

static int read_head(struct reader *rd, uint64_t *ret_version)
{
	char line[LINE_MAX_LEN];
	uint64_t sum;
	size_t size;
	int format;

	if (take_line(rd, line) < 0 ||
	    sscanf(line, "mealy-version %d %" SCNu64 " %zu %" SCNx64, &format, ret_version, &size, &sum) != 4)
		return why_set(rd->ret_why, -EPROTO, "not a version of a switch");
	if (format != FILE_FORMAT)
		return why_set(rd->ret_why, -EPROTO, "format %d, this agent knows %d", format, FILE_FORMAT);
	if (size != rd->left)
		return why_set(rd->ret_why, -EPROTO, "damaged: %zu bytes instead of %zu", rd->left, size);
	if (checksum(rd->at, rd->left) != sum)
		return why_set(rd->ret_why, -EPROTO, "damaged: the checksum does not fit");
	return 0;
}

int version_file_parse(const char *bytes, size_t size, uint64_t *ret_version, struct desired **ret_desired,
		       struct registry **ret_registry, char **ret_why)
{
	struct reader rd = {.at = bytes, .left = size, .ret_why = ret_why};
	uint64_t version;
	int r;

	rd.desired = desired_new();
	r = rd.desired ? read_head(&rd, &version) : -ENOMEM;
	while (r == 0 && rd.left)
		r = read_section(&rd);
	if (r == 0 && !rd.registry)
		r = -EPROTO;
	if (r < 0) {
		desired_free(rd.desired);
		registry_free(rd.registry);
		return r;
	}
	*ret_version = version;
	*ret_desired = rd.desired;
	*ret_registry = rd.registry;
	return 0;
}
