// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/nn/cropvolume.c. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "nn/cropvolume.h"

/* Sections of 1 x 3 voxels. */
static void give(struct fx_gather *g, enum fx_dtype dtype, int64_t z, const void *voxels,
		 double thickness)
{
	struct fx_block *b = fx_block_new(dtype, 1, 1, 3);
	struct fx_error err = { 0 };

	assert_non_null(b);
	b->origin[0] = z;
	b->voxel_nm[0] = thickness;
	b->voxel_nm[1] = b->voxel_nm[2] = 8;
	memcpy(b->data, voxels, fx_block_size(b));
	if (fx_gather_add(g, b, &err) < 0)
		fail_msg("%s", err.text);
	fx_block_free(b);
}

/* Images of sections 0 to 3, truth of 1 to 4, which comes backwards. */
static struct fx_cropvolume volume(double thickness)
{
	static const uint64_t ids[3] = { 1ULL << 40, 0, 77 };
	struct fx_cropvolume v = { 0 };

	for (int z = 0; z < 4; z++)
		give(&v.image, FX_U8, z, (const uint8_t[]){ 0, 51, (uint8_t)(255 - z) }, 40);
	for (int z = 4; z > 0; z--)
		give(&v.truth, FX_U64, z, ids, thickness);
	return v;
}

static void close_it(struct fx_cropvolume *v, const struct fx_cropvolume_rules *rules)
{
	struct fx_error err = { 0 };

	if (fx_cropvolume_close(v, rules, &err) < 0)
		fail_msg("%s", err.text);
}

static void images_and_labels_meet(void **unused)
{
	const struct fx_cropvolume_rules rules = { 0 };
	struct fx_cropvolume v = volume(40);

	(void)unused;
	close_it(&v, &rules);
	assert_int_equal(v.source.shape[0], 3);
	assert_int_equal(v.region.lo[0], 1);
	assert_true(fabs(v.voxel_nm[0] - 40) < 1e-9);
	assert_true(fabsf(v.source.image[1] - 0.2F) < 1e-6F);
	assert_true(fabsf(v.source.image[2] - 254.0F / 255) < 1e-6F);
	for (size_t i = 0; i < 9; i += 3) {
		assert_int_equal(v.source.labels[i], 1);
		assert_int_equal(v.source.labels[i + 1], 0);
		assert_int_equal(v.source.labels[i + 2], 2);
	}
	assert_null(v.aside);
	fx_cropvolume_fini(&v);
}

static void sections_are_kept_aside(void **unused)
{
	const struct fx_cropvolume_rules rules = { .aside_from = 2, .aside_to = 3 };
	struct fx_cropvolume v = volume(40);
	const uint32_t train[9] = { 1, 0, 2, 0, 0, 0, 1, 0, 2 },
		       aside[9] = { 0, 0, 0, 1, 0, 2, 0, 0, 0 };

	(void)unused;
	close_it(&v, &rules);
	assert_int_equal(v.aside_lo, 1);
	assert_int_equal(v.aside_hi, 2);
	assert_memory_equal(v.labels, train, sizeof train);
	assert_memory_equal(v.aside, aside, sizeof aside);
	fx_cropvolume_fini(&v);
}

static void zero_may_be_boundary(void **unused)
{
	const struct fx_cropvolume_rules rules = { .zero_is_edge = true };
	struct fx_cropvolume v = volume(40);

	(void)unused;
	close_it(&v, &rules);
	assert_int_equal(v.labels[0], 1);
	assert_int_equal(v.labels[1], FX_LABEL_ERODED);
	fx_cropvolume_fini(&v);
}

static void what_does_not_fit_is_refused(void **unused)
{
	const struct fx_cropvolume_rules rules = { 0 };
	struct fx_cropvolume v = volume(30), apart = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_cropvolume_close(&v, &rules, &err), FX_EINVAL);
	assert_string_equal(err.text, "images have voxels of 40 8 8 nm, labels of 30 8 8 nm");
	fx_cropvolume_fini(&v);
	give(&apart.image, FX_U8, 3, (const uint8_t[]){ 1, 2, 3 }, 8);
	give(&apart.truth, FX_U8, 7, (const uint8_t[]){ 1, 2, 3 }, 8);
	err = (struct fx_error){ 0 };
	assert_int_equal(fx_cropvolume_close(&apart, &rules, &err), FX_EINVAL);
	assert_string_equal(err.text, "images and labels have no voxel in common: sections 3 to 3 "
				      "and 7 to 7");
	fx_cropvolume_fini(&apart);
	assert_int_equal(fx_cropvolume_close(&apart, &rules, NULL), FX_EINVAL); /* nothing came */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_and_labels_meet),
		cmocka_unit_test(sections_are_kept_aside),
		cmocka_unit_test(zero_may_be_boundary),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
