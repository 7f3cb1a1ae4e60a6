#!/usr/bin/env bash
# minimise.sh PROGRAMS [INPUTS]: the smallest corpus that reaches what the present one and INPUTS/NAME/* reach.
#
# PROGRAMS is the folder of fuzz_yaml and its fellows.  Inputs named found-* show what was once wrong: they stay.
set -eu
programs=$1 inputs=${2:-}
top=$(cd "$(dirname "$0")" && pwd)
for corpus in "$top"/corpus/*; do
	name=$(basename "$corpus")
	work=$(mktemp -d /dev/shm/mealy-fuzz.XXXXXX)
	mkdir "$work/small" "$work/seeds"
	TMPDIR=$work "$programs/fuzz_$name" --seeds="$work/seeds"
	from=("$work/seeds" "$corpus")
	[ -d "$inputs/$name" ] && from+=("$inputs/$name")
	TMPDIR=$work "$programs/fuzz_$name" -set_cover_merge=1 -use_counters=0 -max_len=4096 "$work/small" "${from[@]}" >/dev/null 2>&1
	find "$corpus" -type f ! -name 'found-*' -delete
	cp "$work/small"/* "$corpus"
	# What the target writes by itself need not be kept.
	for seed in "$work/seeds"/*; do rm -f "$corpus/$(sha1sum <"$seed" | cut -d' ' -f1)"; done
	echo "$name: $(find "$corpus" -type f | wc -l) inputs, $(du -sb "$corpus" | cut -f1) bytes"
	rm -rf "$work"
done
