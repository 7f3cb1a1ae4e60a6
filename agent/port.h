/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port - the switch's interfaces, followed through netlink, and their numbers in the datapath.
 *
 * An interface of this network namespace whose name a pattern matches is a port and gets a number from
 * 1 to PORTS_MAX: the one configured for its name, else the one its name had before, else the lowest
 * never given.  Numbers belong to names and stay until port_forget().  A renamed interface is one port
 * gone and another come; an interface that comes back under its name gets its number back.
 *
 * After any notification, and after the kernel dropped some, all interfaces are read again and compared,
 * so a lost notification costs nothing but time.
 *
 * P1. The datapath's port maps are written before PORT_NEW and after PORT_GONE are reported.
 * P2. A number is given to one name only.
 *
 * One thread, one network namespace: that of port_open(). */
#ifndef MEALY_PORT_H
#define MEALY_PORT_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../datapath/pipeline.h"

struct instance;
struct port_list;

struct port {
	unsigned number; /* 1..PORTS_MAX */
	char name[IFNAMSIZ];
	unsigned ifindex; /* 0: absent at the moment; the number is kept. */
	bool up;	  /* Administratively up and with carrier. */
	uint8_t mac[6];
	unsigned mtu;
	unsigned n_tx_queues, n_rx_queues;
	unsigned peer_ifindex; /* Of a veth whose other end is in this namespace, else 0. */
	bool peer_offloads;    /* That end leaves checksums to the device: XDP redirects break them. */
};

/* PORT_OFFLOAD: peer_offloads became true; a warning with the command that helps is due.
 * PORT_REFUSED: an interface matches, but all numbers are given or give() refused; its number is 0. */
enum port_event { PORT_NEW, PORT_GONE, PORT_UP, PORT_DOWN, PORT_CHANGED, PORT_OFFLOAD, PORT_REFUSED };

/* A configured port: an interface's name, or an fnmatch(3) pattern. */
struct port_pattern {
	const char *pattern;
	unsigned number; /* For a plain name; 0: given automatically. */
};

/* A number given in the past. */
struct port_number {
	char name[IFNAMSIZ];
	unsigned number;
};

struct port_options {
	const struct port_pattern *pattern;
	size_t n_patterns;
	const struct port_number *given; /* All numbers ever given and not forgotten. */
	size_t n_given;
	/* A number is about to be given for the first time: keep it on disk.  A negative errno refuses
	 * the port.  May be NULL. */
	int (*give)(void *data, const char *name, unsigned number);
	void (*event)(void *data, enum port_event event, const struct port *port);
	void *data;
};

/* Opens netlink, reads the interfaces and reports each port with PORT_NEW from within the call.
 * 'instance' may be NULL (tests): then no map is written.
 *
 *   -EINVAL  a number out of range, given twice, or with a pattern of many names; the text says which. */
int port_open(struct instance *instance, const struct port_options *options, struct port_list **ret_ports,
	      char **ret_why);
void port_close(struct port_list *ports);

/* For the loop: readable when port_run() has work. */
int port_fd(const struct port_list *ports);
/* Reads what came and reports changes through 'event'.  0 or -errno. */
int port_run(struct port_list *ports);

/* By number (NULL: never given), by name or by ifindex (NULL: none).  Valid until the next port_run(). */
const struct port *port_get(const struct port_list *ports, unsigned number);
const struct port *port_find(const struct port_list *ports, const char *name);
const struct port *port_find_ifindex(const struct port_list *ports, unsigned ifindex);

/* Frees the number of a port that is absent: -ENOENT, -EBUSY while it is present. */
int port_forget(struct port_list *ports, unsigned number);

/* Sends one frame out of a port as if the host had (so tc egress sees it): -ENOENT, -ENETDOWN,
 * -EMSGSIZE or what the socket says. */
int port_send(struct port_list *ports, unsigned number, const void *frame, size_t size);

#endif
