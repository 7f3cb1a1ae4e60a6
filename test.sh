#!/usr/bin/env bash
# Installs what is missing, builds with sanitizers, runs the test suite.
#
#   sudo ./test.sh                    everything but the label kernels, which emulates machines
#   sudo ./test.sh unit datapath      only tests with these labels
#   ./test.sh --list                  the labels and their tests
#   ./test.sh -R REGEX                only tests whose name matches
#   sudo ./test.sh --long             what takes minutes too (kernels, three CPUs in the model, and the like)
set -u
. "$(dirname "$0")/scripts/setup.sh"

case "${1:-}" in
-h|--help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac

labels=() args=() list=no
while [ $# -gt 0 ]; do
	case "$1" in
	--list) list=yes ;;
	--long) export MEALY_LONG=1 ;;
	-R) args+=(-R "${2:?-R needs a regular expression}"); shift ;;
	-*) say "$0: unknown option $1 (try --help)"; exit 2 ;;
	*) labels+=("$1") ;;
	esac
	shift
done

[ "$(id -u)" = 0 ] && need_packages $BUILD_PACKAGES $RUN_PACKAGES $TEST_PACKAGES
if [ $list = yes ]; then build debug configure; else build debug; fi
cd build/debug || exit 1
if [ $list = yes ]; then
	ctest --print-labels | sed -n 's/^  //p' | while read -r label; do
		[ "$label" = "All Labels:" ] && continue
		printf '%s\n' "$label"
		ctest -N -L "^$label\$" | sed -n 's/^  Test *#[0-9]*: /    /p'
	done
	exit 0
fi
if [ ${#labels[@]} -gt 0 ]; then
	known=" $(ctest --print-labels | sed -n 's/^  //p' | tr '\n' ' ')"
	for label in "${labels[@]}"; do
		case "$known" in *" $label "*) ;; *) say "$0: no label '$label' (./test.sh --list shows them)"; exit 2 ;; esac
	done
	args+=(-L "^($(IFS='|'; echo "${labels[*]}"))\$")
elif [ -z "${MEALY_LONG:-}" ] && [ ${#args[@]} = 0 ]; then
	args+=(-LE '^kernels$')
	left_out='; not run: kernels (./test.sh kernels)'
fi

need_root
log=$(mktemp)
trap 'rm -f "$log"' EXIT
ctest -j "$(nproc)" --output-on-failure --no-tests=error "${args[@]}" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
count() { grep -cE "$1" "$log"; }
printf '%d passed, %d failed, %d skipped%s\n' \
	"$(count '^ *[0-9]+/[0-9]+ Test .* Passed ')" \
	"$(count '^ *[0-9]+/[0-9]+ Test .*\*\*\*(Failed|Timeout|Exception|Not Run)')" \
	"$(count '^ *[0-9]+/[0-9]+ Test .*\*\*\*Skipped')" "${left_out:-}"
exit "$status"
