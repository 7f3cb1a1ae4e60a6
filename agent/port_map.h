/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port_map - the datapath's view of the ports: interface -> number, number -> interface.
 *
 * Lies beside the versions and changes in place, one element at a time.  An interface's number is found in
 * a direct-mapped line; interfaces that share a line with an older one are in a hash map. */
#ifndef MEALY_PORT_MAP_H
#define MEALY_PORT_MAP_H

#include "instance.h"

struct port_map {
	int line_fd, hash_fd, info_fd, tx_fd;
};

int port_map_open(struct instance *instance, struct port_map *ret_map);

/* Makes 'ifindex' port 'number', or changes its state.  0 or -errno. */
int port_map_set(const struct port_map *map, unsigned number, unsigned ifindex, bool up);
/* After this no packet goes to or comes from 'ifindex' under a number. */
int port_map_clear(const struct port_map *map, unsigned number, unsigned ifindex);

#endif
