/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scratch - what one packet carries through the tail calls of one run of a hook.
 *
 * One element per CPU and hook (XDP, tc ingress, tc egress, control), because a run of one hook
 * may interrupt or nest in a run of another.  User space never sees it; it has no ABI. */
#ifndef MEALY_SCRATCH_H
#define MEALY_SCRATCH_H

#include "pipeline.h"

/* BASE_ROOM: a power of two, so that a mask keeps an index in bounds. */
enum { NOTES_MAX = FALLS_MAX + 2, BASE_ROOM = 16 };

/* An event decided under the lock and sent after it. */
struct note {
	__u16 kind;
	__u16 old_state, new_state;
	__u16 rule;
};

/* What a search of the flow table found: numbers only, no pointers, so that the cold paths (which
 * are functions of their own) can go on from it. */
struct place {
	__u32 hash;
	__u32 head;    /* Line of the bucket that begins the chain. */
	__u32 version; /* Of the chain, read before the scan. */
	__u32 slot;    /* Of the record found; 0: none. */
	__u32 line;    /* Line and entry that name it. */
	__u32 entry;
};

/* Flows that may give room; in memory for the verifier's sake, as below. */
struct victims {
	struct place at;	  /* Being looked at. */
	struct place due, oldest; /* .slot 0: none. */
	__u64 last_used_ns;	  /* Of the oldest. */
};

/* What the control program is asked to do with one slot. */
struct control_work {
	__u32 op; /* enum control_op */
	__u32 slot;
	__u32 change;
	__u64 hard_ns; /* CONTROL_SET of an entry. */
};

/* What became of the flow being worked on.  Here and not in registers, because the verifier would follow each
 * combination on its own. */
enum was {
	WAS_FOUND = 1,	 /* There is a record, fallen or not. */
	WAS_FRESH = 2,	 /* The flow is in the first state for lack of a record, or fell there. */
	WAS_FOREIGN = 4, /* Its state is of another version: left alone, unless the rule writes. */
	WAS_FELL = 8,	 /* By a timeout. */
	WAS_OVER = 16,	 /* Freed by this packet. */
};

/* What flow_free.h is asked to do with one flow, and the updates that it makes on the way. */
struct free_work {
	struct place at;
	__u32 why;    /* enum free_why */
	__u32 change; /* FREE_DELETE: only if it is the flow's change number; 0: anyway. */
	__u64 now;
	__u32 next_op, n_ops; /* Updates still to make by the state that the flow leaves ... */
	__u32 leaving;	      /* ... 1: by the timeout of 'when' to 'to'. */
	__u32 to;
	__u64 when;
	__u32 updated; /* 1: registers changed too. */
	__u32 ended;   /* 1: the flow fell to the first state. */
};

/* Records that `allocate` makes for others; see learn.h. */
struct claim_work {
	__u32 want;    /* INTERP_LEARN is to claim for this rule, plus 1; 0: nothing to claim. */
	__u32 slot;    /* Claimed for this packet and not yet bound to its flow; 0: none. */
	__u32 rule;    /* ... by this rule, plus 1, */
	__u32 change;  /* ... when the flow had this change number. */
	__u32 held;    /* Slot that the flow let go. */
	__u32 fault;   /* Reason to leave by once 'slot' is given back. */
	__u32 release; /* What claim_release() frees. */
	__u32 left;    /* What an attempt left for learn_help(). */
	__u32 from;    /* Table whose rule writes another's record ... */
	__u32 learn;   /* ... as this element of its learns says. */
	struct place at;
	__u64 key[KEY_WORDS_MAX];
	/* What the try of `do` changed, as it was: the flow's image, and the cell of the global it wrote. */
	__u64 image[EVENT_WORDS_MAX];
	__u64 global_was;
	__u8 global_cell;
};

struct scratch {
	__u64 cells[CELLS];
	__u16 off[BASE_ROOM]; /* Where each header begins in the frame; valid if present. */
	__u32 slot;	      /* Of the version: 0 or 1. */
	__u32 hook;	      /* enum hook_id. */
	__u32 port;	      /* Of the hook: in_port, at egress out_port. */
	__u32 table;	      /* 0..HOOK_TABLES_MAX - 1, the one to run. */
	__u32 app;	      /* The application being run. */
	__u32 restarts;	      /* Used of RESTARTS_MAX ... */
	__u32 catch_ups;      /* ... and of CATCH_UPS_MAX. */
	__u32 tails;	      /* Tail calls used since the root's. */
	__u32 phase;	      /* 0: decide (and apply); 1: apply to the update scope. */
	__u32 keyed;	      /* 1: INTERP_MATCH has prepared the table and made its key. */
	__u32 again;	      /* 1: the table is begun again; what needs no record is done. */
	__u32 global_done;    /* The global that this table has written for the packet, plus 1; 0: none ... */
	__u64 global_value;   /* ... and what it made of it. */
	__u32 rule;	      /* Chosen. */
	__u32 step;	      /* Of the rule's steps, the next one. */
	__u32 in_copy;	      /* 1: a copy is being sent, and may come by here. */
	__u32 away_size;      /* Bytes of the packet put away in 'punt' ... */
	__u32 away_tpid;      /* ... and its tag beside it, 0: none. */
	__u32 away_tci;
	__u32 base; /* First cell of the image being worked on: CELL_LOOKUP or CELL_UPDATE. */
	__u32 was;  /* Bits of enum was. */
	__u64 now;  /* The time of the flow being worked on. */
	struct free_work free;
	struct claim_work claim;
	/* INTERP_MATCH: the packet's key, the masked key of the best entry so far, and its rank. */
	__u64 match_key[KEY_WORDS_MAX], match_best[KEY_WORDS_MAX];
	__u64 match_rank;
	__u32 match_half;  /* Of the masks, read once. */
	__u32 match_mask;  /* Element being tried. */
	__u32 match_found; /* 1: match_best is an entry's. */
	/* The packet's segment list as on the wire, and its fingerprint; 0: nobody knows such a list. */
	__u64 segment_word[2 * SEGMENTS_MAX];
	__u64 segments;
	__u32 n_segments;
	__u32 n_notes;
	struct note note[NOTES_MAX];
	struct place place;
	struct victims victims;
	struct control_work work;
	__u32 record_slot;		  /* Of the update record, 0: none; for events. */
	__u32 punt_size;		  /* Bytes captured in 'punt'. */
	__u64 fallen[EVENT_WORDS_MAX];	  /* Image of the record before a timeout that notifies. */
	__u64 timeout[CELLS];		  /* The cells of a state's on_timeout. */
	__u64 vars[CELL_META - CELL_VAR]; /* The variables before a creation that may begin again. */
	struct event event;		  /* Built here, then copied to the ring ... */
	__u8 punt[PUNT_BYTES_MAX];	  /* ... with the packet behind it. */
};

#endif
