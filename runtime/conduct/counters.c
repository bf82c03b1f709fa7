// SPDX-License-Identifier: Apache-2.0
/* counters.c: counters of a run that travel between hosts. A message is the sender's clock and
 * entries: what it is, its index, and the bytes of the struct. Both ends are the same program: they
 * have compared their versions. */
#include "conduct/counters.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

enum part {
	PART_INSTANCE = 1,
	PART_PRODUCER, /* a lane, as its producer counts */
	PART_CONSUMER, /* a lane, as its consumer counts */
};

struct entry {
	uint32_t part, index;
};

int fx_counters_init(struct fx_counters *c, const struct fx_stats *s, struct fx_error *err)
{
	*c = (struct fx_counters){ .instances = fx_calloc(s->instances_len, sizeof *c->instances),
				   .lanes = fx_calloc(2 * s->lanes_len, sizeof *c->lanes) };
	if (c->instances && c->lanes)
		return FX_OK;
	fx_counters_fini(c);
	return fx_error_set(err, FX_ENOMEM, "no memory for counters");
}

void fx_counters_fini(struct fx_counters *c)
{
	free(c->instances);
	free(c->lanes);
	free(c->bytes);
	*c = (struct fx_counters){ 0 };
}

static bool append(struct fx_counters *c, const void *bytes, size_t size)
{
	if (!fx_grow(&c->bytes, &c->cap, c->len + size, 1))
		return false;
	memcpy(c->bytes + c->len, bytes, size);
	c->len += size;
	return true;
}

void fx_counters_begin(struct fx_counters *c)
{
	const int64_t now = fx_now_ns();

	c->len = 0;
	append(c, &now, sizeof now);
}

bool fx_counters_any(const struct fx_counters *c)
{
	return c->len > sizeof(int64_t);
}

/* An entry, unless its bytes are those that were sent last. */
static int put(struct fx_counters *c, enum part part, size_t index, const void *now, void *last,
	       size_t size, bool whole)
{
	const struct entry e = { (uint32_t)part, (uint32_t)index };

	if (!whole && memcmp(now, last, size) == 0)
		return FX_OK;
	memcpy(last, now, size);
	return append(c, &e, sizeof e) && append(c, last, size) ? FX_OK : FX_ENOMEM;
}

static int put_lanes(struct fx_counters *c, const struct fx_stats *s, enum part part,
		     const struct fx_wired_lane *lanes, size_t len, bool whole)
{
	for (size_t i = 0; i < len; i++) {
		const size_t k = lanes[i].stats;

		if (put(c, part, k, &s->lanes[k], &c->lanes[2 * k + (part == PART_CONSUMER)],
			sizeof *c->lanes, whole) < 0)
			return FX_ENOMEM;
	}
	return FX_OK;
}

int fx_counters_put(struct fx_counters *c, const struct fx_stats *s, const struct fx_wiring *w,
		    bool whole)
{
	const size_t k = w->index;
	int result = put(c, PART_INSTANCE, k, &s->instances[k], &c->instances[k],
			 sizeof *c->instances, whole);

	for (size_t i = 0; result == FX_OK && i < w->inputs_len; i++)
		result = put_lanes(c, s, PART_CONSUMER, w->inputs[i].lanes, w->inputs[i].lanes_len,
				   whole);
	for (size_t i = 0; i < w->outputs_len; i++)
		for (size_t e = 0; result == FX_OK && e < w->outputs[i].edges_len; e++)
			result = put_lanes(c, s, PART_PRODUCER, w->outputs[i].edges[e].lanes,
					   w->outputs[i].edges[e].lanes_len, whole);
	return result;
}

/* The next entry of a message; FX_END behind the last. */
static int next(const struct fx_stats *s, const uint8_t **at, const uint8_t *end, struct entry *e,
		const void **value, struct fx_error *err)
{
	size_t size, len;

	if (*at == end)
		return FX_END;
	if ((size_t)(end - *at) >= sizeof *e) {
		memcpy(e, *at, sizeof *e);
		size = e->part == PART_INSTANCE ? sizeof *s->instances : sizeof *s->lanes;
		len = e->part == PART_INSTANCE ? s->instances_len : s->lanes_len;
		*value = *at + sizeof *e;
		if (e->part >= PART_INSTANCE && e->part <= PART_CONSUMER && e->index < len &&
		    (size_t)(end - *at) - sizeof *e >= size) {
			*at += sizeof *e + size;
			return FX_OK;
		}
	}
	return fx_error_set(err, FX_ETYPE, "counters that are none");
}

static void shift(_Atomic int64_t *t, int64_t by)
{
	const int64_t v = atomic_load(t);

	if (v)
		atomic_store(t, v + by);
}

/* What comes from another host is not to be believed: texts end, and no count is beyond its list.
 */
static void bound_instance(struct fx_instance_stats *s)
{
	if (atomic_load(&s->gauges_len) > FX_STATS_GAUGES)
		atomic_store(&s->gauges_len, FX_STATS_GAUGES);
	for (size_t i = 0; i < FX_STATS_GAUGES; i++)
		s->gauges[i].unit[FX_STATS_UNIT - 1] = 0;
	s->warning[sizeof s->warning - 1] = 0;
	s->error[sizeof s->error - 1] = 0;
	s->confined[sizeof s->confined - 1] = 0;
}

/* All but what the conductor writes. Not atomic as a whole: each number is, as it is copied in one
 * piece by its own type's size at the least. */
