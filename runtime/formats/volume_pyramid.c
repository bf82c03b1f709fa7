// SPDX-License-Identifier: Apache-2.0
/* volume_pyramid.c: the coarser levels of a volume that is being written: each is made of the one
 * before, which is read again, so that memory does not grow with the volume. */
#include <stdlib.h>
#include <string.h>

#include "formats/volume_copy.h"
#include "formats/volume_write_ops.h"
#include "kernels/downsample.h"

/* Voxels of @p fine along each axis that become one. */
static void factors(const struct fx_volume_level *fine, size_t factor[3])
{
	double least = 0;

	for (int a = 0; a < 3; a++)
		if (fine->shape[a] > 1 && (least == 0 || fine->voxel_nm[a] < least))
			least = fine->voxel_nm[a];
	for (int a = 0; a < 3; a++)
		factor[a] = fine->shape[a] > 1 && fine->voxel_nm[a] < 2 * least ? 2 : 1;
}

static bool fits(const struct fx_volume_level *l, const size_t chunk[3])
{
	return l->shape[0] <= chunk[0] && l->shape[1] <= chunk[1] && l->shape[2] <= chunk[2];
}

size_t fx_volume_levels(const struct fx_volume_spec *s, struct fx_volume_level *levels)
{
	const size_t most = s->levels ? s->levels : FX_LEVELS_MAX;
	size_t n = 1;

	for (int a = 0; a < 3; a++)
		levels[0] = (struct fx_volume_level){ { s->shape[0], s->shape[1], s->shape[2] },
						      { 1, 1, 1 },
						      { s->voxel_nm[0] > 0 ? s->voxel_nm[0] : 1,
							s->voxel_nm[1] > 0 ? s->voxel_nm[1] : 1,
							s->voxel_nm[2] > 0 ? s->voxel_nm[2] : 1 } };
	for (; n < most && (s->levels || !fits(&levels[n - 1], s->chunk)); n++) {
		const struct fx_volume_level *fine = &levels[n - 1];
		size_t factor[3];

		factors(fine, factor);
		for (int a = 0; a < 3; a++) {
			levels[n].shape[a] = fx_downsample_len(fine->shape[a], factor[a]);
			levels[n].factor[a] = fine->factor[a] * factor[a];
			levels[n].voxel_nm[a] = fine->voxel_nm[a] * (double)factor[a];
		}
		if (memcmp(levels[n].shape, fine->shape, sizeof fine->shape) == 0)
			break;
	}
	return n;
}

/* What is done: bands, of those that there are. */
struct pyramid {
	struct fx_volume_write *w;
	struct fx_volume_level levels[FX_LEVELS_MAX];
	size_t len;
	double done, all; /* voxels */
};

/* Rows of the coarse level that are made at once: so many chunks as fit in memory. */
static size_t band_rows(const struct pyramid *p, size_t level)
{
	const struct fx_volume_level *l = &p->levels[level];
	const size_t chunk = p->w->spec.chunk[1];
	const size_t row = p->w->spec.chunk[0] * l->shape[2] * fx_dtype_size(p->w->spec.dtype) * 9;
	const size_t rows = p->w->spec.memory / row / chunk * chunk;

	return rows ? rows : chunk;
}

/* The voxels of the coarse region r from the finer level; fx_block_free(). NULL after an error. */
static struct fx_block *coarse_part(const struct pyramid *p, size_t level, struct fx_volume *fine,
				    struct fx_region r, struct fx_error *err)
{
	const struct fx_volume_level *f = &p->levels[level - 1], *l = &p->levels[level];
	struct fx_block *from = NULL, *to;
	struct fx_region wide;
	size_t factor[3];

	for (int a = 0; a < 3; a++) {
		factor[a] = l->factor[a] / f->factor[a];
		wide.lo[a] = r.lo[a] * (int64_t)factor[a];
		wide.hi[a] = r.hi[a] * (int64_t)factor[a];
		if (wide.hi[a] > (int64_t)f->shape[a])
			wide.hi[a] = (int64_t)f->shape[a];
	}
	if (fx_volume_read(fine, wide, &from, err) < 0)
		return NULL;
	if (from->dtype != p->w->spec.dtype && /* labels may be stored wider */
	    fx_volume_cast(&from, p->w->spec.dtype, err) < 0) {
		fx_block_free(from);
		return NULL;
	}
	to = fx_block_new(p->w->spec.dtype, (size_t)(r.hi[0] - r.lo[0]),
			  (size_t)(r.hi[1] - r.lo[1]), (size_t)(r.hi[2] - r.lo[2]));
	if (to)
		memcpy(to->origin, r.lo, sizeof to->origin);
	if (to && p->w->spec.labels)
		fx_downsample_mode(from->data, from->shape, factor, from->dtype, to->data);
	else if (to)
		fx_downsample_mean(from->data, from->shape, factor, from->dtype, to->data);
	else
		fx_error_set(err, FX_ENOMEM, "no memory for a level of a pyramid");
	fx_block_free(from);
	return to;
}

static int make_part(struct pyramid *p, size_t level, struct fx_volume *fine, struct fx_region r,
		     struct fx_error *err)
{
	const struct fx_volume_spec *s = &p->w->spec;
	struct fx_block *part = coarse_part(p, level, fine, r, err);
	int result = part ? p->w->ops->put(p->w, level, part, err) : FX_EIO;

	if (part)
		p->done += (double)fx_block_len(part);
	fx_block_free(part);
	if (result == FX_OK && s->progress && s->progress(s->context, p->done / p->all) < 0)
		result = fx_error_set(err, FX_EIO, "%s: interrupted", s->path);
	return result;
}

static int make_level(struct pyramid *p, size_t level, struct fx_volume *fine, struct fx_error *err)
{
	const struct fx_volume_level *l = &p->levels[level];
	const int64_t depth = (int64_t)p->w->spec.chunk[0], rows = (int64_t)band_rows(p, level);
	const int64_t shape[3] = { (int64_t)l->shape[0], (int64_t)l->shape[1],
				   (int64_t)l->shape[2] };
	int result = FX_OK;

	for (int64_t z = 0; z < shape[0]; z += depth)
		for (int64_t y = 0; y < shape[1] && result == FX_OK; y += rows) {
			const struct fx_region r = { { z, y, 0 },
						     { z + depth < shape[0] ? z + depth : shape[0],
						       y + rows < shape[1] ? y + rows : shape[1],
						       shape[2] } };

			result = make_part(p, level, fine, r, err);
		}
	return result;
}

int fx_volume_pyramid(struct fx_volume_write *w, struct fx_error *err)
{
	struct pyramid p = { .w = w };
	int result = FX_OK;

	p.len = fx_volume_levels(&w->spec, p.levels);
	for (size_t i = 1; i < p.len; i++)
		p.all += (double)p.levels[i].shape[0] * (double)p.levels[i].shape[1] *
			 (double)p.levels[i].shape[2];
	for (size_t i = 1; i <= p.len && result == FX_OK; i++) {
		char *path = w->ops->level_done(w, i - 1, err);
		struct fx_volume fine = { 0 };

		if (!path)
			return err && err->code ? err->code : FX_ENOMEM;
		if (i < p.len)
			result = fx_volume_open(path, &fine, err);
		if (i < p.len && result == FX_OK) {
			fx_volume_keep(&fine, 1);
			result = make_level(&p, i, &fine, err);
		}
		fx_volume_close(&fine);
		free(path);
	}
	return result;
}
