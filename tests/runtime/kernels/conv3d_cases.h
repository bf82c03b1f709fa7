// SPDX-License-Identifier: Apache-2.0
/* conv3d_cases.h: random convolutions and volumes between guards. Include after support/test.h. */
#ifndef FX_TESTS_CONV3D_CASES_H
#define FX_TESTS_CONV3D_CASES_H

#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/conv3d.h"

enum { GUARD = 64 };

static const float guard = -12345.678F;

/* A buffer of a layout between guards; pads and slots beyond the channels are 0. */
struct volume {
	struct fx_layout at;
	float *all, *data;
};

static inline float uniform(uint64_t *seed)
{
	return (float)(test_random(seed) % 2001) / 1000 - 1;
}

static inline size_t pick(uint64_t *seed, const size_t *from, size_t len)
{
	return from[test_random(seed) % len];
}

/* Calls @p each for all channels of all voxels. */
static inline void volume_random(struct volume *v, uint64_t *seed)
{
	const struct fx_layout *l = &v->at;

	for (size_t i = 0; i < l->shape[0] * l->shape[1] * l->shape[2]; i++) {
		float *at = v->data + fx_layout_at(l, (ptrdiff_t)(i / l->shape[2] / l->shape[1]),
						   (ptrdiff_t)(i / l->shape[2] % l->shape[1]),
						   (ptrdiff_t)(i % l->shape[2]));

		for (size_t c = 0; c < l->channels; c++)
			at[c] = uniform(seed);
	}
}

static inline struct volume volume_new(const struct fx_layout *l, uint64_t *seed)
{
	struct volume v = { .at = *l,
			    .all = fx_alloc_aligned((l->len + 2 * GUARD) * sizeof(float)) };

	assert_non_null(v.all);
	v.data = v.all + GUARD;
	for (size_t i = 0; i < GUARD; i++)
		v.all[i] = v.data[l->len + i] = guard;
	memset(v.data, 0, l->len * sizeof *v.data);
	if (seed)
		volume_random(&v, seed);
	return v;
}

/* Guards are whole, and what is no slot of a voxel is still 0. */
static inline void volume_free(struct volume *v)
{
	const struct fx_layout *l = &v->at;

	for (size_t i = 0; i < GUARD; i++)
		assert_true(v->all[i] == guard && v->data[l->len + i] == guard);
	for (size_t i = 0; i < l->shape[0] * l->shape[1] * l->shape[2]; i++) {
		float *at = v->data + fx_layout_at(l, (ptrdiff_t)(i / l->shape[2] / l->shape[1]),
						   (ptrdiff_t)(i / l->shape[2] % l->shape[1]),
						   (ptrdiff_t)(i % l->shape[2]));

		for (size_t c = l->channels; c < l->slots; c++)
			assert_true(at[c] == 0);
		memset(at, 0, l->channels * sizeof *at);
	}
	for (size_t i = 0; i < l->len; i++)
		assert_true(v->data[i] == 0);
	free(v->all);
}

/* Padded, dense, or a part of the channels of a wider one. */
static inline struct fx_layout random_layout(const size_t shape[3], size_t channels, uint64_t *seed)
{
	struct fx_layout l, wide;

	switch (test_random(seed) % 3) {
	case 0:
		assert_int_equal(fx_layout_dense(&l, shape, channels), FX_OK);
		break;
	case 1:
		assert_int_equal(fx_layout_padded(&l, shape, channels), FX_OK);
		break;
	default:
		assert_int_equal(fx_layout_padded(&wide, shape, channels + 16), FX_OK);
		assert_int_equal(fx_layout_channels(&l, &wide, 8, channels), FX_OK);
	}
	return l;
}

/* A convolution and two volumes that fit it. */
struct conv_case {
	struct fx_conv3d c;
	struct fx_layout x, y;
};

static inline struct conv_case random_case(uint64_t *seed, enum fx_conv3d_path path)
{
	static const size_t sides[] = { 1, 2, 3, 4, 5, 7, 10 }, rows[] = { 1, 2, 6, 9, 13, 17, 70 },
			    channels[] = { 1, 2, 3, 8, 9, 16, 24, 35 };
	struct conv_case k;
	size_t in[3], out[3];

	do {
		k.c = (struct fx_conv3d){ .in_channels = pick(seed, channels, 8),
					  .out_channels = pick(seed, channels, 8) };
		for (int i = 0; i < 3; i++) {
			k.c.kernel[i] =
				path == FX_CONV3D_WINOGRAD ? 3 : 1 + (int)(test_random(seed) % 3);
			k.c.stride[i] = path == FX_CONV3D_WINOGRAD || path == FX_CONV3D_BLAS ?
						1 :
						1 + (int)(test_random(seed) % 2);
			k.c.before[i] = (int)(test_random(seed) % (unsigned)k.c.kernel[i]);
			k.c.after[i] = (int)(test_random(seed) % (unsigned)k.c.kernel[i]);
			if (path == FX_CONV3D_BLAS && i == 2)
				k.c.before[i] = k.c.after[i] = k.c.kernel[i] == 3;
			in[i] = i == 2 ? pick(seed, rows, 7) : pick(seed, sides, 7);
		}
	} while (fx_conv3d_shape(&k.c, in, out) != FX_OK ||
		 in[0] * in[1] * in[2] * k.c.in_channels * k.c.out_channels > 60000);
	k.x = random_layout(in, k.c.in_channels, seed);
	k.y = random_layout(out, k.c.out_channels, seed);
	if (path == FX_CONV3D_BLAS) {
		assert_int_equal(fx_layout_padded(&k.x, in, k.c.in_channels), FX_OK);
		assert_int_equal(fx_layout_padded(&k.y, out, k.c.out_channels), FX_OK);
	}
	return k;
}

static inline float *random_floats(size_t len, uint64_t *seed)
{
	float *v = fx_alloc_aligned(len * sizeof *v);

	assert_non_null(v);
	for (size_t i = 0; i < len; i++)
		v[i] = uniform(seed);
	return v;
}

#endif
