/* SPDX-License-Identifier: GPL-2.0 */
/*
 * protocol.pml - RESTRICT, NARROW, calls, mapping, death, revocation and close at once
 *
 * A model, for Spin, of module/file.c, map.c, area.c, maps.c, irqfd.c, record.c, watch.c
 * and revoke.c. Names are those of the code. A domain dies at any time. Its number is given to
 * a new domain at any time after that, unless a mapping or a pin holds the old one.
 *
 * SCENE 1  two RESTRICTs of one file, among calls
 * SCENE 2  the end of a domain, among RESTRICT, a call and a mapping call of one file
 * SCENE 3  RESTRICT of a file while another is bound, or is being bound, to the same number,
 *          and the end of its domain
 * SCENE 4  the end of a domain of two files, among a call or mapping call of each
 * SCENE 5  two domains: a process of one; RESTRICT, or a mapping and the end, of the other
 * SCENE 6  mapping, the end of a domain, and closes, in an auto-translated dom0
 * SCENE 7  two NARROWs of one file, among calls and a mapping call
 * SCENE 8  the end of a domain, and the close of a file, among a signal of an eventfd and a call
 *
 * Every file is closed in the end. A killable wait may be killed. A mapping call here is a piece
 * of one: nothing is held between two pieces.
 *
 * The adversary is a process of file 0: a dm_op, a mapping call, a RESTRICT or a close. It
 * stops at any of its steps and is not scheduled again. P9 is checked when no other process
 * can go on. Then the adversary goes on, as a killed process would, and all has to end. A NARROW
 * waits for the calls of all files of its domain, so here it is one of file 0.
 *
 * The adversary is not stopped inside an atomic step. A section under a spinlock
 * (dmop_records_lock, record->lock, maps->lock) is such a step: its holder is not
 * preempted. restrict_sem is held across steps, but belongs to one file.
 *
 * Not in the model: weak memory ordering (Spin's memory is sequentially consistent), a
 * XenStore that is too slow for RESTRICT to wait for it, user memory, the worker for empty
 * pages, and the kernel's own locks (mmap_lock, the lock of a file's address space).
 *
 * Each property is an assertion, marked P. Each BROKEN_ macro takes one rule of the
 * protocol away. The scene beside it then violates a property:
 *
 * BROKEN_RESTRICT_DOES_NOT_WAIT 1   RESTRICT waits for the unbound calls in progress
 * BROKEN_DECIDES_ONCE 1             an unbound call decides again once RESTRICT is over
 * BROKEN_BINDS_AGAIN 1              a bound file is not bound again
 * BROKEN_TRIES_ONCE 3               RESTRICT tries a second record if the first is dead
 * BROKEN_JOINS_THE_DEAD 2           a file does not join a dead record
 * BROKEN_CHECKS_BEFORE_PIN 2        the pin comes before the check of the identity
 * BROKEN_STAYS_IN_TABLE 3           a dead record leaves the table
 * BROKEN_NO_REFERENCE 2             a queued revocation has a reference to the record
 * BROKEN_KEEPS_REFERENCE 2          and drops it
 * BROKEN_PUTS_WITHOUT_LOCK 1        the last put is made under dmop_records_lock
 * BROKEN_FREES_WITH_PIN 1           the last put releases the pin
 * BROKEN_STAYS_LISTED 4             a closed file leaves the list of its record
 * BROKEN_NO_FILE_REFERENCE 4        revocation has a reference to the file it unmaps
 * BROKEN_DOES_NOT_CHECK 2           a call checks the record again before it enters Xen
 * BROKEN_CHECKS_TOO_EARLY 2         it does so inside in_xen
 * BROKEN_REVOKE_DOES_NOT_WAIT 4     revocation waits for in_xen
 * BROKEN_MAPS_OUTSIDE_IN_XEN 4      a mapping call is inside in_xen
 * BROKEN_MAPS_UNCHECKED 4           it checks the record before it maps
 * BROKEN_BEGINS_WHEN_CLOSED 6       it begins no chunk once revocation unmaps the file
 * BROKEN_DOES_NOT_CHECK_AGAIN 4     it checks that again after a chunk, and unmaps then
 * BROKEN_CLOSES_LAST 4              revocation closes the maps before it unmaps
 * BROKEN_UNPINS_FIRST 4             the pin is released after the wait for in_xen
 * BROKEN_KEEPS_PIN 4                revocation releases the pin
 * BROKEN_UNPINNED_UNMAPS_FIRST 4    without a pin, revocation waits before it unmaps
 * BROKEN_WAITS_FIRST 4              with a pin, it unmaps before it waits
 * BROKEN_TABLE_LOCK_IS_A_MUTEX 4    dmop_records_lock is a spinlock
 * BROKEN_RECORD_LOCK_IS_A_MUTEX 4   record->lock is a spinlock
 * BROKEN_MAPS_LOCK_IS_A_MUTEX 4     maps->lock is not held for a mapping call
 * BROKEN_NO_AREA_REFERENCE 6        the list that revocation takes has a reference to the area
 * BROKEN_REMOVES_WITHOUT_REFERENCE 6  a close has a reference to the pages whose frames it removes
 * BROKEN_AREA_LEAVES_FIRST 6        a closed area leaves the list after its frames
 * BROKEN_REMOVES_BUSY_FRAMES 6      revocation leaves the frames of a call to the call
 * BROKEN_NARROW_DOES_NOT_WAIT 7     NARROW waits for the calls inside in_xen
 * BROKEN_NARROW_JOINS_A_WAIT 7      not only for those that an earlier NARROW waits for
 * BROKEN_ENDS_LATER_WAITS 7         one grace period ends the waits requested before it
 * BROKEN_RIGHTS_AT_THE_GATE 7       a call decides on its rights inside in_xen
 * BROKEN_WAITS_WITHOUT_REFERENCE 7  the work that waits has a reference
 * BROKEN_SIGNALS_UNCHECKED 8        a signal checks the record before it issues an operation
 * BROKEN_SIGNALS_OUTSIDE_IN_XEN 8   it is inside in_xen meanwhile
 * BROKEN_EVENTS_END_LAST 8          the events of a closed file end before it leaves its record
 * BROKEN_END_DOES_NOT_WAIT 8        they end once no signal is in progress
 */
