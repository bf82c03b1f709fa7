// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/nn/ffnstate.c: what is written is read again, and nothing else is taken. What
 * is in the bytes is tested with runtime/kernels/ffn_state.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "nn/ffnstate.h"
#include "support/images.h"

enum { SIDE = 12, LEN = SIDE * SIDE * SIDE };

static const struct fx_ffn_pos seeds[2] = { { { 6, 6, 6 } }, { { 5, 6, 7 } } };

static void sure(void *arg, float *logits, const float *image, const float *seed)
{
	(void)arg;
	(void)image;
	for (int i = 0; i < 27; i++)
		logits[i] = seed[i] + 6;
}

static void start(struct fx_ffn *f, float *image, int32_t *segments)
{
	const struct fx_ffn_config c = { .fov = { 3, 3, 3 },
					 .deltas = { 1, 1, 1 },
					 .init = 0.95,
					 .pad = 0.05,
					 .move = 0.9,
					 .segment = 0.6 };
	const struct fx_ffn_eval eval = { sure, NULL };
	const size_t shape[3] = { SIDE, SIDE, SIDE };

	assert_int_equal(fx_ffn_init(f, &c, &eval, image, segments, shape, seeds, 2, NULL), FX_OK);
}

static void a_file_brings_the_state_back(void **unused)
{
	char *dir = test_tmp_dir(), *path, *part, *other;
	float *image = calloc(LEN, sizeof *image);
	int32_t *a = calloc(LEN, sizeof *a), *b = calloc(LEN, sizeof *b);
	struct fx_ffn f = { 0 }, g = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	path = fx_ffn_state_path(dir, (const int64_t[3]){ -8, 0, 1LL << 40 }, 0xabc);
	assert_non_null(path);
	assert_string_equal(path + strlen(dir), "/flood--8-0-1099511627776-0000000000000abc");
	start(&f, image, a);
	start(&g, image, b);
	for (int i = 0; i < 9; i++)
		assert_int_equal(fx_ffn_step(&f), FX_FFN_EVALUATED);
	assert_int_equal(fx_ffn_state_read(&g, 7, path, &err), FX_ENOENT);
	assert_int_equal(fx_ffn_state_write(&f, 7, path, &err), FX_OK);
	assert_int_equal(fx_ffn_state_read(&g, 8, path, &err), FX_EINVAL);
	assert_ptr_equal(strstr(err.text, dir), err.text); /* tells which file */
	assert_int_equal(g.counts.evaluations, 0);
	assert_int_equal(fx_ffn_state_read(&g, 7, path, &err), FX_OK);
	assert_int_equal(g.counts.evaluations, 9);
	while (fx_ffn_step(&f) != FX_FFN_FINISHED)
		continue;
	while (fx_ffn_step(&g) != FX_FFN_FINISHED)
		continue;
	assert_memory_equal(a, b, LEN * sizeof *a);
	assert_true(f.counts.accepted > 0);
	assert_int_equal(fx_ffn_state_write(&f, 7, dir, &err), FX_EIO);
	part = fx_asprintf("%s.tmp", path);
	other = fx_path_join(dir, "flood--8-0-1099511627776-0000000000000abd");
	test_write_file(part, "part", 4);
	test_write_file(other, "other", 5);
	fx_ffn_state_remove(path);
	fx_ffn_state_remove(path); /* fine when it is not there */
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_not_equal(access(part, F_OK), 0);
	assert_int_equal(access(other, F_OK), 0);
	fx_ffn_fini(&f);
	fx_ffn_fini(&g);
	fx_remove_tree(dir, NULL);
	free(image);
	free(other);
	free(part);
	free(path);
	free(dir);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_brings_the_state_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
