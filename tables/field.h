/* SPDX-License-Identifier: GPL-2.0-or-later */
/* field - the one table of packet fields: name, width, where it lies, in which headers it
 * exists, how it is written, parsed and printed.  Parser, checker, encoder, dump, trace and
 * documentation all read it. */
#ifndef MEALY_FIELD_H
#define MEALY_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../datapath/pipeline.h"

/* How a value is held, computed with, parsed and printed. */
enum value_type {
	TYPE_U64, /* Unsigned number. */
	TYPE_BOOL,
	TYPE_INT,      /* Signed, two's complement. */
	TYPE_TIME,     /* A moment, ns on the switch's clock. */
	TYPE_DURATION, /* ns. */
	TYPE_RATE,     /* bits/s or packets/s. */
	TYPE_SIZE,     /* Bytes. */
	TYPE_MAC,      /* 48 bits. */
	TYPE_ADDR,     /* 128 bits, two cells; IPv4 is v4-mapped. */
	TYPE_PREFIX,   /* Address and length; a constant only. */
	TYPE_PORT,     /* Port number of the switch (by name in parameters). */
	TYPE_PROTO,    /* IP protocol number, printed by name. */
	TYPE_ETHERTYPE,
	TYPE_FLAGS, /* TCP flags. */
	TYPE_HOOK,
	TYPE_COLOUR,   /* What meter() says. */
	TYPE_FRACTION, /* Thousandths; constants only: the weight of ewma(). */
	TYPE_LIST,     /* Parameters only. */
	TYPE_FIELD,    /* Parameters only: the name of a field. */
	TYPE_SEGMENTS, /* A list of segments, by its fingerprint; keys of match tables only. */
	TYPE_MAX,
};

const char *value_type_name(enum value_type type);

struct field {
	const char *name; /* "ip.src" */
	const char *text; /* One line for the reference. */
	enum value_type type;
	unsigned bits;	  /* 1..64, or 128. */
	uint64_t needs;	  /* Bits of enum present that must all be set. */
	struct load load; /* dst is 0: the encoder gives the cell. */
	bool writable;
	struct step step; /* cell is 0: the encoder gives it. */
};

extern const struct field fields[];
extern const size_t n_fields;

/* Of a header that an application declares, so not in the table. */
static inline bool field_is_declared(const struct field *field)
{
	return field->needs >> PRESENT_CUSTOM & ((1 << CUSTOM_MAX) - 1);
}

/* NULL if there is no field of that name. */
const struct field *field_find(const char *name);

/* The field whose name is nearest, or NULL. */
const char *field_nearest(const char *name);

/* True for words of the language that later versions add (gre.key, ...),
 * so that the checker answers "not yet" instead of "unknown". */
bool field_is_planned(const char *name);

/* Header names of has(): "tcp", "ipv6", ...  Returns 0 and the present bits, or -ENOENT. */
int header_find(const char *name, uint64_t *ret_needs);
const char *header_nearest(const char *name);
/* The names in order; NULL behind the last. */
const char *header_at(size_t index);

/* Named constants usable where a field of 'type' is compared: icmp, tcp, udp, arp, xdp, ... */
int value_name_find(enum value_type type, const char *name, uint64_t *ret_value);
const char *value_name_nearest(enum value_type type, const char *name);

/* The constants in order: name, type and value; NULL behind the last. */
const char *value_name_at(size_t index, enum value_type *ret_type, uint64_t *ret_value);

/* The word for a value of 'type' ("udp", "xdp"), or NULL. */
const char *value_name_of(enum value_type type, uint64_t value);

/* "+syn-ack": the bits named must be set (+) or clear (-).  Returns 0 or -EINVAL. */
int value_flags_parse(const char *text, uint64_t *ret_value, uint64_t *ret_mask);

/* Renders a value of 'type' as people read it ("10.0.0.1", "02:00:00:00:00:01", "udp", "1.5 s") into
 * 'buf' and returns 'buf'.  'hi' is used by TYPE_ADDR only.  'now_ns' makes a TYPE_TIME relative
 * ("-3.2 s"); 0 prints it as a plain number of ns. */
const char *value_render(enum value_type type, uint64_t hi, uint64_t lo, uint64_t now_ns, char *buf, size_t size);

/* The reverse, for `flow set` and the key of `flow get`: 0, or -EINVAL. */
int value_parse(enum value_type type, const char *text, uint64_t *ret_hi, uint64_t *ret_lo);

/* The same with a clock: a TYPE_TIME is also "now", "+5 s" or "-200ms", as value_render() prints it. */
int value_parse_at(enum value_type type, const char *text, uint64_t now_ns, uint64_t *ret_hi, uint64_t *ret_lo);

#endif