#define FILES	2
#define RECORDS	3	/* as many as RESTRICT may make here */
#define NONE	255

#if SCENE == 5
#define DOMAINS		2
#define domid_of(f)	(f)		/* the domain of a file */
#define first_of(d)	(d)		/* the records that it may have */
#define end_of(d)	(1 + 2 * (d))
#define domid(r)	((r) != 0)
#else
#define DOMAINS		1
#define domid_of(f)	0
#define first_of(d)	0
#define end_of(d)	RECORDS
#define domid(r)	0
#endif

/* The domain that has the number now. */
bool dying[DOMAINS];
byte instance[DOMAINS];

/* struct dmop_record, and the table of them */
byte users[RECORDS];
bool made[RECORDS], in_table[RECORDS], dead[RECORDS], freed[RECORDS];
bool pin[RECORDS];
byte pinned_for[RECORDS];	/* 1 + the instance that was pinned last */
byte srcu[RECORDS];		/* in_xen: a bit for each caller inside */
byte admitted[RECORDS];		/* calls between their check of dead and their end */
bool taken[RECORDS];		/* a file has lost its mappings: the number may be free */
bool revoked[RECORDS];		/* its calls have ended */
bool learned[RECORDS];		/* domain_gone() has seen its identity: */
byte of_instance[RECORDS];

/* struct dmop_file */
byte file_users[FILES] = 1;
byte record[FILES] = NONE;
byte listed[FILES] = NONE;	/* in the files of this record */
byte readers[FILES];		/* @restrict_sem */
bool writer[FILES];
bool gone[FILES];		/* freed */
bool restricted[FILES];		/* a RESTRICT has returned 0 */
byte unbound_calls[FILES];	/* admitted while it was unbound, and not ended */
byte busy[FILES];		/* who has it open */

/* The chunks of the one area of a file: a bit for each. */
#define EARLIER		1	/* mapped by an earlier call */
#define CHUNK		2	/* mapped by the call in the scene */
byte ptes[FILES];
bool closed[FILES];		/* revocation has begun to unmap */
bool busy_chunk[FILES];		/* a mapping call works on CHUNK */
#if SCENE == 6
byte placed[FILES];		/* frames placed at the empty pages */
byte area_users[FILES];		/* the VMA, and the list that the area is in */
bool area_pages[FILES];		/* the area has its pages */
byte page_users[FILES];		/* these have references */
bool area_listed[FILES];	/* in maps->areas */
bool area_taken[FILES];		/* in maps->taken */
bool file_taken[FILES];		/* in the list of the files that were unmapped */
#define holds(f)	(placed[f] != 0)
#else
#define holds(f)	(ptes[f] != 0)
#endif

#if SCENE == 7
/* One right, which a call and a mapping call need */
bool may[FILES] = true;
bool narrowed[FILES];		/* a NARROW that removes it has returned 0 */
byte in_use[FILES];		/* calls that have decided that they have it, and not ended */
/* record->waits: its work is queued, or at work; the numbers of waits */
bool queued, waiting;
byte wanted, over;
#endif

#if SCENE == 8
bool assigned[FILES];		/* an irqfd is in the queue of an eventfd */
byte signalling;		/* signals that have the queue locked; the queue is of a spinlock */
#endif

/* watch_round(), dmop_watch_check() and release_domain() */
byte requested[RECORDS], completed[RECORDS];
bool due[RECORDS];
bool checking;			/* round_work is at one of them */
#define pending(r)	(in_table[r] && (due[r] || requested[r] != completed[r]))

