/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compiler - clang as a process of its own, that makes an object from a table's constant (tables/specialise.h).
 *
 * It runs at the lowest priority (nice, idle I/O), may use so much time and memory and no more, and is one process
 * group, so that ending it leaves nothing behind.  What it says is kept for people.  The caller waits: 'fd' becomes
 * readable when there is something to do, compile_read() does it and tells the end. */
#ifndef MEALY_COMPILER_H
#define MEALY_COMPILER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../common/sha256.h"

struct compiler {
	char *path;	   /* Of the executable. */
	char *sources;	   /* Folder of the datapath's sources, which are this build's. */
	char version[128]; /* As it says itself. */
	char source_hash[SHA256_TEXT];
};

struct compile_limits {
	unsigned cpu_s, wall_s;
	uint64_t memory_bytes; /* Of address space. */
};
/* Ten times what the largest tables took. */
extern const struct compile_limits compile_limits_default;

enum { COMPILE_SAID_MAX = 4096 };

struct compile {
	pid_t pid; /* 0: none runs. */
	int fd;
	uint64_t begin_ns, took_ns;
	struct compile_limits limits;
	unsigned n_said;
	char said[COMPILE_SAID_MAX];
};

/* Looks for 'clang' (a path, or a name in PATH) and for the sources in 'folder'.
 *   -ENOENT  there is no such program, or no sources;  -EPROTO  the sources are of another build, or it is no clang. */
int compiler_open(const char *clang, const char *folder, struct compiler *ret_compiler, char **ret_why);
void compiler_close(struct compiler *compiler);

/* Hash of a folder's sources, or -errno. */
int compiler_hash_sources(const char *folder, char ret_hash[SHA256_TEXT]);

/* The hash of all that an object of 'constant' is made from: the text, the sources, the compiler and the kernel. */
void compiler_made_from(const struct compiler *compiler, const char *constant, char ret_hash[SHA256_TEXT]);

/* Starts to compile the constant in file 'header' to 'object', which appears there unfinished.  -errno. */
int compile_start(const struct compiler *compiler, const char *header, const char *made_from, const char *object,
		  const struct compile_limits *limits, struct compile *ret_compile);

/* 1: it goes on.  0: done.  -errno with a sentence: the compiler refused (-EINVAL), took too long (-ETIMEDOUT), or
 * could not be run. */
int compile_read(struct compile *compile, char **ret_why);
/* The same, waiting for the end. */
int compile_wait(struct compile *compile, char **ret_why);
/* Ends it if it is over its time: then compile_read() says so.  Milliseconds that are left. */
int compile_left_ms(struct compile *compile);
void compile_stop(struct compile *compile);

#endif
