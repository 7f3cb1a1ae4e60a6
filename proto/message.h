/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message - every message of the control channel as a plain C structure.
 *
 * Agent, controller, libmealy and the command see only this and endpoint.h; proto/ alone sees
 * protobuf-c and nanomsg.  mealy.proto says the same on the wire, message.c converts and
 * validates: a message that message_unpack() returns keeps every limit below.
 *
 * Strings are never NULL after unpacking ("" instead); arrays may be NULL when their count is 0.
 * message_pack() only reads, so a caller may point into memory of its own.  What
 * message_unpack() made is released by message_free() alone. */
#ifndef MEALY_MESSAGE_H
#define MEALY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct layout;

enum {
	WIRE_VERSION = 1,
	MESSAGE_SIZE_MAX = 1 << 20, /* Bytes on the wire, envelope included. */
	DUMP_BYTES_MAX = 256 << 10, /* Of records in one chunk. */
	EVENT_BATCH_MAX = 256,
	TRACE_FRAMES_MAX = 128,
};

enum message_kind {
	MSG_NONE,
	/* Session */
	MSG_HELLO,
	MSG_HELLO_REPLY,
	MSG_ECHO,
	MSG_OK,
	MSG_ERROR,
	MSG_BARRIER,
	/* Desired state; absolute and versioned */
	MSG_DEPLOY,
	MSG_REMOVE,
	MSG_SYNC_BEGIN,
	MSG_SYNC_NEED,
	MSG_SYNC_END,
	MSG_GET_DEPLOYMENTS,
	MSG_DEPLOYMENTS,
	MSG_DIFF,
	/* What runs */
	MSG_GET_SWITCHES,
	MSG_SWITCHES,
	MSG_GET_SWITCH,
	MSG_SWITCH,
	MSG_GET_PORTS,
	MSG_PORTS,
	MSG_GET_TABLES,
	MSG_TABLES,
	MSG_GET_COUNTERS,
	MSG_COUNTERS,
	MSG_RESET_COUNTERS,
	/* Flows */
	MSG_DUMP,
	MSG_DUMP_CHUNK,
	MSG_FLOW,
	/* Events and packets */
	MSG_SUBSCRIBE,
	MSG_EVENTS,
	MSG_PACKET_OUT,
	/* Trace */
	MSG_TRACE,
	MSG_TRACED,
	/* A controller's answer to a user's DEPLOY and REMOVE */
	MSG_APPLIED,
	/* A user's, to a controller: the switch of the envelope's name is gone for good */
	MSG_FORGET_SWITCH,
	/* Globals: what runs, not desired state */
	MSG_GET_GLOBALS,
	MSG_GLOBALS,
	MSG_SET_GLOBAL,
	/* The number of the port named by the filter, which is gone, is free for another */
	MSG_FORGET_PORT,
	/* Entries of match tables */
	MSG_ENTRIES,
	MSG_GET_ENTRIES,
	MSG_ENTRY_ROWS,
	/* Groups and meters as they are; members are changed by DEPLOY */
	MSG_GET_GROUPS,
	MSG_GROUPS,
	MSG_GET_METERS,
	MSG_METERS,
	MSG_RESET_METER,
	/* Changes that are done together */
	MSG_BUNDLE,
	MSG_GET_BUNDLES,
	MSG_BUNDLES,
	/* What was: versions of the deployment named by the filter, answered by DEPLOYMENTS; who changed what */
	MSG_GET_PAST,
	MSG_GET_LOG,
	MSG_LOG,
	/* The store, to and from the file on the controller's host that the filter names */
	MSG_BACKUP,
	MSG_RESTORE,
	MSG_KIND_MAX,
};

enum role { ROLE_AGENT, ROLE_CONTROLLER, ROLE_USER };