byte running;			/* processes that are no works */
byte works;			/* works that have not ended */

byte stopped = NONE;		/* the process that the adversary is, once it has stopped */
#define CALLER		provided (stopped != _pid)
/* A kill is no help against a stopped process: see P9. Scene 3 is large enough without. */
#define killed		(stopped == NONE && SCENE != 3)

#define uses(r)		assert(!freed[r])	/* P6: what is used is not freed */

/* P10: no call reaches another domain than the pinned one. */
#define reaches(r)	assert(!pinned_for[r] || pinned_for[r] == instance[domid(r)] + 1)

/* Xen frees the number of a dying domain when nothing holds it. */
#if SCENE == 5
#define held(d)		(holds(d) || (d == 0 && pin[0]) || (d == 1 && (pin[1] || pin[2])))
#else
#define held(d)		(holds(0) || holds(1) || pin[0] || pin[1] || pin[2])
#endif

#ifdef BROKEN_TABLE_LOCK_IS_A_MUTEX
bool records_lock;
#define table_free	(!records_lock)
#else
#define table_free	true
#endif
#ifdef BROKEN_RECORD_LOCK_IS_A_MUTEX
bool lock[RECORDS];
#define unlocked(r)	(!lock[r])
#else
#define unlocked(r)	true
#endif
#ifdef BROKEN_MAPS_LOCK_IS_A_MUTEX
bool maps_lock[FILES];
#endif

/* Under dmop_records_lock. */
inline dmop_record_die(r) {
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
	requested[r] = 0;
	completed[r] = 0;
	due[r] = false;
	learned[r] = false;
	of_instance[r] = 0
}

/* A reference is dropped; the last put frees the record, and its pin. */
inline dmop_record_put(r) {
#ifdef BROKEN_TABLE_LOCK_IS_A_MUTEX
	atomic { !records_lock -> records_lock = true };
#endif
#ifdef BROKEN_PUTS_WITHOUT_LOCK
	if
	:: atomic { users[r] > 1 -> uses(r); users[r]-- }
	:: atomic { users[r] <= 1 -> uses(r); users[r]-- };
	   atomic { in_table[r] = false; freed[r] = true; pin[r] = false }
	fi
#else
	atomic {
		uses(r);
		assert(users[r] > 0);
		users[r]--;
		if
		:: users[r] == 0 ->
			in_table[r] = false;
			freed[r] = true;
#ifndef BROKEN_FREES_WITH_PIN
			pin[r] = false;
#endif
			forget(r)
		:: else
		fi;
#ifdef BROKEN_TABLE_LOCK_IS_A_MUTEX
		records_lock = false
#endif
	}
#endif
}

/* Xen may refuse the frame; the record is then unpinned. */
inline record_pin(r) {
	uses(r);
	if
	:: !pin[r] && !dead[r] -> pin[r] = true; pinned_for[r] = instance[domid(r)] + 1
	:: true
	fi
}

/*
 * A record of a live domain, or NONE: ESRCH. A worker pins a new one before it is in the table;
 * the pin keeps the number, so it might as well be at the same time.
 */
inline dmop_record_get(r, d) {
	atomic {
		table_free ->
		r = first_of(d);
		do
		:: r < end_of(d) && !in_table[r] -> r++
		:: else -> break
		od;
		if
		:: dying[d] && r < end_of(d) -> dmop_record_die(r); r = NONE
		:: dying[d] && r == end_of(d) -> r = NONE
		:: !dying[d] && r < end_of(d) -> uses(r); users[r]++
		:: !dying[d] && r == end_of(d) ->
			r = first_of(d);
			do
			:: made[r] -> r++
			:: else -> break
			od;
			assert(r < end_of(d));
			made[r] = true;
			in_table[r] = true;
			users[r] = 1;
#ifndef BROKEN_CHECKS_BEFORE_PIN
			record_pin(r)
#endif
		fi
	}
}

inline done(f) {
	busy[f]--;
	running--
}

