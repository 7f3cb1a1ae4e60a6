#!/usr/bin/env bash
# tidy.sh BUILD [--all]: clang-tidy over the C files that differ from the last commit but one, or over all of them.
#
# A file takes seconds, the whole tree many minutes, so it is no part of the suite.
cd "$(dirname "$0")/../.." || exit 1
build=$1
folders=(agent cli common controller datapath lib proto tables)
[ -f "$build/compile_commands.json" ] || { echo "no compile_commands.json in $build"; exit 77; }
if [ "${2:-}" = --all ]; then
	files=$(git ls-files -- "${folders[@]/%//*.c}")
else
	git rev-parse -q --verify HEAD~1 >/dev/null || { echo "no commit to compare with"; exit 77; }
	files=$(git diff --name-only --diff-filter=d HEAD~1 -- "${folders[@]/%//*.c}" | head -n 12)
fi
for f in $files; do grep -qF "/$f\"" "$build/compile_commands.json" && echo "$f"; done |
	xargs -r -P 2 -n 1 clang-tidy -p "$build" --quiet --warnings-as-errors='*' 2>/dev/null
[ $? = 0 ]
