// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flow_map.h"

enum { PUT_THREADS_MAX = 32, OVERFLOW_MIN = 16 };

static unsigned power_of_two_from(unsigned n)
{
	unsigned power = 1;

	while (power < n)
		power *= 2;
	return power;
}

/* At the declared capacity a head holds at most 4 of its 8 entries on average; with keys spread by the
 * hash about one head in 50 overflows then, so an eighth is plenty. */
void flow_map_describe(const struct flow_spec *spec, struct flow_desc *ret_desc)
{
	unsigned n_heads = power_of_two_from((spec->capacity + 3) / 4);

	*ret_desc = (struct flow_desc){
		.capacity = spec->capacity,
		.n_heads = n_heads,
		.n_buckets = n_heads + n_heads / 8 + OVERFLOW_MIN,
		.record_class = spec->record_class,
		.key_words = spec->key_words,
	};
}

int flow_map_create(const struct flow_desc *desc, struct flow_map *ret_map)
{
	LIBBPF_OPTS(bpf_map_create_opts, mapped, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	struct flow_map map = FLOW_MAP_NONE;
	int r;

	r = map.records_fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "records", 4, RECORD_LINE_SIZE, flow_map_lines(desc), &mapped);
	if (r < 0)
		goto fail;
	r = map.buckets_fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "buckets", 4, sizeof(struct bucket), desc->n_buckets, &mapped);
	if (r < 0)
		goto fail;
	r = map.returned_fd = bpf_map_create(BPF_MAP_TYPE_QUEUE, "returned", 0, 4, desc->capacity, NULL);
	if (r < 0)
		goto fail;
	*ret_map = map;
	return 0;
fail:
	flow_map_close(&map);
	return r;
}

void flow_map_close(struct flow_map *map)
{
	int *const fds[] = {&map->records_fd, &map->buckets_fd, &map->returned_fd};

	for (size_t i = 0; i < 3; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

static size_t view_size(size_t element_size, size_t n)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (element_size * n + page - 1) / page * page;
}

int flow_map_view(int fd, size_t element_size, size_t n, void **ret_view)
{
	void *view = mmap(NULL, view_size(element_size, n), PROT_READ, MAP_SHARED, fd, 0);

	if (view == MAP_FAILED)
		return -errno;
	*ret_view = view;
	return 0;
}

void flow_map_unview(void *view, size_t element_size, size_t n)
{
	if (view)
		munmap(view, view_size(element_size, n));
}

/* ---- many at once ------------------------------------------------------------------------------ */

struct put_work {
	struct flow_map_put *put;
	size_t n;
	atomic_size_t next;
};

static void *put_some(void *data)
{
	struct put_work *work = data;
	size_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->n) {
		struct flow_map_put *put = &work->put[i];

		if (put->inner_fd >= 0)
			put->result = bpf_map_update_elem(put->outer_fd, &put->index, &put->inner_fd, BPF_ANY);
		else
			put->result = bpf_map_delete_elem(put->outer_fd, &put->index);
		if (put->inner_fd < 0 && put->result == -ENOENT)
			put->result = 0;
	}
	return NULL;
}

int flow_map_put_all(struct flow_map_put *put, size_t n)
{
	struct put_work work = {.put = put, .n = n};
	pthread_t thread[PUT_THREADS_MAX];
	size_t n_threads = 0;
	sigset_t all, old;

	/* Signals belong to the thread of the loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (n_threads + 1 < n && n_threads < PUT_THREADS_MAX &&
	       pthread_create(&thread[n_threads], NULL, put_some, &work) == 0)
		n_threads++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);

	put_some(&work); /* Also when no thread could be made. */
	while (n_threads > 0)
		pthread_join(thread[--n_threads], NULL);

	for (size_t i = 0; i < n; i++)
		if (put[i].result < 0)
			return put[i].result;
	return 0;
}