proctype Restrict(byte f) CALLER {
	byte r = NONE, mine, first;
	bool again, had_pin;

	if
	:: atomic {
#ifndef BROKEN_RESTRICT_DOES_NOT_WAIT
		!writer[f] && readers[f] == 0 ->
		writer[f] = true;
#endif
		first = instance[domid_of(f)];
#ifndef BROKEN_BINDS_AGAIN
		if
		:: record[f] != NONE -> goto unlock
		:: else
		fi
#endif
	   }
	:: killed -> goto out
	fi;

try:	/* join_domain() */
	atomic {
		dmop_record_get(r, domid_of(f));
		if
		:: r == NONE -> goto failed
		:: else
		fi
	};
	atomic {
		table_free ->
#ifndef BROKEN_CHECKS_BEFORE_PIN
		had_pin = pin[r];
#endif
		uses(r);			/* dmop_watch_check() */
		requested[r]++;
		mine = requested[r]
	};
	if
	:: completed[r] >= mine || dead[r]
	:: killed -> dmop_record_put(r); goto unlock
	fi;
#ifdef BROKEN_CHECKS_BEFORE_PIN
	atomic { record_pin(r); had_pin = pin[r] };
#endif

	/* file_join() */
#ifdef BROKEN_RECORD_LOCK_IS_A_MUTEX
	atomic { !lock[r] -> lock[r] = true };
#endif
	atomic {
		uses(r);
#ifdef BROKEN_RECORD_LOCK_IS_A_MUTEX
		lock[r] = false;
#endif
#ifndef BROKEN_JOINS_THE_DEAD
		if
		:: dead[r] -> goto dead_record
		:: else
		fi;
#endif
		assert(record[f] == NONE);	/* P5: a file is bound once */
		/* P7: to no domain that was gone */
		assert(learned[r] && of_instance[r] >= first);
		/* P12: the checked domain is the pinned one */
		assert(!had_pin || pinned_for[r] == of_instance[r] + 1);
		listed[f] = r;
		record[f] = r
	};
	atomic {
		writer[f] = false;
		assert(unbound_calls[f] == 0);	/* P1: none runs when it returns 0 */
		restricted[f] = true;
		goto out
	};

dead_record:
	dmop_record_put(r);
failed:
	atomic {
#ifndef BROKEN_TRIES_ONCE
		if
		:: !again -> again = true; mine = 0; had_pin = false; goto try
		:: else
		fi;
#endif
		/* P8: it fails if the domain is gone */
		assert(dying[domid_of(f)] || instance[domid_of(f)] != first)
	};
unlock:
	atomic { writer[f] = false; goto out };
out:
	atomic { r = 0; mine = 0; first = 0; again = false; had_pin = false; done(f) }
}

#if SCENE == 7
/* The gate decides as well, but that does not count. */
inline decide_early(f) {
	atomic {
		if
		:: !may[f] -> goto out
		:: else
		fi
	}
}

inline decide(f) {
#ifndef BROKEN_RIGHTS_AT_THE_GATE
	if
	:: !may[f] -> goto leave
	:: else
	fi;
#endif
	assert(!narrowed[f]);		/* P14: none begins after NARROW */
	in_use[f]++
}
#define undecide(f)	in_use[f]--
#else
#define decide(f)	skip
#define undecide(f)	skip
#endif

/* One dm_op through file @f, or one of a batch. */
proctype Call(byte f; byte me) CALLER {
	byte r;
	bool esrch;

#if SCENE == 7
	decide_early(f);
#endif
again:
	atomic {				/* dmop_file_record() */
		r = record[f];
		if
		:: r != NONE -> goto bound
		:: else
		fi
	};

	/* dmop_file_enter_unbound() */
	if
	:: atomic {
		!writer[f] ->
#ifndef BROKEN_DECIDES_ONCE
		if
		:: record[f] != NONE -> goto again
		:: else
		fi;
#endif
		readers[f]++;
		assert(!restricted[f]);		/* P1: none begins after it */
		unbound_calls[f]++
	   }
	:: killed -> goto out
	fi;
	atomic { unbound_calls[f]--; readers[f]--; goto out };	/* dmop_file_leave() */

bound:	/* dmop_record_enter() */
#ifdef BROKEN_CHECKS_TOO_EARLY
	esrch = dead[r];
#endif
	atomic { uses(r); srcu[r] = srcu[r] | me };
	atomic {
#ifdef BROKEN_CHECKS_TOO_EARLY
		if
		:: esrch -> esrch = false; goto leave
		:: else
		fi;
#elif !defined(BROKEN_DOES_NOT_CHECK)
		if
		:: dead[r] -> goto leave
		:: else
		fi;
#endif
		decide(f);
		assert(!revoked[r]);		/* P2: no call enters Xen after revocation */
		reaches(r);
		admitted[r]++
	};
	/* Xen may work on it in several pieces. */
	atomic { reaches(r); admitted[r]--; undecide(f); esrch = dying[domid(r)] };
leave:
	srcu[r] = srcu[r] & ~me;
	if
	:: atomic {				/* dmop_record_probe() */
		table_free && esrch && !dead[r] && dying[domid(r)] ->
		uses(r);
		dmop_record_die(r)
	   }
	:: !esrch || dead[r] || !dying[domid(r)]
	fi;
out:
	atomic { r = 0; esrch = false; done(f) }
}

