// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>

#include "../common/cleanup.h"
#include "host.h"
#include "link_list.h"
#include "port.h"
#include "port_map.h"
#include "why.h"

struct port_list {
	struct port port[PORTS_MAX + 1]; /* By number; without a name: never given. */
	struct port_pattern *pattern;
	size_t n_patterns;
	struct port_options options; /* Callbacks. */
	struct link_list *links;
	bool has_map;
	struct port_map map;
	int packet_fd;
	unsigned last_refused; /* Interface. */
};

static bool is_plain(const char *pattern)
{
	return !strpbrk(pattern, "*?[");
}

/* ---- numbers ---------------------------------------------------------------------------------- */

static unsigned number_of(const struct port_list *ports, const char *name)
{
	for (unsigned number = 1; number <= PORTS_MAX; number++)
		if (strcmp(ports->port[number].name, name) == 0)
			return number;
	return 0;
}

static const char *configured_for(const struct port_list *ports, unsigned number)
{
	for (size_t i = 0; i < ports->n_patterns; i++)
		if (ports->pattern[i].number == number)
			return ports->pattern[i].pattern;
	return NULL;
}

/* The lowest number that no name has and the configuration keeps for none; 0 when there is none. */
static unsigned lowest_free(const struct port_list *ports)
{
	for (unsigned number = 1; number <= PORTS_MAX; number++)
		if (!ports->port[number].name[0] && !configured_for(ports, number))
			return number;
	return 0;
}

static const struct port_pattern *matching(const struct port_list *ports, const struct link *link)
{
	for (size_t i = 0; i < ports->n_patterns; i++) {
		const char *pattern = ports->pattern[i].pattern;

		if (strcmp(pattern, link->name) == 0)
			return &ports->pattern[i];
		/* "*" does not mean lo. */
		if (!link->loopback && fnmatch(pattern, link->name, 0) == 0)
			return &ports->pattern[i];
	}
	return NULL;
}

static void set_name(struct port_list *ports, unsigned number, const char *name)
{
	struct port *port = &ports->port[number];

	*port = (struct port){.number = number};
	snprintf(port->name, sizeof(port->name), "%s", name);
}

static int give_number(struct port_list *ports, const char *name, unsigned wanted, unsigned *ret_number)
{
	unsigned number = number_of(ports, name);
	int r;

	if (number && (!wanted || wanted == number)) {
		*ret_number = number;
		return 0;
	}
	number = wanted ? wanted : lowest_free(ports);
	if (number == 0)
		return -ENOSPC;
	if (ports->options.give) {
		r = ports->options.give(ports->options.data, name, number);
		if (r < 0)
			return r;
	}
	set_name(ports, number, name);
	*ret_number = number;
	return 0;
}

/* ---- reading the configuration ------------------------------------------------------------------ */

static int check_pattern(const struct port_list *ports, const struct port_pattern *pattern, char **ret_why)
{
	if (!pattern->pattern[0] || (is_plain(pattern->pattern) && strlen(pattern->pattern) >= IFNAMSIZ))
		return why_set(ret_why, -EINVAL, "port \"%s\": not a name of an interface", pattern->pattern);
	if (!pattern->number)
		return 0;
	if (pattern->number > PORTS_MAX)
		return why_set(ret_why, -EINVAL, "port %s: number %u is not in 1-%d", pattern->pattern, pattern->number,
			       PORTS_MAX);
	if (!is_plain(pattern->pattern))
		return why_set(ret_why, -EINVAL, "port %s: a number needs the name of one interface", pattern->pattern);
	if (configured_for(ports, pattern->number))
		return why_set(ret_why, -EINVAL, "port number %u is configured for %s and for %s", pattern->number,
			       configured_for(ports, pattern->number), pattern->pattern);
	return 0;
}

static int copy_patterns(struct port_list *ports, const struct port_options *options, char **ret_why)
{
	int r;

	ports->pattern = calloc(options->n_patterns + 1, sizeof(*ports->pattern));
	if (!ports->pattern)
		return -ENOMEM;
	for (size_t i = 0; i < options->n_patterns; i++) {
		r = check_pattern(ports, &options->pattern[i], ret_why);
		if (r < 0)
			return r;
		ports->pattern[i].number = options->pattern[i].number;
		ports->pattern[i].pattern = strdup(options->pattern[i].pattern);
		if (!ports->pattern[i].pattern)
			return -ENOMEM;
		ports->n_patterns++;
	}
	return 0;
}

static unsigned configured_number(const struct port_list *ports, const char *name)
{
	for (size_t i = 0; i < ports->n_patterns; i++)
		if (strcmp(ports->pattern[i].pattern, name) == 0)
			return ports->pattern[i].number;
	return 0;
}

