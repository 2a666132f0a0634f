/* SPDX-License-Identifier: GPL-2.0 */
/*
 * protocol.pml - RESTRICT, calls, mapping, death, revocation and close at once
 *
 * A model, for Spin, of module/file.c, record.c, watch.c and revoke.c; names are those of the code.
 * A domain dies at any time, and its number is given to a new domain at any time
 * after that. Four scenes: SCENE 1 is RESTRICT, twice at once, among calls; 2 is
 * the end of a domain among calls and a mapping; 3 has two open files, of which
 * one may get what the other was bound to; 4 has two files of one domain, which
 * both map while it ends. A close follows, and ends each; whoever waits killably
 * may be killed.
 *
 * A section under a mutex in which nothing waits is one step. Not in the model:
 * weak memory ordering (Spin's memory is sequentially consistent), a XenStore
 * that is too slow for RESTRICT to wait for it, and user memory.
 *
 * Each property is an assertion, marked P. Each of the macros BROKEN_... takes
 * one step of the protocol away, which has to violate one or end in a deadlock.
 */
#define FILES	2
#define RECORDS	3	/* as many as RESTRICT may make here */
#define CALLERS	2	/* each makes one call */
#define NONE	255

/* The domain that has the number now. */
bool alive = true;
byte instance;

/* struct dmop_record, and the table of them */
byte users[RECORDS];
bool made[RECORDS], in_table[RECORDS], dead[RECORDS], freed[RECORDS];
bool revoked[RECORDS];		/* its revoke work has ended */
bool taken[RECORDS];		/* the mappings of a file were taken: its number may be free */
bool learned[RECORDS];		/* watch_round() has seen its identity: */
byte of_instance[RECORDS];
bool lock[RECORDS];
byte in_xen[RECORDS];		/* its calls that are in Xen */
bool records_lock;

/* struct dmop_file */
byte record[FILES] = NONE;
byte listed[FILES] = NONE;	/* in the files of this record */
byte readers[FILES];		/* @restrict_sem */
bool writer[FILES];
bool maps_lock[FILES], closed[FILES], mapped[FILES];
bool gone[FILES];		/* freed */
bool restricted[FILES];		/* a RESTRICT has returned 0 */
byte unbound_calls[FILES];	/* let in while it was unbound, and not ended */
byte busy[FILES];		/* who has it open */

/* SRCU: who is inside, for which record */
bool inside[CALLERS];
byte inside_of[CALLERS];

/* dmop_watch_check(), release_domain() and watch_round() */
byte asked[RECORDS], answered[RECORDS];
bool looks[RECORDS];
bool looking;			/* round_work is at one of them */
#define pending(r)	(in_table[r] && (looks[r] || asked[r] != answered[r]))
byte running;			/* processes that are no works */
byte works;			/* revoke works that have not ended */

#define uses(r)	assert(!freed[r])	/* P6: what is used is not freed */

/* Under records_lock. */
inline record_die(r) {
	if
	:: !dead[r] ->
		dead[r] = true;
#ifndef BROKEN_STAYS_IN_TABLE
		in_table[r] = false;
#endif
#ifndef BROKEN_NO_REFERENCE
		users[r]++;
#endif
		works++;
		run Revoke(r)
	:: else
	fi
}

/* Variables that are not used any more would only make more states. */
inline forget(r) {
	asked[r] = 0;
	answered[r] = 0;
	looks[r] = false;
	learned[r] = false;
	of_instance[r] = 0
}

inline put_last(r) {
	uses(r);
	assert(users[r] > 0);
	users[r]--;
	if
	:: users[r] == 0 ->
		in_table[r] = false;
		freed[r] = true;
		forget(r)
	:: else
	fi
}

