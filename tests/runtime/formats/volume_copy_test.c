// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/volume_copy.c: the same voxels, whatever the parts. */
#include "support/test.h"

#include <stdio.h>

#include "base/file.h"
#include "formats/volume_copy.h"
#include "support/images.h"
#include "support/outputs.h"
#include "support/volumes.h"

static const size_t shape[3] = { 21, 37, 30 };

struct fixture {
	char *dir;
	struct fx_block *voxels;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct fx_error err = { 0 };
	struct fx_volume_spec deep = { .format = FX_VOLUME_ZARR2, .chunk = { 8, 8, 8 } },
			      thin = { .format = FX_VOLUME_TIFF };

	assert_non_null(f);
	f->dir = volumes_dir();
	f->voxels = volumes_make(FX_U16, shape, 3);
	deep.path = test_path(f->dir, "deep");
	thin.path = test_path(f->dir, "thin");
	assert_int_equal(volumes_write(&deep, f->voxels, &err), FX_OK);
	assert_int_equal(volumes_write(&thin, f->voxels, &err), FX_OK);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	fx_remove_tree(f->dir, NULL);
	free(f->dir);
	fx_block_free(f->voxels);
	free(f);
	return 0;
}

static int copy(const char *dir, const char *from, struct fx_volume_spec s, struct fx_error *err)
{
	struct fx_volume_write w = { 0 };
	struct fx_volume v;
	int result;

	assert_int_equal(fx_volume_open(test_path(dir, from), &v, err), FX_OK);
	memcpy(s.shape, v.shape, sizeof s.shape);
	s.dtype = s.dtype ? s.dtype : v.dtype;
	s.path = test_path(dir, "to");
	assert_int_equal(fx_volume_write_open(&w, &s, err), FX_OK);
	result = fx_volume_copy(&v, &w, dir, err);
	if (result == FX_OK)
		result = fx_volume_write_close(&w, err);
	fx_volume_write_fini(&w);
	fx_volume_close(&v);
	return result;
}

/* With memory for all, for a chunk's depth, for a section or less, and for nothing. */
static void the_same_with_little_memory(void **state)
{
	static const size_t memory[] = { 1 << 20, 20000, 3000, 700, 1 };
	static const enum fx_volume_format formats[] = { FX_VOLUME_ZARR2, FX_VOLUME_TIFF,
							 FX_VOLUME_HDF5, FX_VOLUME_PNG };
	const struct fixture *f = *state;
	struct fx_error err = { 0 };

	for (size_t i = 0; i < sizeof memory / sizeof memory[0]; i++)
		for (size_t k = 0; k < 8; k++) {
			const struct fx_volume_spec s = { .format = formats[k / 2],
							  .memory = memory[i],
							  .chunk = { 6, 8, 7 } };
			struct fx_block *back;

			if (copy(f->dir, k % 2 ? "deep" : "thin", s, &err) < 0)
				fail_msg("%s", err.text);
			back = volumes_read(test_path(f->dir, "to"), NULL);
			volumes_same(back, f->voxels);
			fx_block_free(back);
			fx_remove_tree(test_path(f->dir, "to"), NULL);
		}
}

static void another_type_when_nothing_is_lost(void **state)
{
	const struct fixture *f = *state;
	struct fx_volume_spec s = { .format = FX_VOLUME_NPY, .dtype = FX_U64 };
	struct fx_error err = { 0 };
	struct fx_block *back;

	if (copy(f->dir, "thin", s, &err) < 0)
		fail_msg("%s", err.text);
	back = volumes_read(test_path(f->dir, "to"), NULL);
	for (size_t i = 0; i < fx_block_len(back); i++)
		assert_int_equal(((uint64_t *)back->data)[i], ((uint16_t *)f->voxels->data)[i]);
	fx_block_free(back);
	s.dtype = FX_U8;
	s.replace = true;
	assert_int_equal(copy(f->dir, "thin", s, &err), FX_ETYPE);
	assert_non_null(strstr(err.text, "which u8 does not hold"));
	back = volumes_read(test_path(f->dir, "to"), NULL); /* as it was */
	assert_int_equal(back->dtype, FX_U64);
	fx_block_free(back);
}

static void cast(enum fx_dtype from, enum fx_dtype to, double value, bool goes)
{
	struct fx_block *b = fx_block_new(from, 1, 1, 2);
	struct fx_error err = { 0 };

	assert_non_null(b);
	if (from == FX_F32)
		((float *)b->data)[1] = (float)value;
	else
		((uint64_t *)b->data)[1] = (uint64_t)value;
	assert_int_equal(fx_volume_cast(&b, to, &err), goes ? FX_OK : FX_ETYPE);
	if (goes)
		assert_true(fx_volume_cast(&b, from, &err) == FX_OK);
	if (goes && from == FX_F32)
		assert_true(((float *)b->data)[1] == (float)value);
	else if (goes)
		assert_true(((uint64_t *)b->data)[1] == (uint64_t)value);
	else
		assert_non_null(strstr(err.text, "voxel 0 0 1 (z y x)"));
	fx_block_free(b);
}

static void casts_keep_each_voxel(void **state)
{
	(void)state;
	cast(FX_F32, FX_U8, 255, true);
	cast(FX_F32, FX_U8, 256, false);
	cast(FX_F32, FX_U16, -1, false);
	cast(FX_F32, FX_U32, 0.5, false);
	cast(FX_F32, FX_U64, 1e30, false);
	cast(FX_U64, FX_U32, 4294967295.0, true);
	cast(FX_U64, FX_U32, 4294967296.0, false);
	cast(FX_U64, FX_F32, 16777216, true);
	cast(FX_U64, FX_F32, 16777217, false);
	cast(FX_U64, FX_F32, 1152921504606846976.0, false);
}

/* Ended half-way by who is told how far it is. */
static int stop_at_half(void *context, double part)
{
	double *most = context;

	assert_true(part >= *most && part <= 1);
	*most = part;
	return part > 0.5 ? -1 : 0;
}

static void an_interrupted_one_leaves_nothing(void **state)
{
	const struct fixture *f = *state;
	struct fx_error err = { 0 };
	double most = 0;
	const struct fx_volume_spec s = { .format = FX_VOLUME_ZARR2,
					  .memory = 700,
					  .chunk = { 6, 8, 7 },
					  .progress = stop_at_half,
					  .context = &most };

	assert_int_equal(copy(f->dir, "thin", s, &err), FX_EIO);
	assert_non_null(strstr(err.text, "interrupted"));
	assert_true(most > 0.5 && most < 0.7);
	assert_false(test_is_there(f->dir, "to"));
	assert_false(test_is_there(f->dir, "to.fornix-partial"));
}

#define FIXED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXED(the_same_with_little_memory),
		FIXED(another_type_when_nothing_is_lost),
		cmocka_unit_test(casts_keep_each_voxel),
		FIXED(an_interrupted_one_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
