// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/volume_write.c: what is written is read again, and appears whole. */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "formats/volume_copy.h"
#include "support/images.h"
#include "support/outputs.h"
#include "support/volumes.h"

static const enum fx_dtype dtypes[] = { FX_U8, FX_U16, FX_U32, FX_U64, FX_F32 };

static int make_folder(void **folder)
{
	*folder = volumes_dir();
	return 0;
}

/* Writes and reads again, with all that a file may tell beside. */
static void round_trip(const char *path, const struct fx_volume_spec *how, enum fx_dtype dtype,
		       bool tells)
{
	static const size_t shape[3] = { 19, 33, 41 };
	struct fx_volume_spec s = *how;
	struct fx_block *voxels = volumes_make(dtype, shape, 5), *back;
	struct fx_error err = { 0 };
	struct fx_volume v;

	s.path = path;
	if (volumes_write(&s, voxels, &err) < 0)
		fail_msg("%s", err.text);
	back = volumes_read(path, &v);
	volumes_same(voxels, back);
	for (int a = 0; tells && a < 3; a++) {
		if (v.voxel_nm[a] != how->voxel_nm[a] || v.offset[a] != how->offset[a])
			fail_msg("%s: axis %d: %g nm at %lld", path, a, v.voxel_nm[a],
				 (long long)v.offset[a]);
	}
	if (tells)
		assert_int_equal(v.labels, how->labels);
	fx_block_free(voxels);
	fx_block_free(back);
	assert_int_not_equal(access(test_path(path, "../x.fornix-partial"), F_OK), 0);
	assert_int_equal(fx_remove_tree(path, NULL), FX_OK);
}

/* All types, and all ways to compress. */
static void round_trips(const char *folder, const char *name, struct fx_volume_spec how, bool tells)
{
	const char *const *codecs = fx_volume_codecs(how.format);
	const char *path = test_path(folder, name);

	for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
		round_trip(path, &how, dtypes[i], tells);
	for (size_t i = 0; codecs[i]; i++) {
		how.codec = codecs[i];
		round_trip(path, &how, FX_U32, tells);
	}
	how.labels = true;
	round_trip(path, &how, FX_U64, tells);
}

#define PLACE .voxel_nm = { 40, 8.5, 4 }, .offset = { 3, -20, 100 }

static void zarr_2(void **folder)
{
	round_trips(
		*folder, "x",
		(struct fx_volume_spec){ .format = FX_VOLUME_ZARR2, PLACE, .chunk = { 8, 16, 10 } },
		true);
}

static void zarr_3(void **folder)
{
	round_trips(
		*folder, "x",
		(struct fx_volume_spec){ .format = FX_VOLUME_ZARR3, PLACE, .chunk = { 8, 16, 10 } },
		true);
}

/* Shards of several chunks, which end within the volume, and within a shard. */
static void zarr_3_in_shards(void **folder)
{
	struct fx_volume_spec s = {
		.format = FX_VOLUME_ZARR3, PLACE, .chunk = { 4, 8, 10 }, .sharded = true
	};
	struct fx_error err = { 0 };

	round_trips(*folder, "x", s, true);
	memcpy(s.shard, (const size_t[]){ 8, 16, 10 }, sizeof s.shard);
	round_trips(*folder, "x", s, true);
	s.path = "x";
	memcpy(s.shard, (const size_t[]){ 8, 16, 11 }, sizeof s.shard);
	assert_int_equal(fx_volume_write_check(&s, &err), FX_ETYPE); /* no type */
	s.dtype = FX_U8;
	assert_int_equal(fx_volume_write_check(&s, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "x: shards of 8 x 16 x 11 voxels are no multiple of"));
	s.format = FX_VOLUME_PRECOMPUTED;
	assert_int_equal(fx_volume_write_check(&s, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "x: the size of shards is chosen for zarr3 alone"));
}