/* refcount_dec_and_mutex_lock() */
inline record_put(r) {
	if
	:: atomic { users[r] > 1 -> uses(r); users[r]-- }
#ifdef BROKEN_PUTS_WITHOUT_LOCK
	:: atomic { users[r] <= 1 -> uses(r); users[r]-- };
	   atomic { in_table[r] = false; freed[r] = true }
#else
	:: atomic { users[r] <= 1 && !records_lock -> put_last(r) }
#endif
	fi
}

/* A record of a live domain, or NONE: ESRCH */
inline record_get(r) {
	atomic {
		!records_lock ->
		r = 0;
		do
		:: r < RECORDS && !in_table[r] -> r++
		:: else -> break
		od;
		if
		:: !alive && r < RECORDS -> record_die(r); r = NONE
		:: !alive && r == RECORDS -> r = NONE
		:: alive && r < RECORDS -> uses(r); users[r]++
		:: alive && r == RECORDS ->
			r = 0;
			do
			:: made[r] -> r++
			:: else -> break
			od;
			assert(r < RECORDS);
			made[r] = true;
			in_table[r] = true;
			users[r] = 1
		fi
	}
}

inline done(f) {
	r = 0;
	busy[f]--;
	running--
}

proctype Restrict(byte f) {
	byte r = NONE, mine, first;
	bool fail, again;

	if
#ifdef BROKEN_RESTRICT_DOES_NOT_WAIT
	:: first = instance
#else
	:: atomic { !writer[f] && readers[f] == 0 -> writer[f] = true; first = instance }
#endif
	:: goto out				/* killed */
	fi;
#ifndef BROKEN_BINDS_AGAIN
	if
	:: record[f] != NONE -> goto unlock
	:: else
	fi;
#endif
try:	/* join_domain() */
	record_get(r);
	if
	:: r == NONE -> goto failed
	:: else
	fi;

	/* dmop_watch_check() */
	atomic { !records_lock -> uses(r); asked[r]++; mine = asked[r] };
	if
	:: answered[r] >= mine || dead[r]
	:: record_put(r); goto unlock	/* killed */
	fi;

	/* join() */
	atomic {
		!lock[r] ->
		uses(r);
#ifdef BROKEN_JOINS_THE_DEAD
		fail = false;
#else
		fail = dead[r];
#endif
		if
		:: !fail -> listed[f] = r
		:: else
		fi
	};
	if
	:: fail -> record_put(r); goto failed
	:: else
	fi;
	atomic {
		assert(record[f] == NONE);	/* P5: a file is bound once */
		assert(learned[r] && of_instance[r] >= first);	/* P7: to no domain that was gone */
		record[f] = r
	};
	atomic {
		writer[f] = false;
		assert(unbound_calls[f] == 0);	/* P1: none runs when it returns 0 */
		restricted[f] = true
	};
	goto out;
failed:
#ifndef BROKEN_TRIES_ONCE
	if
	:: !again -> again = true; goto try
	:: else
	fi;
#endif
	assert(!alive || instance != first);	/* P8: it fails if the domain is gone */
unlock:
	atomic { writer[f] = false; goto out };
out:
	atomic { mine = 0; first = 0; fail = false; again = false; done(f) }
}

