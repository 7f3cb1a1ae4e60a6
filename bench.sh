#!/usr/bin/env bash
# Measures what the switch costs: ns a packet, flows created, live frames, dumps; ratios to alternatives in one run.
#
#   sudo ./bench.sh                    every case
#   sudo ./bench.sh --quick            all but expiry, which waits for a million timeouts; under three minutes
#   sudo ./bench.sh --json             one object a line
#   sudo ./bench.sh one-flow live      only these cases: one-flow many-flows entries live create control expiry
#
# Let nothing else run meanwhile. tests/bench/README.md explains the method and each column.
set -u
. "$(dirname "$0")/scripts/setup.sh"

case "${1:-}" in
-h|--help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
need_root
need_packages $BUILD_PACKAGES $RUN_PACKAGES libcmocka-dev nftables python3-scapy
build release

options=() cases=()
for word in "$@"; do
	case "$word" in
	--quick|--json) options+=("$word") ;;
	one-flow|many-flows|entries|live|create|control|expiry) cases+=("$word") ;;
	*) say "$0: unknown word $word (try --help)"; exit 2 ;;
	esac
done
if [ ${#cases[@]} = 0 ]; then
	cases=(one-flow many-flows entries live create control)
	case " ${options[*]} " in *" --quick "*) ;; *) cases+=(expiry) ;; esac
fi
kernel=()
for c in "${cases[@]}"; do [ "$c" = control ] || [ "$c" = expiry ] || kernel+=("$c"); done
status=0
if [ ${#kernel[@]} -gt 0 ]; then
	build/release/tests/bench/mealy-bench "${options[@]}" "${kernel[@]}" || status=1
fi
for daemons in control expiry; do
	case " ${cases[*]} " in
	*" $daemons "*) MEALY_BUILD="$TOP/build/release" /usr/bin/python3 -B "tests/bench/$daemons.py" "${options[@]}" || status=1 ;;
	esac
done
exit $status
