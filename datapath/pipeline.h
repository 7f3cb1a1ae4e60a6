/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pipeline - every structure, limit and number shared by the datapath and user space.
 *
 * The agent (through tables/encode) writes these structures into BPF maps; the datapath only
 * reads them, save flow records, buckets, flow_desc.fresh/n_overflow and counters.  Plain
 * fixed-width types, explicit padding, host byte order unless the type says __be.
 *
 * MEALY_ABI_VERSION changes with any layout here.  What outlives a build, the flow tables, is in
 * flow_format.h with a version of its own. */
#ifndef MEALY_PIPELINE_H
#define MEALY_PIPELINE_H

#include <linux/types.h>

#include "exit_reason.h"
#include "flow_format.h"

enum {
	MEALY_ABI_VERSION = 4,
};

/* ---- limits -------------------------------------------------------------------------- */

enum {
	PORTS_MAX = 64,	      /* Port numbers are 1..64; 0 is "none". */
	HOOK_APPS_MAX = 16,   /* Applications chained on one hook. */
	HOOK_TABLES_MAX = 24, /* Tables of one hook, all applications together (tail calls). */
	RESTARTS_MAX = 8,     /* How often one packet may begin a table again ... */
	CATCH_UPS_MAX = 4,    /* ... because a flow was due whose timeouts have updates. */
	STATES_MAX = 64,      /* State ids of one flow table; 0 is the first state. */
	RULES_MAX = 256,      /* Rules of one table. */
	TESTS_MAX = 4096,     /* Comparisons of one table, states that share them counted once. */
	SEARCH_MAX = 1024,    /* Comparisons of one state. */
	LOADS_MAX = 32,	      /* Packet fields one table reads. */
	OPS_MAX = 1024,	      /* Operations of one table: pre, let, do, post together. */
	OPS_PRE_MAX = 32,     /* ... before the lock. */
	OPS_LET_MAX = 64,     /* ... under the lock, before the rules. */
	OPS_DO_MAX = 32,      /* ... of one rule under the lock. */
	OPS_POST_MAX = 32,    /* ... of one rule after the lock. */
	OPS_TIMEOUT_MAX = 8,  /* ... of one state when it falls. */
	STEPS_MAX = 1024,     /* Packet-writing steps of one table. */
	RULE_STEPS_MAX = 16,  /* ... of one rule. */
	KEY_PARTS_MAX = 12,
	CUSTOM_MAX = 8,	       /* Headers that one application declares. */
	APP_GLOBALS_MAX = 16,  /* Global registers of one application on a hook. */
	GLOBAL_TRIES = 4,      /* Of a `max`. */
	GLOBALS_MAX = 1024,    /* ... of the switch. */
	FALLS_MAX = 8,	       /* Timeouts a late packet replays. */
	LEARNS_MAX = 64,       /* `learn` and `allocate` of one table. */
	LEARN_SETS_MAX = 12,   /* Register words one of them writes. */
	CLAIM_TRIES_MAX = 32,  /* Values one packet tries to claim. */
	MASKS_MAX = 64,	       /* Different masks (prefix lengths) of the entries of one match table. */
	GROUPS_MAX = 64,       /* Groups of the switch. */
	GROUP_MEMBERS = 256,   /* Ids of one group: 0..255. */
	MEMBER_VALUES = 6,     /* Words of values of a member. */
	MEMBER_LOADS_MAX = 8,  /* Values of members that registers name, read by one table's conditions. */
	GROUP_SLOTS = 1 << 20, /* Of all groups' tables of members together. */
	METERS_MAX = 256,      /* Shared meters of the switch. */
	TABLE_METERS_MAX = 8,  /* Meters that the rules of one table charge. */
	TEMPLATES_MAX = 32,    /* Of one hook of one version. */
	TEMPLATE_BYTES = 512,
	SEGMENTS_MAX = 16,     /* Of an SRv6 segment list. */
	SEGMENT_LISTS = 16384, /* Lists that are in keys of entries, of the switch; number 0 is none. */
	SEGMENT_HEADS = 32768,
	SEGMENT_CHAIN_MAX = 8, /* Lists behind one head. */
	CHAIN_MAX = 5,	       /* Lines of a bucket: the head and four overflow ones. */
	FLOW_TABLES_MAX = 256, /* Flow tables of the switch. */
	LOCKS = 16384,	       /* Cache lines of locks; a power of two. */
	VERSIONS = 2,
	COUNTERS = 65536,
};

enum hook_id { HOOK_XDP, HOOK_TC_INGRESS, HOOK_TC_EGRESS, HOOK_MAX };

/* ---- cells: the values a table computes with -------------------------------------------
 *
 * 256 words of 64 bits in the per-CPU scratch.  A 128-bit value (addr) is two neighbouring
 * cells, high word first, in host byte order; an IPv4 address is v4-mapped, so its high word
 * is 0 and its low word 0x0000ffffAABBCCDD.  A MAC is the low 48 bits of one cell.
 *
 *   0.. 31  image of the looked-up record: 4 header words, key words, registers
 *  32.. 63  image of the update record, in a table with two scopes; unused otherwise
 *  64..127  temporaries of the table: loaded fields, pre and let results
 * 128..191  packet variables and values carried from table to table; zeroed at the first
 *           table of each application
 * 192..223  metadata, filled once per run of the hook
 * 224..255  image of the record that `learn` or `allocate` writes; else
 *      254  zero
 *      255  of pkt_rewrite.h */
enum {
	CELLS = 256,
	CELL_LOOKUP = 0,
	CELL_UPDATE = 32,
	CELL_TEMP = 64,
	CELL_VAR = 128,
	CELL_META = 192,
	CELL_LEARN = 224,

