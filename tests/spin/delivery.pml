/* SPDX-License-Identifier: Apache-2.0 */
/* delivery.pml: messages from a source through two stages of stateless nodes to a node with state.
 *
 *	source --- A (NA instances) --- B (NB instances) --- sink
 *
 * What docs/protocol-model.md says, as runtime/link/ and runtime/node/host.c do it; names are
 * theirs. The first instances of A and B are killed, KILLS times in all, at any moment between two
 * steps, and started again.
 *
 * A set of numbers is a mask: bits 0..N-1 are data, N is END. (OPEN, which goes the way of END but
 * is not held back, is left out.) The order of a queue, and the choice among lanes with credit, is
 * left open where the code has one. Each step of a node is atomic: a process has one thread.
 *
 * LOSSES messages, acknowledgements or greetings are lost on the way between processes that live, and
 * SPURIOUS messages are sent again that were not lost.
 *
 * Switches take a mechanism away: NO_LOST_RESEND NO_DEDUPE NO_RESEND NO_CREDIT NO_FLOOR NO_SECOND_HELLO
 * NO_REPEATED_END NO_END_KEPT NO_ACK_AFTER_END NO_LOWEST_PASSES NO_LOWEST_TAKEN ACK_EARLY END_EARLY.
 */
#ifndef NA
#define NA 1 /* instances of A */
#endif
#ifndef NB
#define NB 1
#endif
#ifndef N
#define N 3 /* data messages */
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef LOSSES
#define LOSSES 0
#endif
#ifndef SPURIOUS
#define SPURIOUS 0
#endif
#ifndef CREDIT
#define CREDIT 2 /* messages on a lane to an only instance */
#endif
#ifndef CREDIT_WORKER
#define CREDIT_WORKER 1 /* on a lane to one of several */
#endif
#ifndef ROOM
#define ROOM 1 /* messages that wait in an outlet: WAITING_MAX of outlet.c */
#endif

#define BIT(s)	  (1 << (s))
#define END	  N
#define DATA(m)	  ((m) & (BIT(END) - 1))
#define COUNT(m)                                                                                   \
	(((m) & 1) + ((m) >> 1 & 1) + ((m) >> 2 & 1) + ((m) >> 3 & 1) + ((m) >> 4 & 1) +               \
	 ((m) >> 5 & 1) + ((m) >> 6 & 1) + ((m) >> 7 & 1))

/* Processes: 0 the source, then A, then B, then the sink. */
#define SINK	   (NA + NB + 1)
#define PROCESSES  (NA + NB + 2)
#define IS_A(p)	   ((p) <= NA)
#define ORDERED(p) ((p) == SINK || (IS_A(p) -> NA == 1 : NB == 1))
/* Lanes: source to A, A to B, B to sink. Those that leave a process are neighbours. */
#define LANES	 (NA + NA * NB + NB)
#define FROM(l)                                                                                    \
	((l) < NA -> 0 : ((l) < NA + NA * NB -> 1 + ((l) - NA) / NB : 1 + (l) - NA * NB))
#define TO(l)                                                                                      \
	((l) < NA -> 1 + (l) : ((l) < NA + NA * NB -> 1 + NA + ((l) - NA) % NB : SINK))
#define OUT0(p)	 ((p) == 0 -> 0 : (IS_A(p) -> NA + ((p) - 1) * NB : (p) - 1 + NA * NB))
#define OUTS(p)	 ((p) == 0 -> NA : (IS_A(p) -> NB : 1))
#define IN0(p)	 ((p) == SINK -> NA + NA * NB : (IS_A(p) -> (p) - 1 : (p) - 1))
#define INS(p)	 ((p) == SINK -> NB : (IS_A(p) -> 1 : NA))
#define IN(p, i) (IN0(p) + (i) * ((p) == SINK -> 1 : NB))
#define WINDOW(l)     (ORDERED(TO(l)) -> CREDIT : CREDIT_WORKER)
#define SOURCE_WINDOW (NA == 1 -> CREDIT : NA * CREDIT_WORKER)

mtype = { HELLO, ACK };

/* Transport: what is under way on a lane. It loses what a death loses, and LOSSES more. */
chan data[LANES] = [(N + 1) * (KILLS + 1) + SPURIOUS] of { byte /* seq */ };
chan control[LANES] = [4] of { mtype, byte /* epoch of the consumer */, byte /* seqs */ };

