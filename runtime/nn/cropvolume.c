// SPDX-License-Identifier: Apache-2.0
/* cropvolume.c: a stream of images and one of labels become a volume to draw crops of. */
#include "nn/cropvolume.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map64.h"
#include "block/voxel.h"

/* Small numbers for the labels, in order of appearance. FX_ENOMEM. */
static int number(uint32_t *to, const struct fx_block *from, uint32_t zero)
{
	struct fx_map64 map = { 0 };
	const size_t n = fx_block_len(from);
	uint64_t last = 0;
	uint32_t last_number = zero;
	int result = FX_OK;

	for (size_t i = 0; i < n && result == FX_OK; i++) {
		const uint64_t id = fx_voxel_label(from->data, from->dtype, i);

		if (id != last) {
			uint64_t *at = id ? fx_map64_at(&map, id) : NULL;

			if (id && !at)
				result = FX_ENOMEM;
			else if (id && !*at)
				*at = map.len;
			last = id;
			last_number = at ? (uint32_t)*at : zero;
		}
		to[i] = last_number;
	}
	fx_map64_fini(&map);
	return result;
}

/* Moves the labels of the sections kept aside to an array of their own. */
static int set_aside(struct fx_cropvolume *v, const struct fx_cropvolume_rules *rules)
{
	const int64_t lo = v->region.lo[0], hi = v->region.hi[0],
		      from = rules->aside_from > lo ? rules->aside_from : lo,
		      to = rules->aside_to < hi ? rules->aside_to : hi;
	const size_t *n = v->source.shape, area = n[1] * n[2];

	if (from >= to)
		return FX_OK;
	v->aside = fx_calloc(n[0] * area, sizeof *v->aside);
	if (!v->aside)
		return FX_ENOMEM;
	v->aside_lo = (size_t)(from - lo);
	v->aside_hi = (size_t)(to - lo);
	for (size_t i = v->aside_lo * area; i < v->aside_hi * area; i++) {
		v->aside[i] = v->labels[i];
		v->labels[i] = 0;
	}
	return FX_OK;
}

static int join(struct fx_cropvolume *v, const struct fx_block *image, const struct fx_block *truth,
		const struct fx_cropvolume_rules *rules)
{
	const size_t n = fx_block_len(image);
	int result;

	v->pixels = fx_calloc(n, sizeof *v->pixels);
	v->labels = fx_calloc(n, sizeof *v->labels);
	if (!v->pixels || !v->labels)
		return FX_ENOMEM;
	for (size_t i = 0; i < n; i++)
		v->pixels[i] = fx_voxel_brightness(image->data, image->dtype, i);
	result = number(v->labels, truth, rules->zero_is_edge ? FX_LABEL_ERODED : 0);
	v->source = (struct fx_crop_source){ .image = v->pixels, .labels = v->labels, .share = 1 };
	memcpy(v->source.shape, image->shape, sizeof v->source.shape);
	memcpy(v->voxel_nm, image->voxel_nm, sizeof v->voxel_nm);
	return result < 0 ? result : set_aside(v, rules);
}

static int check(const struct fx_cropvolume *v, struct fx_error *err)
{
	const double *a, *b;

	if (fx_region_empty(v->region) || !v->image.len || !v->truth.len)
		return fx_error_set(
			err, FX_EINVAL,
			"images and labels have no voxel in common: sections %lld to "
			"%lld and %lld to %lld",
			(long long)v->image.region.lo[0], (long long)v->image.region.hi[0] - 1,
			(long long)v->truth.region.lo[0], (long long)v->truth.region.hi[0] - 1);
	a = v->image.pieces[0]->voxel_nm;
	b = v->truth.pieces[0]->voxel_nm;
	for (int axis = 0; axis < 3; axis++)
		if (fabs(a[axis] - b[axis]) > 0.01 * a[axis])
			return fx_error_set(
				err, FX_EINVAL,
				"images have voxels of %g %g %g nm, labels of %g %g %g nm", a[0],
				a[1], a[2], b[0], b[1], b[2]);
	return FX_OK;
}

int fx_cropvolume_close(struct fx_cropvolume *v, const struct fx_cropvolume_rules *rules,
			struct fx_error *err)
{
	struct fx_block *image = NULL, *truth = NULL;
	int result;

	v->region = fx_region_intersect(v->image.region, v->truth.region);
	result = check(v, err);
	if (result == FX_OK) {
		image = fx_gather_get(&v->image, v->region);
		truth = fx_gather_get(&v->truth, v->region);
		result = image && truth ? join(v, image, truth, rules) : FX_ENOMEM;
		if (result < 0)
			fx_error_set(err, result, "no memory for a volume of %lld sections",
				     (long long)(v->region.hi[0] - v->region.lo[0]));
	}
	fx_block_free(image);
	fx_block_free(truth);
	fx_gather_fini(&v->image);
	fx_gather_fini(&v->truth);
	return result;
}

void fx_cropvolume_fini(struct fx_cropvolume *v)
{
	fx_gather_fini(&v->image);
	fx_gather_fini(&v->truth);
	free(v->pixels);
	free(v->labels);
	free(v->aside);
	v->pixels = NULL;
	v->labels = v->aside = NULL;
}
