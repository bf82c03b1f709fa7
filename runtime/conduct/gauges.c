// SPDX-License-Identifier: Apache-2.0
/* gauges.c: how far the nodes are, as they tell it themselves. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "conduct/run.h"

static void add(struct fx_gauge_sum *s, struct fx_gauge *g)
{
	const int64_t first_ns = atomic_load(&g->first_ns);
	const double total = atomic_load(&g->total);

	s->unit = g->unit;
	s->done += atomic_load(&g->done);
	s->first += atomic_load(&g->first);
	s->total = total > s->total ? total : s->total;
	if (first_ns && (!s->first_ns || first_ns < s->first_ns))
		s->first_ns = first_ns;
}

size_t fx__gauges(const struct fx_run *r, size_t node, struct fx_gauge_sum sums[FX_STATS_GAUGES])
{
	size_t len = 0;

	memset(sums, 0, FX_STATS_GAUGES * sizeof *sums);
	for (size_t i = 0; i < r->plan->instances_len; i++) {
		struct fx_instance_stats *s = &r->stats.instances[i];
		const uint32_t n = atomic_load(&s->gauges_len);

		for (uint32_t g = 0; g < n && r->plan->instances[i].node == node; g++) {
			size_t k = 0;

			while (k < len && strcmp(sums[k].unit, s->gauges[g].unit) != 0)
				k++;
			if (k == FX_STATS_GAUGES)
				continue;
			len += k == len;
			add(&sums[k], &s->gauges[g]);
		}
	}
	return len;
}

double fx__gauge_left(const struct fx_gauge_sum *s, int64_t now_ns)
{
	const double seconds = (double)(now_ns - s->first_ns) * 1e-9, did = s->done - s->first;

	if (!s->first_ns || !(seconds >= 1) || !(did > 0) || !(s->total > 0))
		return -1;
	return s->done < s->total ? (s->total - s->done) * seconds / did : 0;
}

static void put_number(FILE *f, double v)
{
	static const char letters[] = "kMGT";
	int i = -1;

	while (fabs(v) >= (i < 0 ? 9999.5 : 999.95) && i < 3) {
		v /= 1000;
		i++;
	}
	if (i < 0)
		fprintf(f, "%.4g", v);
	else
		fprintf(f, "%.1f%c", v, letters[i]);
}

static void put_left(FILE *f, double seconds)
{
	if (seconds < 90)
		fprintf(f, ", %.0f s left", seconds);
	else if (seconds < 90 * 60.0)
		fprintf(f, ", %.0f min left", seconds / 60);
	else if (seconds < 48 * 3600.0)
		fprintf(f, ", %.1f h left", seconds / 3600);
	else
		fprintf(f, ", %.1f days left", seconds / 86400);
}

static void put_main(FILE *f, const struct fx_gauge_sum *s, int64_t now_ns)
{
	const double left = fx__gauge_left(s, now_ns);

	if (s->total > 0)
		fprintf(f, "%.0f%% ", floor(100 * fmin(fmax(s->done / s->total, 0), 1)));
	put_number(f, s->done);
	if (s->total > 0) {
		fprintf(f, " of ");
		put_number(f, s->total);
	}
	fprintf(f, " %s", s->unit);
	if (left > 0)
		put_left(f, left);
}

void fx__gauges_text(const struct fx_run *r, size_t node, int64_t now_ns, char *text, size_t size)
{
	struct fx_gauge_sum sums[FX_STATS_GAUGES];
	const size_t len = fx__gauges(r, node, sums);
	FILE *f;

	text[0] = 0;
	f = len ? fmemopen(text, size, "w") : NULL;
	if (!f)
		return;
	put_main(f, &sums[0], now_ns);
	for (size_t i = 1; i < len; i++) {
		fprintf(f, ", ");
		put_number(f, sums[i].done);
		fprintf(f, " %s", sums[i].unit);
	}
	fclose(f);
	text[size - 1] = 0;
}
