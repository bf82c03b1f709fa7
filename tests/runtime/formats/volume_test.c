// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/volume.c and the formats behind it. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/file.h"
#include "formats/volume.h"
#include "support/images.h"

enum { Z = 3, Y = 5, X = 7, LEN = Z * Y * X };

static void put_npy(const char *path, const char *header, const void *data, size_t size)
{
	unsigned char *bytes = malloc(10 + 118 + size);

	assert_non_null(bytes);
	memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
	snprintf((char *)bytes + 10, 119, "%-117s\n", header);
	if (size)
		memcpy(bytes + 128, data, size);
	test_write_file(path, bytes, 128 + size);
	free(bytes);
}

/* Reads the whole and a part, and compares with voxels of `bytes` bytes each. */
static void expect(const char *path, enum fx_dtype dtype, const void *voxels)
{
	struct fx_volume v;
	struct fx_error err = { 0 };
	struct fx_block *all, *part;
	const struct fx_region whole = { { 0, 0, 0 }, { Z, Y, X } };
	const struct fx_region some = { { 1, 2, 3 }, { 3, 4, 6 } };
	const struct fx_region back = { { 2, 0, 0 }, { 3, 1, X } }; /* above where `some` ended */
	struct fx_block *want, *above;

	if (fx_volume_open(path, &v, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(v.dtype == dtype && v.shape[0] == Z && v.shape[1] == Y && v.shape[2] == X);
	assert_int_equal(fx_volume_read(&v, some, &part, &err), FX_OK);
	assert_int_equal(fx_volume_read(&v, back, &above, &err), FX_OK);
	assert_int_equal(fx_volume_read(&v, whole, &all, &err), FX_OK);
	assert_memory_equal(above->data, (const char *)voxels + 2 * Y * X * fx_dtype_size(v.dtype),
			    fx_block_size(above));
	fx_block_free(above);
	assert_memory_equal(all->data, voxels, fx_block_size(all));
	want = fx_block_crop(all, some);
	assert_non_null(want);
	assert_int_equal(part->origin[2], 3);
	assert_memory_equal(part->data, want->data, fx_block_size(want));
	assert_int_equal(
		fx_volume_read(&v, (struct fx_region){ { 0, 0, 0 }, { 4, 1, 1 } }, &part, &err),
		FX_EINVAL);
	fx_block_free(want);
	fx_block_free(all);
	fx_block_free(part);
	fx_volume_close(&v);
}

static void reads_every_dtype_of_tiff_and_npy(void **folder)
{
	static const struct {
		enum fx_dtype dtype;
		int bits, format;
		const char *descr;
	} kinds[] = {
		{ FX_U8, 8, SAMPLEFORMAT_UINT, "|u1" },
		{ FX_U16, 16, SAMPLEFORMAT_UINT, "<u2" },
		{ FX_U32, 32, SAMPLEFORMAT_UINT, "<u4" },
		{ FX_U64, 64, SAMPLEFORMAT_UINT, "<u8" },
		{ FX_F32, 32, SAMPLEFORMAT_IEEEFP, "<f4" },
	};
	const char *tif = test_path(*folder, "a.tif"), *npy = test_path(*folder, "a.npy");
	uint64_t voxels[LEN], seed = 1;

	for (size_t i = 0; i < LEN; i++)
		voxels[i] = test_random(&seed);
	for (size_t i = 0; i < 5; i++) {
		char header[118];

		test_write_tiff(tif, Z, Y, X, kinds[i].bits, kinds[i].format, 0, voxels);
		expect(tif, kinds[i].dtype, voxels);
		test_write_tiff(tif, Z, Y, X, kinds[i].bits, kinds[i].format, 16, voxels);
		expect(tif, kinds[i].dtype, voxels);
		snprintf(header, sizeof header,
			 "{'descr': '%s', 'fortran_order': False, 'shape': (3, 5, 7), }",
			 kinds[i].descr);
		put_npy(npy, header, voxels, LEN * (size_t)kinds[i].bits / 8);
		expect(npy, kinds[i].dtype, voxels);
	}
}

static void reads_precomputed_raw(void **folder)
{
	static const char info[] =
		"{\"type\":\"image\",\"data_type\":\"uint16\",\"num_channels\":1,\"scales\":[{"
		"\"key\":\"s0\",\"size\":[7,5,3],\"voxel_offset\":[10,20,30],"
		"\"chunk_sizes\":[[4,5,2]],\"resolution\":[4,4,40.5],\"encoding\":\"raw\"}]}";
	uint16_t voxels[LEN], chunk[40];
	struct fx_volume v;

	for (size_t i = 0; i < LEN; i++)
		voxels[i] = (uint16_t)(i + 1);
	assert_int_equal(fx_make_dirs(test_path(*folder, "s0"), NULL), FX_OK);
	test_write_file(test_path(*folder, "info"), info, sizeof info - 1);
	for (size_t z = 0; z < Z; z += 2)
		for (size_t x = 0; x < X; x += 4) {
			const size_t nx = x ? 3 : 4, nz = z ? 1 : 2;
			char name[64];

			for (size_t i = 0; i < nz * Y; i++)
				memcpy(chunk + i * nx, voxels + (z * Y + i) * X + x, nx * 2);
			snprintf(name, sizeof name, "s0/%zu-%zu_20-25_%zu-%zu", 10 + x, 10 + x + nx,
				 30 + z, 30 + z + nz);
			test_write_file(test_path(*folder, name), chunk, nx * nz * Y * 2);
		}
	expect(*folder, FX_U16, voxels);
	assert_int_equal(fx_volume_open(*folder, &v, NULL), FX_OK);
	assert_true(v.voxel_nm[0] == 40.5 && v.voxel_nm[2] == 4 && v.offset[0] == 30);
	fx_volume_close(&v);
	/* a chunk of another length is an error, a missing one zeros */
	test_write_file(test_path(*folder, "s0/10-14_20-25_30-32"), chunk, 79);
	assert_int_equal(remove(test_path(*folder, "s0/14-17_20-25_30-32")), 0);
	assert_int_equal(fx_volume_open(*folder, &v, NULL), FX_OK);
	{
		struct fx_block *b;
		struct fx_error err = { 0 };

		assert_int_equal(fx_volume_read(&v, (struct fx_region){ { 0, 0, 0 }, { 1, 1, 1 } },
						&b, &err),
				 FX_EINVAL);
		assert_non_null(strstr(err.text, "79 bytes, raw chunk must have 80"));
		assert_int_equal(fx_volume_read(&v, (struct fx_region){ { 0, 0, 4 }, { 1, 1, 5 } },
						&b, &err),
				 FX_OK);
		assert_int_equal(*(uint16_t *)b->data, 0);
		fx_block_free(b);
	}
	fx_volume_close(&v);
}

static void refuse(const char *path, int code, const char *text)
{
	struct fx_volume v;
	struct fx_error err = { 0 };

	assert_int_equal(fx_volume_open(path, &v, &err), code);
	if (!strstr(err.text, text) || !strstr(err.text, path))
		fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void other_files_are_refused(void **folder)
{
	static const char ok[] = "{'descr': '<u2', 'fortran_order': False, 'shape': (1, 2, 2), }";
	const char *npy = test_path(*folder, "b.npy");

	refuse(test_path(*folder, "none.tif"), FX_ENOENT, "cannot open");
	test_write_file(npy, "hello, world", 12);
	refuse(npy, FX_ETYPE, "not a TIFF, a .npy, MRC or HDF5 file, or a folder");
	put_npy(npy, ok, ok, 7);
	refuse(npy, FX_EINVAL, "shorter than its shape says");
	put_npy(npy, "{'descr': '>u2', 'fortran_order': False, 'shape': (1, 2, 2), }", ok, 8);
	refuse(npy, FX_ETYPE, "dtype '>u2'");
	put_npy(npy, "{'descr': '<u2', 'fortran_order': True, 'shape': (1, 2, 2), }", ok, 8);
	refuse(npy, FX_ETYPE, "Fortran");
	put_npy(npy, "{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }", ok, 8);
	refuse(npy, FX_ETYPE, "shape");
	put_npy(npy,
		"{'descr': '<u2', 'fortran_order': False, 'shape': (99999999999, 99999999999, 2)}",
		ok, 8);
	refuse(npy, FX_EINVAL, "is not accepted");
	assert_int_equal(remove(npy), 0);
	remove(test_path(*folder, "info"));
	refuse(*folder, FX_ENOENT, "info");
}

static void pages_of_other_size_are_errors(void **folder)
{
	const char *path = test_path(*folder, "c.tif");
	const unsigned char pixels[64] = { 0 };
	struct fx_volume v;
	struct fx_error err = { 0 };
	struct fx_block *b;
	TIFF *t;

	test_write_tiff(path, 1, 4, 4, 8, SAMPLEFORMAT_UINT, 0, pixels);
	t = TIFFOpen(path, "a");
	assert_non_null(t);
	TIFFSetField(t, TIFFTAG_IMAGEWIDTH, 3);
	TIFFSetField(t, TIFFTAG_IMAGELENGTH, 4);
	TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 8);
	TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
	for (uint32_t y = 0; y < 4; y++) {
		unsigned char row[3] = { 1, 2, 3 };

		TIFFWriteScanline(t, row, y, 0);
	}
	TIFFClose(t);
	assert_int_equal(fx_volume_open(path, &v, &err), FX_OK);
	assert_int_equal(v.shape[0], 2);
	assert_int_equal(
		fx_volume_read(&v, (struct fx_region){ { 1, 0, 0 }, { 2, 4, 4 } }, &b, &err),
		FX_EINVAL);
	assert_non_null(strstr(err.text, "page 1 is 4 x 3 u8, the first 4 x 4 u8"));
	assert_int_equal(
		fx_volume_read(&v, (struct fx_region){ { 0, 0, 0 }, { 1, 4, 4 } }, &b, &err),
		FX_OK);
	fx_block_free(b);
	fx_volume_close(&v);
}

static void try_file(const char *path)
{
	struct fx_volume v;
	struct fx_block *b;

	if (fx_volume_open(path, &v, NULL) < 0)
		return;
	if (v.shape[1] * v.shape[2] < 1 << 16 &&
	    fx_volume_read(&v,
			   (struct fx_region){ { 0, 0, 0 },
					       { 1, (int64_t)v.shape[1], (int64_t)v.shape[2] } },
			   &b, NULL) == FX_OK)
		fx_block_free(b);
	fx_volume_close(&v);
}

static void damage(const char *path, uint64_t seed, size_t head)
{
	void *bytes;
	size_t size;

	assert_int_equal(fx_file_read(path, 1 << 20, &bytes, &size, NULL), FX_OK);
	for (size_t n = 0; n < size; n += 1 + n / 100) {
		test_write_file(path, bytes, n);
		try_file(path);
	}
	for (int i = 0; i < 400; i++) {
		unsigned char *copy = malloc(size);

		assert_non_null(copy);
		memcpy(copy, bytes, size);
		for (int k = 0; k < 2; k++)
			copy[test_random(&seed) % (head < size ? head : size)] =
				(unsigned char)test_random(&seed);
		test_write_file(path, copy, size);
		try_file(path);
		free(copy);
	}
	free(bytes);
}

static void damaged_files_do_no_harm(void **folder)
{
	const char *tif = test_path(*folder, "d.tif"), *npy = test_path(*folder, "d.npy");
	const char *dir = test_path(*folder, "pre"), *info = test_path(*folder, "pre/info");
	const unsigned char voxels[LEN] = { 1, 2, 3 };
	static const char text[] =
		"{\"type\":\"image\",\"data_type\":\"uint8\",\"num_channels\":1,\"scales\":[{"
		"\"key\":\"s\",\"size\":[7,5,3],\"chunk_sizes\":[[4,5,2]],\"resolution\":"
		"[4,4,4],\"encoding\":\"raw\"}]}";
	uint64_t seed = 8;

	test_write_tiff(tif, Z, Y, X, 8, SAMPLEFORMAT_UINT, 0, voxels);
	damage(tif, 1, 9999);
	put_npy(npy, "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 5, 7), }", voxels, LEN);
	damage(npy, 2, 80);
	assert_int_equal(fx_make_dirs(dir, NULL), FX_OK);
	for (int i = 0; i < 400; i++) {
		char copy[sizeof text];

		memcpy(copy, text, sizeof text);
		copy[test_random(&seed) % (sizeof text - 1)] = (char)(test_random(&seed) % 96 + 32);
		test_write_file(info, copy,
				i < 200 ? sizeof text - 1 : (size_t)i % (sizeof text - 1));
		try_file(dir);
	}
}

static void reads_the_real_truth(void **unused)
{
	char path[512];
	struct fx_volume v;
	struct fx_error err = { 0 };
	struct fx_block *b;
	uint16_t top = 0;

	(void)unused;
	if (!test_data_dir())
		test_skip("FIB-25 truth");
	snprintf(path, sizeof path, "%s/fib25/truth-z000-124.tif", test_data_dir());
	if (fx_volume_open(path, &v, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(v.shape[0] == 125 && v.shape[1] == 250 && v.shape[2] == 250);
	assert_int_equal(
		fx_volume_read(&v, (struct fx_region){ { 0, 0, 0 }, { 125, 250, 250 } }, &b, &err),
		FX_OK);
	for (size_t i = 0; i < fx_block_len(b); i++)
		if (((uint16_t *)b->data)[i] > top)
			top = ((uint16_t *)b->data)[i];
	assert_int_equal(top, 301);
	fx_block_free(b);
	fx_volume_close(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_dtype_of_tiff_and_npy),
		cmocka_unit_test(reads_precomputed_raw),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(pages_of_other_size_are_errors),
		cmocka_unit_test(damaged_files_do_no_harm),
		cmocka_unit_test(reads_the_real_truth),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
