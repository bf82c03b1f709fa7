// SPDX-License-Identifier: Apache-2.0
/* quality.c: how good an image of a section is. */
#include "kernels/quality.h"

#include <math.h>
#include <string.h>

enum { Y, X, CELL = 4, RUN = 32 };

static const size_t lags[FX_QUALITY_LAGS] = { 1, 2, 3, 16 };
static const size_t profile_lag = 3; /* rows between those compared */
static const double least = 1e-3;    /* power below that of rounding to whole grey values */

static uint32_t picture_at(const struct fx_picture *p, size_t y, size_t x)
{
	const size_t i = (p->y + y) * p->stride + p->x + x;

	return p->dtype == FX_U16 ? ((const uint16_t *)p->voxels)[i] :
				    ((const uint8_t *)p->voxels)[i];
}

/* Squared differences of @p n voxels at a and b; below 2^64 for any row. */
static uint64_t differences(const struct fx_picture *p, size_t y, size_t x, size_t dy, size_t dx,
			    size_t n)
{
	uint64_t sum = 0;

	if (p->dtype == FX_U8) {
		const uint8_t *v = p->voxels;
		const uint8_t *a = v + (p->y + y) * p->stride + p->x + x,
			      *b = a + dy * p->stride + dx;

		for (size_t i = 0; i < n; i++)
			sum += (uint32_t)((b[i] - a[i]) * (b[i] - a[i]));
		return sum;
	}
	for (size_t i = 0; i < n; i++) {
		const int64_t d = (int64_t)picture_at(p, y + dy, x + dx + i) -
				  (int64_t)picture_at(p, y, x + i);

		sum += (uint64_t)(d * d);
	}
	return sum;
}

static void count_differences(struct fx_quality_sums *s, const struct fx_picture *p)
{
	for (size_t k = 0; k < FX_QUALITY_LAGS; k++) {
		const size_t lag = lags[k];

		for (size_t y = 0; y < p->height; y++) {
			if (y + lag < p->height) {
				s->diff[Y][k] += (double)differences(p, y, 0, lag, 0, p->width);
				s->pairs[Y][k] += (double)p->width;
			}
			if (lag < p->width) {
				s->diff[X][k] +=
					(double)differences(p, y, 0, 0, lag, p->width - lag);
				s->pairs[X][k] += (double)(p->width - lag);
			}
		}
	}
}

/* Mean of row (axis Y) or column @p i. */
static double profile_at(const struct fx_picture *p, int axis, size_t i)
{
	const size_t n = axis == Y ? p->width : p->height;
	uint64_t sum = 0;

	for (size_t j = 0; j < n; j++)
		sum += axis == Y ? picture_at(p, i, j) : picture_at(p, j, i);
	return (double)sum / (double)n;
}

static void count_profile(struct fx_quality_sums *s, const struct fx_picture *p, int axis)
{
	const size_t n = axis == Y ? p->height : p->width;
	double last[3] = { 0 };

	for (size_t i = 0; i < n; i++) {
		const double mean = profile_at(p, axis, i), d = mean - last[i % profile_lag];

		if (i >= profile_lag) {
			s->profile[axis] += d * d;
			s->profile_pairs[axis]++;
		}
		last[i % profile_lag] = mean;
	}
}

/* Mean differences of runs of voxels to those in the row above. */
static void count_onsets(struct fx_quality_sums *s, const struct fx_picture *p)
{
	for (size_t y = 1; y < p->height; y++)
		for (size_t x = 0; x + RUN <= p->width; x += RUN / 2) {
			int64_t sum = 0;
			double mean;

			for (size_t i = x; i < x + RUN; i++)
				sum += (int64_t)picture_at(p, y, i) -
				       (int64_t)picture_at(p, y - 1, i);
			mean = (double)sum / RUN;
			s->onset = fmax(s->onset, mean);
			s->onset_square += mean * mean;
			s->onset_cells++;
		}
}

