/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `allocate` (datapath/learn.h, flow_claim.h): packets that claim a value of a range for their flow, by creating the record
 * of another table.
 *
 * Creating, freeing and changing one record are whole steps here: flow_table.pml shows that they may be taken so.  What is
 * looked at is what lies between them, where other CPUs and the control program may be.  Mutants: M_... */

#ifndef CPUS
#define CPUS 2
#endif
#ifndef PACKETS
#define PACKETS 2
#endif
#define KEYS   2
#define VALUES 2
#ifndef EXPIRES
#define EXPIRES 1
#endif
#define NONE 0

/* Claimers, by key (their slots are as good as their keys), and the value their record names. */
bool live[KEYS + 1];
byte names[KEYS + 1];
byte change[KEYS + 1]; /* Goes on with every write, and over the life of a flow. */
bool aged[KEYS + 1];   /* The state in which a rule claims anew. */
/* Claimed records, by value, and whom they lead back to. */
bool held[VALUES + 1];
byte leads[VALUES + 1];
byte running;

inline assert_books(k, v)
{
	k = 1;
	do
	:: k > KEYS -> break
	:: k <= KEYS && live[k] ->
		assert(names[k] != NONE && held[names[k]]);  /* What a flow names is there ... */
		assert(leads[names[k]] == k);                /* ... and is its own. */
		k++
	:: else -> k++
	od;
	v = 1;
	do
	:: v > VALUES -> break
	:: v <= VALUES && held[v] -> assert(live[leads[v]] && names[leads[v]] == v); v++ /* Nothing is lost. */
	:: else -> v++
	od;
	k = 0;
	v = 0
}

/* Frees the claimed record: only who took its name out of a flow's record, or never put it in, may. */
inline release(v)
{
	d_step {
		assert(held[v]);
		held[v] = false;
		leads[v] = NONE
	}
}

/* A value that nobody holds, for key k; NONE: all tries failed. */
inline take(k, v)
{
	if
	:: atomic { !held[1] -> held[1] = true; leads[1] = k; v = 1 }
	:: atomic { !held[2] -> held[2] = true; leads[2] = k; v = 2 }
	:: v = NONE
	fi
}

proctype Cpu()
{
	byte left = PACKETS;
	byte k, v, old, saw;
	bool was, ends;

	do
	:: left == 0 -> break
	:: left > 0 ->
		left--;
		v = NONE;
		old = NONE;
		if
		:: k = 1
		:: k = 2
		fi;
		if
		:: ends = true
		:: ends = false
		fi;
again:		/* What the table decides on: a flow that is new or aged claims. */
		atomic { was = live[k]; saw = change[k] };
		if
		:: !was && ends -> goto done /* Nothing to end. */
		:: !was || (was && aged[k] && !ends) ->
			if
			:: v == NONE -> take(k, v)
			:: else
			fi;
			if
			:: v == NONE -> goto done /* else: */
			:: else
			fi
		:: else
		fi;
		/* The decision again, under the lock, and what was claimed for it. */
		atomic {
			if
			:: v != NONE && !ends && (live[k] != was || change[k] != saw) ->
				/* Another packet was faster: key and values were made for what the flow was. */
				goto give_back
			:: !live[k] && !ends && v != NONE ->
				live[k] = true;
				names[k] = v;
				aged[k] = false;
				change[k]++;
				v = NONE
			:: live[k] && !ends && v != NONE ->
#ifndef M_OLD_LOST
				old = names[k];
#endif
				names[k] = v;
				aged[k] = false;
				change[k]++;
				v = NONE
			:: live[k] && ends ->
				live[k] = false;
				old = names[k];
				change[k]++
			:: else -> skip
			fi
		};
		goto behind;
give_back:
#ifndef M_KEEP
		release(v);
#endif
		v = NONE;
		goto again;
behind:
		if
		:: old != NONE -> release(old); old = NONE
		:: else
		fi;
		if
		:: v != NONE -> release(v); v = NONE
		:: else
		fi;
done:		skip
	od;
	running--
}

/* The agent's scan: flows age, end, and take along what they hold. */
proctype Control()
{
	byte left = EXPIRES, k, old;

	do
	:: left == 0 -> break
	:: left > 0 ->
		left--;
		if
		:: k = 1
		:: k = 2
		fi;
		if
		:: atomic { live[k] -> aged[k] = true; change[k]++ }
		:: old = NONE;
#ifdef M_HOLDER_FIRST
			d_step { old = (live[k] -> names[k] : NONE) };
			if
			:: old != NONE -> release(old)
			:: else
			fi;
			atomic {
				if
				:: live[k] -> live[k] = false; change[k]++
				:: else
				fi
			}
#else
			atomic {
				if
				:: live[k] -> live[k] = false; old = names[k]; change[k]++
				:: else
				fi
			};
			if
			:: old != NONE -> release(old)
			:: else
			fi
#endif
#ifdef M_ALONE
		:: atomic { held[k] -> held[k] = false; leads[k] = NONE }
#endif
		:: skip
		fi
	od;
	running--
}

init
{
	byte k, v;

	atomic {
		running = CPUS + 1;
		run Cpu();
		run Cpu();
#if CPUS > 2
		run Cpu();
#endif
		run Control()
	};
	running == 0;
	assert_books(k, v)
}
