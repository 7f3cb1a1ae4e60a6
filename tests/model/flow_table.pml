/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol of the flow table (datapath/flow_table.h), step by step as the code takes them; check.py says which
 * sizes, features and mutants (M_...) are checked.  Numbers in comments are the lines of the protocol there.
 *
 * One step is at most one access to memory that the lock held does not protect.  What is done under a lock is one step
 * when it has one such access, and two or more with the lock held between them when it has more.  README.md says what
 * is left out, and why that hides no error. */

#ifndef CPUS
#define CPUS 2
#endif
#ifndef PACKETS
#define PACKETS 2 /* Of each CPU but the first. */
#endif
#ifndef PACKETS_FIRST
#define PACKETS_FIRST PACKETS
#endif
#ifndef KEYS
#define KEYS 2
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef ENTRIES
#define ENTRIES 2 /* Of a line. */
#endif
#ifndef CHAINS
#define CHAINS 1
#endif
#ifndef LINES
#define LINES CHAINS /* Heads first, then overflow lines. */
#endif
#ifndef EXPIRES
#define EXPIRES 0 /* Flows that the control program deletes, one after the other. */
#endif
#ifndef DUMPS
#define DUMPS 0 /* Records that user space copies. */
#endif

#define HEAD(k)	    (((k) - 1) % CHAINS)
#define CHAIN_OF(a) (((a) / ENTRIES) % CHAINS)

/* What the maps hold.  A slot or a line of 0 is none; entry a lies in line a / ENTRIES. */
byte entry[LINES * ENTRIES];
byte version[CHAINS];
byte next[LINES];
byte lines_taken = CHAINS;
byte key[SLOTS + 1];
bool alive[SLOTS + 1];
byte value[SLOTS + 1]; /* The register: frames counted since the flow began. */
bool due[SLOTS + 1];   /* Its deadline is over.  Time passes in Control(). */
byte change[SLOTS + 1];
bool unused[SLOTS + 1]; /* The queue of returned slots and those never taken. */
bool head_lock[CHAINS];
bool slot_lock[SLOTS + 1];

/* What ought to be: frames counted for a key since its flow began, 0: there is none. */
byte truth[KEYS + 1];
byte running;
#ifdef SCOPES
byte wanted[CPUS]; /* Key that a CPU looks up, and ... */
bool gap[CPUS];	   /* ... there was no such flow at some time since it began to. */
#endif
#if DUMPS
byte watch_slot, watch_key, watch_value; /* The copy of the dump, and ... */
bool watch_true;			 /* ... at some time since it was taken it was a flow's record. */
#endif

/* ---- what is claimed ------------------------------------------------------------------------------------- */

/* Entries that name 's' and that a scan reaches. */
inline count_names(s, n, line, i)
{
	n = 0;
	line = HEAD(key[s]);
	i = 0;
	do
	:: i == ENTRIES && next[line] -> line = next[line]; i = 0
	:: i == ENTRIES && !next[line] -> break
	:: i < ENTRIES -> n = n + (entry[line * ENTRIES + i] == s); i++
	od
}

hidden byte c_slot, c_names, c_line, c_i, c_live[KEYS + 1];

/* I2: at most one live record of a key that an entry names. */
inline assert_one_live(k)
{
	c_live[k] = 0;
	c_slot = 1;
	do
	:: c_slot > SLOTS -> break
	:: c_slot <= SLOTS && alive[c_slot] && key[c_slot] == k ->
		count_names(c_slot, c_names, c_line, c_i);
		c_live[k] = c_live[k] + (c_names > 0);
		c_slot++
	:: else -> c_slot++
	od;
	assert(c_live[k] <= 1)
}

/* I3: who gives a slot back leaves no entry that names it, and it was not free. */
inline assert_given_back(s)
{
	assert(!unused[s]);
	c_i = 0;
	do
	:: c_i == LINES * ENTRIES -> break
	:: else -> assert(entry[c_i] != s); c_i++
	od
}

/* When all have come to rest: each slot is free, or one entry names it and its record is right; no flow is lost. */
inline assert_books()
{
	c_live[0] = 0;
	c_slot = 1;
	do
	:: c_slot > SLOTS -> break
	:: else ->
		count_names(c_slot, c_names, c_line, c_i);
		if
		:: unused[c_slot] -> assert(c_names == 0 && !alive[c_slot])
		:: else ->
			assert(c_names == 1 && alive[c_slot] && value[c_slot] == truth[key[c_slot]]);
			c_live[0] = c_live[0] + 1
		fi;
		c_slot++
	od;
	c_i = 1;
	do
	:: c_i > KEYS -> break
	:: else -> c_live[0] = c_live[0] - (truth[c_i] > 0); c_i++
	od;
	assert(c_live[0] == 0);
	c_slot = 0; c_names = 0; c_line = 0; c_i = 0
}