enum error_code {
	ERROR_NONE,
	ERROR_VERSION, /* Another WIRE_VERSION. */
	ERROR_MALFORMED,
	ERROR_UNKNOWN, /* Kind, switch, deployment, table, flow: the text says which. */
	ERROR_REFUSED, /* Not allowed: read-only socket, old version. */
	ERROR_INVALID, /* The application or a value is wrong; the text has the diagnostics. */
	ERROR_NO_MEMORY,
	ERROR_NO_SWITCH, /* Not connected. */
	ERROR_BUSY,
	ERROR_INTERNAL,
};

struct msg_setting {
	const char *name, *text;
};

/* A deployment: which application runs where on a switch. */
struct deployment {
	const char *name; /* The application's name unless given otherwise. */
	uint64_t version; /* Grows with each change; given by the controller. */
	const char *file; /* For messages. */
	const char *text; /* YAML. */
	struct msg_setting *setting;
	size_t n_settings;
	uint32_t hook;	   /* enum hook_id */
	const char **port; /* Names; none: all ports. */
	size_t n_ports;
	uint32_t order;	      /* In the chain; smaller first, then by name. */
	const char *switches; /* Pattern (fnmatch); the controller's business. */
	const char *members;  /* Changes of members of groups (tables/group.h). */
};

struct msg_hello {
	uint32_t role;	   /* enum role */
	const char *name;  /* Of the switch, or of the user's program. */
	uint64_t instance; /* Random, drawn at start of the process. */
	uint32_t wire_version;
	const char *build;
	const char *kernel;
	uint64_t active_version;
	uint32_t n_ports;
	uint64_t state_digest; /* Of all deployments; equal: nothing to synchronise. */
};

struct msg_digest {
	const char *name;
	uint64_t version;
	uint64_t digest;
};

struct msg_sync {
	struct msg_digest *item;
	size_t n;
};

struct msg_switch {
	const char *name;
	bool connected;
	uint64_t since_ms; /* Unix time of the last change of 'connected'. */
	const char *address, *build, *kernel;
	uint64_t version; /* Active. */
	uint32_t n_ports_up, n_ports_down;
	uint64_t n_flows, flows_max, flow_bytes;
	uint64_t committed_ms;	      /* Unix time. */
	uint64_t build_us, commit_us; /* Of the last change. */
	const char *fail_mode;
	const char **line; /* "hook xdp: limiter (1 table) on wan0, lan0" */
	size_t n_lines;
	uint32_t n_pending;  /* Deployments not yet applied. */
	const char *problem; /* "" or why the last change was refused. */
	uint64_t now_ns;     /* Clock of the switch. */
	uint64_t events_lost;
};

struct msg_port {
	uint32_t number;
	const char *name;
	uint32_t ifindex; /* 0: absent. */
	bool up;
	const char *mac;
	const char *mode; /* "native", "generic", "-" */
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, dropped_packets;
	const char *warning; /* "" or e.g. the peer's checksum offload. */
};

struct msg_table {
	const char *deployment, *table;
	uint32_t hook, position; /* On the hook. */
	bool stateful;
	uint32_t n_rules;
	uint64_t n_flows, capacity, record_bytes;
	uint64_t created, expired, evicted, freed, full, restarts;
	uint64_t claim_tries, claim_failed, learned;
	struct layout *layout; /* NULL unless stateful and asked for. */
};

struct msg_counter {
	const char *scope; /* "rule", "table", "app", "port", "exit", "switch" */
	const char *name;  /* "limiter/police/over-rate", "xdp/wan0/drop" */
	uint64_t packets, bytes;
};

struct msg_global {
	const char *deployment, *name;
	uint32_t type; /* enum value_type */
	uint64_t value, initial;
	uint64_t min, max; /* What SET_GLOBAL may set. */
};

/* Answered by OK; its text is the value before. */
struct msg_set_global {
	const char *deployment, *name;
	const char *text; /* The value as people write it: "10ms". */
};