#if SCENE == 8
/* A signal, by anybody who has the eventfd: the file does not have to be open. */
proctype Signal(byte f; byte me) {
	byte r;

	atomic {
		signalling == 0 ->
		if
		:: assigned[f] -> signalling++
		:: else -> goto out
		fi
	};
	atomic {				/* wake() */
		assert(!gone[f]);		/* P6 */
		r = record[f];
		uses(r);
#ifndef BROKEN_SIGNALS_OUTSIDE_IN_XEN
		srcu[r] = srcu[r] | me
#endif
	};
	atomic {
#ifndef BROKEN_SIGNALS_UNCHECKED
		if
		:: dead[r] -> goto leave
		:: else
		fi;
#endif
		assert(!revoked[r]);		/* P2 */
		reaches(r);
		admitted[r]++
	};
	atomic { reaches(r); admitted[r]-- };
leave:
	atomic { uses(r); assert(!gone[f]); srcu[r] = srcu[r] & ~me };
	signalling--;
out:
	atomic { r = 0; running-- }
}

inline dmop_irqfd_end(f) {
	atomic {
#ifndef BROKEN_END_DOES_NOT_WAIT
		signalling == 0 ->
#endif
		assigned[f] = false
	}
}
#else
#define dmop_irqfd_end(f)	skip
#endif

#if SCENE == 6
inline dmop_pool_put(f) {
	assert(page_users[f] > 0);	/* P6 */
	page_users[f]--;
	/* P13: nothing refers to the empty pages when they are freed. */
	assert(page_users[f] || (!ptes[f] && !placed[f]))
}

inline dmop_area_put(f) {
	atomic {
		assert(area_users[f] > 0);	/* P6 */
		area_users[f]--;
		assert(area_users[f] || !area_pages[f])
	}
}

/* remove_frames() */
inline remove_frames(f) {
	atomic {
		if
		:: got ->
			assert(page_users[f] > 0);	/* P6: the array, and the pages, are the area's */
			placed[f] = 0
		:: else
		fi
	}
}

/* The VMA is closed, and its PTEs are cleared. */
inline dmop_area_close(f) {
	atomic {
		if
		:: area_pages[f] ->
			got = true;
#ifndef BROKEN_REMOVES_WITHOUT_REFERENCE
			page_users[f]++
#endif
		:: else
		fi
	};
#ifndef BROKEN_AREA_LEAVES_FIRST
	remove_frames(f);
#endif
	atomic {
		if
		:: !closed[f] ->
			area_listed[f] = false;
			assert(area_users[f] > 1);	/* P6 */
			area_users[f]--;
			if
			:: area_pages[f] -> area_pages[f] = false; dmop_pool_put(f)
			:: else
			fi
		:: else
		fi;
#ifdef BROKEN_AREA_LEAVES_FIRST
	};
	remove_frames(f);
	atomic {
#endif
#ifndef BROKEN_REMOVES_WITHOUT_REFERENCE
		if
		:: got -> dmop_pool_put(f)
		:: else
		fi
#endif
	};
	dmop_area_put(f)
}

inline dmop_maps_release(f) {
	atomic {
		if
		:: area_taken[f] ->
			area_taken[f] = false;
			area_pages[f] = false;
			dmop_pool_put(f);
#ifndef BROKEN_NO_AREA_REFERENCE
			dmop_area_put(f)
#endif
		:: else
		fi
	}
}
#else
#define dmop_area_close(f)	skip
#define dmop_maps_release(f)	skip
#endif

/* A mapping call through file @f, of one chunk; mmap_lock is the caller's own. */
proctype Map(byte f; byte me) CALLER {
	byte r;

#if SCENE == 7
	decide_early(f);
#endif
	atomic {
		r = record[f];
		if
		:: r == NONE -> goto out
		:: else
		fi
	};
#ifdef BROKEN_MAPS_LOCK_IS_A_MUTEX
	atomic { !maps_lock[f] -> maps_lock[f] = true };
#endif
	/* dmop_record_enter() */
#ifndef BROKEN_MAPS_OUTSIDE_IN_XEN
	atomic { uses(r); srcu[r] = srcu[r] | me };
#endif
	atomic {
#ifndef BROKEN_MAPS_UNCHECKED
		if
		:: dead[r] -> goto leave
		:: else
		fi;
#endif
		decide(f);
		reaches(r);
		admitted[r]++
	};

	atomic {				/* dmop_area_begin() */
#ifndef BROKEN_BEGINS_WHEN_CLOSED
		if
		:: closed[f] -> goto unadmit
		:: else
		fi;
#endif
		busy_chunk[f] = true
	};
	/* map_chunk(). Xen may refuse a frame of a dying domain. */
	if
#if SCENE == 6
	:: atomic { assert(area_users[f] > 0); reaches(r); placed[f] = placed[f] | CHUNK };
	   atomic {
		assert(!revoked[r]);		/* P3 */
		assert(placed[f] & CHUNK);	/* P13: no PTE is without a frame */
		ptes[f] = ptes[f] | CHUNK
	   }
#else
	:: atomic {
		assert(!revoked[r]);		/* P3: nothing is mapped after revocation, */
		assert(pin[r] || !taken[r]);	/* nor when the number may be another's */
		reaches(r);
		ptes[f] = ptes[f] | CHUNK
	   }
#endif
	:: dying[domid(r)]
	fi;
	atomic {				/* dmop_area_end() */
#ifndef BROKEN_DOES_NOT_CHECK_AGAIN
		if
		:: closed[f] ->			/* unmap_chunk() */
			ptes[f] = ptes[f] & ~CHUNK;
			goto remove
		:: else
		fi;
#endif
		busy_chunk[f] = false;
		goto unadmit
	};
remove:
#if SCENE == 6
	placed[f] = placed[f] & ~CHUNK;
#endif
unadmit:
	atomic { reaches(r); admitted[r]--; undecide(f) };
leave:
	atomic {
		srcu[r] = srcu[r] & ~me;
#ifdef BROKEN_MAPS_LOCK_IS_A_MUTEX
		maps_lock[f] = false;
#endif
	};
out:
	atomic { r = 0; done(f) }
}

