#!/bin/sh
# reboot.sh first|second: a host with one switch, two ports and a host behind each, before and after it is switched off.
# The state directory is on a disk; no controller at all.  At the second boot the interfaces come up in another order.
stage=$1 agent_socket=ipc:///run/agent.sock failed=0 start=$(cut -d. -f1 /proc/uptime)

check() {
	what=$1
	shift
	"$@" || { echo "failed at the $stage boot: $what"; failed=1; }
}

mealy() { /tests/mealy --agent $agent_socket "$@"; }

port() {
	ip link add "$1" type veth peer name "$2-eth"
	ip link set "$2-eth" netns "$2" address "$3"
	ip netns exec "$2" ip addr add "$4" dev "$2-eth"
	# Without GRO a veth drops what XDP sends to its peer.
	ip netns exec "$2" ethtool -K "$2-eth" tx off gro on
	ip netns exec "$2" ip link set "$2-eth" up
	ip link set "$1" up
}

wait_for() {
	for i in $(seq 600); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.2
	done
	return 1
}

# What must outlive the boot: applications, tables and the numbers of ports; no counters.
remembered() {
	for what in app table port; do mealy $what list --json; done | tr '{},' '\n\n\n' |
		grep -E '"(name|number|hook|order|position|table|kind|rules|capacity|version)" *:'
}

packets() { mealy flow dump packet-counter sources --json | grep -c 10.5.0; }

mount -t ext4 /dev/vda /state
ip netns add c
ip netns add s
if [ "$stage" = first ]; then
	port p1 c 02:00:00:00:01:01 10.5.0.1/24
	port p2 s 02:00:00:00:02:01 10.5.0.2/24
else
	port p2 s 02:00:00:00:02:01 10.5.0.2/24
	port p1 c 02:00:00:00:01:01 10.5.0.1/24
fi
/tests/mealy-agent --name s1 --hooks xdp --ports p1 --ports p2 --state /state/agent --socket $agent_socket --local-write \
	>/run/agent.log 2>&1 &
agent=$!
check "the agent answers" wait_for mealy port list
if [ "$stage" = first ]; then
	check "load the counter" mealy app load /tests/packet-counter.yaml --order 10
	check "load the bridge" mealy app load /tests/mac-learning.yaml --order 90
	remembered >/state/remembered
else
	remembered >/run/remembered
	check "the same tables and port numbers" diff /state/remembered /run/remembered
	check "no flow is left" [ "$(packets)" = 0 ]
fi
check "p1 and p2 are there" [ "$(grep -c '"p[12]"' /state/remembered)" = 2 ]
check "the hosts reach each other" ip netns exec c ping -c 2 -W 5 10.5.0.2
check "their flows are counted" [ "$(packets)" -ge 2 ]
kill $agent
wait $agent
check "the agent stops" [ $? = 0 ]
umount /state
[ $failed = 0 ] || { cat /state/remembered /run/remembered; tail -n 20 /run/agent.log; } 2>/dev/null
echo "RESULT reboot/$stage $failed $(($(cut -d. -f1 /proc/uptime) - start))"