/* One dm_op through file @f. */
proctype Call(byte f; byte me) {
	byte r;
	bool esrch = false;

again:
	r = record[f];				/* dmop_file_record() */
	if
	:: r != NONE -> goto bound
	:: else
	fi;

	/* dmop_file_enter() */
	if
	:: atomic { !writer[f] -> readers[f]++ }
	:: goto out				/* killed */
	fi;
#ifndef BROKEN_DECIDES_ONCE
	if
	:: record[f] != NONE -> readers[f]--; goto again
	:: else
	fi;
#endif
	atomic {
		assert(!restricted[f]);		/* P1: none begins after it */
		unbound_calls[f]++
	};
	atomic { unbound_calls[f]--; readers[f]-- };	/* dmop_file_leave() */
	goto out;

bound:	/* dm_op_bound() */
	uses(r);
#ifdef BROKEN_CHECKS_TOO_EARLY
	esrch = dead[r];
#endif
	atomic { inside[me] = true; inside_of[me] = r };
#if !defined(BROKEN_CHECKS_TOO_EARLY) && !defined(BROKEN_DOES_NOT_CHECK)
	esrch = dead[r];
#endif
	if
	:: !esrch ->
		atomic {
			assert(!revoked[r]);	/* P2: no call enters Xen after revocation */
			in_xen[r]++
		};
		atomic { in_xen[r]--; esrch = !alive }
	:: else -> esrch = false
	fi;
#ifndef BROKEN_CONFIRMS_INSIDE
	inside[me] = false;
#endif
	if
	:: esrch && !dead[r] && !alive ->	/* dmop_record_probe() */
		atomic { !records_lock -> uses(r); record_die(r) }
	:: else
	fi;
#ifdef BROKEN_CONFIRMS_INSIDE
	inside[me] = false;
#endif
out:
	atomic { esrch = false; inside_of[me] = 0; done(f) }
}

/* A mapping call through file @f; mmap_lock is the caller's own. */
proctype Map(byte f) {
	byte r;

	r = record[f];
	if
	:: r == NONE || dead[r] -> goto out
	:: else
	fi;
	if
	:: atomic { !maps_lock[f] -> maps_lock[f] = true }
	:: goto out				/* killed */
	fi;
	if
#ifdef BROKEN_MAPS_UNCHECKED
	:: true ->
#else
	:: !closed[f] ->
#endif
		atomic {
			assert(!revoked[r]);	/* P3: nothing is mapped after revocation, */
			assert(!taken[r]);	/* nor after any file has lost its mappings */
			mapped[f] = true
		}
	:: else
	fi;
	maps_lock[f] = false;
out:
	atomic { done(f) }
}

/* The last close of file @f: no call can reach it any more. */
proctype Close(byte f) {
	byte r;

	busy[f] == 0;
	atomic { mapped[f] = false; r = record[f] };
	if
	:: r != NONE ->
		atomic {
			!lock[r] ->
			uses(r);
#ifndef BROKEN_STAYS_LISTED
			listed[f] = NONE
#endif
		};
		record_put(r)
	:: else
	fi;
	atomic { gone[f] = true; running--; r = 0 }
}

/* dmop_maps_stop(): who has not seen it holds the lock. */
inline stop(f) {
	closed[f] = true;
	!maps_lock[f]
}

/* The work on one record. */
proctype Revoke(byte r) {
	byte i;
	bool was[CALLERS];

	/* take_mappings(): of no file before all have stopped */
	atomic { !lock[r] -> uses(r); lock[r] = true; i = 0 };
#if !defined(BROKEN_UNMAPS_FIRST) && !defined(BROKEN_STOPS_ONE_BY_ONE)
	do
	:: atomic { i < FILES && listed[i] != r -> i++ }
	:: atomic { i < FILES && listed[i] == r -> assert(!gone[i]) };	/* P6 */
	   stop(i);
	   i++
	:: atomic { i == FILES -> i = 0; break }
	od;
#endif
	do
	:: atomic { i < FILES && listed[i] != r -> i++ }
	:: atomic { i < FILES && listed[i] == r -> assert(!gone[i]) };	/* P6 */
#ifdef BROKEN_STOPS_ONE_BY_ONE
	   stop(i);
#endif
	   atomic { !maps_lock[i] -> taken[r] = taken[r] || mapped[i]; mapped[i] = false };
#ifdef BROKEN_UNMAPS_FIRST
	   closed[i] = true;
#endif
	   i++
	:: i == FILES -> break
	od;
	lock[r] = false;

#ifndef BROKEN_REVOKE_DOES_NOT_WAIT
	/* synchronize_srcu() */
#ifdef BROKEN_CONFIRMS_INSIDE
	/* The other half of such a mistake: what those inside wait for is held. */
	atomic { !records_lock -> records_lock = true };
#endif
	d_step {
		was[0] = inside[0] && inside_of[0] == r;
		was[1] = inside[1] && inside_of[1] == r
	};
	(!was[0] || !inside[0]) && (!was[1] || !inside[1]);
#ifdef BROKEN_CONFIRMS_INSIDE
	records_lock = false;
#endif
#endif
	atomic {
		revoked[r] = true;
		assert(in_xen[r] == 0);		/* P2: none is in Xen after revocation */
		assert(!(record[0] == r && mapped[0]) &&
		       !(record[1] == r && mapped[1]));		/* P3 */
		i = 0;
		was[0] = false;
		was[1] = false
	};
#ifndef BROKEN_KEEPS_REFERENCE
	record_put(r);
#endif
	atomic { works--; r = 0 }
}

