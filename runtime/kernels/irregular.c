// SPDX-License-Identifier: Apache-2.0
/* irregular.c: where a section does not continue those before it. */
#include "kernels/irregular.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

enum { SIMILARITY, POWER, SERIES };

static const double empty = 0.05;	 /* of the power that is usual: no structure */
static const double similar_first = 0.2; /* while nothing is usual yet */

int fx_irregular_init(struct fx_irregular *r, const struct fx_irregular_rules *rules, size_t height,
		      size_t width)
{
	size_t n;

	*r = (struct fx_irregular){ .rules = *rules,
				    .rows = (height + rules->step - 1) / rules->step,
				    .columns = (width + rules->step - 1) / rules->step };
	if (!fx_mul_size(r->rows, r->columns, &n))
		return FX_ENOMEM;
	r->cells = fx_calloc(n, sizeof *r->cells);
	r->found = fx_calloc(n, sizeof *r->found);
	r->scratch = fx_calloc(n, sizeof *r->scratch);
	if (!r->cells || !r->found || !r->scratch || fx_grey_init(&r->now, height, width) < 0 ||
	    fx_grey_init(&r->before, height, width) < 0 ||
	    fx_grey_init(&r->last, height, width) < 0 ||
	    fx_running_init(&r->usual, SERIES, rules->window) < 0)
		return FX_ENOMEM;
	return FX_OK;
}

void fx_irregular_fini(struct fx_irregular *r)
{
	fx_grey_fini(&r->now);
	fx_grey_fini(&r->before);
	fx_grey_fini(&r->last);
	fx_running_fini(&r->usual);
	free(r->cells);
	free(r->found);
	free(r->scratch);
	*r = (struct fx_irregular){ 0 };
}

/* A side of the patch around the cell that begins at @p at. */
static void patch_of(const struct fx_irregular *r, size_t at, size_t size, size_t *lo, size_t *n)
{
	const size_t more = (r->rules.patch - r->rules.step) / 2;
	const size_t hi = at + r->rules.step + more;

	*lo = at > more ? at - more : 0;
	*n = (hi < size ? hi : size) - *lo;
}

/* The patch around cell @p i of the present section in @p other. */
static void compare(const struct fx_irregular *r, const struct fx_grey *other, size_t i,
		    struct fx_shift *s)
{
	size_t y, x, height, width;

	patch_of(r, i / r->columns * r->rules.step, r->now.height, &y, &height);
	patch_of(r, i % r->columns * r->rules.step, r->now.width, &x, &width);
	fx_shift_find(s, &r->now, other, y, x, height, width, r->rules.reach);
}

/* Limits of a section. */
struct limits {
	double similarity, power;
};

static bool is_regular(const struct fx_irregular *r, const struct fx_shift *s, struct limits l)
{
	return fabs(s->y) <= r->rules.shift && fabs(s->x) <= r->rules.shift &&
	       s->similarity >= l.similarity;
}

/* The cell has no structure in the present section, nor in @p other. */
static bool both_empty(const struct fx_irregular *r, const struct fx_grey *other, size_t i,
		       const struct fx_shift *s, struct limits l)
{
	size_t y, x, height, width;
	struct fx_shift back;

	if (!(s->power < l.power))
		return false;
	patch_of(r, i / r->columns * r->rules.step, r->now.height, &y, &height);
	patch_of(r, i % r->columns * r->rules.step, r->now.width, &x, &width);
	fx_shift_find(&back, other, other, y, x, height, width, 0);
	return back.power < l.power;
}

static int compare_doubles(const void *a, const void *b)
{
	const double p = *(const double *)a, q = *(const double *)b;

	return p < q ? -1 : p > q;
}

/* Median of a member of all cells. */
static double median_of(const struct fx_irregular *r, size_t offset)
{
	const size_t n = r->rows * r->columns;
	double *v = r->scratch;

	for (size_t i = 0; i < n; i++)
		memcpy(&v[i], (const char *)&r->found[i] + offset, sizeof *v);
	qsort(v, n, sizeof *v, compare_doubles);
	return v[(n - 1) / 2];
}

