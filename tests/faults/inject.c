/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static struct {
	atomic_bool armed;
	enum inject_kind kind;
	enum inject_how how;
	unsigned n;
	atomic_uint count;
	const char *_Atomic hit;
	void (*fn)(void);
} inject;

static __thread bool exempt;

void inject_arm(enum inject_kind kind, unsigned n, enum inject_how how)
{
	inject.kind = kind;
	inject.n = n;
	inject.how = how;
	inject.count = 0;
	inject.hit = NULL;
	inject.armed = true;
}

const char *inject_disarm(void)
{
	inject.armed = false;
	return inject.hit;
}

unsigned inject_count(void)
{
	return inject.count;
}

void inject_on_hit(void (*fn)(void))
{
	inject.fn = fn;
}

void inject_exempt(void)
{
	exempt = true;
}

/* True: this call shall fail. */
static bool hit(enum inject_kind kind, const char *name)
{
	unsigned n;

	if (exempt || !inject.armed || kind != inject.kind)
		return false;
	n = atomic_fetch_add(&inject.count, 1) + 1;
	if (!inject.n || n < inject.n || (n > inject.n && inject.how != INJECT_FROM))
		return false;
	if (n == inject.n)
		inject.hit = name;
	if (inject.how != INJECT_CALL)
		return true;
	inject.armed = false;
	inject.fn();
	return false;
}

/* What the linker calls instead of 'name'; 'failed' is what it returns then. */
#define WRAP(kind, type, name, params, args, error, failed)                                                            \
	type __real_##name params;                                                                                     \
	type __wrap_##name params;                                                                                     \
	type __wrap_##name params                                                                                      \
	{                                                                                                              \
		if (!hit(kind, #name))                                                                                 \
			return __real_##name args;                                                                     \
		errno = error;                                                                                         \
		return failed;                                                                                         \
	}

#define WRAP_MEMORY(type, name, params, args, failed) WRAP(INJECT_MEMORY, type, name, params, args, ENOMEM, failed)
#define WRAP_SYSTEM(type, name, params, args, error)  WRAP(INJECT_SYSTEM, type, name, params, args, error, (type)-1)

WRAP_MEMORY(void *, malloc, (size_t size), (size), NULL)
WRAP_MEMORY(void *, calloc, (size_t n, size_t size), (n, size), NULL)
WRAP_MEMORY(void *, realloc, (void *old, size_t size), (old, size), NULL)
WRAP_MEMORY(char *, strdup, (const char *text), (text), NULL)
WRAP_MEMORY(char *, strndup, (const char *text, size_t n), (text, n), NULL)
WRAP_MEMORY(FILE *, open_memstream, (char **bytes, size_t *size), (bytes, size), NULL)
WRAP_MEMORY(int, vasprintf, (char **text, const char *format, va_list args), (text, format, args), -1)

int __wrap_asprintf(char **text, const char *format, ...);
int __wrap_asprintf(char **text, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = __wrap_vasprintf(text, format, args);
	va_end(args);
	return r;
}

WRAP_SYSTEM(void *, mmap, (void *at, size_t size, int prot, int flags, int fd, off_t offset),
	    (at, size, prot, flags, fd, offset), ENOMEM)
WRAP_SYSTEM(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size), ENOSPC)
WRAP_SYSTEM(ssize_t, read, (int fd, void *bytes, size_t size), (fd, bytes, size), EIO)
WRAP_SYSTEM(int, fsync, (int fd), (fd), EIO)
WRAP_SYSTEM(int, fstat, (int fd, struct stat *st), (fd, st), EIO)
WRAP_SYSTEM(int, renameat, (int from_fd, const char *from, int to_fd, const char *to), (from_fd, from, to_fd, to),
	    ENOSPC)
WRAP_SYSTEM(int, mkdir, (const char *path, mode_t mode), (path, mode), ENOSPC)
WRAP_SYSTEM(ssize_t, getrandom, (void *bytes, size_t size, unsigned flags), (bytes, size, flags), ENOSYS)
WRAP(INJECT_SYSTEM, int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attr, void *(*start)(void *), void *data), (thread, attr, start, data),
     EAGAIN, EAGAIN)

int __real_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...);
int __wrap_openat(int fd, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = va_arg(args, mode_t);
	va_end(args);
	if (!hit(INJECT_SYSTEM, "openat"))
		return __real_openat(fd, path, flags, mode);
	errno = EMFILE;
	return -1;
}

/* libbpf's way to bpf(2).  Found by the dynamic linker before the C library's. */
long syscall(long number, ...)
{
	static long (*real)(long number, ...);
	long arg[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if (hit(INJECT_SYSTEM, "bpf")) {
		errno = ENOMEM;
		return -1;
	}
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	return real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
