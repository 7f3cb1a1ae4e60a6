// SPDX-License-Identifier: GPL-2.0-or-later
/* Sixty-four ports: numbers, counters, output and flood. */
#include "tiers.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

/* Pairs of veths: both ends are ports. */
static void make_interfaces(unsigned *ret_ifindex)
{
	FILE *ip = popen("ip -batch -", "w");
	char name[IFNAMSIZ];

	assert_non_null(ip);
	for (unsigned port = 1; port <= PORTS_MAX; port += 2)
		fprintf(ip, "link add many%u up type veth peer name many%u\n", port, port + 1);
	assert_int_equal(pclose(ip), 0);
	for (unsigned port = 1; port <= PORTS_MAX; port++) {
		snprintf(name, sizeof(name), "many%u", port);
		ret_ifindex[port] = if_nametoindex(name);
		assert_int_not_equal(ret_ifindex[port], 0);
	}
}

/* Interfaces that share a line of the direct-mapped array are found by the hash map. */
static void map_port(struct rig *rig, unsigned port, unsigned ifindex)
{
	__u32 line_no = ifindex & (PORT_LINES - 1);
	struct port_line line = {.ifindex = ifindex, .port = port};
	struct port_info info = {.ifindex = ifindex, .up = 1};

	if (port % 2)
		assert_int_equal(bpf_map_update_elem(rig_map_fd(rig, MAP_PORT_OF_IFINDEX), &line_no, &line, BPF_ANY),
				 0);
	assert_int_equal(bpf_map_update_elem(rig_map_fd(rig, MAP_PORT_HASH), &ifindex, &port, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(rig_map_fd(rig, MAP_PORTS), &port, &info, BPF_ANY), 0);
	assert_int_equal(bpf_map_update_elem(rig_map_fd(rig, MAP_TX_PORTS), &port, &ifindex, BPF_ANY), 0);
}

/* The switch goes to the next test, which has the ports of the rig. */
static void unmap_port(struct rig *rig, unsigned port, unsigned ifindex)
{
	__u32 line_no = ifindex & (PORT_LINES - 1);
	struct port_line line = {};
	struct port_info info = {};

	assert_int_equal(bpf_map_update_elem(rig_map_fd(rig, MAP_PORT_OF_IFINDEX), &line_no, &line, BPF_ANY), 0);
	assert_int_equal(bpf_map_delete_elem(rig_map_fd(rig, MAP_PORT_HASH), &ifindex), 0);
	assert_int_equal(bpf_map_update_elem(rig_map_fd(rig, MAP_PORTS), &port, &info, BPF_ANY), 0);
	assert_int_equal(bpf_map_delete_elem(rig_map_fd(rig, MAP_TX_PORTS), &port), 0);
}

static void send_from(struct rig *rig, unsigned ifindex)
{
	struct frame frame = PKT(.ip_src = "192.0.2.1", .udp_dport = 9);
	struct xdp_md ctx = {.data_end = frame.size, .ingress_ifindex = ifindex};
	uint8_t out[FRAME_ROOM];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data, .data_size_in = frame.size, .data_out = out,
		    .data_size_out = sizeof(out), .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(rig_root_fd(rig), &opts), 0);
}

static void each_of_64_ports_has_its_number(void **state)
{
	unsigned ifindex[PORTS_MAX + 1];
	struct rig *rig;

	if (tier != RIG_XDP)
		skip();
	rig = rig_open(tier);
	rig_load(rig,
		 "app: ports\ntables:\n  - name: t\n    state: {lookup: [in_port], capacity: 64, registers: [n]}\n    "
		 "rules:\n"
		 "      - {name: to-64, when: in_port == 63, do: n += 1, action: output(64)}\n"
		 "      - {name: count, do: n += 1, action: deliver}\n",
		 NULL);
	rig_commit(rig);
	make_interfaces(ifindex);
	for (unsigned port = 1; port <= PORTS_MAX; port++)
		map_port(rig, port, ifindex[port]);
	for (unsigned port = 1; port <= PORTS_MAX; port++)
		send_from(rig, ifindex[port]);
	for (unsigned port = 1; port <= PORTS_MAX; port++)
		assert_int_equal(rig_exit_count(rig, port, port == 63 ? EXIT_OUTPUT : EXIT_DELIVER), 1);
	assert_int_equal(rig_counter(rig, COUNTER_TX + 64), 1);
	assert_int_equal(rig_flows(rig, "ports/t", NULL, NULL), PORTS_MAX);
	for (unsigned port = 1; port <= PORTS_MAX; port++)
		unmap_port(rig, port, ifindex[port]);
	rig_close(rig);
}

TESTS(ports, cmocka_unit_test(each_of_64_ports_has_its_number));