	CELL_NOW = CELL_META, /* ns; monotonic + 2^56; never before the flow's last use. */
	CELL_IN_PORT,	      /* 1..64, or 0: not received on a port of the switch. */
	CELL_OUT_PORT,	      /* Only at tc egress, else 0. */
	CELL_LENGTH,	      /* Bytes of the frame from Ethernet on, VLAN tags included. */
	CELL_FRAMES,	      /* 1 on XDP, GSO segments on tc. */
	CELL_HOOK,	      /* enum hook_id. */
	CELL_PRESENT,	      /* Bits PRESENT_*. */
	CELL_VLAN_TCI,	      /* Outer tag, also when it lies in the skb and not the frame. */
	CELL_VLAN_TPID,
	CELL_VLAN2_TCI,
	CELL_VLAN2_TPID,
	CELL_ETH_TYPE,	     /* Of the payload, after VLAN tags. */
	CELL_IP_PROTO,	     /* After extension headers. */
	CELL_FRAG_OFFSET,    /* In bytes; 0 also for packets that are no fragments. */
	CELL_PAYLOAD_LENGTH, /* Bytes after the L4 header as IP's length tells; without IP those after Ethernet. */
	CELL_DIRECTION,	     /* 0 or 1, after OP_BIFLOW. */
	CELL_STATE,	     /* State id of the looked-up record. */
	CELL_CLAIM,	     /* Slot that `allocate` claimed for the rule. */
	CELL_META_END,
	CELL_ZERO = CELLS - 2, /* Always 0. */

	TIME_BASE_NS_SHIFT = 56,
};

/* Headers present in the packet, bits of CELL_PRESENT and of every 'needs'.  A need may name
 * a derived bit: several protocols have IP addresses and ports. */
enum present {
	PRESENT_ETH,
	PRESENT_VLAN,
	PRESENT_VLAN2,
	PRESENT_ARP, /* Ethernet/IPv4 ARP, whole. */
	PRESENT_IPV4,
	PRESENT_IPV6,
	PRESENT_TCP, /* The whole fixed header; so never in later fragments. */
	PRESENT_UDP,
	PRESENT_ICMP,
	PRESENT_ICMPV6,
	PRESENT_FRAGMENT, /* Any fragment, the first one too. */
	PRESENT_IP,	  /* Derived: IPv4 or IPv6. */
	PRESENT_L4,	  /* Derived: TCP or UDP. */
	PRESENT_IN_PORT,
	PRESENT_OUT_PORT,
	PRESENT_HOPOPTS,
	PRESENT_ROUTING,
	PRESENT_FRAG6,
	PRESENT_DSTOPTS,
	PRESENT_VXLAN, /* UDP to port 4789, with a frame in it. */
	PRESENT_MAX,

	/* Bits of headers that the application declares; OP_HEADER sets or clears them in each table that asks. */
	PRESENT_CUSTOM = 20,

	PRESENT_SRH = 28, /* A segment routing header (RFC 8754), whole, of at most SEGMENTS_MAX segments. */
	PRESENT_MPLS = 29,
	PRESENT_ND = 30,      /* Neighbour solicitation or advertisement (RFC 4861), its fixed part. */
	PRESENT_ND_LINK = 31, /* ... that begins its options with an Ethernet address. */

	/* The packet quoted by an ICMP error, or inside IP. */
	PRESENT_INNER_IPV4 = 56,
	PRESENT_INNER_IPV6,
	PRESENT_INNER_IP,  /* Derived. */
	PRESENT_INNER_TCP, /* Ports and sequence at least. */
	PRESENT_INNER_UDP,
	PRESENT_INNER_L4,    /* Derived. */
	PRESENT_INNER_ICMP,  /* ICMP or ICMPv6, an echo. */
	PRESENT_INNER_WHOLE, /* Inside IP, not quoted. */

	/* Bits 32 + i of CELL_PRESENT: table i of this hook left its registers in carried cells.  Set
	 * by post ops of that table, tested by 'needs' like a header, cleared only when the run of the
	 * hook begins; whoever writes header bits anew (push, pop) keeps these. */
	PRESENT_TABLE_SHIFT = 32,
};
#define PRESENT_TABLES (((1ULL << HOOK_TABLES_MAX) - 1) << PRESENT_TABLE_SHIFT)
_Static_assert(PRESENT_TABLE_SHIFT + HOOK_TABLES_MAX <= PRESENT_INNER_IPV4, "bits of tables and of inner headers");

/* ---- loads: packet -> cells ------------------------------------------------------------ */

enum pkt_base {
	BASE_ETH,
	BASE_L3,
	BASE_L4,
	BASE_ROUTING,
	BASE_FRAG6,
	BASE_HOPOPTS,
	BASE_DSTOPTS,
	BASE_PAYLOAD,
	BASE_INNER_L3,
	BASE_INNER_L4,
	BASE_MPLS,
	BASE_SEGMENT, /* The active one of an SRH. */
	BASE_MAX
};

enum load_kind {
	LOAD_NONE,
	LOAD_BITS,  /* 'size' bytes, big endian: (value >> shift) & mask. */
	LOAD_ADDR,  /* IP address: 4 bytes at off (IPv4) or 16 at off6 -> two cells. */
	LOAD_ADDR4, /* 4 bytes at off -> two cells, v4-mapped (ARP). */
	LOAD_ADDR6, /* 16 bytes at off -> two cells. */
	LOAD_CELL,  /* (cell 'base' >> shift) & mask: metadata. */
};

struct load {
	__u8 kind;
	__u8 dst;  /* Cell; LOAD_ADDR* write dst and dst + 1. */
	__u8 base; /* enum pkt_base, or a cell for LOAD_CELL. */
	__u8 size; /* 1, 2, 4, 6 or 8 bytes. */
	__u8 need; /* enum present: not there -> the cell is 0. */
	__u8 shift;
	__u8 off;   /* In an IPv4 packet, or in any packet when off6 == off. */
	__u8 off6;  /* In an IPv6 packet. */
	__u64 mask; /* For IPv4 and for everything that is not IP. */
	__u8 size6; /* size and shift in an IPv6 packet (ip.dscp, ip.ttl differ). */
	__u8 shift6;
	__u8 inner; /* INNER_FAMILY: of the packet quoted or inside, whose family counts. */
	__u8 zero[5];
};
enum { INNER_FAMILY = PRESENT_INNER_IPV6 - PRESENT_IPV6 };
_Static_assert(sizeof(struct load) == 24, "bump MEALY_ABI_VERSION");

