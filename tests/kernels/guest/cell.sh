#!/bin/sh
# cell.sh FOLDER [--kernel]: one kernel, one compiler.  Runs the test programs that lie in FOLDER, named after the
# compiler, and prints "COUNT compiler program verified" and "RESULT compiler/test status seconds".
# --kernel: of the tiers only the tests in which the kernel has most part.
folder=$1 compiler=${1##*/} some=${2:-}
log=$(mktemp)

run() {
	name=$1 start=$(cut -d. -f1 /proc/uptime)
	shift
	"$folder/$@" >"$log" 2>&1
	status=$?
	[ $status = 0 ] || tail -n 30 "$log" | cut -c 1-300
	echo "RESULT $compiler/$name $status $(($(cut -d. -f1 /proc/uptime) - start))"
	return $status
}

run load check_load
status=$?
awk -v compiler="$compiler" '$2 ~ /^[0-9]+$/ && NF >= 4 {print "COUNT", compiler, $1, $2}' "$log"
if [ $status = 0 ]; then
	run tiers test_tiers $some xdp tc-ingress tc-egress
	run ports datapath_switch_port
fi
rm -f "$log"