/* A member, or a group that has none. */
struct msg_member {
	const char *deployment, *group;
	const char *type; /* "first-live" */
	bool none;	  /* Only the group. */
	uint32_t id, weight;
	bool up;
	uint32_t port;	    /* 0: none. */
	const char *values; /* "ip=10.0.0.1 service=80" */
	uint32_t slots;	    /* Of the group's 'size'. */
	uint32_t size;
	uint64_t packets, bytes; /* Given to it. */
};

struct msg_meter {
	const char *deployment, *name;
	const char *rates;	     /* "10pps, 3; peak 20pps, 6" */
	uint64_t green, yellow, red; /* Packets. */
	uint64_t committed, peak;    /* In the buckets now: bytes or packets. */
	bool bytes;
};

struct msg_dump {
	const char *deployment, *table;
	uint64_t cursor;    /* 0: begin. */
	uint32_t max_bytes; /* Of records; 0: DUMP_BYTES_MAX. */
	const char *state;  /* Only flows in this state; "": all. */
};

/* Records are images of RECORD_SIZE(class) bytes, one after the other; each was copied whole. */
struct msg_dump_chunk {
	struct layout *layout; /* In the first chunk only. */
	uint64_t now_ns;
	uint64_t next;	/* Cursor for the next request; 0: this was the last. */
	uint64_t total; /* Flows in the table now. */
	uint32_t record_size;
	const uint8_t *records;
	size_t size; /* Bytes. */
};

enum flow_op { FLOW_GET, FLOW_SET, FLOW_DELETE, FLOW_FLUSH };
struct msg_flow {
	uint32_t op;
	const char *deployment, *table;
	struct msg_setting *key; /* name and text of each part; all of them but for FLUSH (filter). */
	size_t n_keys;
	const char *state; /* "": leave (SET), any (FLUSH). */
	struct msg_setting *reg;
	size_t n_regs;
}; /* Answered by DUMP_CHUNK (GET) or OK with 'count'. */

enum entry_op { ENTRY_ADD, ENTRY_SET, ENTRY_DELETE, ENTRY_CLEAR };
enum { ENTRY_ROWS_SIZE_MAX = 512 << 10, ENTRY_COLUMNS_MAX = 64 };
struct msg_entries {
	uint32_t op;
	const char *deployment, *table;
	const char **column;
	size_t n_columns;
	const char *rows; /* CSV (common/csv.h); none for ENTRY_CLEAR. */
};
/* Answered by OK with 'count', those that changed; a switch says in 'text' the number of each row's key. */

/* Changes collected, then done in one go or not at all. */
enum bundle_op { BUNDLE_OPEN, BUNDLE_ADD, BUNDLE_COMMIT, BUNDLE_DISCARD };
enum { BUNDLE_TIMEOUT_MAX_MS = 3600000, BUNDLE_MEMBER_SIZE_MAX = MESSAGE_SIZE_MAX - 4096 };
struct msg_bundle {
	uint32_t op;
	uint32_t id;	       /* Given by the answer to OPEN. */
	uint32_t timeout_ms;   /* OPEN: it is discarded when nothing comes for so long; 0: a minute. */
	const uint8_t *member; /* ADD: a message, packed. */
	size_t member_size;
};
/* OPEN is answered by OK with the id as 'version'; ADD with the rows of the bundle as 'count'; COMMIT as ENTRIES is,
 * for all members in order, with the switch's version. */

struct msg_bundle_item {
	uint32_t id;
	uint32_t n_members;
	uint64_t n_rows, bytes;
	uint32_t timeout_ms, left_ms; /* Until it is discarded. */
};

enum { LOG_ITEMS_MAX = 1000 };
struct msg_log_item {
	uint64_t id, time_ms; /* Unix. */
	const char *who;      /* Key and name, or "local". */
	const char *what, *result;
};

struct msg_get_entries {
	const char *deployment, *table;
	uint64_t cursor; /* 0: begin. */
};

