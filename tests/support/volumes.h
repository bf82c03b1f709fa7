// SPDX-License-Identifier: Apache-2.0
/* volumes.h: small volumes to write and to compare. Include after support/test.h. */
#ifndef FX_TESTS_VOLUMES_H
#define FX_TESTS_VOLUMES_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

#include "formats/volume.h"
#include "formats/volume_write.h"

/** A fresh folder, in memory where there is such a place, as what is written is made durable each
 * time; remove with fx_remove_tree(). free(). */
static inline char *volumes_dir(void)
{
	char *dir = fx_strdup("/dev/shm/volumes-test-XXXXXX");

	assert_non_null(dir);
	if (mkdtemp(dir))
		return dir;
	free(dir);
	return test_tmp_dir();
}

/** A volume of @p shape: bodies of 5 voxels with few values, so that it compresses, and a corner of
 * zeros. fx_block_free(). */
static inline struct fx_block *volumes_make(enum fx_dtype dtype, const size_t shape[3],
					    uint64_t seed)
{
	struct fx_block *b = fx_block_new(dtype, shape[0], shape[1], shape[2]);
	size_t i = 0;

	assert_non_null(b);
	for (size_t z = 0; z < shape[0]; z++)
		for (size_t y = 0; y < shape[1]; y++)
			for (size_t x = 0; x < shape[2]; x++, i++) {
				uint64_t at = seed + z / 5 * 977 + y / 5 * 31 + x / 5 + 1;
				const bool zero = z < shape[0] / 2 && y < shape[1] / 2;
				const uint64_t v = zero ? 0 : test_random(&at);

				if (dtype == FX_U8)
					((uint8_t *)b->data)[i] = (uint8_t)v;
				else if (dtype == FX_U16)
					((uint16_t *)b->data)[i] = (uint16_t)v;
				else if (dtype == FX_U32)
					((uint32_t *)b->data)[i] = (uint32_t)v;
				else if (dtype == FX_U64)
					((uint64_t *)b->data)[i] = v;
				else
					((float *)b->data)[i] = (float)(v % 1000) / 7;
			}
	return b;
}

/** All voxels of the volume at @p path; fx_block_free(). @p about, which may be NULL, is what it
 * told, closed. */
static inline struct fx_block *volumes_read(const char *path, struct fx_volume *about)
{
	struct fx_error err = { 0 };
	struct fx_block *b = NULL;
	struct fx_volume v;

	if (fx_volume_open(path, &v, &err) < 0)
		fail_msg("%s", err.text);
	if (fx_volume_read(&v,
			   (struct fx_region){ { 0 },
					       { (int64_t)v.shape[0], (int64_t)v.shape[1],
						 (int64_t)v.shape[2] } },
			   &b, &err) < 0)
		fail_msg("%s", err.text);
	if (about)
		*about = v;
	fx_volume_close(&v);
	return b;
}

/** Two volumes have the same shape, type and voxels. */
static inline void volumes_same(const struct fx_block *a, const struct fx_block *b)
{
	assert_int_equal(a->dtype, b->dtype);
	assert_memory_equal(a->shape, b->shape, sizeof a->shape);
	assert_memory_equal(a->data, b->data, fx_block_size(a));
}

/** Writes @p voxels as @p spec says (shape and dtype are set here), in parts as small as they may
 * be. What fx_volume_write_open() gave, when that failed. */
static inline int volumes_write(struct fx_volume_spec *spec, const struct fx_block *voxels,
				struct fx_error *err)
{
	struct fx_volume_write w = { 0 };
	int result;

	memcpy(spec->shape, voxels->shape, sizeof spec->shape);
	spec->dtype = voxels->dtype;
	result = fx_volume_write_open(&w, spec, err);
	if (result < 0)
		return result;
	for (size_t z = 0; z < spec->shape[0]; z += w.step[0])
		for (size_t y = 0; y < spec->shape[1]; y += w.step[1]) {
			struct fx_region r = { { (int64_t)z, (int64_t)y, 0 },
					       { (int64_t)(z + w.step[0]), (int64_t)(y + w.step[1]),
						 (int64_t)spec->shape[2] } };
			struct fx_block *part;

			r = fx_region_intersect(r, fx_block_region(voxels));
			part = fx_block_crop(voxels, r);
			assert_non_null(part);
			if (fx_volume_write_put(&w, part, err) < 0)
				fail_msg("%s", err->text);
			fx_block_free(part);
		}
	if (fx_volume_write_close(&w, err) < 0)
		fail_msg("%s", err->text);
	fx_volume_write_fini(&w);
	return FX_OK;
}

#endif
