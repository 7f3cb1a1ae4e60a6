/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The applications as examples/ has them. */
	.section .rodata
	.globl pfplm_text_out
	.globl pfplm_text_in
	.hidden pfplm_text_out
	.hidden pfplm_text_in
pfplm_text_out:
	.incbin OUT_FILE
	.byte 0
pfplm_text_in:
	.incbin IN_FILE
	.byte 0
	.section .note.GNU-stack,"",%progbits