/* ---- operations on cells ----------------------------------------------------------------
 *
 * cell[dst] = cell[a] OP b, where b is imm if flags has OP_IMM and cell[b] otherwise.
 * OP_SWAP exchanges the operands of an operation with an immediate (imm - cell).  All wrap at
 * 64 bits; x / 0 is all ones, 0 / 0 is 0, x % 0 is 0; shifts by 64 and more give 0 (SAR: the
 * sign). */
enum op_code {
	OP_NOP,
	OP_MOV, /* cell[dst] = b */
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_DIV,
	OP_MOD,
	OP_AND,
	OP_OR,
	OP_XOR,
	OP_SHL,
	OP_SHR,
	OP_MIN,
	OP_MAX,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE, /* 0 or 1, unsigned. */
	OP_SLT,
	OP_SLE,
	OP_SDIV,
	OP_SMOD,
	OP_SAR,
	OP_SMIN,
	OP_SMAX,
	OP_SEQ_LT,
	OP_SEQ_LE, /* RFC 1982, 32 bits. */
	OP_HAS,	   /* 1 if all bits of b are in CELL_PRESENT. */
	/* Only in 'pre': they call helpers or read several cells. */
	OP_RANDOM,     /* 64 random bits. */
	OP_HASH_INIT,  /* cell[dst] = seed b. */
	OP_HASH_ADD,   /* Mix b into cell[a]. */
	OP_BIFLOW_L4,  /* Joint order of the two (address, port) ends: reads src hi, src lo,
			  dst hi, dst lo, sport, dport from six cells at 'a'; writes lower hi, lo,
			  higher hi, lo, lower port, higher port at 'dst'; sets CELL_DIRECTION. */
	OP_BIFLOW_IP,  /* Four cells at 'a' -> four at 'dst'. */
	OP_BIFLOW_ETH, /* src, dst at 'a' -> two at 'dst'. */
	OP_HEADER,     /* Is the declared header 'b' (bit of CELL_PRESENT) there?  If cell[a] is not 0 and imm's
			  header lies within the packet, its bit is set, else cleared.  See HEADER_IMM(). */
	OP_LOAD,       /* Executes load 'imm' of the table, one behind its n_loads: fields of declared headers, which
			  are read only after it is known that they are there. */
	OP_SEGMENTS, /* cell[dst] = fingerprint of the packet's segment list if MAP_SEGMENTS has that list, else 0.  The
			table has TABLE_SEGMENTS. */
	OP_SELECT,   /* cell[dst] = member that group imm's table of slots names for hash cell[a]; MEMBER_NONE: the
			group has none. */
	OP_MEMBER,   /* cell[dst] = word of member cell[a] of a group, imm being MEMBER_INDEX(group, 0, word); 0: none.
			Also by STEP_OP, and as struct member_load. */
	/* Only in 'do' and on_timeout: one atomic operation on global 'op.global', whose cell is 'dst'; the operand is
	 * 'b' or imm.  'dst' becomes the value that this packet made.  Once a packet and table, also when the table is
	 * begun again. */
	OP_GLOBAL_FIRST,
	OP_GLOBAL_ADD = OP_GLOBAL_FIRST,
	OP_GLOBAL_AND,
	OP_GLOBAL_OR,
	OP_GLOBAL_SET,
	OP_GLOBAL_MAX, /* One try: another CPU may be faster.  The encoder writes the op GLOBAL_TRIES times, all but
			  the last with OP_TRY; the last one that fails is counted. */
	OP_GLOBAL_GET, /* Only reads; for on_timeout, which runs without the application's first table. */
	OP_CODE_MAX,
};

enum { OP_IMM = 1, OP_SWAP = 2, OP_TRY = 4 };

/* imm of OP_HEADER: where the header begins, from which base, and how long it is. */
#define HEADER_IMM(base, off, size) ((__u64)(base) << 32 | (__u64)(off) << 16 | (size))
#define HEADER_BASE(imm)	    ((imm) >> 32 & 15)
#define HEADER_END(imm)		    (((imm) >> 16 & 0xffff) + ((imm)&0xffff))

struct op {
	__u8 code;
	__u8 flags;
	__u8 dst;
	__u8 a;
	__u8 b;
	__u8 zero;
	__u16 global; /* Index in MAP_GLOBALS. */
	__u64 imm;
};
_Static_assert(sizeof(struct op) == 16, "bump MEALY_ABI_VERSION");

/* ---- rules ------------------------------------------------------------------------------ */

/* The search for a rule is a walk over tests, from the record's state's first one on.  A test holds when
 * ((cell & mask) - low) <= range + limit, unsigned: one form for equality, masks, prefixes, ranges, headers that must
 * be present
 * ('limit' is CELL_ZERO then) and the order of two cells.  next[0] if it holds, next[1] if not: a later test, or
 * FOUND(rule).  Without branches, so a processor has nothing to guess and the verifier one path to follow. */
struct test {
	__u64 mask;
	__u64 low;
	__u64 range;
	__u16 next[2];
	__u8 cell;
	__u8 limit; /* Cell. */
	__u8 zero[2];
};
_Static_assert(sizeof(struct test) == 32, "bump MEALY_ABI_VERSION");

#define FOUND(rule) (TESTS_MAX + (rule))

enum verdict {
	VERDICT_PASS, /* To the next application of the port, after the last the kernel. */
	VERDICT_DELIVER,
	VERDICT_DROP,
	VERDICT_OUTPUT, /* Port number in cell 'arg'. */
	VERDICT_FLOOD,
	VERDICT_REFLECT,
	VERDICT_GOTO,  /* Table 'target' of the hook, always a later one. */
	VERDICT_ROUTE, /* Where the kernel's FIB says; only with n_steps > 0, which have written the packet. */
	VERDICT_GROUP, /* A copy to each member of group 'target'; tc only, with n_steps > 0. */
	VERDICT_MAX,
};

enum rule_flags {
	RULE_WRITES = 1, /* Writes registers or a next state: needs, and may create, a record. */
	RULE_NO_REFRESH = 2,
	RULE_NEXT = 4,	      /* 'next' holds; arms the hard timeout again. */
	RULE_NOTIFY = 8,      /* `notify`: a state or register event after the lock. */
	RULE_LETS_GO = 32,    /* Ends the flow or claims anew: what its record holds is freed. */
	RULE_CONTROLLER = 16, /* `controller`: a copy of the packet, rate-limited. */
};

