// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/real.c: volumes of float64 and float16, in every format that has them. */
#include "support/test.h"

#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/file.h"
#include "formats/encode.h"
#include "formats/real.h"
#include "formats/volume.h"
#include "kernels/half.h"
#include "support/images.h"

enum { Z = 3, Y = 4, X = 5, LEN = Z * Y * X };

/* Voxel @p i: exact in float16, or not even in float32. */
static double value(size_t i, bool exact)
{
	const double whole = (double)i - 20.5;

	return exact ? whole : i == 7 ? 1e39 : i == 8 ? (double)NAN : whole / 3;
}

static void put_value(unsigned char *to, enum fx_real real, bool big, double d)
{
	const uint16_t half = fx_half((float)d);
	unsigned char bytes[8];

	memcpy(bytes, real == FX_REAL_F16 ? (const void *)&half : (const void *)&d, real);
	for (size_t k = 0; k < real; k++)
		to[k] = bytes[big ? real - 1 - k : k];
}

/* All voxels as a file has them. */
static void voxels_of(unsigned char to[LEN * 8], enum fx_real real, bool big, bool exact)
{
	for (size_t i = 0; i < LEN; i++)
		put_value(to + i * real, real, big, value(i, exact));
}

static void same(const struct fx_block *b, bool exact)
{
	size_t i = 0;

	for (size_t z = 0; z < b->shape[0]; z++)
		for (size_t y = 0; y < b->shape[1]; y++)
			for (size_t x = 0; x < b->shape[2]; x++, i++) {
				const size_t at = ((z + (size_t)b->origin[0]) * Y + y +
						   (size_t)b->origin[1]) *
							  X +
						  x + (size_t)b->origin[2];
				const float want = (float)value(at, exact),
					    got = ((const float *)b->data)[i];

				if (got != want && !(isnan(got) && isnan(want)))
					fail_msg("voxel %zu is %g, not %g", at, (double)got,
						 (double)want);
			}
}

/* The whole and a part are as they were written, and it is known whether they were rounded. */
static void expect(void *folder, const char *name, bool exact)
{
	const struct fx_region parts[] = { { { 1, 1, 2 }, { 3, 3, 4 } },
					   { { 0, 0, 0 }, { Z, Y, X } } };
	struct fx_error err = { 0 };
	struct fx_volume v;
	struct fx_block *b;

	if (fx_volume_open(test_path(folder, name), &v, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(v.shape[0] == Z && v.shape[1] == Y && v.shape[2] == X && v.dtype == FX_F32);
	assert_false(v.rounded);
	for (size_t p = 0; p < 2; p++) {
		if (fx_volume_read(&v, parts[p], &b, &err) < 0)
			fail_msg("%s", err.text);
		same(b, exact);
		fx_block_free(b);
	}
	assert_int_equal(v.rounded, !exact);
	fx_volume_close(&v);
}

static void bits_are_numbers(void **unused)
{
	static const unsigned char turned[] = { 0x3c, 0x00, 0xc0, 0x00, 0x7c, 0x00 };
	float out[3];

	(void)unused;
	assert_true(fx_real_of_bits(FX_REAL_F64, 0x3ff8000000000000) == 1.5F);
	assert_true(fx_real_of_bits(FX_REAL_F16, 0xc000) == -2);
	assert_false(fx_real_read(FX_REAL_F16, turned, 3, 1, true, out));
	assert_true(out[0] == 1 && out[1] == -2 && isinf(out[2]));
	assert_false(fx_real_read(FX_REAL_F16, turned, 2, 2, true, out));
	assert_true(out[0] == 1 && isinf(out[1]));
}

static void put_npy(void *folder, const char *name, const char *descr, const void *voxels,
		    size_t size)
{
	char bytes[128 + LEN * 8];

	memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
	memset(bytes + 10, ' ', 118);
	snprintf(bytes + 10, 118, "{'descr': '%s', 'fortran_order': False, 'shape': (3, 4, 5), }",
		 descr);
	memcpy(bytes + 128, voxels, size);
	test_write_file(test_path(folder, name), bytes, 128 + size);
}

static void reads_npy_and_tiff(void **folder)
{
	unsigned char voxels[LEN * 8];

	for (int exact = 0; exact < 2; exact++) {
		voxels_of(voxels, FX_REAL_F64, false, exact);
		put_npy(*folder, "a.npy", "<f8", voxels, LEN * 8);
		expect(*folder, "a.npy", exact);
		test_write_tiff(test_path(*folder, "a.tif"), Z, Y, X, 64, SAMPLEFORMAT_IEEEFP, 0,
				voxels);
		expect(*folder, "a.tif", exact);
	}
	voxels_of(voxels, FX_REAL_F16, false, true);
	put_npy(*folder, "h.npy", "<f2", voxels, LEN * 2);
	expect(*folder, "h.npy", true);
	test_write_tiff(test_path(*folder, "h.tif"), Z, Y, X, 16, SAMPLEFORMAT_IEEEFP, 0, voxels);
	expect(*folder, "h.tif", true);
}

/* One chunk of all voxels, compressed as @p how says. */
static void put_chunk(const char *folder, const char *name, enum fx_encoding how, size_t elem,
		      const void *head, size_t head_size, const void *voxels)
{
	unsigned char bytes[LEN * 8 + 600];
	struct fx_error err = { 0 };
	void *coded = NULL;
	size_t size = 0;

	assert_int_equal(fx_encode(how, elem, voxels, LEN * elem, &coded, &size, &err), FX_OK);
	assert_true(head_size + size <= sizeof bytes);
	if (head_size)
		memcpy(bytes, head, head_size);
	memcpy(bytes + head_size, coded, size);
	free(coded);
	test_write_file(test_path(folder, name), bytes, head_size + size);
}

static void put_array(void *folder, const char *name, const char *meta, const char *text)
{
	assert_int_equal(fx_make_dirs(test_path(folder, name), NULL), FX_OK);
	test_write_file(test_path(test_path(folder, name), meta), text, strlen(text));
}

#define ZARR2(dtype, compressor)                                                                   \
	"{\"zarr_format\":2,\"shape\":[3,4,5],\"chunks\":[3,4,5],\"dtype\":\"" dtype               \
	"\",\"order\":\"C\",\"fill_value\":0.1,\"filters\":null,\"compressor\":" compressor "}"
#define ZARR3(dtype, fill)                                                                         \
	"{\"zarr_format\":3,\"node_type\":\"array\",\"shape\":[3,4,5],\"data_type\":\"" dtype      \
	"\",\"chunk_grid\":{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":[3,4,5]}},"    \
	"\"chunk_key_encoding\":{\"name\":\"v2\"},\"fill_value\":" fill                            \
	",\"codecs\":[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"big\"}},{\"name\":"      \
	"\"zstd\"}]}"

