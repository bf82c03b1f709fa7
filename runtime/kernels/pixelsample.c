// SPDX-License-Identifier: Apache-2.0
/* pixelsample.c: chooses voxels to learn from. */
#include "kernels/pixelsample.h"

#include <stdlib.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/labeledge.h"

enum { ASIDE_SHARE = 8 };

/* What one pair of blocks is looked at with. */
struct look {
	const struct fx_block *image, *labels;
	struct fx_region both;
	struct fx_features features;
	float *rows, *scratch; /* owned */
	uint8_t *edge;	       /* owned */
};

void fx_pixelsample_init(struct fx_pixelsample *s, size_t most)
{
	const size_t aside = most / ASIDE_SHARE ? most / ASIDE_SHARE : 1;

	for (int set = 0; set < FX_SAMPLE_SETS; set++)
		for (int kind = 0; kind < 2; kind++)
			s->rows[set][kind] = (struct fx_reservoir){
				.most = set == FX_SAMPLE_TRAIN ? most : aside, .width = FX_FEATURES
			};
}

static int look_init(struct look *l)
{
	const struct fx_block *image = l->image;
	int err = fx_features_init(&l->features, image->data, image->dtype, image->shape,
				   image->voxel_nm);

	if (err)
		return err;
	l->rows = fx_calloc(image->shape[2] * FX_FEATURES, sizeof *l->rows);
	l->scratch = fx_calloc(fx_features_scratch(&l->features), sizeof *l->scratch);
	l->edge = fx_calloc(l->labels->shape[2], 1);
	return l->rows && l->scratch && l->edge ? FX_OK : FX_ENOMEM;
}

static void look_fini(struct look *l)
{
	fx_features_fini(&l->features);
	free(l->rows);
	free(l->scratch);
	free(l->edge);
}

static int sample_row(struct fx_pixelsample *s, struct look *l, int64_t z, int64_t y)
{
	const struct fx_block *image = l->image, *labels = l->labels;
	const bool aside = z >= s->aside_lo && z < s->aside_hi;
	bool ready = false;
	int err = FX_OK;

	fx_label_edge_row(l->edge, labels, (size_t)(z - labels->origin[0]),
			  (size_t)(y - labels->origin[1]));
	for (int64_t x = l->both.lo[2]; x < l->both.hi[2] && !err; x++) {
		const uint8_t at = l->edge[x - labels->origin[2]],
			      edge = at == FX_LABEL_UNKNOWN && s->zero_is_edge ? FX_LABEL_EDGE : at;
		const uint64_t key = fx_reservoir_key(
			s->seed, (uint64_t)z << 42 | (uint64_t)y << 21 | (uint64_t)x);
		struct fx_reservoir *to = &s->rows[aside][edge == FX_LABEL_EDGE];

		if (edge == FX_LABEL_UNKNOWN || !fx_reservoir_wants(to, key))
			continue;
		if (!ready)
			fx_features_row(&l->features, (size_t)(z - image->origin[0]),
					(size_t)(y - image->origin[1]), l->rows, image->shape[2],
					l->scratch);
		ready = true;
		err = fx_reservoir_add(to, key, l->rows + (x - image->origin[2]), image->shape[2]);
	}
	return err;
}

int fx_pixelsample_add(struct fx_pixelsample *s, const struct fx_block *image,
		       const struct fx_block *labels)
{
	struct look l = { .image = image, .labels = labels };
	int err;

	l.both = fx_region_intersect(fx_block_core(image), fx_block_core(labels));
	if (fx_region_empty(l.both))
		return FX_OK;
	err = look_init(&l);
	for (int64_t z = l.both.lo[0]; z < l.both.hi[0] && !err; z++)
		for (int64_t y = l.both.lo[1]; y < l.both.hi[1] && !err; y++)
			err = sample_row(s, &l, z, y);
	look_fini(&l);
	return err;
}

int fx_pixelsample_close(struct fx_pixelsample *s)
{
	int err = FX_OK;

	for (int set = 0; set < FX_SAMPLE_SETS; set++)
		for (int kind = 0; kind < 2 && !err; kind++)
			err = fx_reservoir_close(&s->rows[set][kind]);
	return err;
}

void fx_pixelsample_fini(struct fx_pixelsample *s)
{
	for (int set = 0; set < FX_SAMPLE_SETS; set++)
		for (int kind = 0; kind < 2; kind++)
			fx_reservoir_fini(&s->rows[set][kind]);
}
