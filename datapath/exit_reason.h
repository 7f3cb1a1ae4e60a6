/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exit_reason - every way a packet can leave one run of a hook.
 *
 * One list, read by the BPF programs (which count by it), by the command (which prints the
 * names) and by the documents.  A run of a hook counts exactly one of these, so
 *
 *     sum over reasons of exit counters of (hook, port) = packets that port's hook received.
 *
 * X(identifier, name for people, what it means).  Append only: the number is the counter's
 * index, and counters outlive programs. */
#ifndef MEALY_EXIT_REASON_H
#define MEALY_EXIT_REASON_H

#define EXIT_REASON_LIST(X)                                                                                            \
	X(NONE, "none", "not an exit; never counted")                                                                  \
	X(PASS, "pass", "handed to the kernel (or to other tc programs) by the last pass")                             \
	X(DELIVER, "deliver", "handed to the kernel at once by `deliver`")                                             \
	X(DROP, "drop", "dropped by a rule")                                                                           \
	X(OUTPUT, "output", "sent to one port")                                                                        \
	X(FLOOD, "flood", "sent to every other port")                                                                  \
	X(REFLECT, "reflect", "sent back through the port it came from")                                               \
	X(NO_APP, "no-application", "no application on this port: plain pass")                                         \
	X(COPY, "copy", "a copy this switch made at tc egress, let through")                                           \
	X(PARSE_SHORT, "parse:short", "the frame ends inside a header")                                                \
	X(PARSE_MALFORMED, "parse:malformed", "a header contradicts itself (IHL, lengths)")                            \
	X(PARSE_DEPTH, "parse:depth", "more extension headers or header bytes than followed")                          \
	X(PARSE_MAPPED, "parse:mapped", "a v4-mapped address in an IPv6 packet")                                       \
	X(TABLE_FULL, "table-full", "no room for a new flow, when_full: drop")                                         \
	X(TABLE_FULL_PASS, "table-full-pass", "no room for a new flow, when_full: pass")                               \
	X(BUDGET, "budget", "the tail calls of one packet were used up")                                               \
	X(CONTENTION, "contention", "a flow was begun again too often")                                                \
	X(NO_PROGRAM, "no-program", "a tail call found no program")                                                    \
	X(NO_TABLE, "no-table", "a version without the table it names: a fault of the agent")                          \
	X(NO_PORT, "no-port", "output to a port number that is absent")                                                \
	X(REDIRECT_FAILED, "redirect-failed", "at tc: the port is down, or refused the frame")                         \
	X(WRITE_FAILED, "write-failed", "a field could not be written (family, bounds)")                               \
	X(PUSH_FAILED, "push-failed", "no room to push or pop a header")                                               \
	X(INTERNAL, "internal", "an index out of range: a fault of the encoder")                                       \
	X(ROUTE, "route", "sent where the kernel's routes say")                                                        \
	X(ROUTE_KERNEL, "route:kernel", "`route` left it to the kernel: neighbour, MTU, TTL, own or unknown address")  \
	X(ROUTE_NONE, "route:none", "`route` found a way that leads nowhere: blackhole, unreachable, prohibit")        \
	X(GROUP, "group", "copied to the members of a group")                                                          \
	X(NO_MEMBER, "no-member", "for a member of a group that is gone or down")

enum exit_reason {
#define X(id, name, text) EXIT_##id,
	EXIT_REASON_LIST(X)
#undef X
		EXIT_REASON_MAX
};

/* Counters have room for this many per (hook, port); never shrink it. */
enum { EXIT_REASON_ROOM = 64 };

#endif