struct rule {
	__u32 counter; /* Index; packets and bytes. */
	__u8 flags;
	__u8 next; /* State id; 0 frees the record. */
	__u8 verdict;
	__u8 arg;    /* Cell of the port for VERDICT_OUTPUT. */
	__u8 target; /* Table of the hook for VERDICT_GOTO, TARGET_MATCH added if it is looked up by masks. */
	__u8 n_do;
	__u8 n_post;
	__u8 n_steps; /* > 0: the action program runs (a second step of the budget). */
	__u16 first_do;
	__u16 first_post;
	__u16 first_step;
	__u8 learn; /* Element of table.learns, plus 1; 0: none. */
	__u8 claim; /* The same of `allocate`. */
	__u8 meter; /* Element of table.meters that the flow has for itself, plus 1; 0: none.  Charged behind 'do'. */
	__u8 meter_cell; /* Cells of its struct meter_state ... */
	__u8 colour;	 /* ... and of the colour. */
	__u8 zero;
};
_Static_assert(sizeof(struct rule) == 24, "bump MEALY_ABI_VERSION");

/* A table whose entries have masks is begun by INTERP_MATCH; the bit says so wherever a table is named as the next. */
enum { TARGET_MATCH = 0x80, TARGET_TABLE = 0x1f };

/* Beside the RULES_MAX of the file: what applies when none does. */
enum {
	RULE_OTHERWISE = RULES_MAX,
	RULE_ABSENT,
	RULES_ROOM,
	RULE_IDLE = RULES_ROOM, /* Does nothing; nobody finds it. */
};

/* ---- steps: cells -> packet --------------------------------------------------------------- */

enum step_code {
	STEP_NONE,
	STEP_BITS,    /* cell's low bits -> 'size' bytes at base + off, under mask << shift. */
	STEP_ADDR,    /* two cells -> IP address at off (IPv4) / off6 (IPv6). */
	STEP_VLAN_ID, /* The outer tag, wherever the hook keeps it. */
	STEP_VLAN_PRIO,
	STEP_VLAN_DEI,
	STEP_PUSH_VLAN, /* imm: TPID (0x8100, 0x88a8); id and priority 0. */
	STEP_POP_VLAN,
	STEP_OP,     /* Runs op imm of the table: what must come between writes. */
	STEP_METER,  /* Charges shared meter imm by the rates of meter 'base' of the table; 'cell' = its colour. */
	STEP_MEMBER, /* The packet is for the member in 'cell' of group imm: counts it; EXIT_NO_MEMBER if it is gone. */
	STEP_MIRROR, /* A copy of the packet as it is now to the port in 'cell'; tc only. */
	STEP_BECOME, /* The packet becomes template imm of the hook; what follows writes its fields. */
	STEP_EMIT_BEGIN, /* The packet is put away and becomes template imm; tc only ... */
	STEP_EMIT,	 /* ... which is sent to the port in 'cell', and the packet is there again. */
	STEP_PUSH_MPLS,	 /* Label 0, TTL copied. */
	STEP_POP_MPLS,
	STEP_PUSH_IP4, /* An outer IPv4 header, addresses 0 until written. */
	STEP_PUSH_IP6,
	STEP_POP_IP,	 /* The outer IP header and its extension headers. */
	STEP_PUSH_VXLAN, /* Outer Ethernet, IP (imm: 4 or 6), UDP, VXLAN; inner Ethernet kept. */
	STEP_POP_VXLAN,
	STEP_PUSH_SRV6,	  /* Outer IPv6 and SRH of imm segments, in cells from 'cell' on, two each, in path order. */
	STEP_INSERT_SRV6, /* The same without an outer header. */
	STEP_POP_SRV6,
	STEP_END_SRV6, /* RFC 8986, 4.1: next segment. */
	STEP_CODE_MAX,
};

enum step_csum {
	CSUM_NONE = 0,
	CSUM_IP = 1,	 /* The bytes lie under the IPv4 header checksum. */
	CSUM_PSEUDO = 2, /* ... in the pseudo header of TCP, UDP, ICMPv6. */
	CSUM_L4 = 4,	 /* ... under the L4 checksum. */
	CSUM_INNER = 8,	 /* ... of the packet quoted or inside, all of them. */
};

struct step {
	__u8 code;
	__u8 cell;
	__u8 base;
	__u8 size; /* As in struct load. */
	__u8 size6;
	__u8 off;
	__u8 off6;
	__u8 shift;
	__u8 shift6;
	__u8 csum;  /* In an IPv4 packet (or neither). */
	__u8 csum6; /* In an IPv6 packet. */
	__u8 need;  /* enum present; absent: EXIT_WRITE_FAILED. */
	__u32 imm;
	__u64 mask; /* Of the field's width, unshifted. */
};
_Static_assert(sizeof(struct step) == 24, "bump MEALY_ABI_VERSION");

/* ---- states --------------------------------------------------------------------------------- */

enum state_flags {
	STATE_KNOWN = 1,  /* An id without it reads as the first state. */
	STATE_NOTIFY = 2, /* on_timeout: notify. */
};

struct state_def {
	__u64 idle_ns; /* 0: none. */
	__u64 hard_ns;
	__u8 idle_to; /* State ids. */
	__u8 hard_to;
	__u8 flags;
	__u8 zero;
	__u16 first_test; /* Or FOUND(rule). */
	__u16 n_tests;	  /* At most so many are made. */
	/* Ops of on_timeout, run when a timeout ends the state.  They have cells of their own: the record's image is
	 * CELL_LOOKUP also in a table of two scopes, CELL_NOW is the deadline, temporaries are anything else; nothing
	 * of a packet is there. */
	__u16 first_timeout;
	__u8 n_timeout;
	__u8 zero2[5];
};
_Static_assert(sizeof(struct state_def) == 32, "bump MEALY_ABI_VERSION");

/* ---- keys -------------------------------------------------------------------------------------------- */

struct key_part {
	__u8 cell;
	__u8 word; /* Of the key. */
	__u8 shift;
	__u8 bits; /* 1..64: the low bits of the cell. */
};

/* ---- learn and allocate ------------------------------------------------------------------------- */