/* Numbers of the past.  Where the configuration now says another number for the name, the old one is
 * free again; where it gives the number to another name, a person must decide. */
static int copy_given(struct port_list *ports, const struct port_options *options, char **ret_why)
{
	for (size_t i = 0; i < options->n_given; i++) {
		const struct port_number *given = &options->given[i];
		unsigned wanted = configured_number(ports, given->name);
		const char *claimed;

		if (given->number < 1 || given->number > PORTS_MAX || ports->port[given->number].name[0])
			return why_set(ret_why, -EINVAL, "port number %u of %.*s was given twice or is out of range",
				       given->number, IFNAMSIZ, given->name);
		if (wanted && wanted != given->number)
			continue;
		claimed = configured_for(ports, given->number);
		if (claimed && strncmp(claimed, given->name, IFNAMSIZ) != 0)
			return why_set(
				ret_why, -EINVAL,
				"port number %u is configured for %s but belongs to %.*s: "
				"free it with `mealy port forget` while the agent runs without that configuration, or "
				"take its line out of the file `ports` in the state directory",
				given->number, claimed, IFNAMSIZ, given->name);
		set_name(ports, given->number, given->name);
	}
	return 0;
}

/* ---- following the interfaces --------------------------------------------------------------------- */

static void report(struct port_list *ports, enum port_event event, const struct port *port)
{
	if (ports->options.event)
		ports->options.event(ports->options.data, event, port);
}

static bool peer_offloads(const struct link *link)
{
	char name[IFNAMSIZ];

	return link->peer_ifindex && if_indextoname(link->peer_ifindex, name) && host_offloads_checksum(name);
}

static struct port port_of(unsigned number, const struct link *link)
{
	struct port port = {
		.number = number,
		.ifindex = link->ifindex,
		.up = link->up,
		.mtu = link->mtu,
		.n_tx_queues = link->n_tx_queues,
		.n_rx_queues = link->n_rx_queues,
		.peer_ifindex = link->peer_ifindex,
		.peer_offloads = peer_offloads(link),
	};

	memcpy(port.name, link->name, sizeof(port.name));
	memcpy(port.mac, link->mac, sizeof(port.mac));
	return port;
}

/* Told first: the root is taken off before packets would come in without a port. */
static int remove_port(struct port_list *ports, struct port *port)
{
	unsigned ifindex = port->ifindex;

	report(ports, PORT_GONE, port);
	port->ifindex = port->peer_ifindex = 0;
	port->up = port->peer_offloads = false;
	return ports->has_map ? port_map_clear(&ports->map, port->number, ifindex) : 0;
}

/* Ports whose interface was deleted, moved away or renamed. */
static int remove_absent(struct port_list *ports)
{
	int r, first = 0;

	for (unsigned number = 1; number <= PORTS_MAX; number++) {
		struct port *port = &ports->port[number];
		const struct link *link;

		if (!port->ifindex)
			continue;
		link = link_list_find(ports->links, port->ifindex);
		if (link && strcmp(link->name, port->name) == 0 && !link_list_was_deleted(ports->links, port->ifindex))
			continue;
		r = remove_port(ports, port);
		if (r < 0 && !first)
			first = r;
	}
	return first;
}

/* Said once for each interface: indices only grow. */
static void refuse_port(struct port_list *ports, const struct link *link)
{
	struct port refused = port_of(0, link);

	if (link->ifindex <= ports->last_refused)
		return;
	ports->last_refused = link->ifindex;
	report(ports, PORT_REFUSED, &refused);
}

static int add_port(struct port_list *ports, const struct link *link, unsigned wanted)
{
	unsigned number;
	struct port *port;
	int r;

	r = give_number(ports, link->name, wanted, &number);
	if (r < 0) {
		refuse_port(ports, link);
		return 0;
	}
	if (ports->has_map) {
		r = port_map_set(&ports->map, number, link->ifindex, link->up);
		if (r < 0)
			return r;
	}
	port = &ports->port[number];
	*port = port_of(number, link);
	report(ports, PORT_NEW, port);
	if (port->peer_offloads)
		report(ports, PORT_OFFLOAD, port);
	return 0;
}

static bool is_same(const struct port *a, const struct port *b)
{
	return a->up == b->up && a->mtu == b->mtu && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 &&
	       a->n_tx_queues == b->n_tx_queues && a->n_rx_queues == b->n_rx_queues &&
	       a->peer_ifindex == b->peer_ifindex && a->peer_offloads == b->peer_offloads;
}

