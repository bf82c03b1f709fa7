// SPDX-License-Identifier: Apache-2.0
/* faceflood.c: flooding over faces with a bucket queue. */
#include "kernels/faceflood.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

enum { LEVELS = 256, CHUNK_LEN = 1022, AHEAD = 8 };

/* All that the flood asks of a voxel, in one place: the volume is surrounded by cells that are
 * settled, each row and plane sharing them with the next. best is the lowest height that the voxel
 * waits at, 1 for 0; 0 when it is settled, 255 at first. */
struct cell {
	uint8_t face[3], best;
};

/* A voxel that was reached, and by which label. */
struct reached {
	uint32_t at, label;
};

/* A piece of a queue. */
struct chunk {
	struct chunk *next;
	uint32_t len, done;
	struct reached list[CHUNK_LEN];
};

struct flood {
	struct cell *cells;    /* owned */
	uint32_t *labels;      /* owned */
	size_t step[3], first; /* from cell to cell along z, y, x; voxel 0, 0, 0 */
	struct chunk *head[LEVELS], *tail[LEVELS], *spare; /* owned */
	unsigned level;					   /* that is being flooded */
	bool full;					   /* no memory for another chunk */
};

/* Appends a chunk to the queue of @p level; NULL without memory. */
static struct chunk *flood_chunk(struct flood *f, unsigned level)
{
	struct chunk *c = f->spare;

	if (c)
		f->spare = c->next;
	else
		c = malloc(sizeof *c);
	if (!c) {
		f->full = true;
		return NULL;
	}
	c->next = NULL;
	c->len = c->done = 0;
	if (f->tail[level])
		f->tail[level]->next = c;
	else
		f->head[level] = c;
	f->tail[level] = c;
	return c;
}

/* Cell @p at is reached over a face: it waits, unless it is settled or waits lower already. */
static inline void flood_reach(struct flood *f, size_t at, unsigned height, uint32_t label)
{
	const unsigned level = height > f->level ? height : f->level;
	struct cell *cell = &f->cells[at];
	struct chunk *c;

	if (level >= cell->best && cell->best != LEVELS - 1)
		return;
	cell->best = (uint8_t)(level ? level : 1);
	c = f->tail[level];
	if (!c || c->len == CHUNK_LEN)
		c = flood_chunk(f, level);
	if (c)
		c->list[c->len++] = (struct reached){ (uint32_t)at, label };
}

static void flood_around(struct flood *f, size_t at, uint32_t label)
{
	const size_t *step = f->step;
	const struct cell *cells = f->cells;

	flood_reach(f, at - step[0], cells[at].face[0], label);
	flood_reach(f, at - step[1], cells[at].face[1], label);
	flood_reach(f, at - 1, cells[at].face[2], label);
	flood_reach(f, at + 1, cells[at + 1].face[2], label);
	flood_reach(f, at + step[1], cells[at + step[1]].face[1], label);
	flood_reach(f, at + step[0], cells[at + step[0]].face[0], label);
}

/* Brings near what flood_around() will read. */
static inline void flood_fetch(const struct flood *f, size_t at)
{
	__builtin_prefetch(&f->cells[at], 1);
	__builtin_prefetch(&f->cells[at - f->step[0]], 1);
	__builtin_prefetch(&f->cells[at + f->step[0]], 1);
	__builtin_prefetch(&f->cells[at - f->step[1]], 1);
	__builtin_prefetch(&f->cells[at + f->step[1]], 1);
}

/* Settles all that wait at the level, and what joins them. */
static void flood_level(struct flood *f)
{
	struct chunk *c;

	while ((c = f->head[f->level]) && !f->full) {
		for (uint32_t i = 0; i < c->len; i++) { /* which grows */
			const struct reached r = c->list[i];
			struct cell *cell = &f->cells[r.at];

			if (i + AHEAD < c->len)
				flood_fetch(f, c->list[i + AHEAD].at);
			if (!cell->best)
				continue;
			cell->best = 0;
			f->labels[r.at] = r.label;
			flood_around(f, r.at, r.label);
		}
		f->head[f->level] = c->next;
		if (!c->next)
			f->tail[f->level] = NULL;
		c->next = f->spare;
		f->spare = c;
	}
}

