// SPDX-License-Identifier: Apache-2.0
/* Gives every file of tests/fuzz/corpus/FORMAT, and changed copies, to the reader of its format:
 * none may do more than succeed or fail with a sentence. */
#include "support/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/cseg.h"
#include "formats/image.h"
#include "formats/precomputed.h"
#include "formats/safetensors.h"
#include "formats/skeleton.h"
#include "formats/swc.h"
#include "formats/tfcheckpoint.h"
#include "formats/volume.h"
#include "support/images.h"

enum { CHANGED_COPIES = 40, PIXELS_MAX = 1 << 16 };

struct format {
	const char *name; /* folder of its files */
	/* FX_OK or an error; exactly `size` bytes at `data` may be read */
	int (*parse)(const char *folder, const void *data, size_t size, struct fx_error *err);
};

static int parse_image(const char *folder, const void *data, size_t size, struct fx_error *err)
{
	const char *path = test_path(folder, "image");
	struct fx_image im;
	void *pixels;
	int result;

	test_write_file(path, data, size);
	result = fx_image_open(path, &im, err);
	if (result < 0)
		return result;
	pixels = im.height * im.width < PIXELS_MAX ? malloc(2 * im.height * im.width) : NULL;
	if (pixels)
		result = fx_image_read_all(&im, pixels, err);
	free(pixels);
	fx_image_close(&im);
	return result;
}

static int parse_volume(const char *folder, const void *data, size_t size, struct fx_error *err)
{
	const char *path = test_path(folder, "volume");
	struct fx_volume v;
	struct fx_block *b;
	int result;

	test_write_file(path, data, size);
	result = fx_volume_open(path, &v, err);
	if (result < 0)
		return result;
	if (v.shape[1] * v.shape[2] < PIXELS_MAX) {
		const int64_t z = (int64_t)v.shape[0] - 1;
		const struct fx_region last = {
			{ z, 0, 0 }, { z + 1, (int64_t)v.shape[1], (int64_t)v.shape[2] }
		};

		result = fx_volume_read(&v, last, &b, err);
		if (result == FX_OK)
			fx_block_free(b);
	}
	fx_volume_close(&v);
	return result;
}

static int parse_info(const char *folder, const void *data, size_t size, struct fx_error *err)
{
	struct fx_precomputed p;

	(void)folder;
	return fx_precomputed_parse(data, size, NULL, &p, err);
}

static int parse_cseg(const char *folder, const void *data, size_t size, struct fx_error *err)
{
	static const size_t shape[3] = { 4, 5, 6 }, block[3] = { 8, 8, 8 };
	uint64_t out[4 * 5 * 6];

	(void)folder;
	return fx_cseg_decode(data, size, shape, block, FX_U64, out, err);
}

static int parse_skeleton(const char *folder, const void *data, size_t size, struct fx_error *err)
{
	struct fx_tree *t;
	const int result = fx_skeleton_decode(data, size, &t, err);

	(void)folder;
	if (result == FX_OK)
		fx_tree_free(t);
	return result;
}

static int parse_swc(const char *folder, const void *data, size_t size, struct fx_error *err)
{
	struct fx_tree *t;
	const int result = fx_swc_parse(data, size, 1, &t, NULL, err);

	(void)folder;
	if (result == FX_OK)
		fx_tree_free(t);
	return result;
}

static int parse_safetensors(const char *folder, const void *data, size_t size,
			     struct fx_error *err)
{
	struct fx_safetensors s = { 0 };
	const int result = fx_safetensors_parse(&s, data, size, err);

	(void)folder;
	for (size_t i = 0; result == FX_OK && i < s.len; i++) { /* all that it points to is there */
		double *to = malloc(fx_tensor_count(&s.tensors[i]) * sizeof *to + 1);

		assert_non_null(to);
		fx_tensor_doubles(&s.tensors[i], to, NULL);
		free(to);
	}
	fx_safetensors_fini(&s);
	return result;
}

