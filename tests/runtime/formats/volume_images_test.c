// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/volume_images.c and tiffmeta.c: folders of images, and what TIFFs tell. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/tiffmeta.h"
#include "support/images.h"
#include "support/volumes.h"

enum { Z = 4, Y = 6, X = 7 };

static uint32_t voxel(size_t z, size_t y, size_t x)
{
	return (uint32_t)(z * 100000 + y * 1000 + x);
}

/* Sections as TIFF of u32, numbered from 8 on. */
static void write_tiffs(const char *dir, size_t count)
{
	for (size_t z = 0; z < count; z++) {
		uint32_t pixels[Y * X];
		char name[32];

		for (size_t i = 0; i < Y * X; i++)
			pixels[i] = voxel(z, i / X, i % X);
		snprintf(name, sizeof name, "s_%zu.tif", z + 8);
		test_write_tiff(test_path(dir, name), 1, Y, X, 32, 1, z % 2 ? 16 : 0, pixels);
	}
}

static void tiffs_of_32_bit(void **unused)
{
	char *dir = volumes_dir();
	struct fx_error err = { 0 };
	struct fx_block *b = NULL;
	struct fx_volume v;

	(void)unused;
	write_tiffs(dir, Z);
	b = volumes_read(dir, &v);
	assert_true(v.shape[0] == Z && v.shape[1] == Y && v.shape[2] == X && v.dtype == FX_U32);
	for (size_t i = 0; i < Z * Y * X; i++)
		assert_int_equal(((uint32_t *)b->data)[i], voxel(i / Y / X, i / X % Y, i % X));
	fx_block_free(b);
	assert_int_equal(fx_volume_open(dir, &v, &err), FX_OK);
	for (int i = 0; i < 2; i++) { /* a part, and going back */
		assert_int_equal(fx_volume_read(&v, (struct fx_region){ { 1, 2, 3 }, { 3, 5, 6 } },
						&b, &err),
				 FX_OK);
		for (size_t k = 0; k < 2 * 3 * 3; k++)
			assert_int_equal(((uint32_t *)b->data)[k],
					 voxel(1 + k / 9, 2 + k / 3 % 3, 3 + k % 3));
		fx_block_free(b);
	}
	fx_volume_close(&v);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void refuse(const char *dir, const char *says)
{
	struct fx_error err = { 0 };
	struct fx_block *b;
	struct fx_volume v;
	int result = fx_volume_open(dir, &v, &err);

	if (result == FX_OK) {
		result = fx_volume_read(
			&v, (struct fx_region){ { 0 }, { (int64_t)v.shape[0], 1, 1 } }, &b, &err);
		fx_volume_close(&v);
	}
	assert_true(result < 0);
	if (!strstr(err.text, says))
		fail_msg("said: %s", err.text);
}

static void what_is_wrong_is_told(void **unused)
{
	char *dir = volumes_dir();
	uint8_t grey[2 * Y * X] = { 0 };

	(void)unused;
	write_tiffs(dir, 2);
	test_write_png(test_path(dir, "s_10.png"), Y, X, 8, 0, 0, grey);
	refuse(dir, "s_10.png is 6 x 7 u8, the first section 6 x 7 u32");
	test_write_tiff(test_path(dir, "s_0008.tif"), 1, Y, X, 8, 1, 0, grey);
	refuse(dir, "both have number 8");
	assert_int_equal(remove(test_path(dir, "s_0008.tif")), 0);
	test_write_tiff(test_path(dir, "s_7.tif"), 2, Y, X, 8, 1, 0, grey);
	refuse(dir, "has 2 pages; a section has one");
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void told(const char *text, double y, double x, double vz, double vy, double vx)
{
	const double resolution[2] = { y, x };
	struct fx_tiffmeta m;

	fx_tiffmeta_parse(text, resolution, &m);
	if (m.voxel_nm[0] != vz || m.voxel_nm[1] != vy || m.voxel_nm[2] != vx)
		fail_msg("%s: %g %g %g", text, m.voxel_nm[0], m.voxel_nm[1], m.voxel_nm[2]);
}

static void voxel_sizes_of_many_programs(void **unused)
{
	(void)unused;
	told(NULL, 1, 1, 0, 0, 0);
	told("", 1, 1, 0, 0, 0);
	told("ImageJ=1.53t\nunit=nm\nspacing=30.0\n", 0.25, 0.125, 30, 4, 8);
	told("ImageJ=1.53t\nslices=3\nunit=micron\nspacing=0.5\n", 2, 4, 500, 500, 250);
	told("ImageJ=1.53t\nunit=\\u00B5m\nspacing=0.5\n", 2, 4, 500, 500, 250);
	told("ImageJ=1.53t\nunit=pixel\nspacing=0.5\n", 2, 4, 0, 0, 0);
	told("ImageJ=1.53t\nunit=nm\nspacing=0.5\n", 0, 0, 0, 0, 0);
	told("ImageJ=1.53t\nunit=nm\nspacing=-2\n", 1, 1, 0, 0, 0);
	told("ImageJ=1.53t\nunit=nm\nspacing=30\nvoxel_nm=30 4.1 8.3\n", 1, 1, 30, 4.1, 8.3);
	told("voxel_nm=30 4.1\n", 1, 1, 0, 0, 0);
	told("<?xml version=\"1.0\"?><OME><Image><Pixels PhysicalSizeX=\"0.004\" "
	     "PhysicalSizeY=\"5\" PhysicalSizeYUnit=\"nm\" PhysicalSizeZ=\"0.05\" "
	     "PhysicalSizeZUnit=\"\xc2\xb5m\"/></Image></OME>",
	     0, 0, 50, 5, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiffs_of_32_bit),
		cmocka_unit_test(what_is_wrong_is_told),
		cmocka_unit_test(voxel_sizes_of_many_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