inline dmop_file_put(f) {
	atomic {
		assert(!gone[f]);		/* P6 */
		file_users[f]--;
		if
		:: file_users[f] == 0 -> dmop_maps_release(f); gone[f] = true
		:: else
		fi
	}
}

/* The last close of file @f: no call can reach it any more. */
proctype Close(byte f) CALLER {
	byte r;
#if SCENE == 6
	bool got;		/* the pages of the area */
#endif

	atomic { busy[f] == 0 -> r = record[f]; ptes[f] = 0 };
	dmop_area_close(f);
#ifndef BROKEN_EVENTS_END_LAST
	dmop_irqfd_end(f);
#endif
	if
	:: r != NONE ->
#ifdef BROKEN_RECORD_LOCK_IS_A_MUTEX
		atomic { !lock[r] -> lock[r] = true };
#endif
		atomic {
			uses(r);
#ifdef BROKEN_RECORD_LOCK_IS_A_MUTEX
			lock[r] = false;
#endif
#if SCENE == 6
			file_taken[f] = false;
#endif
#ifndef BROKEN_STAYS_LISTED
			listed[f] = NONE
#endif
		};
		dmop_record_put(r)
	:: else
	fi;
#ifdef BROKEN_EVENTS_END_LAST
	dmop_irqfd_end(f);
#endif
	atomic {
		dmop_file_put(f);
		running--;
#if SCENE == 6
		got = false;
#endif
		r = 0
	}
}

/* Waits for the calls that were inside when it began. */
#define srcu_snapshot(r)	was = srcu[r]
#define srcu_left(r)		((was & srcu[r]) == 0)

inline dmop_maps_take(f) {
#ifdef BROKEN_MAPS_LOCK_IS_A_MUTEX
	!maps_lock[f];
#endif
	atomic {				/* take_areas() */
		assert(!gone[f]);		/* P6 */
#ifndef BROKEN_CLOSES_LAST
		closed[f] = true;
#endif
#if SCENE == 6
		if
		:: area_listed[f] ->
			area_listed[f] = false;
			area_taken[f] = true;
#ifdef BROKEN_NO_AREA_REFERENCE
			area_users[f]--
#endif
		:: else
		fi
	};
	atomic {				/* unmap_mapping_range() */
#endif
		assert(pin[r] || !admitted[r]);	/* P11: unpinned, all calls have ended before */
		taken[r] = taken[r] || ptes[f];
		ptes[f] = 0
	}
#if SCENE == 6
	;
	atomic {
		if
		:: area_taken[f] ->
			assert(area_users[f] > 0);	/* P6 */
#ifndef BROKEN_REMOVES_BUSY_FRAMES
			keep = (busy_chunk[f] -> CHUNK : 0)
#endif
		:: else -> goto put
		fi
	};
	atomic {				/* dmop_area_remove_frames() */
		placed[f] = placed[f] & keep;
		keep = 0;
		assert(!(ptes[f] & ~placed[f]))	/* P13 */
	};
put:
	skip
#endif
#ifdef BROKEN_CLOSES_LAST
	;
	closed[f] = true
#endif
}

#if SCENE == 7
/* queue_work(), with a reference if the work was not queued yet */
inline queue_waits() {
	if
	:: !queued ->
		queued = true;
#ifndef BROKEN_WAITS_WITHOUT_REFERENCE
		users[0]++;
#endif
		if
		:: !waiting -> waiting = true; works++; run Waits()
		:: else
		fi
	:: else
	fi
}

/* end_waits(). Scene 7 has one record. */
proctype Waits() {
	byte was, begun;

	do
	:: atomic {
		queued ->
		queued = false;
		uses(0);
		begun = wanted
	   };
	   was = srcu[0];			/* dmop_record_synchronize() */
	   atomic {
		(was & srcu[0]) == 0 ->
		uses(0);
#ifdef BROKEN_ENDS_LATER_WAITS
		over = wanted;
#else
		over = begun;
#endif
		was = 0;
		begun = 0
	   };
#ifndef BROKEN_WAITS_WITHOUT_REFERENCE
	   dmop_record_put(0);
#endif
	:: atomic {
		!queued ->
		waiting = false;
		works--;
		break
	   }
	od
}

