# Sourced by demo.sh, test.sh and bench.sh: installs what Debian 12 lacks and builds.
# Nothing is installed or asked of the network when everything is there already.

BUILD_PACKAGES="build-essential bpftool cmake ninja-build pkg-config clang llvm libclang-rt-14-dev
  libbpf-dev libelf-dev zlib1g-dev libnl-3-dev libnl-route-3-dev libprotobuf-c-dev protobuf-c-compiler
  libnanomsg-dev libsodium-dev libyaml-dev libyajl-dev libev-dev libsqlite3-dev libpcap-dev linux-libc-dev"
RUN_PACKAGES="iproute2 ethtool python3 iputils-ping iputils-arping netcat-openbsd tcpdump"
TEST_PACKAGES="libcmocka-dev python3-scapy curl nftables traceroute clang-format clang-tidy graphviz spin
  clang-14 clang-19 qemu-system-x86 busybox-static cpio xz-utils e2fsprogs"

say() { printf '%s\n' "$*" >&2; }

need_root() {
	[ "$(id -u)" = 0 ] || { say "$0: needs root (namespaces, BPF): sudo $0 $*"; exit 2; }
}

# need_packages PACKAGE...: installs those that are missing.
need_packages() {
	local missing=() p
	for p in "$@"; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q '^install ok installed' || missing+=("$p")
	done
	[ ${#missing[@]} = 0 ] && return 0
	say "installing: ${missing[*]}"
	local log; log=$(mktemp)
	if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		tail -n 20 "$log" >&2; rm -f "$log"
		say "could not install ${missing[*]}"; exit 1
	fi
	rm -f "$log"
}

# build PRESET: configures and builds, prints the output only when it fails.
# build PRESET [configure]: all of it, or only what knows which targets and tests there are.
build() {
	local preset=$1 log; log=$(mktemp)
	[ "${2:-}" ] || say "building ($preset)"
	if ! { cmake --preset "$preset" -S "$TOP" && { [ "${2:-}" ] || cmake --build "$TOP/build/$preset"; }; } >"$log" 2>&1; then
		tail -n 60 "$log" >&2; rm -f "$log"
		say "the build failed"; exit 1
	fi
	rm -f "$log"
}

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$TOP" || exit 1
