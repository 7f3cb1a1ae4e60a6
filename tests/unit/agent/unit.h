/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent's unit tests share. */
#ifndef MEALY_TEST_AGENT_UNIT_H
#define MEALY_TEST_AGENT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMITER                                                                                                        \
	"app: limiter\n"                                                                                               \
	"parameters: {burst: 5, interval: 1s}\n"                                                                       \
	"tables:\n"                                                                                                    \
	"  - name: police\n"                                                                                           \
	"    state:\n"                                                                                                 \
	"      lookup: [ip.src]\n"                                                                                     \
	"      capacity: 1024\n"                                                                                       \
	"      states: [NEW, {name: METERED, idle: 10s}]\n"                                                            \
	"      registers: [time start, time end]\n"                                                                    \
	"    rules:\n"                                                                                                 \
	"      - {name: first, state: NEW, do: start = now; end = now + interval, next: METERED, action: pass}\n"      \
	"      - {name: over-rate, when: now < start, action: drop}\n"                                                 \
	"      - {do: start += interval, action: pass}\n"

#define GATE                                                                                                           \
	"app: gate\n"                                                                                                  \
	"parameters: {inside: port}\n"                                                                                 \
	"tables:\n"                                                                                                    \
	"  - name: check\n"                                                                                            \
	"    rules:\n"                                                                                                 \
	"      - {name: in, when: in_port == inside, action: pass}\n"                                                  \
	"      - {name: rest, action: drop}\n"

static inline void assert_text_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text ? text : "(null)");
}

#endif