/* A NARROW of the right, or of another one. */
proctype Narrow(byte f; bool it; bool kill) {
	byte mine;

	atomic {
		may[f] = may[f] && !it;
#ifdef BROKEN_NARROW_JOINS_A_WAIT
		if
		:: waiting && wanted != over -> mine = wanted
		:: else -> wanted++; mine = wanted
		fi
#else
		wanted++;
		mine = wanted
#endif
	};
	atomic { queue_waits() };
	if
#ifdef BROKEN_NARROW_DOES_NOT_WAIT
	:: true ->
#else
	:: atomic { over >= mine ->
#endif
		assert(!it || in_use[f] == 0);	/* P14: none is left when it returns 0 */
		narrowed[f] = narrowed[f] || it
#ifndef BROKEN_NARROW_DOES_NOT_WAIT
	   }
#endif
	:: kill
	fi;
	atomic { mine = 0; it = false; kill = false; done(f) }
}
#endif

/* The work on one record. */
proctype Revoke(byte r) {
	byte i, was;
#if SCENE == 6
	byte keep;
#endif

#ifndef BROKEN_UNPINNED_UNMAPS_FIRST
	atomic {
		if
#ifndef BROKEN_WAITS_FIRST
		:: pin[r] -> goto take_mappings
#endif
		:: else -> srcu_snapshot(r)	/* synchronize_srcu() */
		fi
	};
	atomic { srcu_left(r) -> was = 0 };
#endif
take_mappings:
	atomic {
		unlocked(r) ->			/* next_file() */
		uses(r);
		i = 0;
		do
		:: i < FILES && listed[i] != r -> i++
		:: else -> break
		od;
		if
		:: i == FILES -> goto wait
		:: else ->
			assert(!gone[i]);	/* P6 */
			listed[i] = NONE;
#if SCENE == 6
			file_taken[i] = true;
#endif
#ifndef BROKEN_NO_FILE_REFERENCE
			file_users[i]++
#endif
		fi
	};
	dmop_maps_take(i);
	atomic {
#ifndef BROKEN_NO_FILE_REFERENCE
		dmop_file_put(i);
#endif
		goto take_mappings
	};
wait:
#ifdef BROKEN_UNPINS_FIRST
	pin[r] = false;
#endif
	srcu_snapshot(r);			/* synchronize_srcu() */
	atomic {
#ifndef BROKEN_REVOKE_DOES_NOT_WAIT
		srcu_left(r) ->
#endif
		revoked[r] = true;
		assert(admitted[r] == 0);	/* P2: none is in Xen after revocation */
		/* P3 */
		assert(!(record[0] == r && holds(0)) && !(record[1] == r && holds(1)));
		i = 0;
		was = 0
	};
#if SCENE == 6
	do					/* release_pages() */
	:: atomic {
		if
		:: file_taken[0] -> i = 0
		:: else -> i = 1
		fi;
		if
		:: !file_taken[i] -> break
		:: else -> file_taken[i] = false; file_users[i]++
		fi
	   };
	   dmop_maps_release(i);
	   dmop_file_put(i)
	od;
	i = 0;
#endif
#ifndef BROKEN_KEEPS_PIN
	pin[r] = false;				/* dmop_record_unpin() */
#endif
	atomic {
#ifndef BROKEN_KEEPS_REFERENCE
		dmop_record_put(r);
#endif
		works--;
		r = 0
	}
}

/* watch_round(): after an event, and whenever RESTRICT asks. Its rounds are not told apart. */
active proctype Watch() {
	byte r, upto;
	bool other;

end:	do
	:: atomic {				/* round_next() */
		table_free && (pending(0) || pending(1) || pending(2)) ->
		r = 0;
		do
		:: !pending(r) -> r++
		:: else -> break
		od;
		uses(r);
		due[r] = false;
		upto = requested[r];
		users[r]++;
		checking = true
	   };
	   atomic {				/* domain_gone() */
		if
		:: dying[domid(r)] -> other = true
		:: !dying[domid(r)] && !learned[r] ->
			learned[r] = true;
			of_instance[r] = instance[domid(r)]
		:: !dying[domid(r)] && learned[r] -> other = of_instance[r] != instance[domid(r)]
		fi
	   };
	   atomic {				/* check_end() */
		table_free ->
		if
		:: other -> dmop_record_die(r)
		:: else
		fi;
		completed[r] = upto;
		other = false
	   };
	   atomic { dmop_record_put(r); r = 0; upto = 0; checking = false }
	od
}

/* The callback of the watch on @releaseDomain. It counts the event and takes no lock. */
inline release_domain() {
	d_step {
		due[0] = in_table[0];
		due[1] = in_table[1];
		due[2] = in_table[2]
	}
}

inline rebirth(d) {
	atomic { !held(d) -> dying[d] = false; instance[d]++ }
}