/* A frame was counted in record 's', meant for key 'k'. */
inline ghost_count(s, k)
{
	truth[k]++;
	assert(key[s] == k && value[s] == truth[k])
}

/* The flow of key 'k' ends, in record 's'. */
inline ghost_end(s, k)
{
	assert(key[s] == k && value[s] == truth[k] && truth[k] > 0);
	truth[k] = 0;
	ghost_gap(k)
}

inline ghost_gap(k)
{
#ifdef SCOPES
	c_i = 0;
	do
	:: c_i == CPUS -> break
	:: c_i < CPUS && wanted[c_i] == k -> gap[c_i] = true; c_i++
	:: else -> c_i++
	od;
	c_i = 0
#else
	skip
#endif
}

inline ghost_publish(s, k)
{
	assert(truth[k] == 0);
	truth[k] = value[s];
	assert_one_live(k);
#if DUMPS
	if
	:: watch_slot == s && watch_key == k && watch_value == value[s] -> watch_true = true
	:: else
	fi
#endif
}

/* ---- parts of the protocol ------------------------------------------------------------------------------- */

/* A record is written in one step, or word by word where somebody reads without a lock.  The lock is held. */
#if DUMPS
#ifdef M_CHANGE_LATE
#define WRITE_BEGIN(s) skip
#define WRITE_END(s)   change[s] = change[s] + 2
#else
#define WRITE_BEGIN(s) change[s]++
#define WRITE_END(s)   change[s]++
#endif
#define ONE_STEP
#else
#define WRITE_BEGIN(s) skip
#define WRITE_END(s)   skip
#define ONE_STEP       atomic
#endif

/* F1 under the slot's lock, as the caller names it. */
#ifdef M_F1_NO_ALIVE
#define F1_ALIVE(s) true
#else
#define F1_ALIVE(s) alive[s]
#endif
#ifdef M_F1_NO_KEY
#define F1_KEY(s, k) true
#else
#define F1_KEY(s, k) (key[s] == k)
#endif
#ifdef M_F1_NO_NAME
#define F1_NAME(s, a) true
#else
#define F1_NAME(s, a) (entry[a] == s)
#endif
#define F1(s, k, a) (F1_ALIVE(s) && F1_KEY(s, k) && F1_NAME(s, a))
#ifdef M_FREE_NO_ALIVE
#define FREE_ALIVE(s) true
#else
#define FREE_ALIVE(s) alive[s]
#endif
#ifdef M_FREE_NO_KEY
#define FREE_KEY(s, k) true
#else
#define FREE_KEY(s, k) (key[s] == k)
#endif
#ifdef M_FREE_NO_NAME
#define FREE_NAME(s, a) true
#else
#define FREE_NAME(s, a) (entry[a] == s)
#endif
#define FREE_F1(s, k, a) (FREE_ALIVE(s) && FREE_KEY(s, k) && FREE_NAME(s, a))

/* 14. */
inline give_back(s)
{
	d_step { assert_given_back(s); unused[s] = true; c_i = 0 }
}

/* 13: 'a' no longer names 's'. */
inline clear(a, s)
{
	d_step {
		!head_lock[CHAIN_OF(a)];
		if
		:: entry[a] == s ->
#ifdef M_COMPACT
			entry[a] = entry[(a / ENTRIES) * ENTRIES + ENTRIES - 1];
			entry[(a / ENTRIES) * ENTRIES + ENTRIES - 1] = 0
#else
			entry[a] = 0
#endif
		:: else
		fi
	}
}

/* 13 and 14. */
inline release(a, s)
{
#ifdef M_GIVE_EARLY
	give_back(s);
	clear(a, s)
#else
	clear(a, s);
	give_back(s)
#endif
}

/* The second half of 12, in the lock: the record dies, the lock is left. */
inline end_record(s, k)
{
	ONE_STEP {
		WRITE_BEGIN(s);
		atomic { alive[s] = false; ghost_end(s, k) };
		WRITE_END(s);
		slot_lock[s] = false
	}
}

/* 12 to 14 on the flow of key 'k' that entry 'a' names by 's'; 'asks_due': only if it is due, seen under the lock.
 * 'is_due': this must be so. */
