// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/cleanup.h"
#include "attach.h"
#include "pin.h"
#include "tc_filter.h"
#include "why.h"
#include "xdp_link.h"

/* One interface. */
struct place {
	unsigned ifindex;
	bool claimed; /* By attach_set(); others go with attach_settle(). */
	unsigned set; /* Bits of the hooks that attach_set() gave this instance's root: not touched again. */
	bool generic;
	int link_fd[HOOK_MAX]; /* -1: none. */
	bool filter[HOOK_MAX]; /* A clsact filter of ours. */
	bool qdisc;	       /* The clsact qdisc is ours. */
};

struct attach {
	struct instance *instance;
	struct pin pin;
	enum xdp_mode xdp_mode;
	enum tc_mode tc_mode;
	struct place *place;
	size_t n;
};

static const char *const link_names[HOOK_MAX] = {"xdp", "tcx-in", "tcx-out"};
static const char *const filter_names[HOOK_MAX] = {[HOOK_TC_INGRESS] = "filter-in", [HOOK_TC_EGRESS] = "filter-out"};
static const char qdisc_name[] = "clsact";

static enum tc_side side_of(unsigned hook)
{
	return hook == HOOK_TC_INGRESS ? TC_SIDE_INGRESS : TC_SIDE_EGRESS;
}

/* ---- the links folder ----------------------------------------------------------------------------- */

static void path_of(const struct pin *pin, const char *name, unsigned ifindex, char *ret_path)
{
	snprintf(ret_path, PIN_PATH_MAX, "%.*s/%s-%u", PIN_PATH_MAX - 64, pin->links, name, ifindex);
}

