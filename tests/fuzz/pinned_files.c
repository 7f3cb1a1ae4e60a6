// SPDX-License-Identifier: GPL-2.0-or-later
/* The state directory: what is read is refused in words, or means something that can be run and written again. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/plan.h"
#include "agent/state_dir.h"
#include "agent/version_file.h"
#include "common/cleanup.h"
#include "pinned.h"

enum { VERSION = 7, HEAD_ROOM = 128 };

#define LIMITER                                                                                                        \
	"app: limiter\nparameters: {lan: port, burst: 5}\ntables:\n  - name: police\n    state: {lookup: [ip.src], "   \
	"capacity: 8, states: [NEW, {name: METERED, idle: 10s}], registers: [time start]}\n    rules:\n"               \
	"      - {name: first, state: NEW, do: start = now, next: METERED, action: output(lan)}\n"                     \
	"      - {when: now < start, action: drop}\n"

/* ---- a version ---- */

static uint64_t checksum(const uint8_t *bytes, size_t size)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3;
	return sum;
}

static int lan_find(void *data, const char *name)
{
	return name[0] == 'l' ? 1 : -ENOENT;
}

/* No index has two owners. */
static void check_registry(const struct registry *reg)
{
	const struct registry_counter *a, *b;

	for (size_t i = 0; (a = registry_counter_at(reg, i)); i++) {
		CHECK(a->index >= COUNTER_RULES && a->index + a->n <= COUNTERS);
		for (size_t k = 0; k < i; k++) {
			b = registry_counter_at(reg, k);
			CHECK(a->index + a->n <= b->index || b->index + b->n <= a->index);
		}
	}
}

static void check_plan(struct desired *desired, const struct registry *registry)
{
	const struct port_names ports = {.find = lan_find};
	const struct plan_options options = {
		.version = VERSION + 1, .registry = registry, .ports = &ports, .parse_verdict = VERDICT_DROP};
	static struct table table;
	struct plan *plan = NULL;
	char *why = NULL;

	if (plan_make(desired, &options, &plan, &why) < 0) {
		CHECK(why && *why);
		free(why);
		return;
	}
	check_registry(plan->registry);
	for (enum hook_id hook = 0; hook < HOOK_MAX; hook++) {
		for (unsigned i = 0; i < plan->n_tables[hook]; i++) {
			if (plan_encode(plan, hook, i, &table, &why) < 0)
				CHECK(why && *why);
			free(TAKE_PTR(why));
		}
	}
	plan_free(plan);
}

/* Written again it is read as the same, byte by byte. */
static void check_written(uint64_t version, const struct desired *desired, const struct registry *registry)
{
	_cleanup_free_ char *once = NULL, *twice = NULL, *why = NULL;
	struct registry *registry_again = NULL;
	struct desired *again = NULL;
	size_t size, size_again;
	uint64_t found;

	CHECK(version_file_render(version, desired, registry, &once, &size) == 0);
	CHECK(version_file_parse(once, size, &found, &again, &registry_again, &why) == 0 && found == version);
	CHECK(version_file_render(version, again, registry_again, &twice, &size_again) == 0);
	CHECK(size == size_again && memcmp(once, twice, size) == 0);
	desired_free(again);
	registry_free(registry_again);
}

static void check_version(const char *bytes, size_t size)
{
	_cleanup_free_ char *why = NULL;
	struct registry *registry = NULL;
	struct desired *desired = NULL;
	uint64_t version;

	if (version_file_parse(bytes, size, &version, &desired, &registry, &why) < 0) {
		CHECK(!desired && !registry);
		return;
	}
	check_registry(registry);
	check_written(version, desired, registry);
	check_plan(desired, registry);
	registry_free(registry);
}

void pinned_version(struct bytes *in)
{
	size_t body = in->left, head_len;
	char head[HEAD_ROOM], *bytes;

	head_len = snprintf(head, sizeof(head), "mealy-version 1 %d %zu %016" PRIx64 "\n", VERSION, body,
			    checksum(in->at, body));
	bytes = malloc(head_len + body);
	CHECK(bytes);
	memcpy(bytes, head, head_len);
	memcpy(bytes + head_len, in->at, body);
	check_version(bytes, head_len + body);
	free(bytes);
}

/* ---- a folder ---- */

static void write_file(const char *folder, const char *name, const uint8_t *bytes, size_t size)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

/* A file's bytes are as many as the two in front say, or what is left. */
static void take_file(struct bytes *in, const char *folder, const char *name)
{
	size_t size = bytes_u8(in);

	size |= (size_t)bytes_u8(in) << 8;
	if (size > in->left)
		size = in->left;
	write_file(folder, name, in->at, size);
	in->at += size;
	in->left -= size;
}

