#!/usr/bin/env bash
# Libraries look downwards only, and each foreign library is seen by one folder.
cd "$(dirname "$0")/../.." || exit 1
bad=0
# forbid FOLDER REGEX REASON: no file of FOLDER may include what REGEX matches.
forbid() {
	local hits; hits=$(grep -nE "^# *include *[<\"]$2" -r "$1" --include='*.[ch]' 2>/dev/null)
	[ -n "$hits" ] && { printf '%s\n  -> %s\n' "$hits" "$3"; bad=1; }
	return 0
}
forbid datapath '(\.\./)*(common|tables|proto|agent|controller|lib|cli)/' "the datapath includes nothing of user space"
forbid common '(\.\./)*(datapath|tables|proto|agent|controller|lib|cli)/' "common looks at nothing"
forbid tables '(\.\./)*(proto|agent|controller|lib|cli)/' "tables looks down to the datapath's headers only"
forbid proto '(\.\./)*(agent|controller|lib|cli)/' "proto looks down"
forbid agent '(\.\./)*(controller|lib|cli)/' "agent looks down"
forbid controller '(\.\./)*(agent|lib|cli)/' "controller looks down"
forbid lib '(\.\./)*(agent|controller|cli)/' "lib looks down"
forbid cli '(\.\./)*(agent|controller)/' "the command knows lib, not the daemons"
forbid apps '(\.\./)*(agent|controller|cli)/' "applications know lib, not the daemons"
for d in agent controller lib cli apps tables common datapath; do
	forbid $d '(nanomsg|protobuf-c)/' "only proto sees nanomsg and protobuf-c"
done
for d in controller lib cli apps tables common proto; do
	forbid $d '(bpf/bpf\.h|bpf/libbpf\.h|netlink/)' "only the agent sees libbpf and libnl"
done
exit $bad
