// SPDX-License-Identifier: Apache-2.0
/* objects.c: which segments are which bodies, and where the worst mistakes are. */
#include "kernels/objects.h"

#include <fornix/error.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map64.h"
#include "kernels/compensated.h"

/* A body and a segment that overlap. */
struct overlap {
	double iou;
	uint64_t truth, seg;
};

static bool counts(enum fx_rule rule, const struct fx_pair *p)
{
	return p->count &&
	       (rule == FX_ALL_VOXELS || (p->truth && (rule == FX_TRUTH_NONZERO || p->seg)));
}

static bool add_to(struct fx_map64 *sizes, uint64_t id, uint64_t count)
{
	uint64_t *at = id ? fx_map64_at(sizes, id) : NULL;

	if (at)
		*at += count;
	return !id || at;
}

static int overlap_compare(const void *a, const void *b)
{
	const struct overlap *p = a, *q = b;

	if (p->iou != q->iou)
		return p->iou < q->iou ? 1 : -1;
	if (p->truth != q->truth)
		return p->truth > q->truth ? 1 : -1;
	return (p->seg > q->seg) - (p->seg < q->seg);
}

/* Pairs with an intersection over union of at least a half; a body has at most two such. */
static size_t overlaps(const struct fx_contingency *c, enum fx_rule rule,
		       const struct fx_map64 *bodies, const struct fx_map64 *segs,
		       struct overlap *out)
{
	size_t n = 0;

	for (size_t i = 0; i < c->cap; i++) {
		const struct fx_pair *p = &c->slots[i];
		double both, all;

		if (!counts(rule, p) || !p->truth || !p->seg)
			continue;
		both = (double)p->count;
		all = (double)*fx_map64_find(bodies, p->truth) +
		      (double)*fx_map64_find(segs, p->seg) - both;
		if (2 * both >= all)
			out[n++] = (struct overlap){ both / all, p->truth, p->seg };
	}
	qsort(out, n, sizeof *out, overlap_compare);
	return n;
}

/* Takes the best first, each body and segment once. The sizes are 0 from then on. */
static void match(const struct overlap *o, size_t len, struct fx_map64 *bodies,
		  struct fx_map64 *segs, struct fx_objects *out)
{
	struct fx_sum sum = { 0 };

	for (size_t i = 0; i < len; i++) {
		uint64_t *body = fx_map64_at(bodies, o[i].truth),
			 *seg = fx_map64_at(segs, o[i].seg);

		if (!body || !seg || !*body || !*seg)
			continue;
		*body = *seg = 0;
		fx_sum_add(&sum, o[i].iou);
		for (int k = 0; k < FX_OBJECT_LEVELS; k++)
			out->matched[k] += o[i].iou >= (50 + 5 * k) / 100.0;
	}
	out->iou_sum = fx_sum_value(&sum);
}

int fx_objects_match(const struct fx_contingency *c, enum fx_rule rule, struct fx_objects *out)
{
	struct fx_map64 bodies = { 0 }, segs = { 0 };
	struct overlap *o = fx_calloc(c->len, sizeof *o);
	bool ok = o != NULL;

	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < c->cap && ok; i++)
		if (counts(rule, &c->slots[i]))
			ok = add_to(&bodies, c->slots[i].truth, c->slots[i].count) &&
			     add_to(&segs, c->slots[i].seg, c->slots[i].count);
	if (ok) {
		out->bodies = bodies.len;
		out->segments = segs.len;
		match(o, overlaps(c, rule, &bodies, &segs, o), &bodies, &segs, out);
	}
	fx_map64_fini(&bodies);
	fx_map64_fini(&segs);
	free(o);
	return ok ? FX_OK : FX_ENOMEM;
}

static int add(struct fx_record *r, const char *group, const char *field, int level, double value)
{
	char name[96];

	if (level)
		snprintf(name, sizeof name, "%s.objects.%s_%d", group, field, level);
	else
		snprintf(name, sizeof name, "%s.objects.%s", group, field);
	return fx_record_add_number(r, name, value);
}

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

int fx_objects_add(struct fx_record *r, const char *group, const struct fx_objects *o)
{
	const double bodies = (double)o->bodies, segments = (double)o->segments;
	struct fx_sum sum = { 0 };
	int rc = FX_OK;

	for (int k = 0; rc == FX_OK && k < FX_OBJECT_LEVELS; k++) {
		const double f1 = share(2 * (double)o->matched[k], bodies + segments);

		fx_sum_add(&sum, f1);
		rc = add(r, group, "f1", 50 + 5 * k, f1);
	}
	if (rc == FX_OK)
		rc = add(r, group, "f1_mean", 0, fx_sum_value(&sum) / FX_OBJECT_LEVELS);
	for (int k = 0; rc == FX_OK && k < FX_OBJECT_LEVELS; k += 5) {
		const double matched = (double)o->matched[k];

		rc = add(r, group, "precision", 50 + 5 * k, share(matched, segments));
		if (rc == FX_OK)
			rc = add(r, group, "recall", 50 + 5 * k, share(matched, bodies));
		if (rc == FX_OK)
			rc = add(r, group, "matched", 50 + 5 * k, matched);
	}
	return rc == FX_OK ?
		       add(r, group, "iou_mean", 0, share(o->iou_sum, (double)o->matched[0])) :
		       rc;
}

static int pair_by_seg(const void *a, const void *b)
{
	const struct fx_pair *p = a, *q = b;

	if (p->seg != q->seg)
		return p->seg > q->seg ? 1 : -1;
	return (p->truth > q->truth) - (p->truth < q->truth);
}

