/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inject - makes the n-th call for memory or into the kernel fail, in the process that makes it.
 *
 *     inject_arm(INJECT_SYSTEM, 7, INJECT_ONCE);
 *     r = versions_apply(...);
 *     hit = inject_disarm();           NULL: there were fewer than 7 calls
 *
 * The linker puts the functions here in the place of the C library's (--wrap) for everything in this tree, and
 * syscall() is interposed, by which libbpf makes bpf(2).  Calls are counted over all threads of the code under test;
 * a thread that watches it from outside says so with inject_exempt(). */
#ifndef MEALY_TESTS_FAULTS_INJECT_H
#define MEALY_TESTS_FAULTS_INJECT_H

enum inject_kind {
	INJECT_MEMORY, /* malloc() and its kind. */
	INJECT_SYSTEM, /* bpf(2), mmap, files, threads, random numbers. */
	INJECT_KIND_MAX
};

enum inject_how {
	INJECT_ONCE, /* Only the n-th. */
	INJECT_FROM, /* The n-th and all that follow. */
	INJECT_CALL, /* The n-th works, but the function given to inject_on_hit() is called before it. */
};

/* Counts from 1; an 'n' of 0 only counts. */
void inject_arm(enum inject_kind kind, unsigned n, enum inject_how how);

/* Ends the counting.  Returns the name of the call that was hit, or NULL. */
const char *inject_disarm(void);

/* Calls counted since the last inject_arm(). */
unsigned inject_count(void);

void inject_on_hit(void (*fn)(void));

/* This thread's calls are not counted and do not fail. */
void inject_exempt(void);

#endif
