// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fnmatch.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "../common/cleanup.h"
#include "../datapath/pipeline.h"
#include "host.h"
#include "link_list.h"
#include "pin.h"
#include "preflight.h"
#include "xdp_link.h"

enum { KERNEL_OLDEST = 6 << 16 | 1 << 8, KERNEL_TCX = 6 << 16 | 6 << 8, MEMORY_LOW_KIB = 256 << 10 };

/* Version maps, locks and counters of one instance, and as much again during a takeover. */
enum { BASE_MEMORY_KIB = 64 << 10 };

/* Drivers of 6.1 that run XDP themselves; others run it on skbs. */
static const char *const native_drivers[] = {
	"veth",	     "virtio_net", "tun",  "bonding",	    "ixgbe",	    "ixgbevf",	     "i40e",
	"ice",	     "igb",	   "igc",  "mlx4_core",	    "mlx4_en",	    "mlx5_core",     "bnxt_en",
	"ena",	     "nfp",	   "qede", "hv_netvsc",	    "mvneta",	    "mvpp2",	     "sfc",
	"sfc_ef100", "stmmac",	   "gve",  "thunder-nicvf", "dpaa2-eth",    "fsl_dpaa2_eth", "fsl_dpa",
	"ti_cpsw",   "tsnep",	   "cpsw", "netdevsim",	    "xen_netfront", "vif",
};

static __attribute__((format(printf, 5, 6))) int add(struct preflight *preflight, enum preflight_level level,
						     const char *subject, const char *fix, const char *format, ...)
{
	struct preflight_line line = {.level = level, .subject = strdup(subject), .fix = fix ? strdup(fix) : NULL};
	struct preflight_line *bigger;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&line.text, format, args);
	va_end(args);
	bigger = realloc(preflight->line, (preflight->n + 1) * sizeof(*bigger));
	if (bigger)
		preflight->line = bigger;
	if (!bigger || len < 0 || !line.subject || (fix && !line.fix)) {
		free(line.subject);
		free(line.fix);
		if (len >= 0)
			free(line.text);
		return -ENOMEM;
	}
	preflight->line[preflight->n++] = line;
	preflight->n_errors += level == PREFLIGHT_ERROR;
	preflight->n_warnings += level == PREFLIGHT_WARNING;
	return 0;
}

/* ---- the kernel ------------------------------------------------------------------------------------ */

static int check_rights(struct preflight *preflight)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "preflight", 4, 8, 1, NULL);

	if (fd >= 0) {
		close(fd);
		return add(preflight, PREFLIGHT_OK, "rights", NULL, "BPF maps can be made");
	}
	if (fd == -EPERM)
		return add(preflight, PREFLIGHT_ERROR, "rights", "run as root (CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN)",
			   "BPF is not permitted to this user");
	return add(preflight, PREFLIGHT_ERROR, "rights", NULL, "a BPF map cannot be made: %s", strerror(-fd));
}

static int check_kernel(struct preflight *preflight)
{
	unsigned version = host_kernel_version();
	struct utsname name;

	uname(&name);
	if (version < KERNEL_OLDEST)
		return add(preflight, PREFLIGHT_ERROR, "kernel", "use Linux 6.1 or later", "%s is too old",
			   name.release);
	if (strcmp(name.machine, "x86_64") != 0)
		return add(preflight, PREFLIGHT_WARNING, "kernel", NULL,
			   "%s on %s: the flow table was tested on x86_64 only", name.release, name.machine);
	return add(preflight, PREFLIGHT_OK, "kernel", NULL, "%s, new enough (6.1 is the oldest supported)",
		   name.release);
}

static int check_btf(struct preflight *preflight)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		return add(preflight, PREFLIGHT_OK, "BTF", NULL, "the kernel describes its types");
	return add(preflight, PREFLIGHT_WARNING, "BTF", "use a kernel with CONFIG_DEBUG_INFO_BTF=y",
		   "the kernel has no type information: failed redirects cannot be counted");
}

static int check_jit(struct preflight *preflight)
{
	static const char path[] = "/proc/sys/net/core/bpf_jit_enable";
	long long enabled = 1;
	int r = host_read_number(path, &enabled);

	if (r == 0 && enabled == 0)
		return add(preflight, PREFLIGHT_WARNING, "JIT", "sysctl net.core.bpf_jit_enable=1",
			   "off: programs are interpreted by the kernel, several times slower");
	if (r < 0)
		return add(preflight, PREFLIGHT_NOTE, "JIT", NULL, "cannot be told (%s: %s)", path, strerror(-r));
	return add(preflight, PREFLIGHT_OK, "JIT", NULL, "on");
}

