#!/usr/bin/env bash
# Every C file is as clang-format leaves it.
cd "$(dirname "$0")/../.." || exit 1
command -v clang-format >/dev/null || { echo "clang-format is missing"; exit 77; }
git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror 2>&1 | grep -E 'error:' | sed 's/: error.*//' | cut -d: -f1 | sort | uniq -c |
	awk '{print "not formatted: " $2 " (" $1 " places); run: clang-format -i " $2; bad = 1} END {exit bad}'