static void take_instance(struct fx_instance_stats *to, struct fx_instance_stats *from,
			  int64_t clocks)
{
	const uint32_t lives = atomic_load(&to->lives), pid = atomic_load(&to->pid);
	const uint32_t aside = atomic_load(&to->aside_len);
	struct fx_aside kept[FX_STATS_ASIDE];

	memcpy(kept, to->aside, sizeof kept);
	bound_instance(from);
	shift(&from->work_since_ns, clocks);
	for (size_t i = 0; i < FX_STATS_GAUGES; i++)
		shift(&from->gauges[i].first_ns, clocks);
	atomic_store(&from->lives, lives);
	atomic_store(&from->pid, pid);
	atomic_store(&from->aside_len, aside);
	memcpy(from->aside, kept, sizeof kept);
	memcpy(to, from, sizeof *to);
}

static void take_producer(struct fx_lane_stats *to, struct fx_lane_stats *from, int64_t clocks)
{
	shift(&from->oldest_ns, clocks);
	atomic_store(&to->sent, atomic_load(&from->sent));
	atomic_store(&to->resent, atomic_load(&from->resent));
	atomic_store(&to->acked, atomic_load(&from->acked));
	atomic_store(&to->dropped, atomic_load(&from->dropped));
	atomic_store(&to->bytes, atomic_load(&from->bytes));
	atomic_store(&to->framed, atomic_load(&from->framed));
	for (int i = 0; i < FX_STATS_CODECS; i++)
		atomic_store(&to->coded[i], atomic_load(&from->coded[i]));
	atomic_store(&to->unwanted, atomic_load(&from->unwanted));
	atomic_store(&to->rate, atomic_load(&from->rate));
	atomic_store(&to->depth, atomic_load(&from->depth));
	atomic_store(&to->floor, atomic_load(&from->floor));
	atomic_store(&to->oldest_ns, atomic_load(&from->oldest_ns));
}

static void take_consumer(struct fx_lane_stats *to, const struct fx_lane_stats *from)
{
	atomic_store(&to->delivered, atomic_load(&from->delivered));
	atomic_store(&to->duplicates, atomic_load(&from->duplicates));
	atomic_store(&to->missing, atomic_load(&from->missing));
}

/* On which hosts the two ends of a lane run. */
static bool lane_is_of(const struct fx_plan *p, uint32_t lane, enum part part, unsigned host)
{
	for (size_t i = 0; i < p->edges_len; i++) {
		const struct fx_plan_edge *e = &p->edges[i];
		const size_t at = lane - e->first;

		if (lane < e->first || at >= e->producers * e->consumers)
			continue;
		if (part == PART_PRODUCER)
			return p->instances[fx_first_instance(p->graph, e->from) +
					    at / e->consumers]
				       .host == host;
		return p->instances[fx_first_instance(p->graph, e->to) + at % e->consumers].host ==
		       host;
	}
	return false;
}

int fx_counters_take(struct fx_stats *s, const void *bytes, size_t size, const struct fx_plan *p,
		     unsigned host, struct fx_error *err)
{
	const uint8_t *at = bytes, *const end = at + size;
	struct fx_instance_stats instance;
	struct fx_lane_stats lane;
	struct entry e;
	const void *value = NULL;
	int64_t clock;
	int result;

	if (size < sizeof clock)
		return fx_error_set(err, FX_ETYPE, "counters that are none");
	memcpy(&clock, at, sizeof clock);
	clock = fx_now_ns() - clock;
	at += sizeof clock;
	while ((result = next(s, &at, end, &e, &value, err)) == FX_OK) {
		if (e.part == PART_INSTANCE) {
			memcpy(&instance, value, sizeof instance);
			if (p->instances[e.index].host == host)
				take_instance(&s->instances[e.index], &instance, clock);
			continue;
		}
		memcpy(&lane, value, sizeof lane);
		if (!lane_is_of(p, e.index, (enum part)e.part, host))
			continue;
		if (e.part == PART_PRODUCER)
			take_producer(&s->lanes[e.index], &lane, clock);
		else
			take_consumer(&s->lanes[e.index], &lane);
	}
	return result == FX_END ? FX_OK : result;
}

void fx_counters_infer(struct fx_lane_stats *s)
{
	const uint64_t acked = atomic_load(&s->acked),
		       else_where = atomic_load(&s->duplicates) + atomic_load(&s->unwanted);

	if (atomic_load(&s->delivered) + else_where < acked)
		atomic_store(&s->delivered, acked - else_where);
}

int fx_counters_load(struct fx_stats *s, const void *bytes, size_t size, struct fx_error *err)
{
	const uint8_t *at = bytes, *const end = at + size;
	struct fx_lane_stats lane;
	struct entry e;
	const void *value = NULL;
	int result;

	if (size < sizeof(int64_t))
		return fx_error_set(err, FX_ETYPE, "counters that are none");
	at += sizeof(int64_t);
	while ((result = next(s, &at, end, &e, &value, err)) == FX_OK) {
		if (e.part == PART_INSTANCE) {
			memcpy(&s->instances[e.index], value, sizeof *s->instances);
			continue;
		}
		memcpy(&lane, value, sizeof lane); /* the other end may be here, and count on */
		if (e.part == PART_PRODUCER)
			take_producer(&s->lanes[e.index], &lane, 0);
		else
			take_consumer(&s->lanes[e.index], &lane);
	}
	return result == FX_END ? FX_OK : result;
}
