/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link_list - the interfaces of this network namespace as netlink tells them, read anew after every
 * notification.
 *
 * Notifications only say "something changed" and which interfaces were deleted in between; so none has to
 * arrive.  Two sockets: answers to requests never mix with notifications. */
#ifndef MEALY_LINK_LIST_H
#define MEALY_LINK_LIST_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_list;

struct link {
	unsigned ifindex;
	char name[IFNAMSIZ];
	bool up, loopback, veth;
	uint8_t mac[6];
	unsigned mtu;
	unsigned n_tx_queues, n_rx_queues;
	unsigned peer_ifindex; /* In this namespace, else 0. */
};

int link_list_open(struct link_list **ret_list);
void link_list_close(struct link_list *list);

int link_list_fd(const struct link_list *list);

/* Takes the pending notifications; if there were any (or some were lost) reads all interfaces again.
 * '*ret_changed' tells whether there is anything new.  0 or -errno; the old list stays on failure and the
 * next run tries again. */
int link_list_run(struct link_list *list, bool *ret_changed);

/* The interfaces, valid until the next run. */
size_t link_list_get(const struct link_list *list, const struct link **ret_links);

/* NULL: no such interface. */
const struct link *link_list_find(const struct link_list *list, unsigned ifindex);

/* True if an interface of this index was deleted before the last reading, even if there is one again. */
bool link_list_was_deleted(const struct link_list *list, unsigned ifindex);

#endif
