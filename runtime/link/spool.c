// SPDX-License-Identifier: Apache-2.0
/* spool.c: an inlet that writes what comes to disk: one side receives, in a thread of its own, the
 * other hands on. They share the files, a few counters, and a pair of sockets to wake each other.
 */
#include "link/spool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include <fornix/log.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "link/letter.h"
#include "link/spool_disk.h"

enum { POLL_MS = 50, FULL_MS = 20, LOOK_NS = 200000000, BATCH = 64, FRESH = 32 };

/* A message that is on disk and still in memory: it need not be read from there. */
struct fresh {
	uint64_t record;
	struct fx_envelope envelope;
};

/* Handed on and not yet done, in order of record. */
struct due {
	uint64_t seq, record;
	bool safe, end; /* end: it stays, for a later life has to get it again */
};

/* What the thread alone uses, once it runs. */
struct receiver {
	struct fx_inlet *inlet;
	zmq_pollitem_t *items; /* its sockets, then the thread's end of the pair */
	size_t items_len;
	struct fx__spool_disk disk;
	_Atomic uint64_t floor;
	uint64_t batch[BATCH]; /* appended, to be acknowledged when they are durable */
	size_t batch_len;
	struct fx_envelope stuck; /* taken from the inlet, and found no room */
	bool has_stuck;
	bool told_full, told_low; /* once each time */
	int64_t looked_ns;
};

struct fx__spool {
	struct fx_inlet_config config;
	struct receiver r;
	pthread_t thread;
	bool running;
	_Atomic bool stop;
	_Atomic uint64_t durable; /* records below may be read */
	pthread_mutex_t lock;	  /* of what follows: from the thread to the other side */
	struct fx_error error;
	unsigned refused;
	char warning[256];
	struct fresh fresh[FRESH]; /* in order of record */
	size_t fresh_len, fresh_payloads;
	uint64_t fresh_bytes;
	/* what hands on */
	void *ends[2]; /* of the pair: here, the thread's */
	struct fx_seglog *reader;
	uint64_t next, first; /* record to read; messages before seq `first` are known */
	struct fx_envelope ready;
	uint64_t ready_record;
	bool has_ready, ended, has_open, reopens; /* reopens: OPEN was done in a former life */
	struct fx_mark open;
	struct due *due;
	size_t due_len, due_cap;
};

