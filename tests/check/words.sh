#!/usr/bin/env bash
# Every C, CMake and shell file names its licence; every example opens with a comment; no file is left half-written.
cd "$(dirname "$0")/../.." || exit 1
bad=0
for f in $(git ls-files '*.c' '*.h' '*.proto' '*.py'); do
	head -n 2 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || { echo "no SPDX line: $f"; bad=1; }
done
for f in examples/*.yaml; do
	head -n 1 "$f" | grep -q '^# ' || { echo "no opening diagram: $f"; bad=1; }
done
marks=$(git grep -nE '\b(TODO|FIXME|XXX)\b' -- '*.c' '*.h' '*.sh' '*.py' ':!tests/check/words.sh')
[ -n "$marks" ] && { echo "$marks"; bad=1; }
exit $bad
