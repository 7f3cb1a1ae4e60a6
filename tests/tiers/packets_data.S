/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packets.txt as data, because tests also run where there is no source tree. */
	.section .rodata
	.global packets_text
packets_text:
	.incbin PACKETS_FILE
	.byte 0
	.section .note.GNU-stack, "", %progbits
