#!/usr/bin/env bash
# run.sh PROGRAM NAME: runs one fuzz target from its corpus; the test of ctest.
#
# First every input of the corpus (what was found once stays found), then new ones for 45 s, ten times as long with
# MEALY_LONG=1, or for MEALY_FUZZ_SECONDS.  The short run draws from one seed, so that two runs of one commit say the
# same of it; the long one from a new seed each time (MEALY_FUZZ_SEED: from that one).  What ends the program is kept
# in ./fuzz-NAME-*; see README.md.
set -u
program=$1 name=$2
corpus=$(cd "$(dirname "$0")" && pwd)/corpus/$name
dict=$(dirname "$0")/$name.dict
seconds=45 seed=1
[ "${MEALY_LONG:-}" = 1 ] && seconds=450 seed=0 # 0: libFuzzer draws one and prints it.
seconds=${MEALY_FUZZ_SECONDS:-$seconds}
seed=${MEALY_FUZZ_SEED:-$seed}

work=$(mktemp -d /dev/shm/mealy-fuzz.XXXXXX) # In memory: the target pinned writes files.
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
mkdir "$work/new" "$work/seeds"
"$program" --seeds="$work/seeds" || exit 1
limits=(-timeout=20 -rss_limit_mb=2048 -max_len=4096 -artifact_prefix="./fuzz-$name-" -print_final_stats=1)
[ -f "$dict" ] && limits+=(-dict="$dict")
"$program" "${limits[@]}" -seed="$seed" -max_total_time="$seconds" "$work/new" "$corpus" "$work/seeds" >"$work/log" 2>&1
status=$?
grep -E '^INFO: (Seed|seed)|stat::(number_of|average)|ERROR|SUMMARY|DEDUP' "$work/log"
if [ $status != 0 ]; then
	tail -n 60 "$work/log"
	echo "again: $program $PWD/fuzz-$name-...; put the input into $corpus when it is mended"
fi
[ -n "${MEALY_FUZZ_KEEP:-}" ] && cp "$work/new"/* "$MEALY_FUZZ_KEEP"/ 2>/dev/null
exit $status