/* One shard of two chunks, of which the first is zeros: by the bytes. */
static void a_shard_has_an_index_behind_its_chunks(void **folder)
{
	struct fx_volume_spec s = { .format = FX_VOLUME_ZARR3,
				    .path = test_path(*folder, "x"),
				    .codec = "none",
				    .chunk = { 1, 1, 2 },
				    .shard = { 1, 1, 4 },
				    .sharded = true,
				    .levels = 1 };
	static const unsigned char want[] = {
		7,    8,					/* chunk 1 */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* chunk 0: not there */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* */
		0,    0,    0,	  0,	0,    0,    0,	  0,	/* chunk 1: from 0 on */
		2,    0,    0,	  0,	0,    0,    0,	  0,	/* two bytes */
		0xf7, 0x87, 0x8f, 0x5d,				/* crc32c of the index */
	};
	struct fx_block *voxels = fx_block_new(FX_U8, 1, 1, 4);
	struct fx_error err = { 0 };
	void *bytes;
	size_t size;

	memcpy(voxels->data, "\0\0\7\10", 4);
	assert_int_equal(volumes_write(&s, voxels, &err), FX_OK);
	assert_int_equal(fx_file_read(test_path(*folder, "x/0/c/0/0/0"), 100, &bytes, &size, &err),
			 FX_OK);
	assert_int_equal(size, sizeof want);
	assert_memory_equal(bytes, want, sizeof want);
	free(bytes);
	fx_block_free(voxels);
}

static void hdf5(void **folder)
{
	round_trips(
		*folder, "x",
		(struct fx_volume_spec){
			.format = FX_VOLUME_HDF5, PLACE, .chunk = { 8, 16, 10 }, .inside = "a/b" },
		true);
}

static void npy(void **folder)
{
	round_trips(*folder, "x", (struct fx_volume_spec){ .format = FX_VOLUME_NPY }, false);
}

static void tiff(void **folder)
{
	round_trips(*folder, "x", (struct fx_volume_spec){ .format = FX_VOLUME_TIFF, PLACE }, true);
}

static void png(void **folder)
{
	static const size_t shape[3] = { 12, 30, 20 };
	const char *path = test_path(*folder, "x");
	struct fx_volume_spec s = { .format = FX_VOLUME_PNG, .path = path };
	struct fx_error err = { 0 };

	for (int i = 0; i < 4; i++) {
		struct fx_block *voxels = volumes_make(i % 2 ? FX_U8 : FX_U16, shape, 4), *back;

		s.codec = i < 2 ? NULL : "fast";
		assert_int_equal(volumes_write(&s, voxels, &err), FX_OK);
		back = volumes_read(path, NULL);
		volumes_same(voxels, back);
		s.replace = true; /* the next one */
		fx_block_free(voxels);
		fx_block_free(back);
	}
	assert_int_equal(unlink(test_path(path, "z000007.png")), 0);
	assert_int_equal(fx_volume_open(path, &(struct fx_volume){ 0 }, &err), FX_ENOENT);
	assert_non_null(strstr(err.text, "z000006.png is followed by z000008.png"));
}

/* compressed_segmentation has labels of any type as u64, on all levels. */
static void wider(const char *path, const struct fx_volume_spec *how)
{
	static const size_t shape[3] = { 19, 33, 41 };
	struct fx_block *voxels = volumes_make(FX_U8, shape, 5), *back;
	struct fx_volume_spec s = *how;
	struct fx_error err = { 0 };

	s.path = path;
	if (volumes_write(&s, voxels, &err) < 0)
		fail_msg("%s", err.text);
	back = volumes_read(path, NULL);
	assert_int_equal(back->dtype, FX_U64);
	assert_int_equal(fx_volume_cast(&back, FX_U8, &err), FX_OK);
	volumes_same(voxels, back);
	fx_block_free(voxels);
	fx_block_free(back);
	assert_int_equal(fx_remove_tree(path, NULL), FX_OK);
}

