/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host - facts about this machine that several files ask for.  Nothing is changed, save the memory limit. */
#ifndef MEALY_HOST_H
#define MEALY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raises RLIMIT_MEMLOCK as far as this process may; kernels before 5.11 charge maps to it. */
int host_raise_memlock(void);

/* Version as (major << 16 | minor << 8 | patch), from uname. */
unsigned host_kernel_version(void);

/* CLOCK_MONOTONIC in ns: what bpf_ktime_get_ns() reads. */
uint64_t host_monotonic_ns(void);

/* Names the caller's network namespace, once per boot; 0 when the kernel does not tell. */
uint64_t host_netns_cookie(void);

/* Reads the first number in a file of /proc or /sys: 0 or -errno. */
int host_read_number(const char *path, long long *ret_number);

/* "ethtool -k": true if the interface hands checksums of TCP or UDP to the device.  False when unknown. */
bool host_offloads_checksum(const char *name);

/* "ethtool -i": the driver's name, or -errno. */
int host_driver(const char *name, char *ret_driver, size_t size);

#endif