inline free_flow(a, s, k, asks_due, is_due, freed)
{
	atomic {
		!slot_lock[s];
		freed = FREE_F1(s, k, a) && (!(asks_due) || due[s]);
		if
		:: freed -> assert(!(is_due) || due[s]); slot_lock[s] = true
		:: else
		fi
	};
	if
	:: freed -> end_record(s, k); release(a, s)
	:: else
	fi
}

/* ---- a CPU that runs packets ----------------------------------------------------------------------------- */

inline choose_key(k)
{
	if
	:: k = 1
#if KEYS > 1
	:: k = 2
#endif
#if KEYS > 2
	:: k = 3
#endif
	fi
}

inline choose_slot(s)
{
	s = 1;
	do
	:: s < SLOTS -> s++
	:: break
	od
}

proctype Cpu(byte me)
{
	byte left = (me == 0 -> PACKETS_FIRST : PACKETS);
	byte k;	      /* Key of the packet. */
	byte a, s, v; /* Place: entry, slot, version. */
	byte n;	      /* A slot taken; a line taken. */
	bool ends;    /* The packet's rule ends the flow, instead of counting. */
	bool flag;
	byte vk;      /* Key of a victim, ... */
	bool was_due; /* ... which was due when looked at. */
#ifdef SCOPES
	byte u;	      /* Key of the update scope. */
	bool deciding; /* The first phase, under the lookup key. */
#endif

packet:
	atomic {
		a = 0; s = 0; v = 0; n = 0; ends = false; flag = false; vk = 0; was_due = false;
		if
		:: left == 0 -> k = 0; goto done
		:: else -> left--
		fi;
		choose_key(k);
#ifdef SCOPES
		choose_key(u);
		deciding = true;
		wanted[me] = k;
#endif
#ifdef ENDS
		if
		:: ends = false
		:: ends = true
		fi
#endif
	}

begin: /* 1 */
	atomic {
		a = HEAD(k) * ENTRIES; s = 0; n = 0; flag = false; vk = 0; was_due = false;
#ifndef M_VERSION_LATE
		v = version[HEAD(k)];
#endif
#ifdef SCOPES
		gap[me] = truth[k] == 0;
#endif
	}

scan: /* 2 */
	atomic {
		s = entry[a];
		if
		:: s == 0 -> goto scanned
		:: else
		fi
	};
	if
	:: key[s] == k -> goto found
	:: else -> s = 0
	fi;
scanned:
	atomic {
		if
		:: a % ENTRIES < ENTRIES - 1 -> a++; goto scan
		:: a % ENTRIES == ENTRIES - 1 && next[a / ENTRIES] -> a = next[a / ENTRIES] * ENTRIES; goto scan
		:: else
		fi
	};
#ifdef M_VERSION_LATE
	v = version[HEAD(k)];
#endif
	goto missing;

found: /* 3 to 6 */
	atomic {
		!slot_lock[s];
#ifdef SCOPES
		if
#ifdef M_SCOPE_NO_F1
		:: deciding ->
#else
		:: deciding && F1(s, k, a) ->
#endif
			assert(alive[s] && key[s] == k && value[s] == truth[k]);
			goto second
		:: else
		fi;
#endif
		if
#ifdef M_UPDATE_UNLOCKED
		:: F1(s, k, a) && !ends -> goto unlocked
#else
		:: F1(s, k, a) && !ends -> slot_lock[s] = true; goto update
#endif
		:: F1(s, k, a) && ends -> slot_lock[s] = true
		:: !F1(s, k, a) && !alive[s] -> goto help
		:: else -> goto begin
		fi
	};
	end_record(s, k);
	release(a, s);
	goto packet;

#ifdef M_UPDATE_UNLOCKED
unlocked:
	atomic { true };
#endif
update: /* 5.  A flow that is due has fallen: it begins anew in its record. */
	ONE_STEP {
		WRITE_BEGIN(s);
		atomic {
			if
			:: due[s] -> value[s] = 1; truth[k] = 0; due[s] = false
			:: else -> value[s] = value[s] + 1
			fi;
			ghost_count(s, k)
		};
		WRITE_END(s);
		slot_lock[s] = false
	};
	goto packet;

help: /* 15 */
#ifdef M_NO_HELP
	goto begin;
#endif
	atomic {
		!head_lock[CHAIN_OF(a)];
		if
#ifdef M_HELP_NO_ALIVE
		:: entry[a] == s -> head_lock[CHAIN_OF(a)] = true
#else
		:: entry[a] == s && !alive[s] -> head_lock[CHAIN_OF(a)] = true
#endif
		:: else -> goto begin
		fi
	};
	atomic { entry[a] = 0; head_lock[CHAIN_OF(a)] = false };
	goto begin;

missing:
#ifdef SCOPES
	atomic {
		if
		:: deciding -> assert(gap[me]); goto second
		:: else
		fi
	};
#endif
	atomic {
		if
		:: ends -> goto packet /* Nothing to end. */
		:: else -> a = HEAD(k) * ENTRIES
		fi
	};

hole: /* The first hole, without lock. */
	atomic {
		if
		:: entry[a] == 0 -> goto take
		:: entry[a] && a % ENTRIES < ENTRIES - 1 -> a++; goto hole
		:: else
		fi
	};
	atomic {
		if
		:: next[a / ENTRIES] -> a = next[a / ENTRIES] * ENTRIES; goto hole
		:: else
		fi
	};
	if
	:: lines_taken >= LINES -> goto no_room
	:: else
	fi;

	/* 11 */
#ifdef M_LINK_UNLOCKED
	atomic { n = lines_taken; lines_taken++; if :: n >= LINES -> lines_taken--; goto no_room :: else fi };
	atomic { next[a / ENTRIES] = n; goto begin };
#else
	atomic {
		!head_lock[HEAD(k)];
		if
#ifdef M_LINK_NO_CHECK
		:: true -> head_lock[HEAD(k)] = true
#else
		:: version[HEAD(k)] == v && !next[a / ENTRIES] -> head_lock[HEAD(k)] = true
#endif
		:: else -> goto begin
		fi
	};
	atomic {
		n = lines_taken;
		if
		:: n >= LINES -> head_lock[HEAD(k)] = false; goto no_room
		:: else -> lines_taken++
		fi
	};
	atomic { next[a / ENTRIES] = n; head_lock[HEAD(k)] = false; goto begin };
#endif

take: /* 7: any one. */
	atomic {
		if
		:: unused[1] -> n = 1
#if SLOTS > 1
		:: unused[2] -> n = 2
#endif
#if SLOTS > 2
		:: unused[3] -> n = 3
#endif
#if SLOTS > 3
		:: unused[4] -> n = 4
#endif
		:: else -> goto no_room
		fi;
		unused[n] = false
	};

fill: /* 8 */
	atomic { !slot_lock[n]; slot_lock[n] = true };
#if DUMPS
	WRITE_BEGIN(n);
	alive[n] = true;
	key[n] = k;
	atomic { value[n] = 1; due[n] = false };
	WRITE_END(n);
	slot_lock[n] = false;
#else
	alive[n] = true;
	atomic { key[n] = k; value[n] = 1; due[n] = false; slot_lock[n] = false };
#endif

	/* 9, 10 */
#ifdef M_PUBLISH_UNLOCKED
	atomic {
		if
		:: version[HEAD(k)] == v && !entry[a]
		:: else -> goto retract
		fi
	};
	d_step { entry[a] = n; ghost_publish(n, k) };
	version[HEAD(k)] = v + 1;
	goto packet;
#endif
	atomic {
		!head_lock[HEAD(k)];
		if
#ifdef M_VERSION_IGNORED
		:: !entry[a] -> head_lock[HEAD(k)] = true
#else
		:: version[HEAD(k)] == v && !entry[a] -> head_lock[HEAD(k)] = true
#endif
		:: else -> goto retract
		fi
	};
#ifdef M_VERSION_EARLY
	version[HEAD(k)]++;
	d_step { entry[a] = n; ghost_publish(n, k) };
	atomic { head_lock[HEAD(k)] = false; goto packet };
#else
	d_step { entry[a] = n; ghost_publish(n, k) };
	atomic { version[HEAD(k)]++; head_lock[HEAD(k)] = false; goto packet };
#endif

retract: /* 9 */
#ifndef M_NO_RETRACT
	atomic { !slot_lock[n]; alive[n] = false };
#endif
	give_back(n);
	goto begin;

no_room: /* A flow of any line that is due, else, where the table evicts, any. */
#ifdef MAKES_ROOM
	atomic {
		a = 0;
		do
		:: a < LINES * ENTRIES - 1 -> a++
		:: break
		od;
		s = entry[a];
		if
		:: s == 0 -> goto packet /* Full: the packet leaves uncounted. */
		:: else -> was_due = due[s]
		fi
	};
#ifndef EVICTS
	atomic {
		if
		:: !was_due -> goto packet
		:: else
		fi
	};
#endif
	vk = key[s];
#ifdef M_ROOM_NOT_WANTED
	free_flow(a, s, vk, false, was_due, flag);
#else
	free_flow(a, s, vk, was_due, was_due, flag);
#endif
	atomic {
		if
		:: flag -> goto begin
		:: else -> goto packet
		fi
	};
#else
	goto packet;
#endif

#ifdef SCOPES
second: /* The same again under the key of the update scope. */
	atomic { deciding = false; wanted[me] = 0; k = u; u = 0; goto begin };
#endif

done:
	atomic {
		running--;
		if
		:: running == 0 -> assert_books()
		:: else
		fi
	}
}

