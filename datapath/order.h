/* SPDX-License-Identifier: GPL-2.0-or-later */
/* order - memory accesses whose order or wholeness other CPUs depend on.
 *
 * READ and WRITE are single accesses (relaxed).  READ_ACQUIRE: nothing that follows in the program is done before it.
 * WRITE_RELEASE: everything before it is done before it.  FETCH_* are whole and order everything.
 *
 * BPF before 6.13 has no acquire and no release; its only barrier is an atomic that fetches.  On
 * processors with total store order (MEALY_TSO, x86-64) plain accesses that the compiler keeps in place are enough;
 * elsewhere the fetching atomic is used.  Objects are built for the machine they run on. */
#ifndef MEALY_ORDER_H
#define MEALY_ORDER_H

#ifdef __bpf__

#include <stdbool.h>
#include <stddef.h>

#define COMPILER_BARRIER()	asm volatile("" ::: "memory")
#define READ(x)			(*(const volatile __typeof__(x) *)&(x))
#define WRITE(x, v)		(*(volatile __typeof__(x) *)&(x) = (v))
#define FETCH_ADD(p, v)		__sync_fetch_and_add((p), (v))
#define FETCH_AND(p, v)		__sync_fetch_and_and((p), (v))
#define FETCH_OR(p, v)		__sync_fetch_and_or((p), (v))
#define FETCH_CAS(p, old, new_) __sync_val_compare_and_swap((p), (old), (new_))

#ifdef MEALY_TSO
#define READ_ACQUIRE(x)                                                                                                \
	({                                                                                                             \
		__typeof__(x) _v = READ(x);                                                                            \
		COMPILER_BARRIER();                                                                                    \
		_v;                                                                                                    \
	})
#define WRITE_RELEASE(x, v)                                                                                            \
	do {                                                                                                           \
		COMPILER_BARRIER();                                                                                    \
		WRITE(x, v);                                                                                           \
	} while (0)
#else
#define READ_ACQUIRE(x)	    FETCH_ADD(&(x), 0)
#define WRITE_RELEASE(x, v) ((void)__sync_lock_test_and_set(&(x), (v)))
#endif
/* Orders all that was written before against all that is written after. */
#ifdef MEALY_TSO
#define WRITE_BARRIER(word) COMPILER_BARRIER()
#else
#define WRITE_BARRIER(word) ((void)FETCH_ADD(&(word), 0))
#endif

#else

#include <stdbool.h>
#include <stddef.h>

#define COMPILER_BARRIER() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#define READ(x)		   __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE(x, v)	   __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define FETCH_ADD(p, v)	   __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define FETCH_AND(p, v)	   __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define FETCH_OR(p, v)	   __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define FETCH_CAS(p, old, new_)                                                                                        \
	({                                                                                                             \
		__typeof__(*(p)) _old = (old);                                                                         \
		__atomic_compare_exchange_n((p), &_old, (new_), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);            \
		_old;                                                                                                  \
	})
#define READ_ACQUIRE(x)	    __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define WRITE_RELEASE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELEASE)
#define WRITE_BARRIER(word) __atomic_thread_fence(__ATOMIC_SEQ_CST)

#endif

#endif