/* Death, and the number given to a new domain, before or after the event. */
proctype Domain(byte d) {
	dying[d] = true;
	if
	:: rebirth(d); release_domain()
	:: release_domain();
	   if
	   :: rebirth(d)
	   :: skip
	   fi
	fi;
	atomic { running--; d = 0 }
}

#define busy_watch	(checking || pending(0) || pending(1) || pending(2))

/*
 * P9: with a process of file 0 stopped for good, all others have ended: the processes of
 * file 1, its close, the checks, and the revocations. Only the revocation of a record with
 * the stopped call inside in_xen waits. If that record is pinned, all of its mappings are
 * unmapped by then, except the chunk of the stopped call.
 */
#define unmapped(r)	(!(record[0] == r && (ptes[0] & EARLIER)) && !(record[1] == r && holds(1)))
#define waits(r)	(srcu[r] && (!pin[r] || unmapped(r)))
#define ended(r)	(!dead[r] || freed[r] || (revoked[r] && !pin[r]) || waits(r))

/* A file that is bound already; other scenes are about RESTRICT. */
inline bind(f, r) {
	made[r] = true;
	in_table[r] = true;
	users[r]++;
	learned[r] = true;
	record[f] = r;
	listed[f] = r
}

inline map_earlier(f) {
	ptes[f] = EARLIER;
#if SCENE == 6
	placed[f] = EARLIER;
	area_users[f] = 2;
	area_listed[f] = true;
	area_pages[f] = true;
	page_users[f] = 1;
#endif
}

init {
	byte r, a = NONE, b = NONE;

	atomic {
#if SCENE == 1
		busy[0] = 4;
		running = 5;
		gone[1] = true;
		run Restrict(0);
		a = run Restrict(0);
		b = run Call(0, 1);
		run Call(0, 2);
#elif SCENE == 2
		busy[0] = 3;
		running = 5;
		gone[1] = true;
		run Restrict(0);
		run Call(0, 1);
		a = run Map(0, 2);
		run Domain(0);
#elif SCENE == 3
		busy[0] = 1;
		busy[1] = 1;
		running = 4;
		if
		:: bind(0, 0); a = run Call(0, 1)
		:: a = run Restrict(0)
		fi;
		run Restrict(1);
		run Domain(0);
		run Close(1);
#elif SCENE == 5
		if
		:: a = run Restrict(0)
		:: bind(0, 0); a = run Call(0, 1)
		:: bind(0, 0); a = run Map(0, 1)
		:: a = run Call(0, 1)
		fi;
		running = 3;
		if
		:: run Restrict(1)
		:: bind(1, 1); run Map(1, 2); run Domain(1); running++
		fi;
		busy[0] = 1;
		busy[1] = 1;
		run Close(1);
#elif SCENE == 7
		bind(0, 0);
		gone[1] = true;
		if
		:: a = run Call(0, 1); run Call(0, 2)
		:: a = run Map(0, 1); run Call(0, 2)
		fi;
		run Narrow(0, true, false);
		if
		:: run Narrow(0, false, false)
		:: run Narrow(0, false, true)
		fi;
		busy[0] = 4;
		running = 5;
#else
		bind(0, 0);
		bind(1, 0);
		map_earlier(0);
		map_earlier(1);
		if
		:: record_pin(0)
		fi;
#if SCENE == 4
		if
		:: a = run Call(0, 1)
		:: a = run Map(0, 1)
		fi;
		if
		:: run Call(1, 2)
		:: run Map(1, 2)
		fi;
		busy[1] = 1;
		running = 5;
#elif SCENE == 8
		a = run Call(0, 1);
		assigned[0] = true;
		run Signal(0, 2);
		running = 5;
#else
		a = run Map(0, 1);
		running = 4;
#endif
		busy[0] = 1;
		run Domain(0);
		run Close(1);
#endif
#if SCENE < 3 || SCENE == 7
		run Close(0)
#elif SCENE != 3 && SCENE != 5
		b = run Close(0)
#endif
	};

	/* The adversary stops. */
	if
	:: stopped = a
	:: b != NONE -> stopped = b
	fi;
	atomic {
		timeout ->
		assert(gone[1] && !busy_watch);		/* P9 */
		do
		:: r < RECORDS -> assert(ended(r)); r++	/* P9 */
		:: else -> r = 0; break
		od;
		stopped = NONE;
		a = 0;
		b = 0
	};
#if SCENE == 3 || SCENE == 5
	atomic { timeout -> running++; run Close(0) };	/* that of file 1 was among the others */
#endif

	/* P4: all of it ends, and no record, pin or mapping is left. */
	timeout ->
	assert(running == 0 && works == 0 && !busy_watch);
	do
	:: r < RECORDS -> assert(!made[r] || (freed[r] && users[r] == 0 && !pin[r])); r++
	:: else -> break
	od;
	assert(!holds(0) && !holds(1));
	assert(gone[0] && gone[1])
}