/* Folders stand for what cannot be pinned. */
static int mark(const struct pin *pin, const char *name, unsigned ifindex)
{
	char path[PIN_PATH_MAX];

	path_of(pin, name, ifindex, path);
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static void unmark(const struct pin *pin, const char *name, unsigned ifindex)
{
	char path[PIN_PATH_MAX];

	path_of(pin, name, ifindex, path);
	rmdir(path);
}

static void unpin(const struct pin *pin, const char *name, unsigned ifindex)
{
	char path[PIN_PATH_MAX];

	path_of(pin, name, ifindex, path);
	unlink(path);
}

static struct place *find(const struct attach *attach, unsigned ifindex)
{
	for (size_t i = 0; i < attach->n; i++)
		if (attach->place[i].ifindex == ifindex)
			return &attach->place[i];
	return NULL;
}

static struct place *get(struct attach *attach, unsigned ifindex)
{
	struct place *place = find(attach, ifindex), *bigger;

	if (place)
		return place;
	bigger = realloc(attach->place, (attach->n + 1) * sizeof(*bigger));
	if (!bigger)
		return NULL;
	attach->place = bigger;
	place = &bigger[attach->n++];
	*place = (struct place){.ifindex = ifindex, .link_fd = {-1, -1, -1}};
	return place;
}

/* Takes "<what>-<ifindex>" apart; 'ret_what' has room for the name. */
static bool split_name(const char *name, char *ret_what, size_t size, unsigned *ret_ifindex)
{
	const char *dash = strrchr(name, '-');

	if (!dash || (size_t)(dash - name) >= size || sscanf(dash + 1, "%u", ret_ifindex) != 1 || *ret_ifindex == 0)
		return false;
	memcpy(ret_what, name, dash - name);
	ret_what[dash - name] = '\0';
	return true;
}

/* A link whose interface is gone has nothing to hold.  One that the kernel does not show stays as it is: to forget it
 * would take the root off its port. */
static int recover_link(struct attach *attach, struct place *place, unsigned hook)
{
	char path[PIN_PATH_MAX];
	unsigned ifindex = 0;
	int fd, r;

	path_of(&attach->pin, link_names[hook], place->ifindex, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	r = link_ifindex(fd, &ifindex);
	if (r == 0 && ifindex == place->ifindex) {
		place->link_fd[hook] = fd;
		return 0;
	}
	close(fd);
	if (r == 0)
		unlink(path);
	return r;
}

static int recover_entry(struct attach *attach, const char *name)
{
	struct place *place;
	unsigned ifindex;
	char what[32];
	int r = 0;

	if (!split_name(name, what, sizeof(what), &ifindex))
		return 0;
	place = get(attach, ifindex);
	if (!place)
		return -ENOMEM;
	for (unsigned hook = 0; r == 0 && hook < HOOK_MAX; hook++) {
		if (strcmp(what, link_names[hook]) == 0)
			r = recover_link(attach, place, hook);
		else if (filter_names[hook] && strcmp(what, filter_names[hook]) == 0)
			place->filter[hook] = true;
	}
	if (strcmp(what, qdisc_name) == 0)
		place->qdisc = true;
	return r;
}

static int recover(struct attach *attach)
{
	DIR *dir = opendir(attach->pin.links);
	int r = 0;

	if (!dir)
		return -errno;
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
		r = recover_entry(attach, entry->d_name);
	closedir(dir);
	return r;
}

/* ---- taking away --------------------------------------------------------------------------------------- */

static void drop_link(const struct attach *attach, struct place *place, unsigned hook)
{
	place->set &= ~(1u << hook);
	if (place->link_fd[hook] < 0)
		return;
	/* Detached even if somebody else holds the link. */
	bpf_link_detach(place->link_fd[hook]);
	close(place->link_fd[hook]);
	place->link_fd[hook] = -1;
	unpin(&attach->pin, link_names[hook], place->ifindex);
}

static void drop_filter(const struct attach *attach, struct place *place, unsigned hook)
{
	place->set &= ~(1u << hook);
	if (!place->filter[hook])
		return;
	tc_filter_remove(place->ifindex, side_of(hook));
	place->filter[hook] = false;
	unmark(&attach->pin, filter_names[hook], place->ifindex);
}

static void drop_qdisc(const struct attach *attach, struct place *place)
{
	if (!place->qdisc || place->filter[HOOK_TC_INGRESS] || place->filter[HOOK_TC_EGRESS])
		return;
	tc_filter_remove_qdisc(place->ifindex);
	place->qdisc = false;
	unmark(&attach->pin, qdisc_name, place->ifindex);
}

static void drop_all(const struct attach *attach, struct place *place)
{
	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		drop_link(attach, place, hook);
		drop_filter(attach, place, hook);
	}
	drop_qdisc(attach, place);
}

/* ---- XDP --------------------------------------------------------------------------------------------------- */

static int foreign(unsigned ifindex, unsigned prog_id, char **ret_why)
{
	char name[IF_NAMESIZE] = "?", program[64];

	if_indextoname(ifindex, name);
	xdp_link_describe(prog_id, program, sizeof(program));
	return why_set(ret_why, -EBUSY,
		       "%s already has an XDP program %s that is not ours; it is left alone: remove it "
		       "(`ip link set dev %s xdp off`) or take %s out of the ports",
		       name, program, name, name);
}

static int create_xdp(struct attach *attach, struct place *place, int prog_fd, char **ret_why)
{
	char path[PIN_PATH_MAX], name[IF_NAMESIZE] = "?";
	struct xdp_there there = {};
	int fd, r;

	if_indextoname(place->ifindex, name);
	r = xdp_link_query(place->ifindex, &there);
	if (r == 0 && there.prog_id)
		return foreign(place->ifindex, there.prog_id, ret_why);

	fd = xdp_link_create(prog_fd, place->ifindex, attach->xdp_mode, &place->generic);
	if (fd < 0)
		return why_set(ret_why, fd, "%s: attaching at XDP (%s) failed: %s", name,
			       attach->xdp_mode == XDP_MODE_NATIVE ? "native" : "generic", strerror(-fd));
	path_of(&attach->pin, link_names[HOOK_XDP], place->ifindex, path);
	unlink(path);
	r = bpf_obj_pin(fd, path);
	if (r < 0) {
		close(fd);
		return why_set(ret_why, r, "%s: cannot pin the link: %s", path, strerror(-r));
	}
	place->link_fd[HOOK_XDP] = fd;
	return 0;
}

static bool mode_fits(const struct attach *attach, bool generic)
{
	return attach->xdp_mode == XDP_MODE_AUTO || generic == (attach->xdp_mode == XDP_MODE_GENERIC);
}

/* A recovered link is updated in place.  It is made anew when the mode is to change, or when it turns
 * out to sit on an interface of another network namespace that has the same index. */
static int set_xdp(struct attach *attach, struct place *place, char **ret_why)
{
	int prog_fd = instance_root_fd(attach->instance, HOOK_XDP);
	struct xdp_there there = {};

	if (place->link_fd[HOOK_XDP] >= 0 && bpf_link_update(place->link_fd[HOOK_XDP], prog_fd, NULL) == 0 &&
	    xdp_link_query(place->ifindex, &there) == 0 && there.prog_id == prog_id_of(prog_fd) &&
	    mode_fits(attach, there.generic)) {
		place->generic = there.generic;
		return 0;
	}
	drop_link(attach, place, HOOK_XDP);
	return create_xdp(attach, place, prog_fd, ret_why);
}

/* ---- tc ------------------------------------------------------------------------------------------------------ */

static int set_tcx(struct attach *attach, struct place *place, unsigned hook)
{
	int fd, r, prog_fd = instance_root_fd(attach->instance, hook);
	char path[PIN_PATH_MAX];

	if (place->link_fd[hook] >= 0) {
		if (bpf_link_update(place->link_fd[hook], prog_fd, NULL) == 0)
			return 0;
		drop_link(attach, place, hook);
	}
	fd = tcx_link_create(prog_fd, place->ifindex, hook == HOOK_TC_EGRESS);
	if (fd < 0)
		return fd;
	path_of(&attach->pin, link_names[hook], place->ifindex, path);
	unlink(path);
	r = bpf_obj_pin(fd, path);
	if (r < 0) {
		close(fd);
		return r;
	}
	place->link_fd[hook] = fd;
	drop_filter(attach, place, hook); /* Of an older instance that was told to use filters. */
	drop_qdisc(attach, place);
	return 0;
}

/* Marked first: what is marked and not there does no harm, the reverse would stay for ever. */
static int set_filter(struct attach *attach, struct place *place, unsigned hook)
{
	bool made = false;
	int r;

	r = mark(&attach->pin, filter_names[hook], place->ifindex);
	if (r < 0)
		return r;
	place->filter[hook] = true;
	r = tc_filter_make_qdisc(place->ifindex, &made);
	if (r == 0 && made) {
		place->qdisc = true;
		r = mark(&attach->pin, qdisc_name, place->ifindex);
	}
	if (r == 0)
		r = tc_filter_set(place->ifindex, side_of(hook), instance_root_fd(attach->instance, hook));
	if (r < 0)
		drop_filter(attach, place, hook); /* Better no root than one whose instance will go. */
	else
		drop_link(attach, place, hook);
	return r;
}

static int set_tc(struct attach *attach, struct place *place, unsigned hook, char **ret_why)
{
	const char *side = hook == HOOK_TC_INGRESS ? "ingress" : "egress";
	char name[IF_NAMESIZE] = "?";
	int r = -EOPNOTSUPP;

	if (attach->tc_mode != TC_MODE_FILTER)
		r = set_tcx(attach, place, hook);
	if (attach->tc_mode == TC_MODE_FILTER || (attach->tc_mode == TC_MODE_AUTO && r == -EOPNOTSUPP))
		r = set_filter(attach, place, hook);
	if (r == 0)
		return 0;

	if_indextoname(place->ifindex, name);
	if (r == -EBUSY)
		return why_set(
			ret_why, r,
			"%s: the place of our tc %s filter (priority %d, handle %#x) is taken by another program", name,
			side, TC_FILTER_PRIORITY, TC_FILTER_HANDLE);
	return why_set(ret_why, r, "%s: attaching at tc %s failed: %s", name, side, strerror(-r));
}

/* ---- the public side -------------------------------------------------------------------------------------------- */

int attach_new(struct instance *instance, enum xdp_mode xdp_mode, enum tc_mode tc_mode, struct attach **ret_attach)
{
	struct attach *attach = calloc(1, sizeof(*attach));
	int r;

	if (!attach)
		return -ENOMEM;
	attach->instance = instance;
	attach->pin = *instance_pin(instance);
	attach->xdp_mode = xdp_mode;
	attach->tc_mode = tc_mode;
	r = instance_mark_attached(instance);
	if (r == 0)
		r = recover(attach);
	if (r < 0) {
		attach_free(attach);
		return r;
	}
	*ret_attach = attach;
	return 0;
}

void attach_free(struct attach *attach)
{
	if (!attach)
		return;
	for (size_t i = 0; i < attach->n; i++)
		for (unsigned hook = 0; hook < HOOK_MAX; hook++)
			if (attach->place[i].link_fd[hook] >= 0)
				close(attach->place[i].link_fd[hook]);
	free(attach->place);
	free(attach);
}

int attach_set(struct attach *attach, unsigned ifindex, unsigned hooks, char **ret_why)
{
	char name[IF_NAMESIZE];
	struct place *place;
	int r, first = 0;

	if (!if_indextoname(ifindex, name))
		return why_set(ret_why, -ENODEV, "there is no interface %u", ifindex);
	place = get(attach, ifindex);
	if (!place)
		return -ENOMEM;
	place->claimed = true;

	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		if (!(hooks >> hook & 1)) {
			drop_link(attach, place, hook);
			drop_filter(attach, place, hook);
			continue;
		}
		if (place->set >> hook & 1)
			continue;
		r = hook == HOOK_XDP ? set_xdp(attach, place, first ? NULL : ret_why)
				     : set_tc(attach, place, hook, first ? NULL : ret_why);
		if (r == 0)
			place->set |= 1u << hook;
		first = first ? first : r;
	}
	drop_qdisc(attach, place);
	return first;
}