/* ---- the control program: expires or deletes ------------------------------------------------------------- */

proctype Control()
{
	byte left = EXPIRES;
	byte s, k, a;
	bool flag;

again:
	atomic {
		s = 0; k = 0; a = 0; flag = false;
		if
		:: left == 0 -> goto done
		:: else -> left--
		fi;
		choose_slot(s);
#ifdef DUE
		due[s] = due[s] || alive[s]; /* Time passes. */
#endif
	};
	atomic {
		k = key[s];
		if
		:: k == 0 -> goto again /* Never taken. */
		:: else -> a = HEAD(k) * ENTRIES
		fi
	};
search:
	atomic {
		if
		:: entry[a] == s -> goto free
		:: entry[a] != s && a % ENTRIES < ENTRIES - 1 -> a++; goto search
		:: else
		fi
	};
	atomic {
		if
		:: next[a / ENTRIES] -> a = next[a / ENTRIES] * ENTRIES; goto search
		:: else -> goto again
		fi
	};
free:
#ifdef DUE
#ifdef M_EXPIRE_NOT_WANTED
	free_flow(a, s, k, false, true, flag);
#else
	free_flow(a, s, k, true, true, flag);
#endif
#else
	free_flow(a, s, k, false, false, flag);
#endif
	goto again;

done:
	atomic {
		running--;
		if
		:: running == 0 -> assert_books()
		:: else
		fi
	}
}