static int check_types(struct preflight *preflight)
{
	static const struct {
		const char *name;
		enum bpf_map_type type;
	} maps[] = {
		{"ARRAY_OF_MAPS", BPF_MAP_TYPE_ARRAY_OF_MAPS},
		{"QUEUE", BPF_MAP_TYPE_QUEUE},
		{"DEVMAP", BPF_MAP_TYPE_DEVMAP},
		{"RINGBUF", BPF_MAP_TYPE_RINGBUF},
		{"PROG_ARRAY", BPF_MAP_TYPE_PROG_ARRAY},
	};
	char missing[128] = "";

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (libbpf_probe_bpf_map_type(maps[i].type, NULL) == 0)
			snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), " %s", maps[i].name);
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, NULL) == 0)
		snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), " XDP");
	if (libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_SCHED_CLS, NULL) == 0)
		snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), " SCHED_CLS");
	if (missing[0])
		return add(preflight, PREFLIGHT_ERROR, "features", NULL, "this kernel lacks:%s", missing);
	return add(preflight, PREFLIGHT_OK, "features", NULL, "all program and map types are there; tc by %s",
		   host_kernel_version() >= KERNEL_TCX ? "tcx links" : "clsact filters");
}

static int check_bpffs(struct preflight *preflight, const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return add(preflight, PREFLIGHT_ERROR, "bpffs", NULL, "%s: %m", path);
	if (fs.f_type != BPF_FS_MAGIC)
		return add(preflight, PREFLIGHT_NOTE, "bpffs", NULL, "not mounted at %s: the agent will mount it",
			   path);
	if (!pin_is_shared(path))
		return add(preflight, PREFLIGHT_ERROR, "bpffs",
			   "start the agent with `nsenter --net=...`, not `ip netns exec`",
			   "%s belongs to a private mount namespace and would vanish with the agent", path);
	return add(preflight, PREFLIGHT_OK, "bpffs", NULL, "mounted at %s", path);
}

/* ---- memory, CPUs, tools --------------------------------------------------------------------------------- */

static long long available_kib(void)
{
	_cleanup_file_ FILE *file = fopen("/proc/meminfo", "re");
	long long kib = -1;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lld kB", &kib) == 1)
			break;
	return kib;
}

static int check_memory(struct preflight *preflight)
{
	long long kib = available_kib();
	struct rlimit limit;
	int r;

	if (kib < 0)
		r = add(preflight, PREFLIGHT_NOTE, "memory", NULL, "cannot be told");
	else
		r = add(preflight, kib < MEMORY_LOW_KIB ? PREFLIGHT_WARNING : PREFLIGHT_OK, "memory",
			kib < MEMORY_LOW_KIB ? "free some memory or declare smaller capacities" : NULL,
			"%lld MiB available: %d MiB for the switch itself, and about %lld flows of 64 bytes", kib >> 10,
			BASE_MEMORY_KIB >> 10, kib > BASE_MEMORY_KIB ? (kib - BASE_MEMORY_KIB) * 1024 / 88 : 0);
	if (r < 0 || host_kernel_version() >= (5 << 16 | 11 << 8))
		return r;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_max != RLIM_INFINITY)
		return add(preflight, PREFLIGHT_WARNING, "memory",
			   "ulimit -l unlimited (systemd: LimitMEMLOCK=infinity)",
			   "locked memory is limited to %llu KiB", (unsigned long long)limit.rlim_max >> 10);
	return 0;
}

static int check_cpus(struct preflight *preflight)
{
	int possible = libbpf_num_possible_cpus();
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (possible < 0)
		return add(preflight, PREFLIGHT_ERROR, "CPUs", NULL, "cannot be counted: %s", strerror(-possible));
	return add(preflight, PREFLIGHT_OK, "CPUs", NULL, "%ld online of %d; counters take %d KiB", online, possible,
		   (int)(COUNTERS * sizeof(struct counter) * possible >> 10));
}

static bool find_tool(const char *name, char *ret_path, size_t size)
{
	const char *path = getenv("PATH");
	_cleanup_free_ char *copy = strdup(path ? path : "/usr/local/bin:/usr/bin:/bin");
	char *save = NULL;

	for (char *dir = copy ? strtok_r(copy, ":", &save) : NULL; dir; dir = strtok_r(NULL, ":", &save)) {
		snprintf(ret_path, size, "%s/%s", dir, name);
		if (access(ret_path, X_OK) == 0)
			return true;
	}
	return false;
}

static int check_clang(struct preflight *preflight)
{
	static const char *const names[] = {"clang", "clang-19", "clang-14"};
	char path[512];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (find_tool(names[i], path, sizeof(path)))
			return add(preflight, PREFLIGHT_OK, "clang", NULL, "%s", path);
	return add(preflight, PREFLIGHT_NOTE, "clang", "apt-get install clang",
		   "not installed: applications run in the interpreter only");
}

