/* SPDX-License-Identifier: GPL-2.0-or-later */
/* leftover - switches in bpffs that test programs made and did not remove.
 *
 * Their names are "<prefix><pid>" or "<prefix><pid>_<number>". */
#ifndef MEALY_TEST_LEFTOVER_H
#define MEALY_TEST_LEFTOVER_H

/* Removes those of processes that live no more, and at exit() those of this one.  For what a signal ended, the next
 * program that calls this does it.  'prefix' must stay. */
void leftover_guard(const char *prefix);

#endif
