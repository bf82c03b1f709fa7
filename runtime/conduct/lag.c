// SPDX-License-Identifier: Apache-2.0
/* lag.c: how far a run is behind the microscope. */
#include "conduct/lag.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

static void note(double *at, size_t cap, int64_t *seen, int64_t now, double now_s)
{
	for (; *seen < now; (*seen)++)
		if ((size_t)*seen < cap)
			at[*seen] = now_s;
}

static void make_room(struct fx_lag *l, int64_t sections)
{
	size_t a = l->cap, f = l->cap;

	if (sections > FX_LAG_SECTIONS_MAX || (size_t)sections <= l->cap)
		return;
	if (fx_grow(&l->acquired_s, &a, (size_t)sections, sizeof *l->acquired_s) &&
	    fx_grow(&l->finished_s, &f, (size_t)sections, sizeof *l->finished_s))
		l->cap = a < f ? a : f;
}

void fx_lag_look(struct fx_lag *l, double now_s, int64_t acquired, int64_t finished)
{
	double s;

	finished = finished < acquired ? finished : acquired;
	make_room(l, acquired);
	note(l->acquired_s, l->cap, &l->acquired, acquired, now_s);
	note(l->finished_s, l->cap, &l->finished, finished, now_s);
	s = fx_lag_seconds(l, now_s);
	if (l->acquired - l->finished > l->most_sections)
		l->most_sections = l->acquired - l->finished;
	if (s > l->most_s)
		l->most_s = s;
}

double fx_lag_seconds(const struct fx_lag *l, double now_s)
{
	if (l->finished >= l->acquired || (size_t)l->finished >= l->cap)
		return 0;
	return now_s - l->acquired_s[l->finished];
}

static json_t *times_json(const double *at, int64_t len, size_t cap)
{
	json_t *list = json_array();

	for (int64_t z = 0; z < len && (size_t)z < cap; z++)
		json_array_append_new(list, json_real(round(at[z] * 100) / 100));
	return list;
}

json_t *fx_lag_json(const struct fx_lag *l)
{
	return json_pack("{s:I, s:f, s:o, s:o}", "most_sections", (json_int_t)l->most_sections,
			 "most_seconds", l->most_s, "acquired_seconds",
			 times_json(l->acquired_s, l->acquired, l->cap), "finished_seconds",
			 times_json(l->finished_s, l->finished, l->cap));
}

void fx_lag_fini(struct fx_lag *l)
{
	free(l->acquired_s);
	free(l->finished_s);
	*l = (struct fx_lag){ 0 };
}