/* A process. */
byte epoch[PROCESSES];
byte next[PROCESSES];	 /* inlet: the seq to hand on; of the source: to make */
byte floor[PROCESSES];	 /* inlet, in shared counters: outlives the process */
byte safe[PROCESSES];	 /* inlet: debts that may be paid */
byte pending[PROCESSES]; /* host: inputs whose answers are not acknowledged */
byte waiting[PROCESSES]; /* outlet: no credit yet */
bool kept[PROCESSES];	 /* outlet: has END, for consumers that come late */
bool ended[PROCESSES];	 /* host: has handled END */

/* The consumer's end of a lane. */
byte held[LANES];     /* received, not yet handed on */
byte debts[LANES];    /* handed on, not yet acknowledged */
byte owed[LANES];     /* acknowledgements to send */
bool greeting[LANES]; /* its HELLO is under way */
#ifdef NO_SECOND_HELLO
bool welcomed[LANES];
#endif
/* The producer's end. */
bool known[LANES];
byte lane_epoch[LANES]; /* of the consumer, from its HELLO */
byte flight[LANES];	/* sent, not acknowledged */
bool lane_ended[LANES]; /* END is acknowledged */

byte killed;
#if LOSSES
byte lost;
#endif
#if SPURIOUS
byte spurious;
#endif
byte effects; /* of the sink: what it took in, 0..effects-1 */

/* For use within a step. */
hidden byte i, k, l, s, m, who, all_held, all_debts, in_flight, revived;

/* outlet.c lane_send(): to the life that said HELLO; nobody else has that route. */
inline send(lane, seq)
{
	if
	:: known[lane] && lane_epoch[lane] == epoch[TO(lane)] ->
		assert(nfull(data[lane]));
		data[lane]!seq
	:: else
	fi
}

/* All numbers that are in flight on the lanes of an outlet. */
inline look_at_flights(p)
{
	in_flight = 0;
	for (i : 0 .. OUTS(p) - 1) {
		in_flight = in_flight | flight[OUT0(p) + i]
	}
}

/* All that an inlet holds and owes. */
inline look_at_inlet(p)
{
	all_held = 0;
	all_debts = 0;
	for (i : 0 .. INS(p) - 1) {
		all_held = all_held | held[IN(p, i)];
		all_debts = all_debts | debts[IN(p, i)]
	}
}

/* inlet.c inlet_pay(): the only instance in order of seq, workers in any. */
inline inlet_pay(p)
{
	look_at_inlet(p);
	m = 0; /* what may be paid */
	for (k : 0 .. END) {
		if
		:: all_debts & BIT(k) ->
			if
			:: safe[p] & BIT(k) -> m = m | BIT(k)
			:: !(safe[p] & BIT(k)) && ORDERED(p) -> break
			:: else
			fi
		:: else
		fi
	}
	for (i : 0 .. INS(p) - 1) {
		owed[IN(p, i)] = owed[IN(p, i)] | (debts[IN(p, i)] & m);
		debts[IN(p, i)] = debts[IN(p, i)] & ~m
	}
	all_debts = all_debts & ~m;
	safe[p] = safe[p] & all_debts;
	if
	:: ORDERED(p) ->
		floor[p] = next[p];
#ifndef NO_FLOOR
		for (k : 0 .. END) {
			if
			:: (all_debts & BIT(k)) && k < next[p] -> floor[p] = k; break
			:: else
			fi
		}
#endif
#ifndef NO_END_KEPT
		floor[p] = (floor[p] > END -> END : floor[p])
#endif
	:: else
	fi
}

/* inlet.c fx_inlet_ack() */
inline inlet_ack(p, seqs)
{
	safe[p] = safe[p] | (seqs);
	inlet_pay(p)
}

/* outlet.c outlet_acks() and parcel_acked(), host.c fx__host_acked(). */
inline outlet_acks(lane, seqs)
{
	who = FROM(lane);
	m = flight[lane] & (seqs);
	flight[lane] = flight[lane] & ~m;
	lane_ended[lane] = lane_ended[lane] || (m & BIT(END));
	look_at_flights(who);
	m = pending[who] & ~(in_flight | waiting[who]); /* every edge has acknowledged these */
	if
	:: m ->
		pending[who] = pending[who] & ~m;
		inlet_ack(who, m)
	:: else
	fi
}

