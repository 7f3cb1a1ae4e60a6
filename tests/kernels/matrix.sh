#!/usr/bin/env bash
# matrix.sh BUILD MEALY AGENT [OWN]: the switch on kernels 6.1 and 6.12 (in qemu) and the running one, built by clang 14
# and 19.
#
# BUILD has a folder of test programs for each compiler (CMakeLists.txt), MEALY is the command, AGENT
# the agent.  OWN is the compiler of the tree's own build (clang-14), with which the suite's other tests run here.
# Exit 77 if something cannot be had here and nothing failed; the output says what.
#   MEALY_ACCEL=kvm|tcg   do not try out whether KVM works
#   MEALY_KERNELS=DIR     where downloaded kernels are kept (build/kernels of the source tree)
set -u
build=${1:?} mealy=${2:?} agent=${3:?} own=${4:-}
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${MEALY_KERNELS:-$top/build/kernels}
work=$(mktemp -d)
guests=() started=()
# The machine under qemu: seconds for a boot.
SERIES="6.1 6.12" BOOT_SECONDS=600 PROBE_SECONDS=10
# Without KVM a string instruction is emulated byte by byte if the processor says that this is the fast way, a second CPU
# makes every access atomic, and what guards a kernel against strangers doubles the time.
CPU="max,-erms,-fsrm" QUICK="mitigations=off init_on_alloc=0 nokaslr rcupdate.rcu_expedited=1"
MODULES="veth sch_ingress cls_bpf virtio virtio_ring virtio_pci virtio_pci_modern_dev virtio_pci_legacy_dev virtio_blk"
missing=0 failed=0

say() { printf '%s\n' "$*"; }
skip() { say "SKIPPED $*"; missing=1; }
fail() { say "FAILED $*"; failed=1; }

