#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# sources_hash.sh FOLDER OUT: the hash that compiler_hash_sources() makes of the folder, as a header.
LC_ALL=C; export LC_ALL
cd "$1" || exit 1
hash=$(for file in *; do case $file in *.h | specialised.bpf.c) sha256sum "$file" ;; esac; done | sha256sum | cut -d ' ' -f 1)
printf '#define MEALY_SOURCES_HASH "%s"\n' "$hash" >"$2"