static void check_ports(struct state_dir *dir)
{
	struct port_number port[PORTS_MAX] = {}, again[PORTS_MAX] = {};
	_cleanup_free_ char *why = NULL;
	size_t n, n_again;

	if (state_dir_load_ports(dir, port, &n, &why) < 0) {
		CHECK(why && *why);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		CHECK(port[i].number >= 1 && port[i].number <= PORTS_MAX && port[i].name[0]);
		for (size_t k = 0; k < i; k++)
			CHECK(port[i].number != port[k].number && strcmp(port[i].name, port[k].name) != 0);
	}
	CHECK(state_dir_save_ports(dir, port, n, &why) == 0);
	CHECK(state_dir_load_ports(dir, again, &n_again, &why) == 0 && n == n_again);
	CHECK(memcmp(port, again, sizeof(port)) == 0);
}

static void check_committed(struct state_dir *dir)
{
	_cleanup_free_ char *why = NULL;
	uint64_t version, again;

	if (state_dir_committed(dir, &version, &why) < 0) {
		CHECK(why && *why);
		return;
	}
	CHECK(version && state_dir_commit(dir, version, &why) == 0);
	CHECK(state_dir_committed(dir, &again, &why) == 0 && again == version);
}

static void check_read(struct state_dir *dir)
{
	_cleanup_free_ char *why = NULL;
	struct registry *registry = NULL;
	struct desired *desired = NULL;

	if (state_dir_read(dir, VERSION, &desired, &registry, &why) < 0)
		CHECK(why && *why && !desired && !registry);
	desired_free(desired);
	registry_free(registry);
}

void pinned_folder(struct bytes *in)
{
	_cleanup_free_ char *why = NULL;
	struct state_dir *dir;
	char folder[96];

	snprintf(folder, sizeof(folder), "%s/state-%d", getenv("TMPDIR") ?: "/tmp", (int)getpid());
	CHECK(mkdir(folder, 0700) == 0 || errno == EEXIST);
	take_file(in, folder, "committed");
	take_file(in, folder, "ports");
	take_file(in, folder, "version-7");
	CHECK(state_dir_open(folder, &dir, &why) == 0);
	check_read(dir);
	check_committed(dir);
	check_ports(dir);
	CHECK(state_dir_before(dir, UINT64_MAX) == VERSION);
	state_dir_close(dir);
	CHECK(state_dir_forget(folder, &why) == 0);
}

/* ---- examples ---- */

static struct plan *example(void)
{
	const struct port_names ports = {.find = lan_find};
	struct msg_setting lan = {"lan", "lan0"};
	struct deployment limiter = {.name = "edge",
				     .version = 3,
				     .file = "edge.yaml",
				     .text = LIMITER,
				     .setting = &lan,
				     .n_settings = 1,
				     .hook = HOOK_XDP,
				     .switches = ""};
	struct plan_options options = {.version = VERSION, .ports = &ports, .parse_verdict = VERDICT_DROP};
	struct registry *empty = registry_new();
	struct desired *desired = desired_new();
	struct plan *plan = NULL;
	char *why = NULL;

	CHECK(empty && desired && desired_put(desired, &limiter, false) >= 0);
	CHECK(desired_remove(desired, "gone", 5) >= 0);
	options.registry = empty;
	if (plan_make(desired, &options, &plan, &why) < 0)
		fprintf(stderr, "%s\n", why);
	CHECK(plan);
	registry_seal(plan->registry);
	registry_free(empty);
	return plan;
}

static void render_example(char **ret_bytes, size_t *ret_size)
{
	struct plan *plan = example();

	CHECK(version_file_render(VERSION, plan->desired, plan->registry, ret_bytes, ret_size) == 0);
	plan_free(plan);
}

void pinned_version_seeds(uint8_t choice)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	char *body;

	render_example(&bytes, &size);
	body = strchr(bytes, '\n'); /* The body follows; its first byte becomes the choice's place. */
	*body = choice;
	fuzz_seed(body, size - (body - bytes));
}

void pinned_folder_seeds(uint8_t choice)
{
	static const char committed[] = "7\n", ports[] = "1 lan0\n2 wan0\n64 v\n";
	_cleanup_free_ char *bytes = NULL;
	uint8_t seed[8192];
	size_t size, n = 0;

	render_example(&bytes, &size);
	CHECK(size < 4096);
	seed[n++] = choice;
	seed[n++] = strlen(committed);
	seed[n++] = 0;
	n += sprintf((char *)seed + n, "%s", committed);
	seed[n++] = strlen(ports);
	seed[n++] = 0;
	n += sprintf((char *)seed + n, "%s", ports);
	seed[n++] = size & 0xff;
	seed[n++] = size >> 8;
	memcpy(seed + n, bytes, size);
	fuzz_seed(seed, n + size);
}