static int parse_tfindex(const char *folder, const void *data, size_t size, struct fx_error *err)
{
	struct fx_tf_checkpoint c;
	const int result = fx_tf_parse(&c, data, size, err);

	(void)folder;
	fx_tf_fini(&c);
	return result;
}

static void parse(const struct format *f, const char *folder, const void *data, size_t size)
{
	struct fx_error err = { 0 };
	unsigned char *exact = malloc(size ? size : 1); /* the sanitizer sees a byte too far */
	int result;

	assert_non_null(exact);
	memcpy(exact, data, size);
	result = f->parse(folder, exact, size, &err);
	assert_true(result == FX_OK || (result < 0 && err.code == result && err.text[0]));
	free(exact);
}

static void parse_changed(const struct format *f, const char *folder, unsigned char *data,
			  size_t size, uint64_t *seed)
{
	for (int i = 0; size && i < CHANGED_COPIES; i++) {
		unsigned char *copy = malloc(size);

		assert_non_null(copy);
		memcpy(copy, data, size);
		for (uint64_t k = 0; k <= test_random(seed) % 4; k++)
			copy[test_random(seed) % size] ^=
				(unsigned char)(1u << test_random(seed) % 8);
		parse(f, folder, copy, i % 4 ? size : (size_t)(test_random(seed) % size));
		free(copy);
	}
}

/* All files of one folder; fails when there are none. */
static void replay(const struct format *f)
{
	char *folder = test_tmp_dir(), corpus[256];
	struct dirent **names;
	uint64_t seed = 11;
	size_t files = 0;
	int len;

	snprintf(corpus, sizeof corpus, "tests/fuzz/corpus/%s", f->name);
	len = scandir(corpus, &names, NULL, alphasort);
	for (int i = 0; i < len; i++) {
		void *data;
		size_t size;

		if (names[i]->d_name[0] != '.') {
			assert_int_equal(fx_file_read(test_path(corpus, names[i]->d_name), 1 << 20,
						      &data, &size, NULL),
					 FX_OK);
			parse(f, folder, data, size);
			parse_changed(f, folder, data, size, &seed);
			free(data);
			files++;
		}
		free(names[i]);
	}
	if (len >= 0)
		free(names);
	assert_true(files > 5);
	fx_remove_tree(folder, NULL);
	free(folder);
}

static void png_files(void **unused)
{
	(void)unused;
	replay(&(struct format){ "png", parse_image });
}

static void tiff_images(void **unused)
{
	(void)unused;
	replay(&(struct format){ "tiff", parse_image });
}

static void tiff_volumes(void **unused)
{
	(void)unused;
	replay(&(struct format){ "tiff", parse_volume });
}

static void npy_volumes(void **unused)
{
	(void)unused;
	replay(&(struct format){ "npy", parse_volume });
}

static void precomputed_infos(void **unused)
{
	(void)unused;
	replay(&(struct format){ "info", parse_info });
}

static void compressed_segmentations(void **unused)
{
	(void)unused;
	replay(&(struct format){ "cseg", parse_cseg });
}

static void skeletons(void **unused)
{
	(void)unused;
	replay(&(struct format){ "skeleton", parse_skeleton });
}

static void swc_files(void **unused)
{
	(void)unused;
	replay(&(struct format){ "swc", parse_swc });
}

static void safetensors_files(void **unused)
{
	(void)unused;
	replay(&(struct format){ "safetensors", parse_safetensors });
}

static void tensorflow_indices(void **unused)
{
	(void)unused;
	replay(&(struct format){ "tfindex", parse_tfindex });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(png_files),
		cmocka_unit_test(tiff_images),
		cmocka_unit_test(tiff_volumes),
		cmocka_unit_test(npy_volumes),
		cmocka_unit_test(safetensors_files),
		cmocka_unit_test(precomputed_infos),
		cmocka_unit_test(compressed_segmentations),
		cmocka_unit_test(skeletons),
		cmocka_unit_test(swc_files),
		cmocka_unit_test(tensorflow_indices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
