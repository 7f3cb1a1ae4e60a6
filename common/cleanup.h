/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cleanup - owners on the stack that release themselves, and handing over. */
#ifndef MEALY_CLEANUP_H
#define MEALY_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_fn(void *p)
{
	free(*(void **)p);
}
static inline void cleanup_close_fn(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void cleanup_file_fn(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_	__attribute__((cleanup(cleanup_free_fn)))
#define _cleanup_close_ __attribute__((cleanup(cleanup_close_fn)))
#define _cleanup_file_	__attribute__((cleanup(cleanup_file_fn)))

#define TAKE_PTR(p)                                                                                                    \
	({                                                                                                             \
		__typeof__(p) take_ = (p);                                                                             \
		(p) = NULL;                                                                                            \
		take_;                                                                                                 \
	})
#define TAKE_FD(fd)                                                                                                    \
	({                                                                                                             \
		int take_ = (fd);                                                                                      \
		(fd) = -1;                                                                                             \
		take_;                                                                                                 \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