static int change_port(struct port_list *ports, struct port *port, const struct link *link)
{
	struct port old = *port, new = port_of(port->number, link);
	int r = 0;

	if (is_same(&old, &new))
		return 0;
	if (ports->has_map && old.up != new.up) {
		r = port_map_set(&ports->map, new.number, new.ifindex, new.up);
		if (r < 0)
			return r;
	}
	*port = new;
	report(ports, old.up == new.up ? PORT_CHANGED : new.up ? PORT_UP : PORT_DOWN, port);
	if (new.peer_offloads && !old.peer_offloads)
		report(ports, PORT_OFFLOAD, port);
	return r;
}

static int compare(struct port_list *ports)
{
	const struct link *link;
	size_t n = link_list_get(ports->links, &link);
	int r, first;

	first = remove_absent(ports);
	for (size_t i = 0; i < n; i++) {
		const struct port *known = port_find_ifindex(ports, link[i].ifindex);
		const struct port_pattern *pattern;

		if (known) {
			r = change_port(ports, &ports->port[known->number], &link[i]);
		} else {
			pattern = matching(ports, &link[i]);
			r = pattern ? add_port(ports, &link[i], pattern->number) : 0;
		}
		if (r < 0 && !first)
			first = r;
	}
	return first;
}

/* ---- the public side ---------------------------------------------------------------------------------- */

int port_open(struct instance *instance, const struct port_options *options, struct port_list **ret_ports,
	      char **ret_why)
{
	struct port_list *ports = calloc(1, sizeof(*ports));
	int r;

	if (!ports)
		return -ENOMEM;
	ports->packet_fd = -1;
	ports->options = *options;

	r = copy_patterns(ports, options, ret_why);
	if (r < 0)
		goto fail;
	r = copy_given(ports, options, ret_why);
	if (r < 0)
		goto fail;
	if (instance) {
		r = port_map_open(instance, &ports->map);
		if (r < 0)
			goto fail;
		ports->has_map = true;
	}
	r = link_list_open(&ports->links);
	if (r < 0) {
		why_set(ret_why, r, "cannot read the interfaces through netlink: %s", strerror(-r));
		goto fail;
	}
	r = compare(ports);
	if (r < 0) {
		why_set(ret_why, r, "cannot write the port maps: %s", strerror(-r));
		goto fail;
	}
	*ret_ports = ports;
	return 0;
fail:
	port_close(ports);
	return r;
}

void port_close(struct port_list *ports)
{
	if (!ports)
		return;
	link_list_close(ports->links);
	for (size_t i = 0; i < ports->n_patterns; i++)
		free((char *)ports->pattern[i].pattern);
	free(ports->pattern);
	if (ports->packet_fd >= 0)
		close(ports->packet_fd);
	free(ports);
}

int port_fd(const struct port_list *ports)
{
	return link_list_fd(ports->links);
}

int port_run(struct port_list *ports)
{
	bool changed;
	int r;

	r = link_list_run(ports->links, &changed);
	if (r < 0 || !changed)
		return r;
	return compare(ports);
}

const struct port *port_get(const struct port_list *ports, unsigned number)
{
	if (number < 1 || number > PORTS_MAX || !ports->port[number].name[0])
		return NULL;
	return &ports->port[number];
}

const struct port *port_find(const struct port_list *ports, const char *name)
{
	return name[0] ? port_get(ports, number_of(ports, name)) : NULL;
}

const struct port *port_find_ifindex(const struct port_list *ports, unsigned ifindex)
{
	for (unsigned number = 1; ifindex && number <= PORTS_MAX; number++)
		if (ports->port[number].ifindex == ifindex)
			return &ports->port[number];
	return NULL;
}

int port_forget(struct port_list *ports, unsigned number)
{
	const struct port *port = port_get(ports, number);

	if (!port)
		return -ENOENT;
	if (port->ifindex)
		return -EBUSY;
	ports->port[number] = (struct port){};
	return 0;
}

int port_send(struct port_list *ports, unsigned number, const void *frame, size_t size)
{
	const struct port *port = port_get(ports, number);
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_halen = ETH_ALEN};

	if (!port || !port->ifindex)
		return -ENOENT;
	if (!port->up)
		return -ENETDOWN;
	if (size < ETH_HLEN)
		return -EMSGSIZE;
	if (ports->packet_fd < 0) {
		ports->packet_fd =
			socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); /* Receives nothing. */
		if (ports->packet_fd < 0)
			return -errno;
	}
	to.sll_ifindex = port->ifindex;
	memcpy(&to.sll_protocol, (const char *)frame + 2 * ETH_ALEN, sizeof(to.sll_protocol));
	memcpy(to.sll_addr, frame, ETH_ALEN);
	return sendto(ports->packet_fd, frame, size, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}
