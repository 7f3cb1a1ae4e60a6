// SPDX-License-Identifier: GPL-2.0-or-later
#include "route_ask.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../common/cleanup.h"

enum { NUD_USABLE = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY, TOS_MASK = 0x1c };

struct answer {
	bool heard;
	int error;		     /* Of the kernel. */
	unsigned type, ifindex, mtu; /* Of the route; mtu 0: the interface's. */
	uint8_t next_hop[16];
	bool has_next_hop, is_usable;
	uint8_t mac[6];
};

static unsigned address_size(const struct native_route *ask)
{
	return ask->is_ipv6 ? 16 : 4;
}

/* ---- answers ---- */

static int heard_route(struct nl_msg *message, void *data)
{
	struct nlattr *attr[RTA_MAX + 1], *metric[RTAX_MAX + 1];
	struct rtmsg *route = nlmsg_data(nlmsg_hdr(message));
	struct answer *answer = data;

	if (nlmsg_hdr(message)->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(nlmsg_hdr(message), sizeof(*route), attr, RTA_MAX, NULL) < 0)
		return NL_OK;
	answer->heard = true;
	answer->type = route->rtm_type;
	answer->ifindex = attr[RTA_OIF] ? nla_get_u32(attr[RTA_OIF]) : 0;
	if (attr[RTA_GATEWAY] && (size_t)nla_len(attr[RTA_GATEWAY]) <= sizeof(answer->next_hop)) {
		memcpy(answer->next_hop, nla_data(attr[RTA_GATEWAY]), nla_len(attr[RTA_GATEWAY]));
		answer->has_next_hop = true;
	}
	if (attr[RTA_METRICS] && nla_parse_nested(metric, RTAX_MAX, attr[RTA_METRICS], NULL) >= 0 && metric[RTAX_MTU])
		answer->mtu = nla_get_u32(metric[RTAX_MTU]);
	return NL_OK;
}

static int heard_neighbour(struct nl_msg *message, void *data)
{
	struct ndmsg *neighbour = nlmsg_data(nlmsg_hdr(message));
	struct nlattr *attr[NDA_MAX + 1];
	struct answer *answer = data;

	if (nlmsg_hdr(message)->nlmsg_type != RTM_NEWNEIGH ||
	    nlmsg_parse(nlmsg_hdr(message), sizeof(*neighbour), attr, NDA_MAX, NULL) < 0)
		return NL_OK;
	answer->is_usable = neighbour->ndm_state & NUD_USABLE && attr[NDA_LLADDR] && nla_len(attr[NDA_LLADDR]) == 6;
	if (answer->is_usable)
		memcpy(answer->mac, nla_data(attr[NDA_LLADDR]), sizeof(answer->mac));
	return NL_OK;
}

static int heard_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *data)
{
	(void)from;
	((struct answer *)data)->error = error->error;
	return NL_STOP;
}

/* Sends 'message' and waits for its one answer. */
static int converse(struct nl_msg *message, nl_recvmsg_msg_cb_t heard, struct answer *answer)
{
	struct nl_sock *sock = nl_socket_alloc();
	int r = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;

	if (r >= 0) {
		nl_socket_disable_auto_ack(sock);
		r = nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, heard, answer);
	}
	if (r >= 0)
		r = nl_socket_modify_err_cb(sock, NL_CB_CUSTOM, heard_error, answer);
	if (r >= 0)
		r = nl_send_auto(sock, message);
	if (r >= 0)
		r = nl_recvmsgs_default(sock);
	nl_socket_free(sock);
	return r;
}

/* ---- questions ---- */

static int ask_route(const struct native_route *ask, unsigned in_ifindex, struct answer *answer)
{
	struct rtmsg route = {.rtm_family = ask->is_ipv6 ? AF_INET6 : AF_INET,
			      .rtm_dst_len = address_size(ask) * 8,
			      .rtm_src_len = address_size(ask) * 8,
			      .rtm_tos = ask->is_ipv6 ? 0 : ask->tos & TOS_MASK};
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);
	int r = message ? nlmsg_append(message, &route, sizeof(route), NLMSG_ALIGNTO) : -NLE_NOMEM;

	if (r >= 0)
		r = nla_put(message, RTA_DST, address_size(ask), ask->dst);
	if (r >= 0)
		r = nla_put(message, RTA_SRC, address_size(ask), ask->src);
	if (r >= 0)
		r = nla_put_u32(message, RTA_IIF, in_ifindex);
	if (r >= 0)
		r = converse(message, heard_route, answer);
	nlmsg_free(message);
	return r;
}

static int ask_neighbour(const struct native_route *ask, struct answer *answer)
{
	struct ndmsg neighbour = {.ndm_family = ask->is_ipv6 ? AF_INET6 : AF_INET, .ndm_ifindex = answer->ifindex};
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETNEIGH, NLM_F_REQUEST);
	int r = message ? nlmsg_append(message, &neighbour, sizeof(neighbour), NLMSG_ALIGNTO) : -NLE_NOMEM;

	if (r >= 0)
		r = nla_put(message, NDA_DST, address_size(ask), answer->has_next_hop ? answer->next_hop : ask->dst);
	if (r >= 0)
		r = converse(message, heard_neighbour, answer);
	nlmsg_free(message);
	return r;
}

static uint64_t mac_number(const uint8_t *mac)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < 6; i++)
		number = number << 8 | mac[i];
	return number;
}

/* The interface's own address, and its MTU where the route has none. */
static int ask_interface(struct answer *answer, uint64_t *ret_mac)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {};

	if (fd < 0 || !if_indextoname(answer->ifindex, request.ifr_name) || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return -ENODEV;
	*ret_mac = mac_number((const uint8_t *)request.ifr_hwaddr.sa_data);
	if (ioctl(fd, SIOCGIFMTU, &request) < 0)
		return -ENODEV;
	if (!answer->mtu)
		answer->mtu = request.ifr_mtu;
	return 0;
}

enum exit_reason route_ask_kernel(const struct native_route *ask, unsigned in_ifindex, unsigned *ret_ifindex,
				  struct native_way *ret_way)
{
	struct answer answer = {};

	ask_route(ask, in_ifindex, &answer);
	if (answer.error == -EINVAL || answer.error == -EHOSTUNREACH || answer.error == -EACCES)
		return EXIT_ROUTE_NONE;
	if (!answer.heard)
		return EXIT_ROUTE_KERNEL;
	if (answer.type == RTN_BLACKHOLE || answer.type == RTN_UNREACHABLE || answer.type == RTN_PROHIBIT)
		return EXIT_ROUTE_NONE;
	if (answer.type != RTN_UNICAST || ask_interface(&answer, &ret_way->src_mac) < 0 || ask->size > answer.mtu)
		return EXIT_ROUTE_KERNEL;
	if (ask_neighbour(ask, &answer) < 0 || !answer.is_usable)
		return EXIT_ROUTE_KERNEL;
	*ret_ifindex = answer.ifindex;
	ret_way->dst_mac = mac_number(answer.mac);
	return EXIT_ROUTE;
}
