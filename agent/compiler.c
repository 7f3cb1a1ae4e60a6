/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "compiler.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/cleanup.h"
#include "../datapath/pipeline.h"
#include "host.h"
#include "sources_hash.h"
#include "why.h"

#define NS_PER_MS 1000000ull

const struct compile_limits compile_limits_default = {.cpu_s = 20, .wall_s = 60, .memory_bytes = 2ull << 30};

/* As the interpreter is built (datapath/CMakeLists.txt). */
#if defined(__x86_64__)
#define TSO_FLAG "-DMEALY_TSO"
#else
#define TSO_FLAG "-UMEALY_TSO"
#endif
#define ARCH_INCLUDE "/usr/include/" MEALY_ARCH

static const char program_source[] = "specialised.bpf.c";

/* ---- sources ---------------------------------------------------------------------------------------- */

static int is_source(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return !strcmp(entry->d_name, program_source) || (len > 2 && !strcmp(entry->d_name + len - 2, ".h"));
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int hash_file(const char *folder, const char *name, char ret_hash[SHA256_TEXT])
{
	_cleanup_file_ FILE *in = NULL;
	char path[PATH_MAX], block[4096];
	struct sha256 sum;
	size_t n;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	in = fopen(path, "re");
	if (!in)
		return -errno;
	sha256_init(&sum);
	while ((n = fread(block, 1, sizeof(block), in)))
		sha256_add(&sum, block, n);
	sha256_text(&sum, ret_hash);
	return ferror(in) ? -EIO : 0;
}

/* As "sha256sum *.h specialised.bpf.c | sha256sum" does it; see CMakeLists.txt. */
int compiler_hash_sources(const char *folder, char ret_hash[SHA256_TEXT])
{
	struct dirent **entry;
	char hash[SHA256_TEXT];
	struct sha256 all;
	int n = scandir(folder, &entry, is_source, by_bytes), r = n < 0 ? -errno : n ? 0 : -ENOENT;

	sha256_init(&all);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = hash_file(folder, entry[i]->d_name, hash);
		if (r == 0) {
			sha256_add(&all, hash, strlen(hash));
			sha256_add(&all, "  ", 2);
			sha256_add(&all, entry[i]->d_name, strlen(entry[i]->d_name));
			sha256_add(&all, "\n", 1);
		}
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
	sha256_text(&all, hash);
	if (r == 0)
		memcpy(ret_hash, hash, sizeof(hash));
	return r;
}

/* ---- the program ------------------------------------------------------------------------------------- */

static char *find_in_path(const char *name)
{
	const char *path = getenv("PATH") ?: "/usr/bin:/bin";
	char *found;

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 ? strdup(name) : NULL;
	while (*path) {
		int len = (int)strcspn(path, ":");

		if (asprintf(&found, "%.*s/%s", len, path, name) < 0)
			return NULL;
		if (access(found, X_OK) == 0)
			return found;
		free(found);
		path += len + (path[len] == ':');
	}
	return NULL;
}

/* Arguments are a list, so no shell looks at them. */
static void run_child(char *const *argv, int out, const struct compile_limits *limits)
{
	struct rlimit cpu = {limits->cpu_s, limits->cpu_s}, memory = {limits->memory_bytes, limits->memory_bytes},
		      file = {64 << 20, 64 << 20}, core = {0, 0};
	enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_IDLE = 3 << 13 };
	int none = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	if (nice(19) < 0)
		errno = 0;
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_AS, &memory);
	setrlimit(RLIMIT_FSIZE, &file);
	setrlimit(RLIMIT_CORE, &core);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	dup2(none, 0);
	dup2(out, 1);
	dup2(out, 2);
	execv(argv[0], argv);
	dprintf(2, "%s: %s", argv[0], strerror(errno));
	_exit(127);
}

static int run(char *const *argv, const struct compile_limits *limits, struct compile *ret)
{
	sigset_t none;
	int pipes[2];
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		run_child(argv, pipes[1], limits);
	}
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return -errno;
	}
	setpgid(pid, pid);
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	*ret = (struct compile){.pid = pid, .fd = pipes[0], .begin_ns = host_monotonic_ns(), .limits = *limits};
	return 0;
}

static int ask_version(struct compiler *c, char **ret_why)
{
	char *argv[] = {c->path, (char *)"--version", NULL};
	const struct compile_limits limits = {.cpu_s = 2, .wall_s = 5, .memory_bytes = 2ull << 30};
	struct compile asked;
	int r = run(argv, &limits, &asked);

	if (r == 0)
		r = compile_wait(&asked, ret_why);
	if (r < 0)
		return r;
	asked.said[strcspn(asked.said, "\n")] = '\0';
	if (!strstr(asked.said, "clang"))
		return why_set(ret_why, -EPROTO, "%s is no clang: it says \"%.60s\"", c->path, asked.said);
	snprintf(c->version, sizeof(c->version), "%.127s", asked.said);
	return 0;
}

