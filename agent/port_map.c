// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>

#include "port_map.h"

int port_map_open(struct instance *instance, struct port_map *ret_map)
{
	struct port_map map = {
		.line_fd = instance_map_fd(instance, MAP_PORT_OF_IFINDEX),
		.hash_fd = instance_map_fd(instance, MAP_PORT_HASH),
		.info_fd = instance_map_fd(instance, MAP_PORTS),
		.tx_fd = instance_map_fd(instance, MAP_TX_PORTS),
	};

	if (map.line_fd < 0 || map.hash_fd < 0 || map.info_fd < 0 || map.tx_fd < 0)
		return -ENOENT;
	*ret_map = map;
	return 0;
}

/* The line is free or already this interface's: no other interface loses its place. */
static int set_number(const struct port_map *map, unsigned ifindex, unsigned number)
{
	struct port_line line = {};
	__u32 index = ifindex & (PORT_LINES - 1);
	int r;

	r = bpf_map_lookup_elem(map->line_fd, &index, &line);
	if (r < 0)
		return r;
	if (line.ifindex && line.ifindex != ifindex)
		return bpf_map_update_elem(map->hash_fd, &ifindex, &number, BPF_ANY);

	line.ifindex = ifindex;
	line.port = number;
	return bpf_map_update_elem(map->line_fd, &index, &line, BPF_ANY);
}

static int clear_number(const struct port_map *map, unsigned ifindex)
{
	struct port_line line = {};
	__u32 index = ifindex & (PORT_LINES - 1);
	int r;

	r = bpf_map_delete_elem(map->hash_fd, &ifindex);
	if (r < 0 && r != -ENOENT)
		return r;
	r = bpf_map_lookup_elem(map->line_fd, &index, &line);
	if (r < 0 || line.ifindex != ifindex)
		return r;
	line = (struct port_line){};
	return bpf_map_update_elem(map->line_fd, &index, &line, BPF_ANY);
}

int port_map_set(const struct port_map *map, unsigned number, unsigned ifindex, bool up)
{
	struct port_info info = {.ifindex = ifindex, .up = up};
	struct bpf_devmap_val target = {.ifindex = ifindex};
	int r;

	r = bpf_map_update_elem(map->tx_fd, &number, &target, BPF_ANY);
	if (r < 0)
		return r;
	r = bpf_map_update_elem(map->info_fd, &number, &info, BPF_ANY);
	if (r < 0)
		return r;
	return set_number(map, ifindex, number);
}

int port_map_clear(const struct port_map *map, unsigned number, unsigned ifindex)
{
	struct port_info info = {};
	int r, first = 0;

	r = clear_number(map, ifindex);
	if (r < 0)
		first = r;
	r = bpf_map_update_elem(map->info_fd, &number, &info, BPF_ANY);
	if (r < 0 && !first)
		first = r;
	/* The kernel may have removed the entry already, with the device. */
	r = bpf_map_delete_elem(map->tx_fd, &number);
	if (r < 0 && r != -ENOENT && !first)
		first = r;
	return first;
}