static void precomputed(void **folder)
{
	struct fx_volume_spec s = {
		.format = FX_VOLUME_PRECOMPUTED, PLACE, .chunk = { 8, 16, 10 }, .codec = "raw"
	};
	const char *path = test_path(*folder, "x");

	for (int sharded = 0; sharded < 2; sharded++) {
		s.sharded = sharded != 0;
		for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
			round_trip(path, &s, dtypes[i], true);
		s.labels = true;
		s.codec = NULL;
		round_trip(path, &s, FX_U64, true);
		wider(path, &s);
		s.labels = false;
		s.codec = "raw";
	}
}

/* The voxels of level 1 by another way: each voxel counted on its own. */
static void expect_level(const struct fx_block *fine, const struct fx_block *coarse,
			 const size_t factor[3], bool labels)
{
	const uint8_t *from = fine->data, *to = coarse->data;

	for (size_t i = 0; i < fx_block_len(coarse); i++) {
		const size_t x = i % coarse->shape[2], y = i / coarse->shape[2] % coarse->shape[1],
			     z = i / coarse->shape[2] / coarse->shape[1];
		double sum = 0, n = 0;
		int votes[256] = { 0 }, most = 0;

		for (size_t k = 0; k < fx_block_len(fine); k++) {
			const size_t fx = k % fine->shape[2],
				     fy = k / fine->shape[2] % fine->shape[1],
				     fz = k / fine->shape[2] / fine->shape[1];

			if (fz / factor[0] != z || fy / factor[1] != y || fx / factor[2] != x)
				continue;
			sum += from[k];
			n += 1;
			votes[from[k]]++;
			most = votes[from[k]] > most ? votes[from[k]] : most;
		}
		assert_true(n > 0);
		if (!labels)
			assert_int_equal(to[i], (int)(sum / n + 0.5));
		else
			assert_int_equal(votes[to[i]], most);
	}
}

/* The scales of precomputed, read by their folders. */
static void scales(void **folder)
{
	static const size_t shape[3] = { 9, 17, 21 }, factor[3] = { 2, 2, 2 };
	struct fx_block *voxels = volumes_make(FX_U8, shape, 9);
	struct fx_error err = { 0 };

	for (int i = 0; i < 2; i++) {
		const char *path = test_path(*folder, i ? "sharded" : "plain");
		struct fx_volume_spec s = { .format = FX_VOLUME_PRECOMPUTED,
					    .path = path,
					    .voxel_nm = { 8, 8, 8 },
					    .offset = { 2, -7, 100 },
					    .chunk = { 4, 4, 4 },
					    .sharded = i != 0,
					    .memory = 1 };
		struct fx_volume v;
		struct fx_block *one;

		assert_int_equal(volumes_write(&s, voxels, &err), FX_OK);
		one = volumes_read(test_path(path, "16_16_16"), &v);
		assert_true(v.offset[0] == 1 && v.offset[1] == -4 && v.offset[2] == 50);
		assert_true(v.voxel_nm[0] == 16);
		expect_level(voxels, one, factor, false);
		fx_block_free(one);
		one = volumes_read(test_path(path, "64_64_64/"), &v);
		assert_true(one->shape[0] == 2 && one->shape[1] == 3 && one->shape[2] == 3);
		fx_block_free(one);
		assert_int_equal(fx_volume_open(test_path(path, "128_128_128"), &v, &err),
				 FX_ENOENT);
		assert_int_equal(test_count_files(path, ".gathered"), 0);
		assert_true(i ? test_count_files(path, ".shard") >= 4 :
				test_count_files(path, "") > 90);
	}
	fx_block_free(voxels);
}

static json_t *scale_at(const json_t *multiscale, size_t level, size_t which)
{
	const json_t *dataset = json_array_get(json_object_get(multiscale, "datasets"), level);

	return json_array_get(json_object_get(dataset, "coordinateTransformations"), which);
}