struct msg_entry_rows {
	const char **column;
	size_t n_columns;
	const char *rows;
	uint64_t next;	/* 0: these were the last. */
	uint64_t total; /* Records. */
};

struct msg_event {
	const char *switch_name; /* Filled in by the controller. */
	uint64_t time_ms;	 /* Unix. */
	const char *kind; /* "state", "timeout", "table-full", "port", "packet-in", "lost", "switch", "deployment" */
	const char *deployment, *table;
	const char *key; /* "ip.src=10.0.0.1" */
	const char *old_state, *new_state, *rule;
	const char *port;
	const char *text; /* Anything else for people. */
	uint64_t change, cpu, sequence, count;
	const uint8_t *packet;
	size_t packet_size;
	const char *registers; /* "n=100 seen=-0.3 s", as the event found them. */
};

struct msg_events {
	uint64_t sequence; /* Of the batch, per sender and session; a gap is a loss. */
	uint64_t lost;	   /* Since the last batch. */
	struct msg_event *item;
	size_t n;
};

struct msg_packet_out {
	uint32_t port;	       /* Number. */
	const char *port_name; /* Instead of the number, when not "". */
	const uint8_t *packet;
	size_t size;
};

struct msg_frame {
	const uint8_t *bytes;
	size_t size;
	uint64_t time_ns;
};
struct msg_trace {
	const char *port;
	uint32_t hook;
	uint64_t at_ns; /* 0: the switch's clock now. */
	struct msg_frame *frame;
	size_t n_frames;
};

/* What one table did to one traced packet. */
struct msg_traced_step {
	uint32_t frame; /* Index. */
	const char *deployment, *table, *key;
	bool absent, found, created, freed;
	const char *fell_from, *old_state, *new_state, *rule;
	uint32_t rule_line;	/* Of the YAML; 0: none. */
	const char *conditions; /* "now < start -> true (...)", for people */
	const char *updates;	/* "start: 1 -> 2; ..." */
	const char *verdict;
	uint8_t *record; /* Image after, NULL: none. */
	size_t record_size;
};
struct msg_traced_frame {
	const char *exit; /* exit_reason name. */
	uint32_t out_port;
	const uint8_t *bytes; /* As it leaves. */
	size_t size;
};
struct msg_traced {
	uint64_t version;
	struct msg_traced_step *step;
	size_t n_steps;
	struct msg_traced_frame *frame;
	size_t n_frames;
};

/* What became of a change on one switch. */
enum applied_status { APPLIED_ACTIVE, APPLIED_REFUSED, APPLIED_PENDING, APPLIED_REMOVED, APPLIED_STATUS_MAX };
struct msg_applied_switch {
	const char *name;
	uint32_t status;      /* enum applied_status */
	uint64_t duration_us; /* From sending to the switch's answer. */
	uint64_t since_ms;    /* PENDING: Unix time since when it is not connected, 0: never seen. */
	const char *text;     /* The switch's words; why it refused. */
};
struct msg_applied {
	const char *name; /* Of the deployment. */
	uint64_t version;
	const char *text; /* What changes, as lines for people; "" for a new deployment. */
	struct msg_applied_switch *item;
	size_t n;
};