/* watch_round(): after an event, and whenever RESTRICT asks. Its rounds are not told apart. */
active proctype Look() {
	byte r, upto;
	bool other;

end:	atomic {				/* round_next() */
		!records_lock && (pending(0) || pending(1) || pending(2)) ->
		r = 0;
		do
		:: !pending(r) -> r++
		:: else -> break
		od;
		uses(r);
		looks[r] = false;
		upto = asked[r];
		users[r]++;
		looking = true
	};
	atomic {				/* is_gone() */
		if
		:: !alive -> other = true
		:: alive && !learned[r] ->
			learned[r] = true;
			of_instance[r] = instance
		:: alive && learned[r] -> other = of_instance[r] != instance
		fi
	};
	atomic {				/* check_end() */
		!records_lock ->
		if
		:: other -> record_die(r)
		:: else
		fi;
		answered[r] = upto;
		other = false
	};
	record_put(r);
	atomic { r = 0; upto = 0; looking = false; goto end }
}

/* release_domain(): the watch on @releaseDomain fires. */
inline event() {
	atomic {
		!records_lock ->
		do
		:: r < RECORDS && in_table[r] -> looks[r] = true; r++
		:: r < RECORDS && !in_table[r] -> r++
		:: else -> break
		od;
		r = 0
	}
}

inline rebirth() {
	atomic { alive = true; instance++ }
}

/* Death, and the number given to a new domain, before or after the event. */
proctype Domain() {
	byte r;

	alive = false;
	if
	:: rebirth(); event()
	:: event();
	   if
	   :: rebirth()
	   :: skip
	   fi
	fi;
	running--
}

init {
	byte r;

	atomic {
#if SCENE == 1
		busy[0] = 4;
		running = 5;
		gone[1] = true;
		run Restrict(0);
		run Call(0, 1);
#elif SCENE == 2
		busy[0] = 3;
		running = 5;
		gone[1] = true;
		run Map(0);
		run Domain();
#elif SCENE == 3
		busy[0] = 1;
		busy[1] = 1;
		running = 5;
		run Restrict(1);
		run Close(1);
		run Domain();
#else
		busy[0] = 1;
		busy[1] = 1;
		running = 5;
		/* Both are bound; how they were is what the other scenes are about. */
		made[0] = true;
		in_table[0] = true;
		users[0] = 2;
		learned[0] = true;
		record[0] = 0;
		record[1] = 0;
		listed[0] = 0;
		listed[1] = 0;
		run Map(0);
		run Map(1);
		run Domain();
		run Close(1);
#endif
#if SCENE < 3
		run Call(0, 0);
#endif
#if SCENE < 4
		run Restrict(0);
#endif
		run Close(0)
	};
	/* P4: all of it ends (Spin tells a deadlock), and no record is left. */
	running == 0 && works == 0 && !looking &&
		!(pending(0) || pending(1) || pending(2));
	do
	:: r < RECORDS -> assert(!made[r] || (freed[r] && users[r] == 0)); r++
	:: else -> break
	od;
	assert(gone[0] && gone[1])
}