/* How far means of cells are off the mean of all. */
static void count_deviation(struct fx_quality_sums *s, const struct fx_picture *p, double mean)
{
	for (size_t y = 0; y + CELL <= p->height; y += CELL)
		for (size_t x = 0; x + CELL <= p->width; x += CELL) {
			uint32_t sum = 0;

			for (size_t i = 0; i < CELL * CELL; i++)
				sum += picture_at(p, y + i / CELL, x + i % CELL);
			s->deviation += fabs(sum / (double)(CELL * CELL) - mean);
			s->deviation_cells++;
		}
}

void fx_quality_count(struct fx_quality_sums *sums, const struct fx_picture *p)
{
	const uint32_t top = p->dtype == FX_U16 ? UINT16_MAX : UINT8_MAX;
	struct fx_quality_sums s = { .voxels = p->height * p->width };

	for (size_t y = 0; y < p->height; y++) {
		uint64_t square = 0;

		for (size_t x = 0; x < p->width; x++) {
			const uint64_t v = picture_at(p, y, x);

			s.sum += v;
			square += v * v;
			s.low += v == 0;
			s.high += v == top;
		}
		s.square += (double)square;
	}
	count_differences(&s, p);
	count_profile(&s, p, Y);
	count_profile(&s, p, X);
	count_onsets(&s, p);
	count_deviation(&s, p, (double)s.sum / (double)s.voxels);
	fx_quality_add(sums, &s);
}

void fx_quality_add(struct fx_quality_sums *to, const struct fx_quality_sums *from)
{
	to->voxels += from->voxels;
	to->low += from->low;
	to->high += from->high;
	to->sum += from->sum;
	to->square += from->square;
	to->onset = fmax(to->onset, from->onset);
	to->onset_square += from->onset_square;
	to->onset_cells += from->onset_cells;
	to->deviation += from->deviation;
	to->deviation_cells += from->deviation_cells;
	for (int a = Y; a <= X; a++) {
		to->profile[a] += from->profile[a];
		to->profile_pairs[a] += from->profile_pairs[a];
		for (size_t k = 0; k < FX_QUALITY_LAGS; k++) {
			to->diff[a][k] += from->diff[a][k];
			to->pairs[a][k] += from->pairs[a][k];
		}
	}
}

static double per(double sum, double n)
{
	return n > 0 ? sum / n : 0;
}

/* Noise, signal and focus along @p axis. */
static void measure_axis(struct fx_quality *q, const struct fx_quality_sums *s, int axis)
{
	double d[FX_QUALITY_LAGS], wide;

	for (size_t k = 0; k < FX_QUALITY_LAGS; k++)
		d[k] = per(s->diff[axis][k], s->pairs[axis][k]);
	q->noise = fmax((1.5 * d[0] - 0.6 * d[1] + 0.1 * d[2]) / 2, least);
	wide = s->pairs[axis][3] > 0 ? d[3] : d[2];
	q->signal = fmax(wide / 2 - q->noise, least);
	q->focus = wide - d[0] > least ? fmin(fmax((d[2] - d[0]) / (wide - d[0]), 0), 1) : 0;
}

void fx_quality_measure(struct fx_quality *q, const struct fx_quality_sums *s)
{
	const double n = (double)s->voxels;
	struct fx_quality along = { 0 };
	double rows, columns;

	memset(q, 0, sizeof *q);
	if (!s->voxels)
		return;
	measure_axis(&along, s, Y);
	measure_axis(q, s, X);
	q->focus = sqrt(q->focus * along.focus);
	q->mean = (double)s->sum / n;
	q->sd = sqrt(fmax(s->square / n - q->mean * q->mean, 0));
	q->snr = q->signal / q->noise;
	q->cnr = 2 * per(s->deviation, s->deviation_cells) / sqrt(q->noise);
	rows = per(s->profile[Y], s->profile_pairs[Y]);
	columns = per(s->profile[X], s->profile_pairs[X]);
	q->stripes = fmax(rows, columns) / 2 / (q->signal + q->noise);
	q->streak = s->onset / sqrt(fmax(per(s->onset_square, s->onset_cells), least));
	q->low = (double)s->low / n;
	q->high = (double)s->high / n;
}
