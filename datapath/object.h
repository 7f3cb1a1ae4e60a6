/* SPDX-License-Identifier: GPL-2.0-or-later */
/* object - the BPF programs of the switch, an ELF object for libbpf, linked into whoever loads them. */
#ifndef MEALY_OBJECT_H
#define MEALY_OBJECT_H

extern const unsigned char mealy_bpf_object_data[];
extern const unsigned long mealy_bpf_object_size;

#endif
