// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>
#include <string.h>

#include "../common/cleanup.h"
#include "link_list.h"

enum { DELETED_MAX = 256, DUMP_ATTEMPTS = 5, NOTIFY_BUFFER_BYTES = 1 << 20 };

struct link_list {
	struct nl_sock *notify;	 /* Notifications only. */
	struct nl_sock *request; /* Requests and their answers only. */
	struct link *link;
	size_t n;
	bool stale; /* The list is older than a notification. */
	unsigned deleted[DELETED_MAX];
	size_t n_deleted;
};

static int errno_of(int nl_error)
{
	switch (-nl_error) {
	case NLE_NOMEM: return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS: return -EPERM;
	case NLE_AGAIN:
	case NLE_DUMP_INTR: return -EAGAIN;
	default: return -EIO;
	}
}

/* Called for each notification. */
static int notified(struct nl_msg *message, void *data)
{
	struct nlmsghdr *header = nlmsg_hdr(message);
	struct link_list *list = data;
	struct ifinfomsg *info;

	list->stale = true;
	if (header->nlmsg_type != RTM_DELLINK || !nlmsg_valid_hdr(header, sizeof(*info)))
		return NL_OK;

	/* A bridge says DELLINK of another family when it lets a port go. */
	info = nlmsg_data(header);
	if (info->ifi_family == AF_UNSPEC && list->n_deleted < DELETED_MAX)
		list->deleted[list->n_deleted++] = info->ifi_index;
	return NL_OK;
}

static int open_notify(struct link_list *list)
{
	int r;

	list->notify = nl_socket_alloc();
	if (!list->notify)
		return -ENOMEM;
	nl_socket_disable_seq_check(list->notify);
	r = nl_socket_modify_cb(list->notify, NL_CB_VALID, NL_CB_CUSTOM, notified, list);
	if (r < 0)
		return errno_of(r);
	r = nl_connect(list->notify, NETLINK_ROUTE);
	if (r < 0)
		return errno_of(r);
	r = nl_socket_add_membership(list->notify, RTNLGRP_LINK);
	if (r < 0)
		return errno_of(r);
	nl_socket_set_buffer_size(list->notify, NOTIFY_BUFFER_BYTES, 0); /* Smaller only means lost more often. */
	r = nl_socket_set_nonblocking(list->notify);
	return r < 0 ? errno_of(r) : 0;
}

int link_list_open(struct link_list **ret_list)
{
	struct link_list *list = calloc(1, sizeof(*list));
	bool changed;
	int r;

	if (!list)
		return -ENOMEM;
	list->stale = true;

	r = open_notify(list);
	if (r < 0)
		goto fail;
	list->request = nl_socket_alloc();
	if (!list->request) {
		r = -ENOMEM;
		goto fail;
	}
	r = nl_connect(list->request, NETLINK_ROUTE);
	if (r < 0) {
		r = errno_of(r);
		goto fail;
	}
	r = link_list_run(list, &changed);
	if (r < 0)
		goto fail;

	*ret_list = list;
	return 0;
fail:
	link_list_close(list);
	return r;
}

void link_list_close(struct link_list *list)
{
	if (!list)
		return;
	nl_socket_free(list->request);
	nl_socket_free(list->notify);
	free(list->link);
	free(list);
}

int link_list_fd(const struct link_list *list)
{
	return nl_socket_get_fd(list->notify);
}

static void fill_link(struct rtnl_link *from, struct link *to)
{
	struct nl_addr *mac = rtnl_link_get_addr(from);
	const char *type = rtnl_link_get_type(from);
	const char *name = rtnl_link_get_name(from);
	unsigned flags = rtnl_link_get_flags(from);
	int32_t netnsid;

	*to = (struct link){
		.ifindex = rtnl_link_get_ifindex(from),
		.up = (flags & IFF_UP) && rtnl_link_get_carrier(from),
		.loopback = flags & IFF_LOOPBACK,
		.veth = type && strcmp(type, "veth") == 0,
		.mtu = rtnl_link_get_mtu(from),
		.n_tx_queues = rtnl_link_get_num_tx_queues(from),
		.n_rx_queues = rtnl_link_get_num_rx_queues(from),
	};
	snprintf(to->name, sizeof(to->name), "%s", name ? name : "");
	if (mac && nl_addr_get_len(mac) == sizeof(to->mac))
		memcpy(to->mac, nl_addr_get_binary_addr(mac), sizeof(to->mac));
	if (to->veth && rtnl_link_get_link_netnsid(from, &netnsid) < 0)
		to->peer_ifindex = rtnl_link_get_link(from);
}

/* A dump that was interrupted by a change is thrown away and asked for again. */
static int dump(struct link_list *list, struct nl_cache **ret_cache)
{
	int r = -NLE_DUMP_INTR;

	for (int i = 0; i < DUMP_ATTEMPTS && r == -NLE_DUMP_INTR; i++)
		r = rtnl_link_alloc_cache(list->request, AF_UNSPEC, ret_cache);
	return r < 0 ? errno_of(r) : 0;
}

static int read_all(struct link_list *list)
{
	struct nl_cache *cache;
	struct nl_object *object;
	struct link *link;
	size_t n = 0;
	int r;

	r = dump(list, &cache);
	if (r < 0)
		return r;

	link = calloc(nl_cache_nitems(cache) + 1, sizeof(*link));
	if (link) {
		for (object = nl_cache_get_first(cache); object; object = nl_cache_get_next(object))
			fill_link((struct rtnl_link *)object, &link[n++]);
		free(list->link);
		list->link = link;
		list->n = n;
	}
	nl_cache_free(cache);
	return link ? 0 : -ENOMEM;
}

int link_list_run(struct link_list *list, bool *ret_changed)
{
	int r;

	list->n_deleted = 0;
	do {
		r = nl_recvmsgs_default(list->notify);
		if (r == -NLE_NOMEM) /* Some were lost; the rest is still there to be read. */
			list->stale = true;
	} while (r >= 0 || r == -NLE_NOMEM || r == -NLE_INTR);
	if (r != -NLE_AGAIN)
		return errno_of(r);

	*ret_changed = list->stale;
	if (!list->stale)
		return 0;
	r = read_all(list);
	if (r < 0)
		return r;
	list->stale = false;
	return 0;
}

size_t link_list_get(const struct link_list *list, const struct link **ret_links)
{
	*ret_links = list->link;
	return list->n;
}

const struct link *link_list_find(const struct link_list *list, unsigned ifindex)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->link[i].ifindex == ifindex)
			return &list->link[i];
	return NULL;
}

bool link_list_was_deleted(const struct link_list *list, unsigned ifindex)
{
	for (size_t i = 0; i < list->n_deleted; i++)
		if (list->deleted[i] == ifindex)
			return true;
	return false;
}