/* A rule writes the record of another table of its application on the hook, or of its own, under a computed key, after
 * its own record.  A claim does so before, and only if there is no such record: it takes the first value of a range for
 * which that is so, and the record it made belongs to the claimer's, which keeps its slot in register word
 * table.claim_word and frees it when it ends. */
struct learn_set {
	__u8 word; /* Of the registers. */
	__u8 cell;
};

enum learn_flags {
	LEARN_CLAIM = 1,
	LEARN_FIRST = 2, /* Cell 'first' is the value to try first. */
	LEARN_END = 4,
};

struct learn {
	__u8 table; /* Of the hook. */
	__u8 state; /* Id. */
	__u8 flags;
	__u8 n_parts;
	__u8 n_sets;
	__u8 n_ops; /* Run before the key is made, for each try of a claim. */
	__u16 first_op;
	__u16 else_rule; /* Its actions instead, when nothing could be written. */
	__u8 value; /* Claim: cell that takes the value, before the operations, which put it where it is read ... */
	__u8 first; /* ... and, with LEARN_FIRST, the cell of the one to try first. */
	__u32 zero;
	__u64 from, n_values;
	struct key_part part[KEY_PARTS_MAX];
	struct learn_set set[LEARN_SETS_MAX];
};
_Static_assert(sizeof(struct learn) == 104, "bump MEALY_ABI_VERSION");
/* The last operations of `do` where a rule allocates: value and slot into the record. */
enum { CLAIM_MOVES = 2 };

/* ---- match tables --------------------------------------------------------------------------------- *
 *
 * An entry is a record whose key is the entry's, whose state is its action and whose registers are the words below,
 * then the values.  Where entries have masks (prefixes, ranges, ternary), a record's key is masked and has the number
 * of its mask in it; tuple-space search (Srinivasan, Suri and Varghese 1999) tries the masks in order of their best
 * priority, and stops where none can be better. */
enum entry_word {
	ENTRY_ID,    /* Chosen by the agent; records of one entry (a range is several prefixes) have the same. */
	ENTRY_RANK,  /* Higher wins. */
	ENTRY_IDLE,  /* ns; 0: none. */
	ENTRY_SINCE, /* When it was made, on the switch's clock. */
	ENTRY_PACKETS,
	ENTRY_BYTES,
	ENTRY_WORDS,
};

/* In struct state_def.hard_ns of a match table's action: the record says when.  Its idle time is a register. */
#define HARD_OF_ENTRY (~0ull)

struct match_mask {
	__u64 mask[KEY_WORDS_MAX];
	__u64 tag;  /* Or-ed into key word 'tag_word': the mask's number, 1.., where it lies in the key. */
	__u64 rank; /* No entry with this mask has a higher one. */
};

/* Element of MAP_MATCH, one a flow table.  The agent fills the other half and flips 'active'; a half is written again
 * only after grace. */
struct match_masks {
	__u32 n;
	__u32 tag_word;
	struct match_mask mask[MASKS_MAX]; /* In descending order of rank. */
};
struct match_desc {
	__u32 active;
	__u32 zero;
	struct match_masks half[2];
};

/* ---- segment lists ---------------------------------------------------------------------------------- *
 *
 * A list of segments is longer than a key.  So a key has its fingerprint, and each list that is in the key of an entry
 * stands here once, whole: a packet's list is compared with it word by word, and two lists of one fingerprint are
 * refused.  Written by user space only; an element that was unlinked is written again only after grace. */
struct segment_list {
	__u64 fingerprint;	      /* Never 0. */
	__u32 next;		      /* With the same head; 0: none. */
	__u32 n;		      /* Segments; 0: the element is free. */
	__u64 word[2 * SEGMENTS_MAX]; /* As on the wire, the last segment first. */
};
struct segment_lists {
	__u32 head[SEGMENT_HEADS]; /* By the fingerprint's low bits; 0: none. */
	struct segment_list at[SEGMENT_LISTS];
};
_Static_assert(sizeof(struct segment_list) == 272, "bump MEALY_ABI_VERSION");

/* ---- groups and meters ----------------------------------------------------------------------------- *
 *
 * Data of the programs, so reached by address and also under a lock; shared by versions, by index. */
enum { MEMBER_NONE = 0xffff };

enum member_word {
	MEMBER_VALUE, /* The first of MEMBER_VALUES words. */
	MEMBER_PORT = MEMBER_VALUES,
	MEMBER_VALID, /* 1: it is there and up. */
	MEMBER_WORDS,
	MEMBERS_ROOM = GROUPS_MAX * GROUP_MEMBERS * MEMBER_WORDS,
};

/* 'table' is one word, so a table of slots is replaced whole by one store: GROUP_TABLE(first slot, slots). */
struct group_desc {
	__u64 table;
	__u64 all;		/* Group `all`: ports of the members that are up, bit port - 1 ... */
	__u8 member[PORTS_MAX]; /* ... and whose port it is. */
};
#define GROUP_TABLE(first, size) ((__u64)(first) << 32 | (size))
#define GROUP_FIRST(table)	 ((__u32)((table) >> 32))
#define GROUP_SIZE(table)	 ((__u32)(table))

struct groups {
	struct group_desc at[GROUPS_MAX];
	__u64 member[MEMBERS_ROOM]; /* By MEMBER_INDEX(). */
	__u16 slot[GROUP_SLOTS];    /* Member ids. */
};
#define MEMBER_INDEX(group, id, word) (((group)*GROUP_MEMBERS + (id)) * MEMBER_WORDS + (word))

/* Two rates, three colours (RFC 2698), colour-blind, exact: tokens are so small that each nanosecond adds 'rate' of
 * them.  Peak rate 0: there is none, so nothing is red. */
enum colour { COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED, COLOURS };
struct meter_rate {
	__u64 rate;	/* Tokens a nanosecond: bits or frames a second. */
	__u64 burst;	/* Tokens, below 2^63. */
	__u64 whole_ns; /* After so long any bucket is full: burst / rate + 1. */
};
struct meter_rates {
	struct meter_rate committed, peak;
	__u64 cost;  /* Tokens of a byte or a frame. */
	__u32 bytes; /* 1: charged with bytes, 0: with frames. */
	__u32 zero;
};
_Static_assert(sizeof(struct meter_rates) == 64, "bump MEALY_ABI_VERSION");
#define METER_COST_FRAMES 1000000000ull
#define METER_COST_BYTES  (8 * METER_COST_FRAMES)

