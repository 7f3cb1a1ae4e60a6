// SPDX-License-Identifier: GPL-2.0-or-later
/* A flow table as its maps lie in the kernel.  An input is what the maps' descriptions say, then the bytes of the
 * descriptor, of all buckets, of all records, and a frame.  Here the kernel is a few arrays: allocations of exactly
 * the maps' sizes, so that a sanitizer sees every step outside. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/flow_map.h"
#include "common/cleanup.h"
#include "datapath/maps_native.h"
#include "pinned.h"
#include "tests/harness/frame.h"
#include "tests/harness/rig_plan.h"

enum { RECORDS_FD = 1000, BUCKETS_FD, RETURNED_FD, DESC_FD, ID_RECORDS = 1, ID_BUCKETS = 2 };
enum { LINES_MAX = 64, BUCKETS_MAX = 32, NOW_NS = 1000000000, TIMES = 3, FRAME_ROOM_MAX = 4096 };

#define APP                                                                                                            \
	"app: found\ntables:\n  - name: t\n    state: {lookup: [ip.src], capacity: 8, when_full: evict,\n"             \
	"      states: [NEW, {name: SEEN, idle: 1s, on_timeout: notify}], registers: [n]}\n"                           \
	"    rules: [{do: n += 1, next: SEEN, action: pass}]\n    absent: drop\n"

/* ---- the kernel --------------------------------------------------------------------------------- */

static struct {
	struct flow_desc desc[FLOW_TABLES_MAX];
	uint32_t lines, line_size, buckets, bucket_size;
	uint8_t *record, *bucket;
	int records_fd; /* Of the last map that was opened by its id. */
} kernel;

int instance_map_fd(const struct instance *instance, const char *name)
{
	return !strcmp(name, MAP_RECORDS)    ? RECORDS_FD
	       : !strcmp(name, MAP_BUCKETS)  ? BUCKETS_FD
	       : !strcmp(name, MAP_RETURNED) ? RETURNED_FD
					     : DESC_FD;
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	if (*(const unsigned *)key != 0)
		return -ENOENT;
	*(__u32 *)value = fd == RECORDS_FD ? ID_RECORDS : ID_BUCKETS;
	return 0;
}

int bpf_map_get_fd_by_id(__u32 id)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (id == ID_RECORDS)
		kernel.records_fd = fd;
	return fd;
}

int bpf_obj_get_info_by_fd(int fd, void *info, __u32 *size)
{
	struct bpf_map_info *map = info;
	bool records = fd == kernel.records_fd;

	map->value_size = records ? kernel.line_size : kernel.bucket_size;
	map->max_entries = records ? kernel.lines : kernel.buckets;
	return 0;
}

int flow_map_view(int fd, size_t element_size, size_t n, void **ret_view)
{
	if (fd == DESC_FD) {
		*ret_view = kernel.desc;
		return 0;
	}
	*ret_view = fd == kernel.records_fd ? kernel.record : kernel.bucket;
	kernel.records_fd = fd == kernel.records_fd ? -1 : kernel.records_fd;
	return 0;
}

void flow_map_unview(void *view, size_t element_size, size_t n) {}

/* A takeover creates and writes nothing. */
int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	abort();
}

void flow_map_describe(const struct flow_spec *spec, struct flow_desc *ret_desc)
{
	abort();
}

int flow_map_create(const struct flow_desc *desc, struct flow_map *ret_map)
{
	abort();
}

void flow_map_close(struct flow_map *map)
{
	abort();
}

int flow_map_put_all(struct flow_map_put *put, size_t n)
{
	abort();
}

static void take_bytes(struct bytes *in, void *to, size_t size)
{
	size_t n = size < in->left ? size : in->left;

	memcpy(to, in->at, n);
	in->at += n;
	in->left -= n;
}

static void take_kernel(struct bytes *in)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.records_fd = -1;
	kernel.lines = bytes_u8(in) % (LINES_MAX + 1);
	kernel.buckets = bytes_u8(in) % (BUCKETS_MAX + 1);
	kernel.line_size = RECORD_LINE_SIZE;
	kernel.bucket_size = sizeof(struct bucket);
	kernel.record = calloc(kernel.lines + !kernel.lines, RECORD_LINE_SIZE);
	kernel.bucket = calloc(kernel.buckets + !kernel.buckets, sizeof(struct bucket));
	CHECK(kernel.record && kernel.bucket);
	take_bytes(in, &kernel.desc[0], sizeof(kernel.desc[0]));
	take_bytes(in, kernel.bucket, kernel.buckets * sizeof(struct bucket));
	take_bytes(in, kernel.record, (size_t)kernel.lines * RECORD_LINE_SIZE);
}

