// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "../common/cleanup.h"
#include "flow_map.h"
#include "flow_store.h"
#include "why.h"

struct flow_table {
	struct flow_desc desc; /* valid: the table exists. */
	void *records;
	void *buckets;
};

struct flow_store {
	struct instance *instance;
	int records_fd, buckets_fd, returned_fd, desc_fd;
	struct flow_desc *desc; /* All of them, mapped. */
	struct flow_table table[FLOW_TABLES_MAX];
};

enum { PUTS_PER_TABLE = 3 };

static struct flow_table *get(struct flow_store *store, unsigned index)
{
	if (index >= FLOW_TABLES_MAX || !store->table[index].desc.valid)
		return NULL;
	return &store->table[index];
}

/* ---- finding ------------------------------------------------------------------------------------ */

static int open_outer(struct flow_store *store)
{
	struct instance *instance = store->instance;

	store->records_fd = instance_map_fd(instance, MAP_RECORDS);
	store->buckets_fd = instance_map_fd(instance, MAP_BUCKETS);
	store->returned_fd = instance_map_fd(instance, MAP_RETURNED);
	store->desc_fd = instance_map_fd(instance, MAP_FLOW_DESC);

	return store->records_fd < 0 || store->buckets_fd < 0 || store->returned_fd < 0 || store->desc_fd < 0 ? -ENOENT
													      : 0;
}

/* The descriptor was written by an agent, but maybe not by this build: believe nothing. */
static bool desc_holds(const struct flow_desc *desc)
{
	return desc->valid && desc->record_class < RECORD_CLASS_MAX && desc->key_words >= 1 &&
	       desc->key_words <= KEY_WORDS_MAX && desc->capacity >= 1 && desc->capacity <= FLOW_CAPACITY_MAX &&
	       desc->n_heads >= 1 && (desc->n_heads & (desc->n_heads - 1)) == 0 && desc->n_buckets >= desc->n_heads &&
	       FLOW_HEAD_WORDS + desc->key_words <= RECORD_WORDS(desc->record_class);
}

/* Opens the inner map under 'index' and maps it, if it has the size the descriptor tells. */
static int view_inner(int outer_fd, unsigned index, size_t element_size, size_t n, void **ret_view)
{
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info = {};
	__u32 size = sizeof(info), id;
	int r;

	r = bpf_map_lookup_elem(outer_fd, &index, &id);
	if (r < 0)
		return r;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return fd;
	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return r;
	if (info.value_size != element_size || info.max_entries != n)
		return -EPROTO;
	return flow_map_view(fd, element_size, n, ret_view);
}

static void close_table(struct flow_table *table)
{
	flow_map_unview(table->records, RECORD_LINE_SIZE, flow_map_lines(&table->desc));
	flow_map_unview(table->buckets, sizeof(struct bucket), table->desc.n_buckets);
	*table = (struct flow_table){};
}

static int find_table(struct flow_store *store, unsigned index)
{
	struct flow_table table = {.desc = store->desc[index]};
	int r;

	if (!desc_holds(&table.desc))
		return -ENOENT;

	r = view_inner(store->records_fd, index, RECORD_LINE_SIZE, flow_map_lines(&table.desc), &table.records);
	if (r == 0)
		r = view_inner(store->buckets_fd, index, sizeof(struct bucket), table.desc.n_buckets, &table.buckets);
	if (r < 0) {
		close_table(&table);
		return r;
	}
	store->table[index] = table;
	return 0;
}