int compiler_open(const char *clang, const char *folder, struct compiler *ret, char **ret_why)
{
	struct compiler c = {.path = find_in_path(clang), .sources = strdup(folder)};
	int r = 0;

	if (!c.path)
		r = why_set(ret_why, -ENOENT, "there is no compiler: %s not found", clang);
	if (r == 0) {
		r = compiler_hash_sources(folder, c.source_hash);
		if (r < 0)
			why_set(ret_why, r, "the datapath's sources cannot be read: %s: %s", folder, strerror(-r));
	}
	if (r == 0 && strcmp(c.source_hash, MEALY_SOURCES_HASH))
		r = why_set(ret_why, -EPROTO, "%s: these sources of the datapath are of another build", folder);
	if (r == 0)
		r = ask_version(&c, ret_why);
	if (r < 0) {
		compiler_close(&c);
		return r;
	}
	*ret = c;
	return 0;
}

void compiler_close(struct compiler *c)
{
	free(c->path);
	free(c->sources);
	*c = (struct compiler){};
}

void compiler_made_from(const struct compiler *c, const char *constant, char ret_hash[SHA256_TEXT])
{
	struct utsname host = {};
	struct sha256 sum;

	uname(&host);
	sha256_init(&sum);
	/* With its end, so that no two lists of parts look alike. */
	sha256_add(&sum, c->source_hash, sizeof(c->source_hash));
	sha256_add(&sum, c->version, strlen(c->version) + 1);
	sha256_add(&sum, host.release, strlen(host.release) + 1);
	sha256_add(&sum, host.version, strlen(host.version) + 1);
	sha256_add(&sum, constant, strlen(constant) + 1);
	sha256_text(&sum, ret_hash);
}

/* ---- one run ------------------------------------------------------------------------------------------- */

int compile_start(const struct compiler *c, const char *header, const char *made_from, const char *object,
		  const struct compile_limits *limits, struct compile *ret_compile)
{
	_cleanup_free_ char *include = NULL, *constant = NULL, *made = NULL, *source = NULL;

	if (asprintf(&include, "-I%s", c->sources) < 0 ||
	    asprintf(&constant, "-DMEALY_SPECIALISED=\"%s\"", header) < 0 ||
	    asprintf(&made, "-DMEALY_MADE_FROM=\"%s\"", made_from) < 0 ||
	    asprintf(&source, "%s/%s", c->sources, program_source) < 0)
		return -ENOMEM;
	const char *argv[] = {c->path, "-target", "bpf",	"-mcpu=v3",   "-O2",   "-g",
			      "-w",    TSO_FLAG,  "-idirafter", ARCH_INCLUDE, include, constant,
			      made,    "-c",	  source,	"-o",	      object,  NULL};

	return run((char *const *)argv, limits, ret_compile);
}

/* First line of what the compiler said. */
static int refused(const struct compile *compile, int status, char **ret_why)
{
	int line = (int)strcspn(compile->said, "\n");

	if (compile->took_ns > compile->limits.wall_s * 1000 * NS_PER_MS)
		return why_set(ret_why, -ETIMEDOUT, "the compiler took longer than %u s", compile->limits.wall_s);
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		return why_set(ret_why, -ETIMEDOUT, "the compiler was ended: over its limit of %u s of processor time",
			       compile->limits.cpu_s);
	if (WIFSIGNALED(status))
		return why_set(ret_why, -EINVAL, "the compiler died of signal %d: %.*s", WTERMSIG(status), line,
			       compile->said);
	return why_set(ret_why, -EINVAL, "the compiler refused: %.*s", line, compile->said);
}

static int ended(struct compile *compile, char **ret_why)
{
	int status = 0;

	while (waitpid(compile->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(compile->fd);
	compile->pid = 0;
	compile->fd = -1;
	compile->took_ns = host_monotonic_ns() - compile->begin_ns;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : refused(compile, status, ret_why);
}

int compile_read(struct compile *compile, char **ret_why)
{
	char away[512];

	for (;;) {
		size_t room = sizeof(compile->said) - 1 - compile->n_said;
		ssize_t n = room ? read(compile->fd, compile->said + compile->n_said, room)
				 : read(compile->fd, away, sizeof(away));

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 1 : ended(compile, ret_why);
		if (n == 0)
			return ended(compile, ret_why);
		if (room)
			compile->n_said += n;
	}
}

int compile_wait(struct compile *compile, char **ret_why)
{
	int r;

	while ((r = compile_read(compile, ret_why)) == 1) {
		compile_left_ms(compile);
		usleep(1000);
	}
	return r;
}

int compile_left_ms(struct compile *compile)
{
	int64_t left =
		(int64_t)(compile->begin_ns + compile->limits.wall_s * 1000 * NS_PER_MS) - (int64_t)host_monotonic_ns();

	if (left >= 0)
		return (int)(left / (int64_t)NS_PER_MS) + 1;
	if (compile->pid)
		kill(-compile->pid, SIGKILL);
	return 0;
}

void compile_stop(struct compile *compile)
{
	if (!compile->pid)
		return;
	kill(-compile->pid, SIGKILL);
	ended(compile, NULL);
}