void attach_drop(struct attach *attach, unsigned ifindex)
{
	struct place *place = find(attach, ifindex);

	if (!place)
		return;
	drop_all(attach, place);
	*place = attach->place[--attach->n];
}

int attach_get(const struct attach *attach, unsigned ifindex, struct attach_state *ret_state)
{
	const struct place *place = find(attach, ifindex);
	struct attach_state state = {};

	if (!place)
		return -ENOENT;
	for (unsigned hook = 0; hook < HOOK_MAX; hook++) {
		state.hooks |= (place->link_fd[hook] >= 0 || place->filter[hook]) << hook;
		state.tcx = state.tcx || (hook != HOOK_XDP && place->link_fd[hook] >= 0);
	}
	state.generic = place->generic;
	*ret_state = state;
	return 0;
}

void attach_settle(struct attach *attach)
{
	for (size_t i = 0; i < attach->n;) {
		if (attach->place[i].claimed)
			i++;
		else
			attach_drop(attach, attach->place[i].ifindex);
	}
}

int attach_remove_all(const struct pin *pin, char **ret_why)
{
	struct attach attach = {.pin = *pin};
	int r;

	r = recover(&attach);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		why_set(ret_why, r, "%s: cannot be read: %s", pin->links, strerror(-r));
	for (size_t i = 0; i < attach.n; i++)
		drop_all(&attach, &attach.place[i]);
	free(attach.place);
	return r;
}