clean_up() {
	for pid in "${guests[@]}"; do kill "$pid" 2>/dev/null; done
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' TERM INT

# ---- kernels ----

# newest SERIES: the newest package of a series that apt knows.
newest() {
	apt-cache pkgnames "linux-image-$1." 2>/dev/null | grep -E '^linux-image-[0-9.]+[-+][a-z0-9-]*cloud-amd64$' |
		sort -V | tail -n 1
}

# fetch SERIES: downloads and unpacks a kernel unless one of that series is there.
fetch() {
	local package
	[ -e "$cache/$1/vmlinuz" ] && return 0
	package=$(newest "$1")
	[ -n "$package" ] || { say "apt knows no cloud kernel $1"; return 1; }
	mkdir -p "$work/deb" "$cache" && chmod 755 "$work" "$work/deb" || return 1
	(cd "$work/deb" && apt-get download -q "$package" >"$work/apt.log" 2>&1) ||
		{ say "cannot download $package:"; tail -n 3 "$work/apt.log"; return 1; }
	rm -rf "$cache/$1.new" "$work/unpacked"
	mkdir -p "$cache/$1.new/modules"
	dpkg-deb -x "$work"/deb/"$package"_*.deb "$work/unpacked" || return 1
	cp "$work"/unpacked/boot/vmlinuz-* "$cache/$1.new/vmlinuz"
	for module in $MODULES; do
		find "$work/unpacked/lib/modules" \( -name "$module.ko" -o -name "$module.ko.xz" \) \
			-exec cp {} "$cache/$1.new/modules" \;
	done
	find "$cache/$1.new/modules" -name '*.xz' -exec xz -d {} +
	rm -f "$work"/deb/*
	mv "$cache/$1.new" "$cache/$1"
}

# ---- the guest's files ----

# with_libraries ROOT FILE...: copies the libraries of programs to where they are on this machine.
with_libraries() {
	local root=$1
	shift
	ldd "$@" 2>/dev/null | grep -o '/[^ ]*\.so[^ ]*' | sort -u | while read -r library; do
		mkdir -p "$root$(dirname "$library")"
		cp -Ln "$library" "$root$library"
	done
}

# make_root: all that is the same for every kernel.
make_root() {
	local root=$work/root ip ethtool
	ethtool=$(PATH=$PATH:/usr/sbin:/sbin command -v ethtool) || { say "no ethtool"; return 1; }
	ip=$(PATH=$PATH:/usr/sbin:/sbin command -v ip) || { say "no ip command"; return 1; }
	mkdir -p "$root"/{bin,sbin,proc,sys,dev,tmp,guest,tests,modules,etc} "$root$top"
	cp "$(command -v busybox)" "$root/bin/busybox"
	# Busybox's shell would take busybox's ip for iproute2's, wherever that lies.
	cp -L "$(command -v dash)" "$root/bin/sh"
	cp "$ip" "$root/sbin/ip"
	cp "$ethtool" "$root/sbin/ethtool"
	cp "$here"/guest/init "$root/init"
	cp "$here"/guest/*.sh "$root/guest/"
	cp -r "$build"/clang-* "$mealy" "$agent" "$top/examples/packet-counter.yaml" "$top/examples/mac-learning.yaml" \
		"$root/tests/"
	cp -r "$top/examples" "$root$top/"
	strip -g "$root"/tests/*/* "$root"/tests/mealy* 2>/dev/null
	with_libraries "$root" "$root/bin/sh" "$ip" "$ethtool" "$build"/clang-*/* "$mealy" "$agent"
	chmod 755 "$root/init"
}

# pack SERIES: the initramfs of one kernel, in $work/SERIES.cpio.
pack() {
	rm -rf "$work/root/modules"
	cp -r "$cache/$1/modules" "$work/root/modules"
	(cd "$work/root" && find . | cpio -o -H newc --quiet) >"$work/$1.cpio"
}

# ---- boots ----

# boot SERIES STAGE LOG SECONDS
boot() {
	timeout "$4" qemu-system-x86_64 -accel "$accel" -cpu "$CPU" -m 2048 -smp 1 -display none -monitor none -net none \
		-no-reboot -serial "file:$3" -kernel "$cache/$1/vmlinuz" -initrd "$work/$1.cpio" \
		-drive "file=$work/$1.disk,format=raw,if=virtio,cache=unsafe" \
		-append "console=ttyS0 quiet panic=-1 $QUICK mealy.stage=$2" >/dev/null 2>&1 &
	machine=$!
	wait "$machine"
}

# KVM that is there need not work: in a guest it may start and never get anywhere.
choose_accel() {
	accel=${MEALY_ACCEL:-tcg}
	[ -z "${MEALY_ACCEL:-}" ] && [ -w /dev/kvm ] || return 0
	accel=kvm
	boot "$1" probe "$work/probe.log" $PROBE_SECONDS
	grep -q 'GUEST UP' "$work/probe.log" 2>/dev/null || accel=tcg
}

# One kernel: two boots of one host, the tests in the first.
guest() {
	trap 'kill "$machine"; exit 1' TERM
	boot "$1" first "$work/$1.first.log" $BOOT_SECONDS
	boot "$1" second "$work/$1.second.log" $BOOT_SECONDS
}

# ---- what it says ----

# judge KERNEL LOG: counts and results of one log.
judge() {
	local name status seconds
	tr -d '\r' <"$2" >"$work/judged"
	sed -n "s/^COUNT /$1 /p" "$work/judged" >>"$work/counts"
	grep -q '^GUEST DOWN\|^HOST DONE' "$work/judged" || { fail "$1: did not end in time"; tail -n 5 "$work/judged"; }
	grep -q '^RESULT' "$work/judged" || fail "$1: no test ran"
	while read -r _ name status seconds; do
		if [ "$status" = 0 ]; then say "passed $1 $name ($seconds s)"; else fail "$1 $name (status $status)"; fi
	done < <(grep '^RESULT' "$work/judged")
	grep -q '^RESULT [^ ]* [^0]' "$work/judged" && grep -v '^RESULT\|^COUNT' "$work/judged" | tail -n 60
	return 0
}

run_guests() {
	local series=() s
	for tool in qemu-system-x86_64 busybox dash cpio mkfs.ext4 xz; do
		PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null || { skip "kernels in qemu: no $tool"; return; }
	done
	make_root || { fail "the guest's files"; return; }
	for s in $SERIES; do
		if reason=$(fetch "$s"); then series+=("$s"); else skip "kernel $s: $reason"; continue; fi
		pack "$s"
		truncate -s 64M "$work/$s.disk"
		PATH=$PATH:/usr/sbin:/sbin mkfs.ext4 -q "$work/$s.disk" || { fail "the disk of $s"; return; }
	done
	[ ${#series[@]} = 0 ] && return
	choose_accel "${series[0]}"
	say "qemu with $accel: ${series[*]}"
	for s in "${series[@]}"; do guest "$s" & guests+=($!); done
	started=("${series[@]}")
}

judge_guests() {
	local s stage
	[ ${#guests[@]} = 0 ] && return
	wait "${guests[@]}"
	guests=()
	for s in "${started[@]}"; do
		for stage in first second; do judge "$s" "$work/$s.$stage.log"; done
	done
}

# The tiers with the tree's own compiler are the label datapath's.
run_here() {
	local compiler
	for compiler in "$build"/clang-*; do
		if [ "${compiler##*/}" = "$own" ]; then set -- load; else set -- load tiers; fi
		sh "$here/guest/cell.sh" "$compiler" "$@"
	done >"$work/here.log" 2>&1
	echo "HOST DONE" >>"$work/here.log"
}

[ "$(id -u)" = 0 ] || { say "needs root"; exit 77; }
for compiler in clang-14 clang-19; do
	[ -d "$build/$compiler" ] || skip "$compiler: not there when this was built"
done
: >"$work/counts"
run_guests
run_here
judge_guests
judge "$(uname -r | cut -d. -f1-2)" "$work/here.log"
"$here/counts.sh" "$work/counts" "$here/instructions.txt" "$build/instructions.txt" || failed=1
[ $failed = 1 ] && exit 1
[ $missing = 1 ] && exit 77
exit 0
