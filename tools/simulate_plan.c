// SPDX-License-Identifier: Apache-2.0
/* simulate_plan.c: when sections are imaged and when they appear, and where their tiles lie. */
#include "simulate.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "kernels/phantom_noise.h"

enum { JITTER = 0x71, DISORDER, LATE, STAGE };

static uint64_t numbers(const struct sim_options *o, int kind, int64_t section)
{
	return fx_noise_at(o->microscope.seed ^ ((uint64_t)kind << 32), section, 1, 0);
}

static double appears(const struct sim_visit *v)
{
	return v->time_s + v->late_s;
}

static int compare_visits(const void *a, const void *b)
{
	const struct sim_visit *p = a, *q = b;
	const double s = appears(p), t = appears(q);

	if (s < t || s > t)
		return s < t ? -1 : 1;
	return p->section < q->section ? -1 : p->section > q->section;
}

/* A section out of order comes behind the next one; a late one 3 to 10 sections later. */
static double delay(const struct sim_options *o, int64_t section)
{
	uint64_t random = numbers(o, DISORDER, section);
	double periods = fx_noise_next(&random) < o->disorder ? 1.5 : 0;

	random = numbers(o, LATE, section);
	if (fx_noise_next(&random) < o->late)
		periods = 3 + 7 * fx_noise_next(&random);
	return periods;
}

int sim_plan(const struct sim_options *o, int64_t first, int64_t count, struct sim_visit **out,
	     struct fx_error *err)
{
	const double period = o->rate > 0 ? 1 / o->rate : 1;
	struct sim_visit *all = fx_calloc((size_t)count, sizeof *all);
	double now = 0;

	if (!all)
		return fx_error_set(err, FX_ENOMEM, "no memory for the plan of %lld sections",
				    (long long)count);
	for (int64_t i = 0; i < count; i++) {
		uint64_t random = numbers(o, JITTER, first + i);
		const double step = 1 + o->jitter * fx_noise_normal(&random);

		all[i].section = first + i;
		all[i].time_s = now * period;
		all[i].late_s = delay(o, first + i) * period;
		now += step < 0.1 ? 0.1 : step;
	}
	qsort(all, (size_t)count, sizeof *all, compare_visits);
	*out = all;
	return FX_OK;
}

/* Length of @p n pieces that overlap by a part and cover @p all. */
static size_t piece(size_t all, size_t n, double overlap)
{
	const double length = (double)all / ((double)n - (double)(n - 1) * overlap);

	return n > 1 ? (size_t)ceil(length) : all;
}

int sim_layout(const struct sim_options *o, size_t height, size_t width, struct sim_layout *l,
	       struct fx_error *err)
{
	*l = (struct sim_layout){ .rows = o->rows,
				  .columns = o->columns,
				  .height = piece(height, o->rows, o->overlap),
				  .width = piece(width, o->columns, o->overlap),
				  .section = { height, width } };
	if (o->rows <= height && o->columns <= width)
		return FX_OK;
	return fx_error_set(err, FX_EINVAL, "--tiles %zux%zu: a section has only %zu x %zu voxels",
			    o->rows, o->columns, height, width);
}

static double spread(size_t i, size_t n, size_t all, size_t length)
{
	return n > 1 ? floor((double)i * (double)(all - length) / (double)(n - 1) + 0.5) : 0;
}

void sim_tile_place(const struct sim_layout *l, const struct sim_options *o, int64_t section,
		    size_t t, double nominal[2], double actual[2])
{
	uint64_t random = numbers(o, STAGE, section) ^ fx_noise_mix(t);

	nominal[0] = spread(t / l->columns, l->rows, l->section[0], l->height);
	nominal[1] = spread(t % l->columns, l->columns, l->section[1], l->width);
	for (int a = 0; a < 2; a++) {
		const double error = o->stage_error * fx_noise_normal(&random);

		actual[a] = nominal[a] + (l->rows * l->columns > 1 ? error : 0);
	}
}
