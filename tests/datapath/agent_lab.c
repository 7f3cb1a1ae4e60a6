// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../harness/leftover.h"
#include "agent_lab.h"

#define NAME_PREFIX "test-"

void lab_enter(void)
{
	if (geteuid() != 0) {
		fprintf(stderr, "skipped: needs root\n");
		exit(LAB_SKIP);
	}
	if (unshare(CLONE_NEWNET) < 0) {
		fprintf(stderr, "skipped: no network namespace: %s\n", strerror(errno));
		exit(LAB_SKIP);
	}
	leftover_guard(NAME_PREFIX);
	lab_switch_name();
}

void lab_sh(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

const char *lab_switch_name(void)
{
	static char name[64];

	if (!name[0]) /* Children of a test share its switch. */
		snprintf(name, sizeof(name), NAME_PREFIX "%d", getpid());
	return name;
}

bool lab_program_goes(unsigned id)
{
	for (int i = 0; i < 100; i++) {
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd == -ENOENT)
			return true;
		if (fd >= 0)
			close(fd);
		usleep(20000);
	}
	return false;
}