static void reads_zarr_and_n5(void **folder)
{
	static const unsigned char head[16] = { 0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 3 };
	unsigned char voxels[LEN * 8];

	for (int exact = 0; exact < 2; exact++) {
		voxels_of(voxels, FX_REAL_F64, false, exact);
		put_array(*folder, "z2", ".zarray", ZARR2("<f8", "{\"id\":\"blosc\"}"));
		put_chunk(test_path(*folder, "z2"), "0.0.0", FX_ENCODE_BLOSC, 8, NULL, 0, voxels);
		expect(*folder, "z2", exact);
		voxels_of(voxels, FX_REAL_F64, true, exact);
		put_array(*folder, "z3", "zarr.json", ZARR3("float64", "0"));
		put_chunk(test_path(*folder, "z3"), "0.0.0", FX_ENCODE_ZSTD, 8, NULL, 0, voxels);
		expect(*folder, "z3", exact);
		put_array(*folder, "n5", "attributes.json",
			  "{\"dimensions\":[5,4,3],\"blockSize\":[5,4,3],\"dataType\":\"float64\","
			  "\"compression\":{\"type\":\"gzip\"}}");
		assert_int_equal(fx_make_dirs(test_path(*folder, "n5/0/0"), NULL), FX_OK);
		put_chunk(test_path(*folder, "n5"), "0/0/0", FX_ENCODE_GZIP, 8, head, sizeof head,
			  voxels);
		expect(*folder, "n5", exact);
	}
	voxels_of(voxels, FX_REAL_F16, true, true);
	put_array(*folder, "h2", ".zarray", ZARR2(">f2", "null"));
	put_chunk(test_path(*folder, "h2"), "0.0.0", FX_ENCODE_NONE, 2, NULL, 0, voxels);
	expect(*folder, "h2", true);
}