int flow_store_new(struct instance *instance, struct flow_store **ret_store)
{
	struct flow_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	store->instance = instance;
	r = open_outer(store);
	if (r == 0)
		r = flow_map_view(store->desc_fd, sizeof(struct flow_desc), FLOW_TABLES_MAX, (void **)&store->desc);

	/* A table that is not whole (its creator died in between) counts as not there. */
	for (unsigned i = 0; r == 0 && i < FLOW_TABLES_MAX; i++)
		if (find_table(store, i) == -ENOMEM)
			r = -ENOMEM;
	if (r < 0) {
		flow_store_free(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

void flow_store_free(struct flow_store *store)
{
	if (!store)
		return;
	for (unsigned i = 0; i < FLOW_TABLES_MAX; i++)
		close_table(&store->table[i]);
	flow_map_unview(store->desc, sizeof(struct flow_desc), FLOW_TABLES_MAX);
	free(store);
}

/* ---- creating ------------------------------------------------------------------------------------- */

static int check_spec(const struct flow_store *store, const struct flow_spec *spec, char **ret_why)
{
	if (spec->index >= FLOW_TABLES_MAX || spec->capacity < 1 || spec->capacity > FLOW_CAPACITY_MAX ||
	    spec->record_class >= RECORD_CLASS_MAX || spec->key_words < 1 || spec->key_words > KEY_WORDS_MAX ||
	    FLOW_HEAD_WORDS + spec->key_words > RECORD_WORDS(spec->record_class))
		return why_set(ret_why, -EINVAL, "flow table %u: capacity %u, class %d, %u key words is out of limits",
			       spec->index, spec->capacity, spec->record_class, spec->key_words);
	if (store->table[spec->index].desc.valid)
		return why_set(ret_why, -EEXIST, "flow table %u exists", spec->index);
	return 0;
}

static int make_table(const struct flow_spec *spec, struct flow_table *ret_table, struct flow_map *ret_map,
		      char **ret_why)
{
	struct flow_table table = {};
	struct flow_map map = FLOW_MAP_NONE;
	int r;

	flow_map_describe(spec, &table.desc);
	if (getrandom(table.desc.secret, sizeof(table.desc.secret), 0) != sizeof(table.desc.secret))
		return -errno;

	r = flow_map_create(&table.desc, &map);
	if (r == 0)
		r = flow_map_view(map.records_fd, RECORD_LINE_SIZE, flow_map_lines(&table.desc), &table.records);
	if (r == 0)
		r = flow_map_view(map.buckets_fd, sizeof(struct bucket), table.desc.n_buckets, &table.buckets);
	if (r < 0) {
		why_set(ret_why, r, "the kernel gives no memory for %u flows of %u bytes (%zu KiB): %s", spec->capacity,
			RECORD_SIZE(spec->record_class), flow_store_memory(spec) >> 10, strerror(-r));
		close_table(&table);
		flow_map_close(&map);
		return r;
	}
	table.desc.valid = 1;
	*ret_table = table;
	*ret_map = map;
	return 0;
}

static void list_puts(const struct flow_store *store, unsigned index, const struct flow_map *map,
		      struct flow_map_put *put)
{
	put[0] = (struct flow_map_put){store->records_fd, index, map->records_fd, 0};
	put[1] = (struct flow_map_put){store->buckets_fd, index, map->buckets_fd, 0};
	put[2] = (struct flow_map_put){store->returned_fd, index, map->returned_fd, 0};
}

/* Maps first, descriptors last: a table whose descriptor is valid is whole. */
static int publish(struct flow_store *store, const struct flow_spec *spec, size_t n, struct flow_map *map)
{
	_cleanup_free_ struct flow_map_put *put = calloc(n * PUTS_PER_TABLE, sizeof(*put));
	int r;

	if (!put)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		list_puts(store, spec[i].index, &map[i], &put[i * PUTS_PER_TABLE]);
	r = flow_map_put_all(put, n * PUTS_PER_TABLE);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = bpf_map_update_elem(store->desc_fd, &spec[i].index, &store->table[spec[i].index].desc, BPF_ANY);
	return r;
}

int flow_store_create(struct flow_store *store, const struct flow_spec *spec, size_t n, char **ret_why)
{
	_cleanup_free_ struct flow_map *map = calloc(n + 1, sizeof(*map));
	size_t made = 0;
	int r = 0;

	if (!map)
		return -ENOMEM;
	for (; made < n; made++) {
		r = check_spec(store, &spec[made], ret_why);
		if (r < 0)
			break;
		r = make_table(&spec[made], &store->table[spec[made].index], &map[made], ret_why);
		if (r < 0)
			break;
	}
	if (r == 0 && n > 0) {
		r = publish(store, spec, n, map);
		if (r < 0)
			why_set(ret_why, r, "cannot put %zu flow tables in place: %s", n, strerror(-r));
	}
	for (size_t i = 0; i < made; i++)
		flow_map_close(&map[i]);
	if (r < 0) {
		for (size_t i = 0; i < made; i++)
			flow_store_release(store, &spec[i].index, 1);
	}
	return r;
}

int flow_store_release(struct flow_store *store, const unsigned *index, size_t n)
{
	_cleanup_free_ struct flow_map_put *put = calloc(n * PUTS_PER_TABLE + 1, sizeof(*put));
	const struct flow_map none = FLOW_MAP_NONE;
	const struct flow_desc empty = {};
	size_t n_puts = 0;
	int r, first = 0;

	if (!put)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!get(store, index[i]))
			continue;
		r = bpf_map_update_elem(store->desc_fd, &index[i], &empty, BPF_ANY);
		if (r < 0) {
			first = first ? first : r;
			continue;
		}
		list_puts(store, index[i], &none, &put[n_puts]);
		n_puts += PUTS_PER_TABLE;
	}
	r = n_puts ? flow_map_put_all(put, n_puts) : 0;
	for (size_t i = 0; r == 0 && i < n_puts; i += PUTS_PER_TABLE)
		close_table(&store->table[put[i].index]);
	return first ? first : r;
}

/* ---- looking ---------------------------------------------------------------------------------------- */

const struct flow_desc *flow_store_desc(struct flow_store *store, unsigned index)
{
	struct flow_table *table = get(store, index);

	if (!table)
		return NULL;
	/* Only what packets change; the rest was checked when the table was found. */
	table->desc.fresh = __atomic_load_n(&store->desc[index].fresh, __ATOMIC_RELAXED);
	table->desc.n_overflow = __atomic_load_n(&store->desc[index].n_overflow, __ATOMIC_RELAXED);
	return &table->desc;
}

const void *flow_store_records(struct flow_store *store, unsigned index)
{
	struct flow_table *table = get(store, index);

	return table ? table->records : NULL;
}

const struct bucket *flow_store_buckets(struct flow_store *store, unsigned index)
{
	struct flow_table *table = get(store, index);

	return table ? table->buckets : NULL;
}

struct instance *flow_store_instance(struct flow_store *store)
{
	return store->instance;
}

size_t flow_store_memory(const struct flow_spec *spec)
{
	struct flow_desc desc;

	flow_map_describe(spec, &desc);
	return flow_map_lines(&desc) * RECORD_LINE_SIZE + desc.n_buckets * sizeof(struct bucket) +
	       (desc.capacity + 1) * sizeof(__u32);
}