static struct limits limits_of(const struct fx_irregular *r, const struct fx_irregular_summary *s,
			       double power)
{
	double similarity = s->similarity, usual_power = power, spread;

	if (r->usual.len) {
		fx_running_usual(&r->usual, SIMILARITY, &similarity, &spread);
		fx_running_usual(&r->usual, POWER, &usual_power, &spread);
	}
	similarity *= r->rules.similar;
	return (struct limits){ r->usual.len ? similarity : fmax(similarity, similar_first),
				usual_power * empty };
}

static void judge_cells(struct fx_irregular *r, struct limits l)
{
	const size_t n = r->rows * r->columns;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i++) {
		struct fx_shift again;
		bool regular = is_regular(r, &r->found[i], l) ||
			       both_empty(r, &r->before, i, &r->found[i], l);

		if (!regular) {
			compare(r, &r->last, i, &again);
			regular = is_regular(r, &again, l) || both_empty(r, &r->last, i, &again, l);
		}
		r->cells[i] = !regular;
	}
}

/* Cells that are regular now are what later ones may be compared with. */
static void take_up(struct fx_irregular *r, bool all)
{
	const size_t step = r->rules.step;
	struct fx_grey swap;

	for (size_t i = 0; i < r->rows * r->columns; i++) {
		const size_t y = i / r->columns * step, x = i % r->columns * step;
		const size_t height = y + step < r->now.height ? step : r->now.height - y,
			     width = x + step < r->now.width ? step : r->now.width - x;

		if (all || !r->cells[i])
			fx_grey_copy(&r->last, &r->now, y, x, height, width);
	}
	swap = r->before;
	r->before = r->now;
	r->now = swap;
}

void fx_irregular_next(struct fx_irregular *r, const void *voxels, enum fx_dtype dtype,
		       struct fx_irregular_summary *summary)
{
	const size_t n = r->rows * r->columns;
	double power, bad = 0;
	float *usual;

	*summary = (struct fx_irregular_summary){ .similarity = 1 };
	memset(r->cells, 0, n);
	fx_grey_fill(&r->now, voxels, dtype);
	if (!r->any) {
		take_up(r, true);
		r->any = true;
		return;
	}
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i++)
		compare(r, &r->before, i, &r->found[i]);
	summary->similarity = median_of(r, offsetof(struct fx_shift, similarity));
	summary->y = median_of(r, offsetof(struct fx_shift, y));
	summary->x = median_of(r, offsetof(struct fx_shift, x));
	power = median_of(r, offsetof(struct fx_shift, power));
	judge_cells(r, limits_of(r, summary, power));
	for (size_t i = 0; i < n; i++) {
		const struct fx_shift *s = &r->found[i];

		bad += r->cells[i];
		summary->farthest = fmax(summary->farthest, fmax(fabs(s->y), fabs(s->x)));
	}
	summary->share = bad / (double)n;
	usual = fx_running_push(&r->usual);
	usual[SIMILARITY] = (float)summary->similarity;
	usual[POWER] = (float)power;
	take_up(r, false);
}

void fx_irregular_pack(const struct fx_irregular *r, struct fx_pack *to)
{
	const size_t n = r->now.height * r->now.width;

	fx_pack_bool(to, r->any);
	fx_running_pack(&r->usual, to);
	if (!r->any)
		return;
	fx_pack_put(to, r->before.full, n * sizeof *r->before.full);
	fx_pack_put(to, r->last.full, n * sizeof *r->last.full);
}

int fx_irregular_unpack(struct fx_irregular *r, struct fx_unpack *from)
{
	const size_t size = r->now.height * r->now.width * sizeof *r->now.full;
	int result = fx_unpack_bool(from, &r->any);

	if (result == FX_OK)
		result = fx_running_unpack(&r->usual, from);
	if (result < 0 || !r->any)
		return result;
	if (fx_unpack_get(from, r->before.full, size) < 0 ||
	    fx_unpack_get(from, r->last.full, size) < 0)
		return FX_ETYPE;
	fx_grey_halve(&r->before);
	fx_grey_halve(&r->last);
	return FX_OK;
}
