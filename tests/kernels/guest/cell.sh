#!/bin/sh
# cell.sh FOLDER load|tiers...: one kernel, one compiler.  Runs the test programs that lie in FOLDER, named after the
# compiler, and prints "COUNT compiler program verified" and "RESULT compiler/test status seconds".
folder=$1 compiler=${1##*/}
shift
log=$(mktemp)

run() {
	name=$1 start=$(cut -d. -f1 /proc/uptime)
	shift
	"$folder/$@" >"$log" 2>&1
	status=$?
	# Without the verifier's steps, which would hide what it complains of.
	[ $status = 0 ] || grep -v '^[0-9;]' "$log" | tail -n 30 | cut -c 1-300
	echo "RESULT $compiler/$name $status $(($(cut -d. -f1 /proc/uptime) - start))"
	return $status
}

for what; do
	case $what in
	load)
		run load check_load
		status=$?
		awk -v compiler="$compiler" '($2 $3 $4) ~ /^[0-9]+$/ && NF >= 4 {print "COUNT", compiler, $1, $2}' "$log"
		[ $status = 0 ]
		;;
	tiers) run tiers test_tiers xdp tc-ingress tc-egress ;;
	esac || break
done
rm -f "$log"