static void expect_numbers(const json_t *array, double z, double y, double x)
{
	assert_int_equal(json_array_size(array), 3);
	assert_true(json_number_value(json_array_get(array, 0)) == z);
	assert_true(json_number_value(json_array_get(array, 1)) == y);
	assert_true(json_number_value(json_array_get(array, 2)) == x);
}

/* Voxels of 30 x 10 x 10 nm: z is halved only from level 2 on. */
static void levels_are_means_or_the_most_frequent(void **folder)
{
	static const size_t shape[3] = { 7, 17, 21 }, first[3] = { 1, 2, 2 },
			    second[3] = { 2, 2, 2 };
	struct fx_block *voxels = volumes_make(FX_U8, shape, 9);
	struct fx_error err = { 0 };

	for (int labels = 0; labels < 2; labels++) {
		const char *path = test_path(*folder, labels ? "l.zarr" : "i.zarr");
		struct fx_volume_spec s = { .format = FX_VOLUME_ZARR2,
					    .path = path,
					    .labels = labels != 0,
					    .voxel_nm = { 30, 10, 10 },
					    .chunk = { 4, 4, 4 },
					    .levels = 3,
					    .memory = 1 };
		struct fx_block *one, *two;
		json_t *attributes, *m;

		if (volumes_write(&s, voxels, &err) < 0)
			fail_msg("%s", err.text);
		one = volumes_read(test_path(path, "1"), NULL);
		two = volumes_read(test_path(path, "2"), NULL);
		assert_true(one->shape[0] == 7 && one->shape[1] == 9 && one->shape[2] == 11);
		assert_true(two->shape[0] == 4 && two->shape[1] == 5 && two->shape[2] == 6);
		expect_level(voxels, one, first, labels != 0);
		expect_level(one, two, second, labels != 0);
		attributes = test_json(path, ".zattrs");
		m = json_array_get(json_object_get(attributes, "multiscales"), 0);
		expect_numbers(json_object_get(scale_at(m, 2, 0), "scale"), 60, 40, 40);
		expect_numbers(json_object_get(scale_at(m, 2, 1), "translation"), 15, 15, 15);
		json_decref(attributes);
		fx_block_free(one);
		fx_block_free(two);
	}
	fx_block_free(voxels);
}

static void refuse(struct fx_volume_spec s, const struct fx_block *voxels, int code,
		   const char *says)
{
	struct fx_error err = { 0 };

	assert_int_equal(volumes_write(&s, voxels, &err), code);
	if (!strstr(err.text, says))
		fail_msg("said: %s", err.text);
}

static void refuses_what_it_cannot_hold(void **folder)
{
	static const size_t shape[3] = { 2, 3, 4 };
	struct fx_block *u32 = volumes_make(FX_U32, shape, 1),
			*f32 = volumes_make(FX_F32, shape, 1);
	const char *path = test_path(*folder, "x");

	refuse((struct fx_volume_spec){ .format = FX_VOLUME_PNG, .path = path }, u32, FX_ETYPE,
	       "png does not hold voxels of u32");
	refuse((struct fx_volume_spec){ .format = FX_VOLUME_NPY, .path = path, .codec = "zip" },
	       u32, FX_EINVAL, "zip is no way to compress npy; there are none");
	refuse((struct fx_volume_spec){ .format = FX_VOLUME_ZARR2, .path = path, .codec = "lzo" },
	       u32, FX_EINVAL, "there are blosc, zstd, gzip, none");
	refuse((struct fx_volume_spec){ .format = FX_VOLUME_ZARR2, .path = path, .labels = true },
	       f32, FX_ETYPE, "cannot be labels");
	refuse((struct fx_volume_spec){ .format = FX_VOLUME_TIFF, .path = path, .levels = 2 }, u32,
	       FX_EINVAL, "no levels");
	refuse((struct fx_volume_spec){ .format = FX_VOLUME_ZARR2, .path = path, .sharded = true },
	       u32, FX_EINVAL, "not written in shards");
	refuse((struct fx_volume_spec){ .format = FX_VOLUME_ZARR2,
					.path = path,
					.chunk = { 1024, 1024, 1024 } },
	       u32, FX_EINVAL, "chunks are above 256 MiB");
	assert_int_not_equal(access(path, F_OK), 0);
	fx_block_free(u32);
	fx_block_free(f32);
}