/* outlet.c outlet_hello() and lane_revive(). */
inline outlet_hello(lane, e)
{
	if
	:: known[lane] && e <= lane_epoch[lane] /* a repetition */
	:: else ->
		who = FROM(lane);
		revived = known[lane];
		known[lane] = true;
		lane_epoch[lane] = e;
		if
		:: revived ->
#ifndef NO_RESEND
			waiting[who] = waiting[who] | DATA(flight[lane]);
#endif
			lane_ended[lane] = false;
#ifndef NO_REPEATED_END
			flight[lane] = (kept[who] -> BIT(END) : 0) & ~waiting[who]
#else
			flight[lane] = flight[lane] & BIT(END)
#endif
		:: else
		fi;
		for (k : 0 .. END) {
			if
			:: flight[lane] & BIT(k) -> send(lane, k)
			:: else
			fi
		}
	fi
}

/* inlet.c inlet_duplicate() and inlet_accept(). */
inline inlet_accept(lane, seq)
{
	who = TO(lane);
	look_at_inlet(who);
	if
#ifndef NO_DEDUPE
	:: all_debts & BIT(seq) -> debts[lane] = debts[lane] | BIT(seq)
	:: !(all_debts & BIT(seq)) && ORDERED(who) && seq < next[who] ->
		owed[lane] = owed[lane] | BIT(seq)
	:: !(all_debts & BIT(seq)) && !(ORDERED(who) && seq < next[who]) &&
		(all_held & BIT(seq)) ->
		debts[lane] = debts[lane] | BIT(seq)
#endif
#ifndef NO_ACK_AFTER_END
	:: ended[who] && !(all_debts & BIT(seq)) && !ORDERED(who) ->
		owed[lane] = owed[lane] | BIT(seq)
#endif
	:: else -> held[lane] = held[lane] | BIT(seq)
	fi;
	look_at_inlet(who);
	assert(COUNT(DATA(all_held | all_debts)) <= SOURCE_WINDOW) /* bounded memory */
}

#define LOWEST(m) ((m) & -(m))

/* All that is in flight on the lanes of an outlet, two at most. */
#define FLIGHTS(p) (flight[OUT0(p)] | flight[OUT0(p) + OUTS(p) - 1])

/* outlet.c lane_has_credit() */
#define HAS_CREDIT(l) (COUNT(DATA(flight[l])) < WINDOW(l))
#define OPEN_LANE(l)  (known[l] && HAS_CREDIT(l))
/* outlet.c edge_pick(): all that is in flight comes after the first that waits. */
#ifdef NO_LOWEST_PASSES
#define AWAITS(p) false
#else
#define AWAITS(p)                                                                                  \
	(DATA(FLIGHTS(p)) == 0 || LOWEST(DATA(waiting[p])) < LOWEST(DATA(FLIGHTS(p))))
#endif
/* outlet.c edge_pick() */
#ifdef NO_CREDIT
#define MAY_GO(l) true
#else
#define MAY_GO(l)                                                                                  \
	(HAS_CREDIT(l) || (AWAITS(FROM(l)) && !OPEN_LANE(OUT0(FROM(l))) &&                         \
			   !OPEN_LANE(OUT0(FROM(l)) + OUTS(FROM(l)) - 1)))
#endif
/* What may be in flight on a lane: over its credit only what all others came after. */
#define LANE_MAX(l) (FROM(l) == 0 -> WINDOW(l) : (WINDOW(l) > SOURCE_WINDOW -> WINDOW(l) : SOURCE_WINDOW))

/* lost.c: sent, not acknowledged, and not with the consumer. */
#define MISSED(l) (flight[l] & ~(held[l] | debts[l]))

#ifdef NO_SECOND_HELLO
#define GREETS(l) (!welcomed[l])
#else
#define GREETS(l) true
#endif