static void drop_kernel(void)
{
	free(kernel.record);
	free(kernel.bucket);
}

/* ---- reading, as for a dump ----------------------------------------------------------------------- */

struct seen {
	struct flow_store *store;
	unsigned n;
};

static int see_flow(void *data, uint32_t slot, const uint64_t *words, unsigned n_words)
{
	const struct flow_desc *desc;
	struct seen *seen = data;
	uint64_t copy[32];
	uint32_t found;

	desc = flow_store_desc(seen->store, 0);
	CHECK(desc && slot >= 1 && slot <= desc->capacity && n_words == RECORD_WORDS(desc->record_class));
	seen->n++;
	if (flow_store_find(seen->store, 0, words + FLOW_HEAD_WORDS, &found, copy) < 0)
		return 0; /* Its tag is not its hash's. */
	CHECK(found >= 1 && found <= desc->capacity);
	CHECK(memcmp(copy + FLOW_HEAD_WORDS, words + FLOW_HEAD_WORDS, desc->key_words * sizeof(copy[0])) == 0);
	return 0;
}

static void read_all(struct flow_store *store)
{
	const struct flow_desc *desc = flow_store_desc(store, 0);
	struct seen seen = {.store = store};
	uint32_t cursor = 0;

	CHECK(desc && flow_store_walk(store, 0, &cursor, 0, see_flow, &seen) == 0 && cursor == 0);
	CHECK(seen.n <= flow_store_count(store, 0) && flow_store_count(store, 0) <= desc->capacity);
	flow_store_states(store, 0);
}

/* ---- running ---------------------------------------------------------------------------------------- */

static struct rig_plan plan;
static struct table found_table;
static struct chain found_chain;

static void plan_once(void)
{
	if (plan.n_apps)
		return;
	plan.hook = HOOK_XDP;
	rig_plan_add(&plan, APP, NULL, 0);
	rig_plan_encode(&plan, 0, 0, &found_table);
	rig_plan_chain(&plan, 1, &found_chain);
}

static const struct table *read_table(void *data, unsigned element)
{
	return element == TABLE_INDEX(0, HOOK_XDP, 0) ? &found_table : NULL;
}

static const struct chain *read_chain(void *data, unsigned element)
{
	return element == CHAIN_INDEX(0, HOOK_XDP) ? &found_chain : NULL;
}

static const struct flow_desc *read_desc(void *data, unsigned flow_table)
{
	return flow_store_desc(data, flow_table);
}

static const void *read_records(void *data, unsigned flow_table)
{
	return flow_store_records(data, flow_table);
}

static const struct bucket *read_buckets(void *data, unsigned flow_table)
{
	return flow_store_buckets(data, flow_table);
}

static void run_frames(struct native_switch *sw, const struct bytes *in)
{
	static struct native_result result;
	uint8_t block[NATIVE_HEADROOM + FRAME_ROOM_MAX];

	for (unsigned i = 0; i < TIMES && in->left <= FRAME_ROOM_MAX; i++) {
		uint8_t *frame = block + NATIVE_HEADROOM;

		memcpy(frame, in->at, in->left);
		CHECK(native_run(sw, HOOK_XDP, 1, NOW_NS * (i + 1), &frame, in->left, FRAME_ROOM_MAX, 1, &result) == 0);
		CHECK(result.exit != EXIT_NONE);
	}
}

static void trace(struct flow_store *store, const struct bytes *in)
{
	const struct native_source source = {.data = store,
					     .table = read_table,
					     .chain = read_chain,
					     .flow_desc = read_desc,
					     .records = read_records,
					     .buckets = read_buckets};
	struct native_switch *sw;

	CHECK(native_new(&source, &sw) == 0);
	run_frames(sw, in);
	native_free(sw);
}

static struct native_switch *open_switch(void)
{
	struct native_switch *sw;