struct meter_state {
	__u64 committed, peak; /* Tokens. */
	__u64 last_ns;	       /* 0: never, the buckets are full. */
};
enum { METER_WORDS = sizeof(struct meter_state) / sizeof(__u64) };

struct meter { /* Shared; a line of its own, written under the meter's lock. */
	struct meter_state state;
	__u64 reset; /* User space adds 1: the buckets are full again ... */
	__u64 seen;  /* ... which a packet has done when both are equal. */
	__u64 packets[COLOURS];
};
_Static_assert(sizeof(struct meter) == 64, "bump MEALY_ABI_VERSION");
struct meters {
	struct meter at[METERS_MAX];
};

/* ---- templates --------------------------------------------------------------------------------------- */

struct template
{
	__u32 size;
	__u32 zero;
	__u8 bytes[TEMPLATE_BYTES];
};
#define TEMPLATE_INDEX(slot, hook, i) (((slot)*HOOK_MAX + (hook)) * TEMPLATES_MAX + (i))
enum { TEMPLATE_ELEMENTS = VERSIONS * HOOK_MAX * TEMPLATES_MAX };

/* ---- tables ----------------------------------------------------------------------------------- */

/* A global of the application: read into its cell by the first table, so that all tables of a run see one value. */
struct global_load {
	__u16 global; /* Index in MAP_GLOBALS. */
	__u8 cell;
	__u8 zero;
};

/* OP_MEMBER under the lock, before the lets: 'cell' is a register of the looked-up record. */
struct member_load {
	__u32 first; /* MEMBER_INDEX(group, 0, word) */
	__u8 cell, dst;
	__u8 zero[2];
};

enum when_full { FULL_DROP, FULL_PASS, FULL_EVICT, FULL_CONTINUE };

enum table_flags {
	TABLE_UPDATES = 128, /* A state has updates on_timeout. */
	TABLE_VALID = 1,
	TABLE_STATEFUL = 2,
	TABLE_TWO_SCOPES = 4,
	TABLE_FIRST = 8,       /* First table of its application: zero the variables. */
	TABLE_TIME = 16,       /* Reads `now` or has timeouts. */
	TABLE_SOON = 32,       /* expire_within: 10ms. */
	TABLE_ENTRIES = 256,   /* A match table: registers begin with enum entry_word. */
	TABLE_MASKED = 512,    /* ... begun by INTERP_MATCH. */
	TABLE_CLAIMS = 1024,   /* Its records may hold claimed ones of table 'claim_table'. */
	TABLE_PACKET = 4096,   /* Operations before the lock read the packet: INTERP_MATCH makes them. */
	TABLE_SEGMENTS = 8192, /* ... among them OP_SEGMENTS. */
	TABLE_CLAIMED = 2048,  /* Its records belong to others': they end with these only. */
	TABLE_CLEAN = 64,      /* With TABLE_FIRST: nothing of the application reads or writes CELL_VAR, so nothing is
				  zeroed. A hint: without it the result is the same, later. */
};

/* Table counters: TABLE_STAT_MAX neighbouring counters from struct table.stats. */
enum table_stat {
	TABLE_STAT_CREATED,
	TABLE_STAT_EXPIRED,
	TABLE_STAT_EVICTED,
	TABLE_STAT_FREED, /* By a rule's `next` to the first state, or deleted. */
	TABLE_STAT_FULL,
	TABLE_STAT_RESTARTS,
	TABLE_STAT_HELPED,
	TABLE_STAT_CLAIM_TRIES,
	TABLE_STAT_CLAIM_FAILED, /* No value was free within the tries. */
	TABLE_STAT_LEARNED,	 /* Records of this table that other tables' rules wrote. */
	TABLE_STAT_MAX = 16,
};

struct table {
	__u64 key_needs; /* Headers of the lookup scope; absent -> RULE_ABSENT. */
	__u64 update_needs;
	__u32 flags;
	__u32 flow_table;  /* Index of the flow table. */
	__u32 stats;	   /* First of TABLE_STAT_MAX counters. */
	__u32 app;	   /* Number of the application on this hook, for `pass`. */
	__u32 id;	   /* Names the table in events: chosen by the agent. */
	__u8 record_class; /* enum record_class. */
	__u8 key_words;
	__u8 n_registers; /* 64-bit words. */
	__u8 when_full;
	__u8 n_loads;
	__u8 n_lookup; /* Parts. */
	__u8 n_update;
	__u8 n_pre;
	__u8 n_let;
	__u8 n_states; /* One more than the highest known id. */
	__u16 first_pre;
	__u16 first_let;
	__u16 n_tests;
	__u8 n_globals;	  /* With TABLE_FIRST only. */
	__u8 claim_table; /* With TABLE_CLAIMS ... */
	__u8 claim_word;  /* ... and the word of the image that holds the claimed slot; with TABLE_CLAIMED, the one that
			     is not 0 if the record belongs to another. */
	__u8 n_members;
	struct member_load members[MEMBER_LOADS_MAX];
	struct meter_rates meters[TABLE_METERS_MAX];
	struct global_load globals[APP_GLOBALS_MAX];
	struct key_part lookup[KEY_PARTS_MAX];
	struct key_part update[KEY_PARTS_MAX];
	struct load loads[LOADS_MAX];
	struct state_def states[STATES_MAX]; /* Rules-only tables use states[0]. */
	struct rule rules[RULES_ROOM + 1];
	struct op ops[OPS_MAX];
	struct step steps[STEPS_MAX];
	struct learn learns[LEARNS_MAX];
	struct test tests[TESTS_MAX];
};

/* What one hook of one version runs.  next_app[port][a]: the first table of the application
 * that follows application a - 1 on that port (a = 0: the first one), TARGET_MATCH added if it is looked up by masks,
 * or CHAIN_END. */
enum { CHAIN_END = 0xff };

