// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/volume_hdf5.c. */
#include "support/test.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/volume.h"
#include "support/golden_pack.h"

enum { Z = 5, Y = 6, X = 7, LEN = Z * Y * X };

static hid_t make_file(void *folder, const char *name)
{
	const hid_t file =
		H5Fcreate(test_path(folder, name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

	assert_true(file >= 0);
	return file;
}

/* A data set of 3 axes; chunk NULL: in one piece. */
static hid_t put(hid_t file, const char *name, hid_t type, const hsize_t *chunk, unsigned deflate,
		 const int32_t *values)
{
	const hsize_t dims[3] = { Z, Y, X };
	const hid_t space = H5Screate_simple(3, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
	hid_t data;

	if (chunk)
		assert_true(H5Pset_chunk(plist, 3, chunk) >= 0);
	if (deflate)
		assert_true(H5Pset_shuffle(plist) >= 0 && H5Pset_deflate(plist, deflate) >= 0);
	data = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
	assert_true(data >= 0);
	if (values)
		assert_true(H5Dwrite(data, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT,
				     values) >= 0);
	H5Pclose(plist);
	H5Sclose(space);
	return data;
}

static void attribute(hid_t data, const char *name, hsize_t len, const double *values)
{
	const hid_t space = H5Screate_simple(1, &len, NULL);
	const hid_t a = H5Acreate2(data, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT);

	assert_true(H5Awrite(a, H5T_NATIVE_DOUBLE, values) >= 0);
	H5Aclose(a);
	H5Sclose(space);
}

static void fill(int32_t *values, int32_t first)
{
	for (int32_t i = 0; i < LEN; i++)
		values[i] = first + i;
}

static double value(const struct fx_block *b, size_t i)
{
	return b->dtype == FX_F32 ? (double)((const float *)b->data)[i] :
	       b->dtype == FX_U8  ? ((const uint8_t *)b->data)[i] :
	       b->dtype == FX_U16 ? ((const uint16_t *)b->data)[i] :
	       b->dtype == FX_U32 ? ((const uint32_t *)b->data)[i] :
				    (double)((const uint64_t *)b->data)[i];
}

static void expect(void *folder, const char *path, enum fx_dtype dtype, int first)
{
	const struct fx_region parts[] = { { { 1, 2, 3 }, { 4, 5, 6 } },
					   { { 0, 0, 0 }, { Z, Y, X } },
					   { { 3, 5, 0 }, { 5, 6, 7 } } };
	struct fx_error err = { 0 };
	struct fx_volume v;
	struct fx_block *b;

	if (fx_volume_open(test_path(folder, path), &v, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(v.shape[0] == Z && v.shape[1] == Y && v.shape[2] == X && v.dtype == dtype);
	for (size_t p = 0; p < 3; p++) {
		if (fx_volume_read(&v, parts[p], &b, &err) < 0)
			fail_msg("%s", err.text);
		for (size_t i = 0; i < fx_block_len(b); i++) {
			const size_t z = i / (b->shape[1] * b->shape[2]) + (size_t)b->origin[0];
			const size_t y = i / b->shape[2] % b->shape[1] + (size_t)b->origin[1];
			const size_t x = i % b->shape[2] + (size_t)b->origin[2];

			assert_true(value(b, i) == (double)(z * Y * X + y * X + x) + first);
		}
		fx_block_free(b);
	}
	fx_volume_close(&v);
}

static void reads_types_and_layouts(void **folder)
{
	const hsize_t chunk[3] = { 2, 4, 4 }, section[3] = { 1, Y, X };
	const hid_t file = make_file(*folder, "a.h5");
	int32_t values[LEN];

	fill(values, 0);
	H5Dclose(put(file, "deflated", H5T_STD_U16LE, chunk, 5, values));
	H5Dclose(put(file, "big", H5T_STD_I32BE, section, 0, values));
	H5Dclose(put(file, "plain", H5T_IEEE_F32LE, NULL, 0, values));
	H5Dclose(put(file, "bytes", H5T_STD_U8LE, chunk, 1, values));
	H5Dclose(put(file, "long", H5T_STD_I64LE, chunk, 1, values));
	H5Fclose(file);
	expect(*folder, "a.h5:/deflated", FX_U16, 0);
	expect(*folder, "a.h5:big", FX_U32, 0);
	expect(*folder, "a.h5:/plain", FX_F32, 0);
	expect(*folder, "a.h5:/bytes", FX_U8, 0);
	expect(*folder, "a.h5:/long", FX_U64, 0);
}

static void finds_the_only_volume_and_its_voxel_size(void **folder)
{
	const double um[3] = { 0.04, 0.004, 0.005 };
	const hid_t file = make_file(*folder, "one.h5");
	const hid_t group = H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	const hsize_t dims[2] = { 3, 3 };
	const hid_t space = H5Screate_simple(2, dims, NULL);
	struct fx_error err = { 0 };
	struct fx_volume v;
	int32_t values[LEN];
	hid_t data;

	fill(values, 0);
	H5Dclose(H5Dcreate2(file, "table", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT,
			    H5P_DEFAULT));
	H5Sclose(space);
	data = put(group, "volume", H5T_STD_U8LE, NULL, 0, values);
	attribute(data, "element_size_um", 3, um);
	H5Dclose(data);
	H5Gclose(group);
	H5Fclose(file);
	expect(*folder, "one.h5", FX_U8, 0);
	assert_int_equal(fx_volume_open(test_path(*folder, "one.h5"), &v, &err), FX_OK);
	assert_true(v.voxel_nm[0] > 39.99 && v.voxel_nm[0] < 40.01 && v.voxel_nm[1] < 4.01);
	fx_volume_close(&v);
}

static void negative_voxels_are_refused(void **folder)
{
	const hsize_t chunk[3] = { Z, Y, X };
	const hid_t file = make_file(*folder, "negative.h5");
	struct fx_error err = { 0 };
	struct fx_volume v;
	struct fx_block *b;
	int32_t values[LEN];

	fill(values, -1);
	H5Dclose(put(file, "v", H5T_STD_I16LE, chunk, 0, values));
	H5Fclose(file);
	assert_int_equal(fx_volume_open(test_path(*folder, "negative.h5"), &v, &err), FX_OK);
	assert_int_equal(
		fx_volume_read(&v, (struct fx_region){ { 0, 0, 0 }, { 1, 1, 1 } }, &b, &err),
		FX_ETYPE);
	assert_non_null(strstr(err.text, "negative"));
	fx_volume_close(&v);
}

/* As detectors write: bitshuffle with LZ4, which the library itself does not have. */
static void undoes_the_filter_of_detectors(void **folder)
{
	static const unsigned bslz4[5] = { 0, 4, 4, 0, 2 };
	const hsize_t dims[3] = { 2, 17, 59 }, chunk[3] = { 1, 17, 59 }, at[3] = { 1, 0, 0 };
	const hid_t file = make_file(*folder, "eiger.h5"), space = H5Screate_simple(3, dims, NULL);
	const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
	struct fx_volume_there t;
	struct fx_error err = { 0 };
	struct fx_volume v;
	struct fx_block *b;
	void *bytes = NULL;
	size_t size = 0;
	hid_t data;

	golden_unpack(*folder);
	assert_int_equal(fx_file_read(test_path(*folder, "bs4"), 1 << 20, &bytes, &size, &err), 0);
	assert_true(H5Pset_chunk(plist, 3, chunk) >= 0);
	assert_true(H5Pset_filter(plist, 32008, H5Z_FLAG_OPTIONAL, 5, bslz4) >= 0);
	data = H5Dcreate2(file, "data", H5T_STD_U32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
	assert_true(H5Dwrite_chunk(data, H5P_DEFAULT, 0, at, size, bytes) >= 0);
	free(bytes);
	H5Dclose(data);
	H5Pclose(plist);
	H5Sclose(space);
	H5Fclose(file);
	if (fx_volume_open(test_path(*folder, "eiger.h5"), &v, &err) < 0)
		fail_msg("%s", err.text);
	if (fx_volume_read(&v, (struct fx_region){ { 0, 0, 0 }, { 2, 17, 59 } }, &b, &err) < 0)
		fail_msg("%s", err.text);
	for (uint32_t i = 0; i < 1003; i++) {
		assert_int_equal(((uint32_t *)b->data)[i], 0); /* is not there */
		assert_int_equal(((uint32_t *)b->data)[1003 + i], i * 77 % 10007);
	}
	fx_block_free(b);
	assert_int_equal(fx_volume_there(&v, 0, &t, &err), FX_OK);
	assert_int_equal(t.there, 0);
	assert_int_equal(fx_volume_there(&v, 1, &t, &err), FX_OK);
	assert_int_equal(t.there, 1);
	fx_volume_close(&v);
}

static void what_cannot_be_read_is_told(void **folder)
{
	const hid_t file = make_file(*folder, "two.h5");
	struct fx_error err = { 0 };
	struct fx_volume v;
	int32_t values[LEN];

	fill(values, 0);
	H5Dclose(put(file, "a", H5T_STD_U16LE, NULL, 0, values));
	H5Dclose(put(file, "b", H5T_NATIVE_LDOUBLE, NULL, 0, values));
	H5Fclose(file);
	assert_true(fx_volume_open(test_path(*folder, "two.h5"), &v, &err) < 0);
	assert_non_null(strstr(err.text, "several data sets"));
	assert_true(fx_volume_open(test_path(*folder, "two.h5:/c"), &v, &err) < 0);
	assert_non_null(strstr(err.text, "no data set /c"));
	assert_true(fx_volume_open(test_path(*folder, "two.h5:/b"), &v, &err) < 0);
	assert_non_null(strstr(err.text, "its voxels are not"));
	test_write_file(test_path(*folder, "bad.h5"), "\x89HDF\r\n\x1a\n________________", 24);
	assert_true(fx_volume_open(test_path(*folder, "bad.h5"), &v, &err) < 0);
	assert_non_null(strstr(err.text, "bad.h5: cannot be opened as HDF5"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_types_and_layouts),
		cmocka_unit_test(finds_the_only_volume_and_its_voxel_size),
		cmocka_unit_test(negative_voxels_are_refused),
		cmocka_unit_test(undoes_the_filter_of_detectors),
		cmocka_unit_test(what_cannot_be_read_is_told),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