struct message {
	enum message_kind kind;
	uint64_t id;		 /* Given by the endpoint; 0 before. */
	uint64_t reply_to;	 /* 0: a request. */
	const char *switch_name; /* Which switch a user means; "" to an agent. */
	union {
		struct msg_hello hello; /* HELLO, HELLO_REPLY */
		struct {
			const char *text;
			uint64_t version, count;
		} ok;
		struct {
			uint32_t code;
			const char *text;
		} error;
		struct deployment deploy; /* DEPLOY, DIFF */
		struct {
			const char *name;
			uint64_t version;
		} remove;
		struct msg_sync sync; /* SYNC_BEGIN, SYNC_NEED (names), SYNC_END */
		struct {
			struct deployment *item;
			size_t n;
		} deployments;
		struct {
			struct msg_switch *item;
			size_t n;
		} switches; /* SWITCHES, SWITCH (n = 1) */
		struct {
			struct msg_port *item;
			size_t n;
		} ports;
		struct {
			struct msg_table *item;
			size_t n;
			bool layouts;
		} tables; /* 'layouts' in GET_TABLES */
		struct {
			struct msg_counter *item;
			size_t n;
		} counters;
		struct {
			struct msg_global *item;
			size_t n;
		} globals;
		struct msg_set_global set_global;
		struct {
			struct msg_member *item;
			size_t n;
		} groups;
		struct {
			struct msg_meter *item;
			size_t n;
		} meters;
		struct {
			const char *filter;
		} get; /* GET_COUNTERS, RESET_COUNTERS, GET_DEPLOYMENTS, GET_GLOBALS, GET_GROUPS, GET_METERS (a
			deployment): a name or ""; RESET_METER: "DEPLOYMENT/METER" */
		struct msg_dump dump;
		struct msg_dump_chunk chunk;
		struct msg_flow flow;
		struct msg_entries entries;
		struct msg_get_entries get_entries;
		struct msg_entry_rows entry_rows;
		struct {
			uint32_t max;
		} get_log;
		struct {
			struct msg_log_item *item;
			size_t n;
		} log;
		struct msg_bundle bundle;
		struct {
			struct msg_bundle_item *item;
			size_t n;
		} bundles;
		struct {
			const char *kinds;
			bool off;
		} subscribe; /* Comma list or "" for all. */
		struct msg_events events;
		struct msg_packet_out packet_out;
		struct msg_trace trace;
		struct msg_traced traced;
		struct msg_applied applied;
	};
	void *owner; /* Private to message.c. */
};

/* Whether the message keeps every limit of message_table.c: 0, or -EPROTO and in *ret_why (256 bytes,
 * may be NULL) which member breaks which. */
int message_check(const struct message *msg, char *ret_why);

/* Returns 0 and the bytes, which the caller frees; -EINVAL when message_check() fails; -EMSGSIZE
 * beyond MESSAGE_SIZE_MAX; -ENOMEM. */
int message_pack(const struct message *msg, uint8_t **ret_bytes, size_t *ret_size);

/* Returns 0 and a message for message_free(); -EPROTO when the bytes are no message or break a
 * limit; -EPROTONOSUPPORT for another WIRE_VERSION (*ret_why, 256 bytes, says which); -ENOMEM. */
int message_unpack(const uint8_t *bytes, size_t size, struct message **ret_msg, char *ret_why);
void message_free(struct message *msg);

/* A deep copy for message_free(), by packing and unpacking: -EMSGSIZE, -EPROTO, -ENOMEM as there. */
static inline int message_copy(const struct message *from, struct message **ret_copy)
{
	uint8_t *bytes;
	size_t size;
	int r = message_pack(from, &bytes, &size);

	if (r < 0)
		return r;
	char why[256];

	r = message_unpack(bytes, size, ret_copy, why);
	free(bytes);
	return r;
}

const char *message_kind_name(enum message_kind kind);
/* An event that names nothing but these two: no string of a message is NULL.  Borrows both. */
struct msg_event message_event(const char *kind, const char *text);
const char *error_code_name(enum error_code code);

/* FNV-1a (64 bits) over every member of a deployment but 'version'; NULL and "" count as equal. */
uint64_t deployment_digest(const struct deployment *deployment);

/* Adds one deployment's digest to msg_hello.state_digest, whatever the order; 0 is the empty state. */
static inline uint64_t state_digest_add(uint64_t sum, uint64_t digest)
{
	digest ^= digest >> 32;
	digest *= 0x9e3779b97f4a7c15;
	digest ^= digest >> 29;
	return sum + (digest | 1);
}

#endif
