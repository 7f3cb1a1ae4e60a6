// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "../common/cleanup.h"
#include "counter.h"
#include "pin.h"
#include "why.h"

enum { CHUNK = 1024 };

static const char baseline_name[] = "baselines";

struct counter_store {
	int fd;
	unsigned n_cpus;
	struct counter *values;	  /* CHUNK counters of each CPU. */
	struct counter *baseline; /* COUNTERS of them, mapped from the pinned map. */
};

/* 1, 0, or -errno when the kernel does not say. */
static int is_baseline_map(int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int r = bpf_obj_get_info_by_fd(fd, &info, &size);

	if (r < 0)
		return r;
	return info.type == BPF_MAP_TYPE_ARRAY && info.value_size == sizeof(struct counter) &&
	       info.max_entries == COUNTERS && (info.map_flags & BPF_F_MMAPABLE);
}

/* Baselines of counters that are not there any more would hide the new ones. */
static int open_baseline(struct instance *instance)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	const struct pin *pin = instance_pin(instance);
	char path[PIN_PATH_MAX + 16];
	int fd, r;

	r = pin_join(pin->flow, baseline_name, path, sizeof(path));
	if (r < 0)
		return r;
	if (instance_found(instance)->counters) {
		fd = bpf_obj_get(path);
		if (fd < 0 && fd != -ENOENT)
			return fd;
		r = fd < 0 ? 0 : is_baseline_map(fd);
		if (r > 0)
			return fd;
		if (fd >= 0)
			close(fd);
		if (r < 0)
			return r;
	}
	unlink(path);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, baseline_name, 4, sizeof(struct counter), COUNTERS, &opts);
	if (fd < 0)
		return fd;
	r = bpf_obj_pin(fd, path);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int counter_store_new(struct instance *instance, struct counter_store **ret_counters, char **ret_why)
{
	struct counter_store *counters = calloc(1, sizeof(*counters));
	_cleanup_close_ int fd = -1;
	int n_cpus = libbpf_num_possible_cpus(), r = -ENOMEM;
	void *map;

	if (!counters)
		return -ENOMEM;
	if (n_cpus < 0) {
		r = why_set(ret_why, n_cpus, "cannot tell the number of CPUs: %s", strerror(-n_cpus));
		goto fail;
	}
	counters->n_cpus = n_cpus;
	counters->fd = instance_map_fd(instance, MAP_COUNTERS);
	counters->values = calloc((size_t)CHUNK * n_cpus, sizeof(*counters->values));
	if (!counters->values)
		goto fail;

	fd = open_baseline(instance);
	if (fd < 0) {
		r = why_set(ret_why, fd, "cannot keep the baselines of counters: %s", strerror(-fd));
		goto fail;
	}
	map = mmap(NULL, COUNTERS * sizeof(struct counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		r = why_set(ret_why, -errno, "cannot map the baselines of counters: %m");
		goto fail;
	}
	counters->baseline = map;
	*ret_counters = counters;
	return 0;
fail:
	counter_store_free(counters);
	return r;
}

void counter_store_free(struct counter_store *counters)
{
	if (!counters)
		return;
	if (counters->baseline)
		munmap(counters->baseline, COUNTERS * sizeof(struct counter));
	free(counters->values);
	free(counters);
}

/* Sums at most CHUNK counters, baselines not considered. */
static int sum_chunk(struct counter_store *counters, unsigned first, unsigned n, struct counter *ret_counters)
{
	__u32 keys[CHUNK], before = first - 1, next, count = n;
	int r;

	r = bpf_map_lookup_batch(counters->fd, first ? &before : NULL, &next, keys, counters->values, &count, NULL);
	if (r < 0 && r != -ENOENT) /* ENOENT: the last counter was among them. */
		return r;
	if (count != n)
		return -EIO;

	for (unsigned i = 0; i < n; i++) {
		const struct counter *value = &counters->values[(size_t)i * counters->n_cpus];
		struct counter sum = {};

		for (unsigned cpu = 0; cpu < counters->n_cpus; cpu++) {
			sum.packets += value[cpu].packets;
			sum.bytes += value[cpu].bytes;
		}
		ret_counters[i] = sum;
	}
	return 0;
}

static int sum_range(struct counter_store *counters, unsigned first, unsigned n, struct counter *ret_counters)
{
	int r;

	if (first >= COUNTERS || n > COUNTERS - first)
		return -EINVAL;
	for (unsigned done = 0; done < n; done += CHUNK) {
		r = sum_chunk(counters, first + done, n - done < CHUNK ? n - done : CHUNK, ret_counters + done);
		if (r < 0)
			return r;
	}
	return 0;
}

static __u64 less(__u64 value, __u64 baseline)
{
	return value > baseline ? value - baseline : 0;
}

int counter_read(struct counter_store *counters, unsigned first, unsigned n, struct counter *ret_counters)
{
	int r;

	r = sum_range(counters, first, n, ret_counters);
	for (unsigned i = 0; r == 0 && i < n; i++) {
		ret_counters[i].packets = less(ret_counters[i].packets, counters->baseline[first + i].packets);
		ret_counters[i].bytes = less(ret_counters[i].bytes, counters->baseline[first + i].bytes);
	}
	return r;
}

int counter_reset(struct counter_store *counters, unsigned first, unsigned n)
{
	_cleanup_free_ struct counter *now = calloc(n + 1, sizeof(*now));
	int r;

	if (!now)
		return -ENOMEM;
	r = sum_range(counters, first, n, now);
	if (r == 0)
		memcpy(&counters->baseline[first], now, n * sizeof(*now));
	return r;
}
