/* SPDX-License-Identifier: GPL-2.0-or-later */
	.section .rodata
	.balign 64
	.global mealy_bpf_object_data
mealy_bpf_object_data:
	.incbin OBJECT_FILE
mealy_bpf_object_end:
	.balign 8
	.global mealy_bpf_object_size
mealy_bpf_object_size:
	.quad mealy_bpf_object_end - mealy_bpf_object_data
	.section .note.GNU-stack, "", %progbits