/* Logged at once; the other side counts it with its next pump. */
static void spool_warn(struct fx__spool *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void spool_warn(struct fx__spool *s, const char *fmt, ...)
{
	char text[sizeof s->warning];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	fx_log(FX_LOG_WARN, "%s", text);
	pthread_mutex_lock(&s->lock);
	memcpy(s->warning, text, sizeof text);
	pthread_mutex_unlock(&s->lock);
}

static void spool_wake(void *end)
{
	zmq_send(end, "", 1, ZMQ_DONTWAIT);
}

static void spool_drain(void *end)
{
	char byte;

	while (zmq_recv(end, &byte, 1, ZMQ_DONTWAIT) >= 0)
		;
}

static bool has_payload(const struct fx_envelope *e)
{
	return e->kind != FX_NOTHING;
}

/* There is room for it in memory: for as much as the producer may have under way. */
static bool is_near(const struct fx__spool *s, const struct fx_envelope *e)
{
	return s->fresh_len < FRESH &&
	       (!has_payload(e) ||
		(s->fresh_payloads < s->config.credit_messages &&
		 s->fresh_bytes + e->payload.raw_size <= s->config.credit_bytes));
}

/* Takes a message that was appended: it stays in memory when the other side is near. */
static void receiver_keep(struct fx__spool *s, struct fx_envelope *e)
{
	const uint64_t record = fx_seglog_next(s->r.disk.log) - 1;
	bool kept;

	pthread_mutex_lock(&s->lock);
	kept = is_near(s, e);
	if (kept) {
		s->fresh[s->fresh_len++] = (struct fresh){ record, *e };
		s->fresh_payloads += has_payload(e);
		s->fresh_bytes += e->payload.raw_size;
	}
	pthread_mutex_unlock(&s->lock);
	if (!kept)
		fx_envelope_fini(e);
}

/* True when it is written, and false when there is no room for it now. */
static bool receiver_append(struct fx__spool *s, const struct fx_envelope *e, struct fx_error *err)
{
	struct receiver *r = &s->r;
	const bool room = fx__spool_disk_room(&r->disk, e);
	struct fx_error full = { 0 };
	int result = room ? fx__spool_disk_append(&r->disk, e, &full) : FX_IDLE;

	if (result < 0)
		*err = full;
	if (result == FX_IDLE && !r->told_full) {
		r->told_full = true;
		if (room)
			spool_warn(s, "the disk is full, the producers of input %s wait: %s",
				   s->config.port, full.text);
		else
			spool_warn(s, "the spool of input %s has its %llu MiB, its producers wait",
				   s->config.port, (unsigned long long)(r->disk.bytes >> 20));
	}
	if (result != FX_OK)
		return false;
	r->told_full = false;
	r->batch[r->batch_len++] = e->seq;
	return true;
}

/* Writes what has come, a batch at most. */
static void receiver_take(struct fx__spool *s, struct fx_error *err)
{
	struct receiver *r = &s->r;

	while (r->batch_len < BATCH && !err->code) {
		if (!r->has_stuck && !fx_inlet_pop(r->inlet, &r->stuck))
			return;
		r->has_stuck = !receiver_append(s, &r->stuck, err);
		if (r->has_stuck)
			return;
		receiver_keep(s, &r->stuck);
	}
}

/* What is durable is acknowledged, and may be handed on. */
static void receiver_pay(struct fx__spool *s, struct fx_error *err)
{
	struct receiver *r = &s->r;

	if (!r->batch_len || fx_seglog_sync(r->disk.log, err) < 0)
		return;
	for (size_t i = 0; i < r->batch_len; i++)
		fx_inlet_ack(r->inlet, r->batch[i]);
	r->batch_len = 0;
	atomic_store(&s->durable, fx_seglog_next(r->disk.log));
	spool_wake(s->ends[1]);
}

/* Told before it is full; again when it was better in between. */
static void receiver_look(struct fx__spool *s)
{
	struct receiver *r = &s->r;
	uint64_t left = 0;
	bool low;

	if (fx_now_ns() - r->looked_ns < LOOK_NS)
		return;
	r->looked_ns = fx_now_ns();
	low = fx__spool_disk_low(&r->disk, &left);
	if (low && !r->told_low)
		spool_warn(s, "the disk of the spool of input %s is nearly full: %llu MiB are free",
			   s->config.port, (unsigned long long)(left >> 20));
	r->told_low = low;
}

static unsigned receiver_pump(struct fx__spool *s, struct fx_error *err)
{
	unsigned refused = fx_inlet_pump(s->r.inlet, err);

	if (fx_inlet_failed(s->r.inlet))
		fx_error_set(err, FX_ENOMEM, "no memory for what came on input %s", s->config.port);
	if (err->code)
		return refused;
	receiver_take(s, err);
	receiver_pay(s, err);
	if (!err->code)
		fx_seglog_trim(s->r.disk.log, atomic_load(s->r.disk.done), err);
	receiver_look(s);
	return refused + fx_inlet_pump(s->r.inlet, err); /* acknowledgements go out */
}

/* What there is to poll changes when a producer has moved. */
static void receiver_poll(struct fx__spool *s, int timeout_ms)
{
	const size_t inputs = s->r.items_len - 1;

	for (size_t i = 0; i < inputs; i++)
		s->r.items[i] = fx_inlet_item(s->r.inlet, i);
	s->r.items[inputs] = (zmq_pollitem_t){ .socket = s->ends[1], .events = ZMQ_POLLIN };
	zmq_poll(s->r.items, (int)s->r.items_len, fx_inlet_ready(s->r.inlet) ? 0 : timeout_ms);
}

static void *receiver_run(void *arg)
{
	struct fx__spool *s = arg;
	bool failed = false; /* not by what was refused: later lives of others still need it */

	while (!atomic_load(&s->stop) && !failed) {
		struct fx_error err = { 0 };
		unsigned refused;
		const bool more = !s->r.has_stuck && fx_inlet_peek(s->r.inlet);

		receiver_poll(s, more ? 0 : s->r.has_stuck ? FULL_MS : POLL_MS);
		spool_drain(s->ends[1]);
		refused = receiver_pump(s, &err);
		if (!refused && !err.code)
			continue;
		failed = !refused;
		pthread_mutex_lock(&s->lock);
		s->refused += refused;
		if (err.code)
			s->error = err;
		pthread_mutex_unlock(&s->lock);
		spool_wake(s->ends[1]);
	}
	return NULL;
}

/* Signals are for the other side. */
static int spool_start(struct fx__spool *s, struct fx_error *err)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(&s->thread, NULL, receiver_run, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return fx_error_set(err, FX_EIO, "cannot start a thread for input %s: %s",
				    s->config.port, strerror(failed));
	s->running = true;
	return FX_OK;
}

static int receiver_open(struct fx__spool *s, struct fx_error *err)
{
	struct receiver *r = &s->r;
	struct fx_inlet_config config = s->config;

	if (fx__spool_disk_open(&r->disk, s->config.spool_dir, s->config.spool_bytes, err) < 0)
		return FX_EIO;
	s->config.spool_dir = r->disk.folder; /* the caller's need not live on */
	config.spool_dir = NULL;
	config.faults = NULL; /* these are for one thread */
	config.floor = &r->floor;
	r->inlet = fx_inlet_new(&config, err);
	if (!r->inlet)
		return FX_EIO;
	if (config.ordered && r->disk.any)
		fx_inlet_begin(r->inlet, r->disk.last_seq + 1);
	r->items_len = fx_inlet_items(r->inlet) + 1;
	r->items = fx_calloc(r->items_len, sizeof *r->items);
	return r->items ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory for a spool");
}

/* Both ends of a pair inside of this process. */
static int spool_pair(struct fx__spool *s, struct fx_error *err)
{
	const int zero = 0;
	char name[256];

	snprintf(name, sizeof name, "inproc://spool/%s/%s/%u/%u", s->config.node, s->config.port,
		 s->config.instance, s->config.epoch);
	for (int i = 0; i < 2; i++) {
		s->ends[i] = zmq_socket(s->config.zmq, ZMQ_PAIR);
		if (!s->ends[i])
			return fx_error_set(err, FX_EIO, "cannot make a socket: %s",
					    zmq_strerror(errno));
		zmq_setsockopt(s->ends[i], ZMQ_LINGER, &zero, sizeof zero);
	}
	if (zmq_bind(s->ends[0], name) != 0 || zmq_connect(s->ends[1], name) != 0)
		return fx_error_set(err, FX_EIO, "cannot connect a spool: %s", zmq_strerror(errno));
	return FX_OK;
}

static int spool_open(struct fx__spool *s, struct fx_error *err)
{
	const struct fx__spool_disk *disk = &s->r.disk;
	uint64_t done;

	if (spool_pair(s, err) < 0 || receiver_open(s, err) < 0)
		return FX_EIO;
	s->reader = fx_seglog_read_only(s->config.spool_dir, err);
	if (!s->reader)
		return FX_EIO;
	done = atomic_load(disk->done);
	s->durable = fx_seglog_next(disk->log);
	s->next = done < s->durable ? done : s->durable;
	s->has_open = disk->has_open;
	s->open = disk->open;
	s->reopens = disk->has_open && done > 0; /* it is the first record */
	return FX_OK;
}

struct fx__spool *fx__spool_new(const struct fx_inlet_config *config, struct fx_error *err)
{
	struct fx__spool *s = calloc(1, sizeof *s);

	if (!s) {
		fx_error_set(err, FX_ENOMEM, "no memory for a spool");
		return NULL;
	}
	s->config = *config;
	pthread_mutex_init(&s->lock, NULL);
	if (spool_open(s, err) < 0) {
		fx__spool_free(s);
		return NULL;
	}
	return s;
}

void fx__spool_free(struct fx__spool *s)
{
	if (!s)
		return;
	if (s->running) {
		atomic_store(&s->stop, true);
		spool_wake(s->ends[0]);
		pthread_join(s->thread, NULL);
	}
	if (s->has_ready)
		fx_envelope_fini(&s->ready);
	for (size_t i = 0; i < s->fresh_len; i++)
		fx_envelope_fini(&s->fresh[i].envelope);
	if (s->r.has_stuck)
		fx_envelope_fini(&s->r.stuck);
	fx_inlet_free(s->r.inlet);
	fx__spool_disk_close(&s->r.disk);
	fx_seglog_close(s->reader);
	for (int i = 0; i < 2; i++)
		if (s->ends[i])
			zmq_close(s->ends[i]);
	pthread_mutex_destroy(&s->lock);
	free(s->r.items);
	free(s->due);
	free(s);
}

void *fx__spool_socket(const struct fx__spool *s)
{
	return s->ends[0];
}

void fx__spool_begin(struct fx__spool *s, uint64_t first)
{
	s->first = first;
}

/* The next record, when it is still in memory. */
static bool spool_recall(struct fx__spool *s)
{
	bool there;

	pthread_mutex_lock(&s->lock);
	there = s->fresh_len && s->fresh[0].record == s->next;
	if (there) {
		s->ready = s->fresh[0].envelope;
		s->fresh_payloads -= has_payload(&s->ready);
		s->fresh_bytes -= s->ready.payload.raw_size;
		memmove(s->fresh, s->fresh + 1, --s->fresh_len * sizeof *s->fresh);
	}
	pthread_mutex_unlock(&s->lock);
	return there;
}

/* Reads the next record from the disk. */
static int spool_fetch(struct fx__spool *s, struct fx_error *err)
{
	void *bytes;
	size_t size;
	int result;

	fx_seglog_told(s->reader, atomic_load(&s->durable));
	result = fx_seglog_get(s->reader, s->next, &bytes, &size, err);
	if (result == FX_END)
		return fx_error_set(err, FX_ETYPE, "%s: record %llu is damaged",
				    s->config.spool_dir, (unsigned long long)s->next);
	if (result < 0)
		return result;
	result = fx_letter_read(bytes, size, &s->ready, err);
	free(bytes);
	return result < 0 ? fx_error_prefix(err, "%s: record %llu", s->config.spool_dir,
					    (unsigned long long)s->next) :
			    FX_OK;
}

/* Takes the next record as the message to hand on. */
static int spool_read(struct fx__spool *s, struct fx_error *err)
{
	int result = FX_OK;

	if (!fx_grow(&s->due, &s->due_cap, s->due_len + 1, sizeof *s->due))
		return fx_error_set(err, FX_ENOMEM, "no memory for what came on input %s",
				    s->config.port);
	if (!spool_recall(s))
		result = spool_fetch(s, err);
	if (result < 0)
		return result;
	s->ready_record = s->next++;
	s->has_ready = true;
	if (s->ready.kind == FX_NOTHING && s->ready.mark.kind == FX_MARK_OPEN && !s->has_open) {
		s->open = s->ready.mark;
		s->has_open = true;
	}
	return FX_OK;
}

/* What the node is done with may go. */
static void spool_settle(struct fx__spool *s)
{
	size_t paid = 0;

	while (paid < s->due_len && s->due[paid].safe)
		paid++;
	s->due_len -= paid;
	memmove(s->due, s->due + paid, s->due_len * sizeof *s->due);
	atomic_store(s->r.disk.done, s->due_len	  ? s->due[0].record :
				     s->has_ready ? s->ready_record :
						    s->next);
}

/* Keeps one message ready, as long as there is any. */
static void spool_fill(struct fx__spool *s, struct fx_error *err)
{
	while (!s->has_ready && !s->ended && s->next < atomic_load(&s->durable)) {
		if (spool_read(s, err) < 0)
			return;
		if (!s->config.ordered || s->ready.seq >= s->first)
			return;
		fx_envelope_fini(&s->ready); /* known to the node from a former life */
		s->has_ready = false;
		spool_settle(s);
	}
}

unsigned fx__spool_pump(struct fx__spool *s, struct fx_error *err)
{
	struct fx_error own = { 0 };
	char warning[sizeof s->warning];
	unsigned refused;

	if (!s->running && !s->error.code)
		spool_start(s, &s->error);
	spool_drain(s->ends[0]);
	pthread_mutex_lock(&s->lock);
	own = s->error;
	refused = s->refused;
	s->refused = 0;
	memcpy(warning, s->warning, sizeof warning);
	s->warning[0] = 0;
	pthread_mutex_unlock(&s->lock);
	if (warning[0] && s->config.warned)
		s->config.warned(s->config.context, warning);
	if (!own.code)
		spool_fill(s, &own);
	if (own.code && err)
		*err = own;
	return refused;
}

const struct fx_envelope *fx__spool_peek(const struct fx__spool *s)
{
	return s->has_ready ? &s->ready : NULL;
}

bool fx__spool_pop(struct fx__spool *s, struct fx_envelope *e)
{
	if (!s->has_ready)
		return false;
	*e = s->ready;
	s->has_ready = false;
	s->ended = e->kind == FX_NOTHING && e->mark.kind == FX_MARK_END;
	s->due[s->due_len++] =
		(struct due){ .seq = e->seq, .record = s->ready_record, .end = s->ended };
	return true;
}

void fx__spool_ack(struct fx__spool *s, uint64_t seq)
{
	for (size_t i = 0; i < s->due_len; i++)
		if (s->due[i].seq == seq)
			s->due[i].safe = !s->due[i].end;
	spool_settle(s);
	if (atomic_load(s->r.disk.done) < atomic_load(&s->durable))
		return;
	fx_seglog_rest(s->reader);
	spool_wake(s->ends[0]); /* all is done: there may be room again */
}

bool fx__spool_reopens(struct fx__spool *s, uint64_t *seq)
{
	const bool reopens = s->reopens;

	s->reopens = false;
	*seq = s->r.disk.open_seq;
	return reopens;
}

const struct fx_mark *fx__spool_opened(const struct fx__spool *s)
{
	return s->has_open ? &s->open : NULL;
}
