// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>

#include "../common/cleanup.h"
#include "host.h"

int host_raise_memlock(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		return 0;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return -errno;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_MEMLOCK, &limit) < 0 ? -errno : 0;
}

unsigned host_kernel_version(void)
{
	unsigned major = 0, minor = 0, patch = 0;
	struct utsname name;

	if (uname(&name) < 0)
		return 0;
	sscanf(name.release, "%u.%u.%u", &major, &minor, &patch);
	return major << 16 | (minor & 0xff) << 8 | (patch > 255 ? 255 : patch);
}

uint64_t host_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

uint64_t host_netns_cookie(void)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0)
		return 0;
	return cookie;
}

int host_read_number(const char *path, long long *ret_number)
{
	_cleanup_file_ FILE *file = fopen(path, "re");
	long long number;

	if (!file)
		return -errno;
	if (fscanf(file, "%lld", &number) != 1)
		return -ENODATA;
	*ret_number = number;
	return 0;
}

/* Asks ethtool's ioctl in the network namespace of the caller; 'query' begins with its command. */
static int host_ethtool(const char *name, void *query)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_data = query};

	if (fd < 0)
		return -errno;
	if (strlen(name) >= sizeof(request.ifr_name))
		return -ENAMETOOLONG;
	strcpy(request.ifr_name, name);
	return ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

bool host_offloads_checksum(const char *name)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GTXCSUM};

	return host_ethtool(name, &value) == 0 && value.data;
}

int host_driver(const char *name, char *ret_driver, size_t size)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	int r;

	r = host_ethtool(name, &info);
	if (r < 0)
		return r;
	snprintf(ret_driver, size, "%.*s", (int)sizeof(info.driver), info.driver);
	return 0;
}