struct chain {
	__u64 version; /* The number people see. */
	__u32 valid;
	__u32 n_tables;
	__u32 parse_verdict; /* VERDICT_DROP or VERDICT_PASS for frames that cannot be parsed. */
	__u32 zero;
	__u8 next_app[PORTS_MAX + 1][HOOK_APPS_MAX + 1];
	__u8 zero2[7];
};
_Static_assert(sizeof(struct chain) % 8 == 0, "bump MEALY_ABI_VERSION");

/* Element of the `tables` map. */
#define TABLE_INDEX(slot, hook, i) (((slot)*HOOK_MAX + (hook)) * HOOK_TABLES_MAX + (i))
enum { TABLE_ELEMENTS = VERSIONS * HOOK_MAX * HOOK_TABLES_MAX };
#define CHAIN_INDEX(slot, hook) ((slot)*HOOK_MAX + (hook))

/* ---- counters --------------------------------------------------------------------------------- */

struct counter {
	__u64 packets;
	__u64 bytes;
};

#define COUNTER_EXIT(hook, port, reason) (((hook) * (PORTS_MAX + 1) + (port)) * EXIT_REASON_ROOM + (reason))
enum {
	COUNTER_TX = HOOK_MAX * (PORTS_MAX + 1) * EXIT_REASON_ROOM, /* + port: frames sent to it. */
	COUNTER_MISC = COUNTER_TX + PORTS_MAX + 1,
	COUNTER_EVENT_LOST = COUNTER_MISC, /* The ring was full. */
	COUNTER_PUNT,			   /* Packets given to the controller. */
	COUNTER_PUNT_LIMITED,		   /* ... not given: over the rate. */
	COUNTER_PUNT_LOST,		   /* ... not given: the ring was full. */
	COUNTER_XMIT_FAILED,		   /* Redirects that failed after the program ended. */
	COUNTER_MISC_END,
	COUNTER_RULES = 12800,					 /* Rules and tables, indices given by the agent ... */
	COUNTER_MEMBERS = COUNTERS - GROUPS_MAX * GROUP_MEMBERS, /* ... up to here: members of groups. */
};
#define COUNTER_MEMBER(group, id) (COUNTER_MEMBERS + (group)*GROUP_MEMBERS + (id))
_Static_assert(COUNTER_MISC_END <= COUNTER_RULES, "no room for fixed counters");

/* ---- globals ---------------------------------------------------------------------------------- */

/* A register of an application: an element of MAP_GLOBALS.  Its index follows its name, so versions share it.  A line
 * of its own, because CPUs fight for it. */
struct global {
	__u64 value;
	__u64 lost; /* `G = max(G, x)` not made: other CPUs changed G at every try. */
	__u64 zero[6];
};
_Static_assert(sizeof(struct global) == 64, "bump MEALY_ABI_VERSION");

struct globals {
	struct global at[GLOBALS_MAX];
};

/* ---- events: ring buffer -> agent --------------------------------------------------------------- */

enum event_kind {
	EVENT_STATE = 1, /* `notify`: old_state -> new_state by rule. */
	EVENT_TIMEOUT,	 /* Fell by a timeout whose state says notify. */
	EVENT_TABLE_FULL,
	EVENT_PUNT, /* Packet bytes follow. */
};

enum { PUNT_BYTES_MAX = 2048, EVENT_WORDS_MAX = 32 };

struct event {
	__u16 kind;
	__u16 cpu;
	__u32 size;	/* Bytes in the ring, this header included. */
	__u64 sequence; /* Of this CPU; a gap is a loss. */
	__u64 time_ns;	/* On the switch's clock (CELL_NOW). */
	__u64 version;
	__u32 table; /* struct table.id. */
	__u32 slot;  /* Of the record, 0: none. */
	__u32 change;
	__u16 old_state;
	__u16 new_state;
	__u16 rule; /* RULES_ROOM: none. */
	__u8 hook;
	__u8 port;
	__u16 n_words;	   /* Of the record image, head included. */
	__u16 packet_size; /* EVENT_PUNT: bytes captured after the struct. */
	__u32 frame_size;  /* EVENT_PUNT: bytes of the whole frame. */
	__u32 zero;
	__u64 words[EVENT_WORDS_MAX];
};
_Static_assert(sizeof(struct event) == 64 + EVENT_WORDS_MAX * 8, "bump MEALY_ABI_VERSION");

/* Element 0 of `punt_limit`: a token bucket for packets to the controller. */
struct punt_limit {
	__u64 interval_ns; /* Between two packets. */
	__u64 burst_ns;	   /* Interval times burst. */
	__u64 next_ns;	   /* Theoretical arrival time (virtual scheduling). */
};

/* ---- ports ----------------------------------------------------------------------------------------- */

/* `port_of_ifindex`: direct-mapped by ifindex & (PORT_LINES - 1), then the hash map `port_hash`. */
enum { PORT_LINES = 1024 };
struct port_line {
	__u32 ifindex;
	__u32 port;
};
/* `ports`: by port number. */
struct port_info {
	__u32 ifindex;
	__u32 up;
};

/* ---- control program: commands as packet data of BPF_PROG_TEST_RUN ---------------------------------- */

enum control_op {
	CONTROL_EXPIRE = 1, /* Slots that may be due. */
	CONTROL_DELETE,	    /* By slot and change number (0: whatever it is now). */
	CONTROL_SET,	    /* Write state and registers under a key; creates. */
	CONTROL_RENUMBER,   /* States that are no longer known become the first state (frees). */
	CONTROL_COUNT,	    /* SET of an entry as it is: adds packets and bytes to its counters; never creates. */
};

enum { CONTROL_MAGIC = 0x4d4c5931, CONTROL_SLOTS_MAX = 128 };

enum control_result {
	CONTROL_NOTHING, /* Not due, or no such flow. */
	CONTROL_FREED,
	CONTROL_CHANGED, /* Fell to another state, or was written. */
	CONTROL_CREATED,
	CONTROL_FULL,
	CONTROL_AGAIN, /* Begun again too often: ask once more. */
};

struct control_item {
	__u32 slot;
	__u32 change;
};

