#!/usr/bin/env bash
# Every header stands alone: the shared ones for the host and for BPF, user space's for the host.
cd "$(dirname "$0")/../.." || exit 1
bad=0
host() { cc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -Wno-unused-function -Wno-unknown-pragmas -Werror -fsyntax-only -include "$1" -x c /dev/null || { echo "does not stand alone: $1"; bad=1; }; }
bpf() { clang -target bpf -O2 -I/usr/include/"$(uname -m)"-linux-gnu -Wall -Wno-unused-function -Werror -fsyntax-only -include "$1" -x c /dev/null || { echo "does not compile for BPF: $1"; bad=1; }; }
for h in common/*.h tables/*.h proto/*.h agent/*.h controller/*.h lib/*.h cli/*.h datapath/native.h; do
	[ -e "$h" ] && host "$h"
done
for h in datapath/pipeline.h datapath/flow_format.h datapath/exit_reason.h datapath/hash.h datapath/scratch.h; do host "$h"; bpf "$h"; done
exit $bad
