#!/usr/bin/env bash
# Installs what is missing, builds, and shows the switch at work on real frames between network namespaces.
#
#   sudo ./demo.sh             about a minute; a later run needs no network
#
# Everything happens in namespaces of its own, which are removed at the end. Exit 0 only if every count was right.
set -u
. "$(dirname "$0")/scripts/setup.sh"

case "${1:-}" in
-h|--help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
"") ;;
*) say "$0: takes no arguments (try --help)"; exit 2 ;;
esac
need_root
need_packages $BUILD_PACKAGES $RUN_PACKAGES python3-scapy
build release
MEALY_BUILD="$TOP/build/release" exec /usr/bin/python3 -B demo/demo.py
