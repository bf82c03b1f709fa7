// SPDX-License-Identifier: Apache-2.0
/* lag.c: how far a run is behind the microscope. */
#include "conduct/lag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

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

int fx_lag_write(const struct fx_lag *l, const char *path, struct fx_error *err)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int result;

	if (!f)
		return fx_error_set(err, FX_ENOMEM, "no memory for %s", path);
	fprintf(f, "section,acquired_s,finished_s\n");
	for (int64_t z = 0; z < l->acquired && (size_t)z < l->cap; z++) {
		fprintf(f, "%lld,%.2f,", (long long)z, l->acquired_s[z]);
		if (z < l->finished)
			fprintf(f, "%.2f", l->finished_s[z]);
		fputc('\n', f);
	}
	if (fclose(f) != 0)
		result = fx_error_set(err, FX_ENOMEM, "no memory for %s", path);
	else
		result = fx_file_write(path, text, size, err);
	free(text);
	return result;
}

void fx_lag_fini(struct fx_lag *l)
{
	free(l->acquired_s);
	free(l->finished_s);
	*l = (struct fx_lag){ 0 };
}