static size_t flood_row(const struct flood *f, size_t row, const size_t shape[3])
{
	return f->first + row / shape[1] * f->step[0] + row % shape[1] * f->step[1];
}

static void flood_fill(struct flood *f, size_t cells, const uint32_t *labels,
		       const uint8_t *const face[3], const size_t shape[3])
{
	memset(f->cells, 0, cells * sizeof *f->cells);
	for (size_t row = 0; row < shape[0] * shape[1]; row++) {
		const size_t first = flood_row(f, row, shape), at = row * shape[2];
		struct cell *to = f->cells + first;

		for (size_t x = 0; x < shape[2]; x++)
			to[x] = (struct cell){ { face[0][at + x], face[1][at + x],
						 face[2][at + x] },
					       labels[at + x] ? 0 : LEVELS - 1 };
		memcpy(f->labels + first, labels + at, shape[2] * sizeof *labels);
	}
}

static void flood_seeds(struct flood *f, const uint32_t *labels, const size_t shape[3])
{
	for (size_t row = 0; row < shape[0] * shape[1]; row++)
		for (size_t x = 0; x < shape[2]; x++)
			if (labels[row * shape[2] + x])
				flood_around(f, flood_row(f, row, shape) + x,
					     labels[row * shape[2] + x]);
}

static void flood_take(const struct flood *f, uint32_t *labels, const size_t shape[3])
{
	for (size_t row = 0; row < shape[0] * shape[1]; row++)
		memcpy(labels + row * shape[2], f->labels + flood_row(f, row, shape),
		       shape[2] * sizeof *labels);
}

static void free_chunks(struct chunk *c)
{
	while (c) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
}

/* Steps and number of the cells: index(z, y, x) = ((z + 1) (Y + 1) + y + 1) (X + 1) + x + 1. */
static bool flood_size(struct flood *f, const size_t shape[3], size_t *cells)
{
	size_t planes;

	if (!shape[0] || !shape[1] || !shape[2] || shape[0] > UINT32_MAX || shape[1] > UINT32_MAX ||
	    shape[2] > UINT32_MAX)
		return false;
	f->step[1] = shape[2] + 1;
	f->step[2] = 1;
	if (!fx_mul_size(shape[1] + 1, f->step[1], &f->step[0]) ||
	    !fx_mul_size(shape[0] + 2, f->step[0], &planes))
		return false;
	f->first = f->step[0] + f->step[1] + 1;
	*cells = planes + f->step[1] + 1;
	return *cells < UINT32_MAX && planes < UINT32_MAX;
}

int fx_faces_flood(uint32_t *labels, const uint8_t *const face[3], const size_t shape[3])
{
	struct flood f = { .level = 0 };
	int err = FX_ENOMEM;
	size_t cells;

	if (!flood_size(&f, shape, &cells))
		return FX_EINVAL;
	f.cells = fx_alloc_aligned(cells * sizeof *f.cells);
	f.labels = fx_alloc_aligned(cells * sizeof *f.labels);
	if (!f.cells || !f.labels)
		goto done;
	flood_fill(&f, cells, labels, face, shape);
	flood_seeds(&f, labels, shape);
	for (f.level = 0; f.level < LEVELS; f.level++)
		flood_level(&f);
	if (f.full)
		goto done;
	flood_take(&f, labels, shape);
	err = FX_OK;
done:
	for (int i = 0; i < LEVELS; i++)
		free_chunks(f.head[i]);
	free_chunks(f.spare);
	free(f.labels);
	free(f.cells);
	return err;
}