/* What the two ends of a lane do. */
proctype Lane(byte lane)
{
end:	do
	/* producer: HELLO or ACK has come (fx_outlet_pump()) */
	:: d_step {
		control[lane]?HELLO, k, m ->
		if
		:: k == epoch[TO(lane)] -> greeting[lane] = false
		:: else
		fi;
#ifdef NO_SECOND_HELLO
		welcomed[lane] = true;
#endif
		s = k;
		outlet_hello(lane, s)
	}
	:: d_step {
		control[lane]?ACK, k, s ->
		if
		:: known[lane] && k == lane_epoch[lane] -> outlet_acks(lane, s)
		:: else /* the route of a former life */
		fi
	}
	/* producer: there is credit, or no need of it (edge_dispatch()) */
	:: d_step {
		known[lane] && DATA(waiting[FROM(lane)]) && MAY_GO(lane) ->
		s = 0;
		do
		:: waiting[FROM(lane)] & BIT(s) -> break
		:: else -> s++
		od;
		waiting[FROM(lane)] = waiting[FROM(lane)] & ~BIT(s);
		flight[lane] = flight[lane] | BIT(s);
		assert(COUNT(DATA(flight[lane])) <= LANE_MAX(lane)); /* bounded memory */
		send(lane, s)
	}
	/* consumer: HELLO; one that would change nothing is left out (lane_hello()) */
	:: d_step {
		!greeting[lane] && !(known[lane] && lane_epoch[lane] == epoch[TO(lane)]) &&
		GREETS(lane) && nfull(control[lane]) ->
		greeting[lane] = true;
		control[lane]!HELLO, epoch[TO(lane)], 0
	}
	/* consumer: a message has come (lane_data()) */
	:: d_step {
		data[lane]?s ->
		inlet_accept(lane, s)
	}
	/* consumer: acknowledgements go out (lane_pay()) */
	:: d_step {
		owed[lane] && nfull(control[lane]) ->
		control[lane]!ACK, epoch[TO(lane)], owed[lane];
		owed[lane] = 0
	}
#if LOSSES
	/* what is next to come is lost instead */
	:: d_step {
		lost < LOSSES && nempty(data[lane]) ->
		lost++;
		data[lane]?_
	}
	:: d_step {
		lost < LOSSES && nempty(control[lane]) ->
		lost++;
		greeting[lane] = false; /* one more is harmless */
		control[lane]?_, _, _
	}
#ifndef NO_LOST_RESEND
	/* a greeting lists what has come, and nothing is under way any more: what is missing was lost
	 * (outlet_heard(), fx__lost()) */
	:: d_step {
		known[lane] && lane_epoch[lane] == epoch[TO(lane)] && empty(data[lane]) &&
		empty(control[lane]) && !owed[lane] && MISSED(lane) ->
		m = MISSED(lane);
		for (k : 0 .. END) {
			if
			:: m & BIT(k) -> send(lane, k)
			:: else
			fi
		}
		m = 0
	}
#endif
#endif
#if SPURIOUS
	/* a greeting that is older than what is under way: the lowest goes out again */
	:: d_step {
		spurious < SPURIOUS && flight[lane] ->
		spurious++;
		s = 0;
		do
		:: flight[lane] & BIT(s) -> break
		:: else -> s++
		od;
		send(lane, s)
	}
#endif
	od
}

#ifdef END_EARLY
#define END_GOES(p) (waiting[p] == BIT(END))
#else
#define END_GOES(p) (waiting[p] == BIT(END) && FLIGHTS(p) == 0)
#endif

/* outlet.c edge_dispatch() for END: to all, when all before it is acknowledged. */
inline send_end(p)
{
	waiting[p] = 0;
	for (i : 0 .. OUTS(p) - 1) {
		l = OUT0(p) + i;
		flight[l] = flight[l] | BIT(END);
		send(l, END)
	}
}

/* host_io.c fx__host_queue(), outlet.c fx_outlet_queue(). */
inline queue(p, seq)
{
	waiting[p] = waiting[p] | BIT(seq);
	kept[p] = kept[p] || (seq) == END
}

#define SETTLED(p) (lane_ended[OUT0(p)] && lane_ended[OUT0(p) + OUTS(p) - 1])
#define FINISHED_RELAY(p) (ended[p] && SETTLED(p))
#define FINISHED                                                                                   \
	(next[0] > END && SETTLED(0) && FINISHED_RELAY(1) && FINISHED_RELAY(NA) &&                 \
	 FINISHED_RELAY(NA + 1) && FINISHED_RELAY(NA + NB) && ended[SINK])

proctype Source()
{
end:	do
	:: d_step {
		next[0] <= END && COUNT(waiting[0]) < ROOM ->
		queue(0, next[0]);
		next[0]++
	}
	:: d_step {
		END_GOES(0) ->
		send_end(0);
		l = 0
	}
	od
}

/* The numbers an inlet holds; at most two lanes. */
#define HELD(p) (held[IN0(p)] | held[IN(p, INS(p) - 1)])
#define LOWEST_IS(m, s) (((m) & BIT(s)) && ((m) & (BIT(s) - 1)) == 0)
#ifdef NO_DEDUPE
#define READY(p) (HELD(p) && (!ORDERED(p) || (HELD(p) & (BIT(next[p] + 1) - 1))))
#else
#define READY(p) (ORDERED(p) -> HELD(p) & BIT(next[p]) : HELD(p))
#endif

