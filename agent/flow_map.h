/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_map - the three kernel maps one flow table consists of, outside of any table of them. */
#ifndef MEALY_FLOW_MAP_H
#define MEALY_FLOW_MAP_H

#include <stddef.h>

#include "flow_store.h"

struct flow_map {
	int records_fd, buckets_fd, returned_fd;
};

#define FLOW_MAP_NONE                                                                                                  \
	{                                                                                                              \
		-1, -1, -1                                                                                             \
	}

/* Sizes that follow from a spec; secret and allocation are left zero. */
void flow_map_describe(const struct flow_spec *spec, struct flow_desc *ret_desc);

/* Elements of the records' map: slots start at 1, a record is one or more lines of RECORD_LINE_SIZE bytes. */
static inline size_t flow_map_lines(const struct flow_desc *desc)
{
	return (desc->capacity + 1) * (size_t)RECORD_LINES(desc->record_class);
}

/* Creates empty maps for a described flow table; flow_map_close() releases them. */
int flow_map_create(const struct flow_desc *desc, struct flow_map *ret_map);
void flow_map_close(struct flow_map *map);

/* Maps an array of 'n' elements read-only; it stays valid when the fd is closed.  MAP_FAILED never
 * leaves this function: 0 or -errno. */
int flow_map_view(int fd, size_t element_size, size_t n, void **ret_view);
void flow_map_unview(void *view, size_t element_size, size_t n);

/* Puts the inner maps in 'inner' under 'index[i]' of outer map 'outer[i]', all at once: each waits for a
 * grace period of the kernel.  An inner fd of -1 takes the element away.  0 or the first error. */
struct flow_map_put {
	int outer_fd;
	unsigned index;
	int inner_fd;
	int result;
};
int flow_map_put_all(struct flow_map_put *put, size_t n);

#endif