/* The frame: an Ethernet header's 14 zero bytes and two of padding, then this. */
struct control {
	__u32 magic;
	__u32 op;
	__u32 table; /* Element of `tables`. */
	__u32 n;
	__u64 now_ns; /* 0: the clock. */
	__u32 freed;  /* Results, filled in. */
	__u32 changed;
	struct control_item item[CONTROL_SLOTS_MAX]; /* EXPIRE, DELETE; .slot becomes a control_result. */
	__u64 key[KEY_WORDS_MAX];		     /* SET */
	__u32 state;
	__u32 result;
	__u64 hard_ns; /* Entries: when the hard timeout is, on the switch's clock; 0: never. */
	__u64 registers[28];
};
enum { CONTROL_OFFSET = 16, CONTROL_FRAME_SIZE = CONTROL_OFFSET + sizeof(struct control) };

/* ---- map and program names (BPF keeps 15 characters) ------------------------------------------------ */

#define MAP_ACTIVE  "active"
#define MAP_CHAINS  "chains"
#define MAP_TABLES  "tables"
#define MAP_SCRATCH "scratch"
/* PROG_ARRAY[VERSIONS]: the first program of each version (the interpreter's entry, or a specialised one). */
#define MAP_ROOT_XDP	    "root_xdp"
#define MAP_ROOT_TC_INGRESS "root_tci"
#define MAP_ROOT_TC_EGRESS  "root_tce"
/* PROG_ARRAY[INTERP_MAX]: enum interp_prog. */
#define MAP_INTERP_XDP	      "interp_xdp"
#define MAP_INTERP_TC_INGRESS "interp_tci"
#define MAP_INTERP_TC_EGRESS  "interp_tce"
/* ARRAY_OF_MAPS[FLOW_TABLES_MAX] -> ARRAY mmapable of lines: RECORD_LINE_SIZE bytes an element, RECORD_LINES(class)
 * elements a record, so record s begins at byte s * RECORD_SIZE(class) of the mapping.  One kind of map for all record
 * sizes keeps the verifier from following each size on its own. */
#define MAP_RECORDS	    "records"
#define MAP_BUCKETS	    "buckets"	/* ARRAY_OF_MAPS -> ARRAY mmapable of struct bucket */
#define MAP_RETURNED	    "returned"	/* ARRAY_OF_MAPS -> QUEUE of slots */
#define MAP_FLOW_DESC	    "flow_desc" /* ARRAY[FLOW_TABLES_MAX] */
#define MAP_LOCKS	    "locks"
#define MAP_COUNTERS	    "counters"	/* PERCPU_ARRAY[COUNTERS] */
#define MAP_EVENTS	    "events"	/* RINGBUF */
#define MAP_EVENT_SEQ	    "event_seq" /* PERCPU_ARRAY[1] u64 */
#define MAP_WATCHER	    "watcher"	/* ARRAY[1] u32: the instance that counts failed redirects */
#define MAP_PUNT_LIMIT	    "punt_limit"
#define MAP_PORT_OF_IFINDEX "port_of_if"
#define MAP_PORT_HASH	    "port_hash"
#define MAP_PORTS	    "ports"
#define MAP_TX_PORTS	    "tx_ports"	    /* DEVMAP by port number */
#define MAP_GLOBALS	    ".data.globals" /* ARRAY[1] of struct globals, mmapable */
#define MAP_GROUPS	    ".data.groups"  /* ARRAY[1] of struct groups, mmapable */
#define MAP_METERS	    ".data.meters"  /* ARRAY[1] of struct meters, mmapable */
#define MAP_MATCH	    "match"	    /* ARRAY[FLOW_TABLES_MAX] of struct match_desc, mmapable */
#define MAP_SEGMENTS	    "segments"	    /* ARRAY[1] of struct segment_lists, mmapable */
#define MAP_TEMPLATES	    "templates"	    /* ARRAY[TEMPLATE_ELEMENTS], mmapable */
#define MAP_CLOCK	    "test_clock"    /* ARRAY[1] struct test_input; read when switch_config says so */
#define MAP_GRACE	    "grace"	    /* ARRAY_OF_MAPS[1]: an update waits for a grace period */

/* INTERP_MATCH finds the entry's key before INTERP_TABLE, INTERP_LEARN writes other tables' records after it;
 * INTERP_PACKET makes one big step for INTERP_ACTION. */
enum interp_prog { INTERP_ENTRY, INTERP_TABLE, INTERP_ACTION, INTERP_MATCH, INTERP_LEARN, INTERP_PACKET, INTERP_MAX };

/* PROG_ARRAY[SPECIAL_PROGRAMS] of a hook and a version's slot: the programs of each table, specialised or the
 * interpreter's.  Programs compiled around a table know it as MAP_SPECIAL. */
#define MAP_SPECIAL		   "special"
#define MAP_SPECIAL_XDP0	   "special_xdp0"
#define MAP_SPECIAL_XDP1	   "special_xdp1"
#define MAP_SPECIAL_TC_INGRESS0	   "special_tci0"
#define MAP_SPECIAL_TC_INGRESS1	   "special_tci1"
#define MAP_SPECIAL_TC_EGRESS0	   "special_tce0"
#define MAP_SPECIAL_TC_EGRESS1	   "special_tce1"
#define SPECIAL_INDEX(table, prog) ((table)*INTERP_MAX + (prog))
enum { SPECIAL_PROGRAMS = HOOK_TABLES_MAX * INTERP_MAX };

/* Programs of the object.  Per hook: root, entry, table, action, match, learn, packet, e.g. "xdp_root", "tci_table",
 * "tce_action". */
#define PROG_CONTROL "control" /* XDP type; run with BPF_PROG_TEST_RUN on struct control. */

/* What tests supply instead of the world. */
struct test_input {
	__u64 now_ns;
	__u64 random; /* State of the generator: each draw advances it (splitmix64, Steele, Lea and Flood 2014). */
};

/* Read-only data, set before the load (object.h). */
struct switch_config {
	__u32 test_clock;    /* 1: time and random come from MAP_CLOCK. */
	__u32 fault_verdict; /* VERDICT_PASS or VERDICT_DROP, for packets that meet a fault: no program, no table,
				budget, ... */
	__u64 netns_cookie;  /* Of the network namespace that the ports are in; 0: not known, nothing is watched. */
	__u32 instance;	     /* Number of this load; the one in MAP_WATCHER counts failed redirects. */
	__u32 zero;
};

#endif