/* outlet.c fx_outlet_room(), host.c host_has_room() */
#ifdef NO_LOWEST_TAKEN
#define HAS_ROOM(p) (COUNT(waiting[p]) < ROOM)
#else
#define HAS_ROOM(p) (COUNT(waiting[p]) < ROOM || LOWEST(HELD(p)) < LOWEST(waiting[p]))
#endif

/* inlet.c fx_inlet_pop(): the lowest. */
inline pop(p)
{
	look_at_inlet(p);
	s = 0;
	do
	:: all_held & BIT(s) -> break
	:: else -> s++
	od;
	for (i : 0 .. INS(p) - 1) {
		l = IN(p, i);
		if
		:: held[l] & BIT(s) ->
			held[l] = held[l] & ~BIT(s);
			debts[l] = debts[l] | BIT(s)
		:: else
		fi
	}
	next[p] = (ORDERED(p) -> s + 1 : 0)
}

/* SIGKILL, and the conductor starts it again (run.c handle_end()). What is under way to it is lost.
 * What it had sent (bits 0 and 1 of loss: to producers, to consumers), and what its consumers
 * say (2), may be lost. */
inline kill(p, loss)
{
	killed++;
	epoch[p]++;
	for (i : 0 .. INS(p) - 1) {
		l = IN(p, i);
		do
		:: nempty(data[l]) -> data[l]?s
		:: empty(data[l]) -> break
		od;
		do
		:: (loss & 1) && nempty(control[l]) -> control[l]?_, _, _
		:: !(loss & 1) || empty(control[l]) -> break
		od;
		held[l] = 0;
		debts[l] = 0;
		owed[l] = 0;
		greeting[l] = false;
#ifdef NO_SECOND_HELLO
		welcomed[l] = false;
#endif
	}
	for (i : 0 .. OUTS(p) - 1) {
		l = OUT0(p) + i;
		do
		:: (loss & 2) && nempty(data[l]) -> data[l]?s
		:: !(loss & 2) || empty(data[l]) -> break
		od;
		do
		:: (loss & 4) && nempty(control[l]) -> control[l]?_, _, _; greeting[l] = false
		:: !(loss & 4) || empty(control[l]) -> break
		od;
		known[l] = false;
		lane_epoch[l] = 0;
		flight[l] = 0;
		lane_ended[l] = false
	}
	next[p] = (ORDERED(p) -> floor[p] : 0); /* fx_inlet_new() */
	safe[p] = 0;
	pending[p] = 0;
	waiting[p] = 0;
	kept[p] = false;
	ended[p] = false
}

/* Instances are alike: it is enough to kill the first. */
#define FIRST(p) ((p) == 1 || (p) == NA + 1)

proctype Relay(byte me)
{
	byte loss;

end:	do
	/* host.c host_deliver(): one message in, its answer out under the same number */
	:: d_step {
		!ended[me] && READY(me) && HAS_ROOM(me) ->
		pop(me);
		look_at_flights(me);
		assert(!((pending[me] | waiting[me] | in_flight) & BIT(s))); /* never twice at once */
		queue(me, s);
		pending[me] = pending[me] | BIT(s);
		ended[me] = (s == END);
#ifdef ACK_EARLY
		m = BIT(s);
		inlet_ack(me, m);
#endif
		m = 0
	}
	:: d_step {
		END_GOES(me) ->
		send_end(me);
		l = 0
	}
	:: atomic {
		FIRST(me) && killed < KILLS && !FINISHED ->
		select(loss : 0 .. 7);
		d_step {
			kill(me, loss);
			loss = 0
		}
	}
	od
}

/* A node with state: it has taken in what it acknowledges. */
proctype Sink()
{
end:	do
	:: d_step {
		!ended[SINK] && READY(SINK) ->
		pop(SINK);
		assert(s == effects); /* no loss, no double effect, in order */
		effects++;
		ended[SINK] = (s == END);
		m = BIT(s);
		inlet_ack(SINK, m);
		m = 0
	}
	od
}

/* When nothing can happen any more, all is done. */
proctype Watch()
{
end:	timeout;
	if
	:: FINISHED && effects == END + 1
	:: else -> assert(false) /* something waits for ever */
	fi
}

init {
	atomic {
		byte n;

		for (n : 0 .. LANES - 1) {
			known[n] = true; /* as after the first HELLO; those of later lives come at any time */
#ifdef NO_SECOND_HELLO
			welcomed[n] = true;
#endif
		}
		for (n : 0 .. LANES - 1) {
			run Lane(n)
		}
		run Source();
		for (n : 1 .. NA + NB) {
			run Relay(n)
		}
		run Sink();
		run Watch()
	}
}