	plan_once();
	CHECK(native_new(NULL, &sw) == 0);
	CHECK(native_set_table(sw, TABLE_INDEX(0, HOOK_XDP, 0), &found_table) == 0);
	CHECK(native_set_chain(sw, CHAIN_INDEX(0, HOOK_XDP), &found_chain) == 0);
	return sw;
}

static void fill(struct native_switch *sw)
{
	struct native_flows *flows = &sw->flows[0];

	CHECK(native_add_flow_table(sw, 0, kernel.desc[0].record_class, kernel.desc[0].key_words,
				    kernel.desc[0].capacity) == 0);
	free(flows->buckets);
	flows->buckets = calloc(kernel.buckets, sizeof(struct bucket));
	CHECK(flows->buckets);
	flows->desc = kernel.desc[0];
	memcpy(flows->buckets, kernel.bucket, kernel.buckets * sizeof(struct bucket));
	memcpy(flows->records, kernel.record, (size_t)kernel.lines * RECORD_LINE_SIZE);
}

/* What packets and the control program do with it, which the verifier guards in the kernel: it ends, and every lock is
 * given back (the next who wants it would wait for ever). */
static void run_for_real(const struct bytes *in)
{
	struct control control = {.magic = CONTROL_MAGIC, .op = CONTROL_EXPIRE, .now_ns = NOW_NS * 2ull};
	struct native_switch *sw = open_switch();

	fill(sw);
	run_frames(sw, in);
	control.table = TABLE_INDEX(0, HOOK_XDP, 0);
	control.n = kernel.desc[0].capacity < CONTROL_SLOTS_MAX ? kernel.desc[0].capacity : CONTROL_SLOTS_MAX;
	for (uint32_t i = 0; i < control.n; i++)
		control.item[i].slot = i + 1;
	CHECK(native_control(sw, &control) == 0);
	run_frames(sw, in);
	native_free(sw);
}

void pinned_flows(struct bytes *in)
{
	struct flow_store *store;

	plan_once();
	take_kernel(in);
	CHECK(flow_store_new(NULL, &store) == 0);
	if (flow_store_desc(store, 0)) {
		read_all(store);
		trace(store, in);
		run_for_real(in);
	}
	flow_store_free(store);
	drop_kernel();
}

/* ---- examples ------------------------------------------------------------------------------------------ */

static void seed_of(uint8_t choice, struct native_switch *sw, const struct frame *f)
{
	const struct native_flows *flows = &sw->flows[0];
	size_t lines = (flows->desc.capacity + 1) * RECORD_LINES(flows->desc.record_class), n = 0;
	uint8_t seed[3 + sizeof(struct flow_desc) + BUCKETS_MAX * sizeof(struct bucket) + LINES_MAX * RECORD_LINE_SIZE +
		     FRAME_ROOM];

	CHECK(lines <= LINES_MAX && flows->desc.n_buckets <= BUCKETS_MAX);
	seed[n++] = choice;
	seed[n++] = lines;
	seed[n++] = flows->desc.n_buckets;
	memcpy(seed + n, &flows->desc, sizeof(flows->desc));
	n += sizeof(flows->desc);
	memcpy(seed + n, flows->buckets, flows->desc.n_buckets * sizeof(struct bucket));
	n += flows->desc.n_buckets * sizeof(struct bucket);
	memcpy(seed + n, flows->records, lines * RECORD_LINE_SIZE);
	n += lines * RECORD_LINE_SIZE;
	memcpy(seed + n, f->data, f->size);
	fuzz_seed(seed, n + f->size);
}

/* Tables with no flow, with some, and full; of small records and of larger ones than the version's. */
void pinned_flows_seeds(uint8_t choice)
{
	static const char *const sources[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5",
					      "10.0.0.6", "10.0.0.7", "10.0.0.8", "10.0.0.9"};

	for (unsigned class_ = RECORD_64; class_ <= RECORD_128; class_++) {
		for (unsigned n = 0; n <= 8; n += 4) {
			struct native_switch *sw = open_switch();
			struct frame f;

			CHECK(native_add_flow_table(sw, 0, class_, found_table.key_words, 8) == 0);
			for (unsigned i = 0; i <= n; i++) {
				f = frame_make(&(struct pkt){.udp_dport = 80, .ip_src = sources[i]});
				if (i < n)
					run_frames(sw, &(struct bytes){f.data, f.size});
			}
			seed_of(choice, sw, &f);
			native_free(sw);
		}
	}
}
