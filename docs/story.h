/* SPDX-License-Identifier: GPL-2.0-or-later */
/* story - an application of the page, and packets that meet it one after the other.
 *
 *     port1 ipv4.src=192.0.2.1 udp.dst=1111   -> drop by knocks/knock-1
 *     +5s
 *     port1 ipv4.src=192.0.2.1 udp.dst=9922   -> drop              # too late
 *     lan   ip.dscp=0                         -> output wan with ip.dscp=8
 *
 * A line is a packet (port, fields as `mealy trace` takes them, way out; then the rule of any table, and what is
 * different in the frame that leaves), or time that goes by.  The native datapath runs it. */
#ifndef MEALY_DOCS_STORY_H
#define MEALY_DOCS_STORY_H

/* Checks 'yaml' with 'settings' ("lan=port1 burst=5"); any mistake or warning is one.  'packets' may be NULL.
 * 'line' is where the YAML begins in the page, for messages on stderr.  Returns 0 or -EINVAL. */
int story_run(const char *yaml, const char *settings, const char *packets, unsigned line);

#endif