/* ---- interfaces ---------------------------------------------------------------------------------------------- */

static bool is_native(const char *driver)
{
	for (size_t i = 0; i < ARRAY_SIZE(native_drivers); i++)
		if (strcmp(native_drivers[i], driver) == 0)
			return true;
	return false;
}

static int check_peer(struct preflight *preflight, const struct link *link)
{
	char peer[IFNAMSIZ], fix[64];

	if (!link->peer_ifindex || !if_indextoname(link->peer_ifindex, peer) || !host_offloads_checksum(peer))
		return 0;
	snprintf(fix, sizeof(fix), "ethtool -K %s tx off", peer);
	return add(preflight, PREFLIGHT_WARNING, link->name, fix,
		   "its peer %s leaves checksums to the device: packets that XDP redirects or reflects arrive with "
		   "wrong ones",
		   peer);
}

static int check_interface(struct preflight *preflight, const struct link *link)
{
	char driver[64] = "unknown driver", program[64];
	struct xdp_there there = {};
	bool native;
	int r;

	host_driver(link->name, driver, sizeof(driver));
	native = is_native(driver);
	r = add(preflight, native ? PREFLIGHT_OK : PREFLIGHT_NOTE, link->name, NULL, "%s, %s, MTU %u, %u/%u queues: %s",
		driver, link->up ? "up" : "down", link->mtu, link->n_rx_queues, link->n_tx_queues,
		native ? "XDP in the driver" : "XDP on skbs (generic), as far as is known of this driver");
	if (r == 0 && xdp_link_query(link->ifindex, &there) == 0 && there.prog_id) {
		xdp_link_describe(there.prog_id, program, sizeof(program));
		r = add(preflight, strstr(program, "\"xdp_root\"") ? PREFLIGHT_NOTE : PREFLIGHT_WARNING, link->name,
			NULL, "has XDP program %s already%s", program,
			strstr(program, "\"xdp_root\"") ? ", a switch's" : "; a foreign program is never replaced");
	}
	return r < 0 ? r : check_peer(preflight, link);
}

static int check_pattern(struct preflight *preflight, const struct link *link, size_t n, const char *pattern)
{
	unsigned matched = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (strcmp(pattern, link[i].name) != 0 && (link[i].loopback || fnmatch(pattern, link[i].name, 0) != 0))
			continue;
		matched++;
		r = check_interface(preflight, &link[i]);
	}
	if (r == 0 && matched == 0)
		r = add(preflight, PREFLIGHT_WARNING, pattern, NULL,
			"no interface of this network namespace has that name");
	if (r == 0 && matched > PORTS_MAX)
		r = add(preflight, PREFLIGHT_ERROR, pattern, "use a narrower pattern",
			"%u interfaces match, a switch has %d ports", matched, PORTS_MAX);
	return r;
}

static int check_interfaces(struct preflight *preflight, const struct preflight_options *options)
{
	struct link_list *links;
	const struct link *link;
	size_t n;
	int r;

	if (options->n_interfaces == 0)
		return 0;
	r = link_list_open(&links);
	if (r < 0)
		return add(preflight, PREFLIGHT_ERROR, "netlink", NULL, "interfaces cannot be read: %s", strerror(-r));
	n = link_list_get(links, &link);
	for (size_t i = 0; r == 0 && i < options->n_interfaces; i++)
		r = check_pattern(preflight, link, n, options->interface[i]);
	link_list_close(links);
	return r;
}

/* ---- the public side -------------------------------------------------------------------------------------------- */

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

int preflight_run(const struct preflight_options *options, struct preflight *ret_preflight)
{
	static int (*const checks[])(struct preflight *) = {check_rights, check_kernel, check_btf,  check_jit,
							    check_types,  check_memory, check_cpus, check_clang};
	struct preflight preflight = {};
	libbpf_print_fn_t before = libbpf_set_print(silent);
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(checks); i++)
		r = checks[i](&preflight);
	if (r == 0)
		r = check_bpffs(&preflight, options->bpffs ? options->bpffs : "/sys/fs/bpf");
	if (r == 0)
		r = check_interfaces(&preflight, options);
	libbpf_set_print(before);

	if (r < 0)
		preflight_done(&preflight);
	else
		*ret_preflight = preflight;
	return r;
}

void preflight_done(struct preflight *preflight)
{
	for (size_t i = 0; i < preflight->n; i++) {
		free(preflight->line[i].subject);
		free(preflight->line[i].text);
		free(preflight->line[i].fix);
	}
	free(preflight->line);
	*preflight = (struct preflight){};
}

const char *preflight_level_name(enum preflight_level level)
{
	static const char *const names[] = {"ok", "note", "warning", "error"};

	return names[level];
}