static void what_is_not_closed_is_not_there(void **folder)
{
	static const size_t shape[3] = { 8, 3, 4 };
	static const enum fx_volume_format formats[] = { FX_VOLUME_TIFF,       FX_VOLUME_HDF5,
							 FX_VOLUME_NPY,	       FX_VOLUME_ZARR2,
							 FX_VOLUME_ZARR3,      FX_VOLUME_PNG,
							 FX_VOLUME_PRECOMPUTED };
	struct fx_block *part = volumes_make(FX_U8, shape, 1);

	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		struct fx_volume_spec s = { .format = formats[i],
					    .path = test_path(*folder, "sub/x"),
					    .shape = { 16, 3, 4 },
					    .dtype = FX_U8,
					    .chunk = { 8, 8, 8 } };
		struct fx_volume_write w = { 0 };
		struct fx_error err = { 0 };

		assert_int_equal(fx_volume_write_open(&w, &s, &err), FX_OK);
		part->origin[0] = 0;
		for (size_t z = 0; z < 8; z += w.step[0]) {
			const struct fx_region r = { { (int64_t)z, 0, 0 },
						     { (int64_t)(z + w.step[0]), 3, 4 } };
			struct fx_block *p = fx_block_crop(part, r);

			assert_int_equal(fx_volume_write_put(&w, p, &err), FX_OK);
			assert_int_equal(fx_volume_write_put(&w, p, &err), FX_EINVAL);
			fx_block_free(p);
		}
		assert_int_equal(access(s.path, F_OK), -1);
		assert_int_equal(fx_volume_write_close(&w, &err), FX_EINVAL);
		assert_non_null(strstr(err.text, "not all sections came"));
		fx_volume_write_fini(&w);
		assert_int_equal(test_count_files(test_path(*folder, "sub"), ""), 0);
	}
	fx_block_free(part);
}

static void equal_volumes_are_equal_bytes(void **folder)
{
	static const size_t shape[3] = { 9, 20, 30 };
	static const enum fx_volume_format files[] = { FX_VOLUME_TIFF, FX_VOLUME_HDF5,
						       FX_VOLUME_NPY };
	struct fx_block *voxels = volumes_make(FX_U16, shape, 2);
	struct fx_error err = { 0 };

	for (size_t i = 0; i < 3; i++) {
		struct fx_volume_spec s = { .format = files[i], PLACE };

		s.path = test_path(*folder, "a");
		assert_int_equal(volumes_write(&s, voxels, &err), FX_OK);
		sleep(i == 1); /* HDF5 would like to write the time */
		s.path = test_path(*folder, "b");
		assert_int_equal(volumes_write(&s, voxels, &err), FX_OK);
		test_same_files(test_path(*folder, "a"), test_path(*folder, "b"));
		assert_int_equal(unlink(test_path(*folder, "a")), 0);
		assert_int_equal(unlink(test_path(*folder, "b")), 0);
	}
	fx_block_free(voxels);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, test_folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(zarr_2),
		IN_FOLDER(zarr_3),
		IN_FOLDER(zarr_3_in_shards),
		IN_FOLDER(a_shard_has_an_index_behind_its_chunks),
		IN_FOLDER(hdf5),
		IN_FOLDER(npy),
		IN_FOLDER(tiff),
		IN_FOLDER(png),
		IN_FOLDER(precomputed),
		IN_FOLDER(scales),
		IN_FOLDER(levels_are_means_or_the_most_frequent),
		IN_FOLDER(refuses_what_it_cannot_hold),
		IN_FOLDER(what_is_not_closed_is_not_there),
		IN_FOLDER(equal_volumes_are_equal_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
