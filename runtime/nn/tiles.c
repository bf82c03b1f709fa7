// SPDX-License-Identifier: Apache-2.0
/* tiles.c: an axis cut into pieces of one length that overlap. */
#include "nn/tiles.h"

static size_t over(size_t a, size_t b)
{
	return a / b + (a % b != 0);
}

struct fx_tiles fx_tiles_cut(size_t len, size_t unit, size_t most, size_t overlap)
{
	const size_t units = over(len, unit), max = most / unit > 3 ? most / unit : 3,
		     wanted = over(overlap, unit), both = wanted < max / 3 ? wanted : max / 3;
	struct fx_tiles t = { .len = units * unit, .unit = unit, .count = 1, .size = units * unit };

	if (units <= max)
		return t;
	t.count = over(units - both, max - both);
	t.size = over(units + (t.count - 1) * both, t.count) * unit;
	return t;
}

size_t fx_tiles_start(const struct fx_tiles *t, size_t i)
{
	const size_t room = (t->len - t->size) / t->unit;

	return t->count < 2 ? 0 : i * room / (t->count - 1) * t->unit;
}

/* How far voxel @p at has gone from one piece to the next, which begins at @p from, while the first
 * ends at @p to: 0 to 1. */
static double ramp(size_t at, size_t from, size_t to)
{
	const double len = (double)(to - from),
		     way = ((double)at + 0.5 - (double)from - len / 4) / (len / 2);

	return way < 0 ? 0 : way > 1 ? 1 : way;
}

void fx_tiles_weights(const struct fx_tiles *t, size_t i, float *weight)
{
	const size_t start = fx_tiles_start(t, i);

	for (size_t k = 0; k < t->size; k++) {
		const size_t at = start + k;
		double w = 1;

		if (i > 0 && at < fx_tiles_start(t, i - 1) + t->size)
			w *= ramp(at, start, fx_tiles_start(t, i - 1) + t->size);
		if (i + 1 < t->count && at >= fx_tiles_start(t, i + 1))
			w *= 1 - ramp(at, fx_tiles_start(t, i + 1), start + t->size);
		weight[k] = (float)w;
	}
}