static uint64_t key(const struct fx_pair *p, bool mergers)
{
	return mergers ? p->seg : p->truth;
}

/* Keeps the largest parts, ties by the lowest id. */
static void part_take(struct fx_mistake *m, const struct fx_contingency *c, const struct fx_pair *p)
{
	const struct fx_place *place = fx_contingency_place(c, p->seg, p->truth);
	const uint64_t id = m->merger ? p->truth : p->seg;
	size_t i = m->parts_len++;

	i = i < FX_MISTAKE_PARTS ? i : FX_MISTAKE_PARTS;
	for (; i && (m->parts[i - 1].voxels < p->count ||
		     (m->parts[i - 1].voxels == p->count && m->parts[i - 1].id > id));
	     i--)
		if (i < FX_MISTAKE_PARTS)
			m->parts[i] = m->parts[i - 1];
	if (i >= FX_MISTAKE_PARTS)
		return;
	m->parts[i].id = id;
	m->parts[i].voxels = p->count;
	m->parts[i].placed = place != NULL;
	if (place)
		memcpy(m->parts[i].at, place->at, sizeof place->at);
}

/* What the pairs of one object say of it; all voxels are `total`. */
static void mistake_make(struct fx_mistake *m, const struct fx_contingency *c,
			 const struct fx_pair *pairs, size_t len, bool merger, double total)
{
	struct fx_sum bits = { 0 };

	memset(m, 0, sizeof *m);
	m->merger = merger;
	m->id = key(pairs, merger);
	for (size_t i = 0; i < len; i++) {
		m->voxels += pairs[i].count;
		part_take(m, c, &pairs[i]);
	}
	for (size_t i = 0; i < len; i++)
		fx_sum_add(&bits, (double)pairs[i].count *
					  log2((double)m->voxels / (double)pairs[i].count));
	m->bits = fx_sum_value(&bits) / total;
}

static int mistake_compare(const void *a, const void *b)
{
	const struct fx_mistake *p = a, *q = b;

	if (p->bits != q->bits)
		return p->bits < q->bits ? 1 : -1;
	return (p->id > q->id) - (p->id < q->id);
}

/* Pairs in which neither is 0, sorted by what may be wrong; gives how many, and their voxels. */
static size_t mistake_pairs(struct fx_pair *pairs, size_t len, bool mergers, double *total)
{
	size_t n = 0;
	uint64_t voxels = 0;

	for (size_t i = 0; i < len; i++)
		if (pairs[i].seg && pairs[i].truth) {
			voxels += pairs[i].count;
			pairs[n++] = pairs[i];
		}
	if (mergers)
		qsort(pairs, n, sizeof *pairs, pair_by_seg);
	*total = (double)voxels;
	return n;
}

int fx_mistakes_find(const struct fx_contingency *c, bool mergers, size_t most,
		     struct fx_mistake **out, size_t *len)
{
	struct fx_pair *pairs = fx_contingency_sorted(c);
	double total = 0;
	const size_t n = pairs ? mistake_pairs(pairs, c->len, mergers, &total) : 0;
	struct fx_mistake *found = NULL;
	size_t cap = 0, end;
	int rc = pairs ? FX_OK : FX_ENOMEM;

	*len = 0;
	for (size_t i = 0; rc == FX_OK && i < n; i = end) {
		for (end = i; end < n && key(&pairs[end], mergers) == key(&pairs[i], mergers);)
			end++;
		if (end - i < 2)
			continue;
		if (fx_grow(&found, &cap, *len + 1, sizeof *found))
			mistake_make(&found[(*len)++], c, &pairs[i], end - i, mergers, total);
		else
			rc = FX_ENOMEM;
	}
	free(pairs);
	if (rc < 0) {
		free(found);
		return rc;
	}
	if (*len)
		qsort(found, *len, sizeof *found, mistake_compare);
	*len = *len < most ? *len : most;
	*out = found;
	return FX_OK;
}

static int part_add(struct fx_record *r, size_t part, const char *field, double value)
{
	char name[32];

	snprintf(name, sizeof name, "part_%zu.%s", part + 1, field);
	return fx_record_add_number(r, name, value);
}

struct fx_record *fx_mistake_record(const struct fx_mistake *m)
{
	static const char axes[3][2] = { "z", "y", "x" };
	struct fx_record *r = fx_record_new(m->merger ? "merger" : "split");
	bool ok = r && fx_record_add_text(r, "mistake", m->merger ? "merger" : "split") == FX_OK &&
		  fx_record_add_number(r, "id", (double)m->id) == FX_OK &&
		  fx_record_add_number(r, "voxels", (double)m->voxels) == FX_OK &&
		  fx_record_add_number(r, "bits", m->bits) == FX_OK &&
		  fx_record_add_number(r, "parts", (double)m->parts_len) == FX_OK;

	for (size_t i = 0; ok && i < m->parts_len && i < FX_MISTAKE_PARTS; i++) {
		ok = part_add(r, i, "id", (double)m->parts[i].id) == FX_OK &&
		     part_add(r, i, "voxels", (double)m->parts[i].voxels) == FX_OK;
		for (int a = 0; ok && m->parts[i].placed && a < 3; a++)
			ok = part_add(r, i, axes[a], (double)m->parts[i].at[a]) == FX_OK;
	}
	if (ok)
		return r;
	fx_record_free(r);
	return NULL;
}