/* Chunks that are not there have the fill value, whose bits Zarr 3 may state. */
static void what_is_not_there_is_filled(void **folder)
{
	static const struct {
		const char *meta, *text;
		float fill;
	} cases[] = {
		{ ".zarray", ZARR2("<f8", "null"), 0.1F },
		{ "zarr.json", ZARR3("float64", "\"0x3ff8000000000000\""), 1.5F },
		{ "zarr.json", ZARR3("float16", "\"0xc000\""), -2 },
		{ "zarr.json", ZARR3("float64", "\"-Infinity\""), -INFINITY },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fx_error err = { 0 };
		struct fx_volume v;
		struct fx_block *b;
		char name[16];

		snprintf(name, sizeof name, "fill%zu", i);
		put_array(*folder, name, cases[i].meta, cases[i].text);
		if (fx_volume_open(test_path(*folder, name), &v, &err) < 0 ||
		    fx_volume_read(&v, (struct fx_region){ { 0, 0, 0 }, { Z, Y, X } }, &b, &err) <
			    0)
			fail_msg("%s", err.text);
		for (size_t k = 0; k < LEN; k++)
			assert_true(((const float *)b->data)[k] == cases[i].fill);
		fx_block_free(b);
		fx_volume_close(&v);
	}
}

/* A data set; @p filter: one that the library has not, and whose chunk is written as it is. */
static void put_data(hid_t file, const char *name, hid_t type, H5Z_filter_t filter, size_t elem,
		     const void *voxels)
{
	const hsize_t dims[3] = { Z, Y, X }, at[3] = { 0, 0, 0 };
	const hid_t space = H5Screate_simple(3, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
	struct fx_error err = { 0 };
	void *coded = NULL;
	size_t size = 0;
	hid_t data;

	assert_true(H5Pset_chunk(plist, 3, dims) >= 0);
	if (filter)
		assert_true(H5Pset_filter(plist, filter, H5Z_FLAG_OPTIONAL, 0, NULL) >= 0);
	data = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
	assert_true(data >= 0);
	assert_int_equal(fx_encode(filter ? FX_ENCODE_ZSTD : FX_ENCODE_NONE, elem, voxels,
				   LEN * elem, &coded, &size, &err),
			 FX_OK);
	assert_true(H5Dwrite_chunk(data, H5P_DEFAULT, 0, at, size, coded) >= 0);
	free(coded);
	H5Dclose(data);
	H5Pclose(plist);
	H5Sclose(space);
}

static void reads_hdf5(void **folder)
{
	enum { ZSTD = 32015 };
	const hid_t half = H5Tcopy(H5T_IEEE_F32LE), odd = H5Tcopy(H5T_IEEE_F32LE);
	struct fx_error err = { 0 };
	struct fx_volume v;
	unsigned char voxels[LEN * 8];
	hid_t file = H5Fcreate(test_path(*folder, "a.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

	assert_true(H5Tset_fields(half, 15, 10, 5, 0, 10) >= 0 && H5Tset_size(half, 2) >= 0 &&
		    H5Tset_ebias(half, 15) >= 0);
	assert_true(H5Tset_fields(odd, 15, 7, 8, 0, 7) >= 0 && H5Tset_size(odd, 2) >= 0);
	voxels_of(voxels, FX_REAL_F64, false, false);
	put_data(file, "long", H5T_IEEE_F64LE, 0, 8, voxels);
	put_data(file, "zstd", H5T_IEEE_F64LE, ZSTD, 8, voxels);
	voxels_of(voxels, FX_REAL_F64, true, true);
	put_data(file, "big", H5T_IEEE_F64BE, 0, 8, voxels);
	put_data(file, "bigzstd", H5T_IEEE_F64BE, ZSTD, 8, voxels);
	voxels_of(voxels, FX_REAL_F16, false, true);
	put_data(file, "half", half, 0, 2, voxels);
	put_data(file, "halfzstd", half, ZSTD, 2, voxels);
	put_data(file, "odd", odd, 0, 2, voxels);
	H5Tclose(half);
	H5Tclose(odd);
	H5Fclose(file);
	expect(*folder, "a.h5:/long", false);
	expect(*folder, "a.h5:/zstd", false);
	expect(*folder, "a.h5:/big", true);
	expect(*folder, "a.h5:/bigzstd", true);
	expect(*folder, "a.h5:/half", true);
	expect(*folder, "a.h5:/halfzstd", true);
	assert_true(fx_volume_open(test_path(*folder, "a.h5:/odd"), &v, &err) < 0);
	assert_non_null(strstr(err.text, "its voxels are not"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_are_numbers),  cmocka_unit_test(reads_npy_and_tiff),
		cmocka_unit_test(reads_zarr_and_n5), cmocka_unit_test(what_is_not_there_is_filled),
		cmocka_unit_test(reads_hdf5),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