/* ---- user space reads a record --------------------------------------------------------------------------- */

#if DUMPS
proctype Dump()
{
	byte left = DUMPS;
	byte s, c, k, a, w;
	bool is_alive;

again:
	atomic {
		s = 0; k = 0; a = 0; w = 0; is_alive = false;
		watch_slot = 0; watch_key = 0; watch_value = 0; watch_true = false;
		if
		:: left == 0 -> goto done
		:: else -> left--
		fi;
		choose_slot(s);
		c = change[s];
#ifndef M_DUMP_ODD
		if
		:: c % 2 -> goto again
		:: else
		fi
#endif
	};
	is_alive = alive[s];
	k = key[s];
	w = value[s];
	atomic {
#ifndef M_DUMP_NO_CHANGE
		if
		:: change[s] != c -> goto again
		:: else
		fi;
#endif
		if
		:: !is_alive || !k -> goto again
		:: else
		fi;
		watch_slot = s; watch_key = k; watch_value = w;
		count_names(s, c_names, c_line, c_i);
		watch_true = alive[s] && key[s] == k && value[s] == w && c_names;
		c_names = 0; c_line = 0; c_i = 0;
		a = HEAD(k) * ENTRIES
	};
#ifdef M_DUMP_NO_NAME
	goto named;
#endif
search:
	atomic {
		if
		:: entry[a] == s -> goto named
		:: entry[a] != s && a % ENTRIES < ENTRIES - 1 -> a++; goto search
		:: else
		fi
	};
	atomic {
		if
		:: next[a / ENTRIES] -> a = next[a / ENTRIES] * ENTRIES; goto search
		:: else -> goto again
		fi
	};
named: /* The name may be that of the slot's next owner. */
	atomic {
#if !defined(M_DUMP_NO_SECOND_LOOK) && !defined(M_DUMP_NO_CHANGE)
		if
		:: change[s] != c -> goto again
		:: else
		fi;
#endif
		assert(watch_true);
		goto again
	};
done:
	atomic {
		running--;
		if
		:: running == 0 -> assert_books()
		:: else
		fi
	}
}
#endif

init
{
	atomic {
		byte i;

		i = 1;
		do
		:: i > SLOTS -> break
		:: else -> unused[i] = true; i++
		od;
#ifdef BEGUN /* One flow is there already. */
		unused[1] = false;
		key[1] = 1;
		value[1] = 1;
		alive[1] = true;
		entry[0] = 1;
		truth[1] = 1;
#endif
		running = CPUS + (EXPIRES > 0) + (DUMPS > 0);
		i = 0;
		do
		:: i == CPUS -> break
		:: else -> run Cpu(i); i++
		od;
		i = 0;
#if EXPIRES
		run Control();
#endif
#if DUMPS
		run Dump();
#endif
	}
}
