// SPDX-License-Identifier: Apache-2.0
/* safetensors files: round trip, number types, and what is refused and why. */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/safetensors.h"
#include "support/images.h"

static const float values[6] = { 1, -2, 3.5F, 0, 1e-30F, -INFINITY };

static void round_trip(void **unused)
{
	char *folder = test_tmp_dir();
	const char *path = test_path(folder, "a.safetensors");
	const uint64_t step = 77;
	const struct fx_tensor tensors[] = {
		{ "layer.weight", FX_TENSOR_F32, 3, { 1, 2, 3 }, values, 0 },
		{ "nothing", FX_TENSOR_F32, 2, { 0, 4 }, NULL, 0 },
		{ "step \"quoted\" \xc3\xbc", FX_TENSOR_U64, 0, { 0 }, &step, 0 },
	};
	const struct fx_tensor_meta meta[] = { { "arch", "mlp" }, { "arch_args", "{\"in\":20}" } };
	struct fx_safetensors s = { 0 };
	struct fx_error err = { 0 };
	float got[6];

	(void)unused;
	assert_int_equal(fx_safetensors_write(path, tensors, 3, meta, 2, &err), FX_OK);
	if (fx_safetensors_read(&s, path, 1 << 20, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(s.len, 3);
	assert_string_equal(fx_safetensors_meta(&s, "arch_args"), "{\"in\":20}");
	assert_null(fx_safetensors_meta(&s, "none"));
	for (int i = 0; i < 3; i++) {
		const struct fx_tensor *t = fx_safetensors_find(&s, tensors[i].name);

		assert_non_null(t);
		assert_true(t->dtype == tensors[i].dtype && t->rank == tensors[i].rank);
		assert_memory_equal(t->shape, tensors[i].shape, sizeof t->shape);
	}
	assert_int_equal(fx_tensor_floats(fx_safetensors_find(&s, "layer.weight"), got, &err),
			 FX_OK);
	assert_memory_equal(got, values, sizeof values);
	assert_true(((uintptr_t)s.tensors[0].data - (uintptr_t)s.bytes) % 64 == 0);
	assert_int_equal(fx_tensor_floats(&s.tensors[2], got, &err), FX_ETYPE);
	fx_safetensors_fini(&s);
	assert_int_equal(fx_safetensors_read(&s, path, 100, &err), FX_EINVAL);
	fx_safetensors_fini(&s);
	fx_remove_tree(folder, NULL);
	free(folder);
}

/* The values of the half types, against numbers that are known. */
static void half_types(void **unused)
{
	const uint16_t half[] = { 0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x8400, 0x7c00, 0xfe00 },
		       brain[] = { 0x3f80, 0xc000, 0x3eab, 0x7f7f, 0x0001, 0x8080, 0x7f80, 0xffc0 };
	const double half_want[] = { 1, -2, 0.333251953125, 65504, 0x1p-24, -0x1p-14, HUGE_VAL, 0 },
		     brain_want[] = { 1,	-2,	   0.333984375, 0x1.fep127,
				      0x1p-133, -0x1p-126, HUGE_VAL,	0 };
	const struct fx_tensor a = { "h", FX_TENSOR_F16, 1, { 8 }, half, sizeof half },
			       b = { "b", FX_TENSOR_BF16, 1, { 8 }, brain, sizeof brain };
	double got[8];
	float also[8];

	(void)unused;
	for (int k = 0; k < 2; k++) {
		assert_int_equal(fx_tensor_doubles(k ? &b : &a, got, NULL), FX_OK);
		assert_int_equal(fx_tensor_floats(k ? &b : &a, also, NULL), FX_OK);
		for (int i = 0; i < 7; i++) {
			assert_true(got[i] == (k ? brain_want : half_want)[i]);
			assert_true((double)also[i] == got[i]);
		}
		assert_true(isnan(got[7]) && isnan(also[7]));
	}
}

/* File of the corpus, and a piece of the reason for which it is refused (NULL: it is fine). */
struct refused {
	const char *file, *why;
};

static void reasons(void **unused)
{
	static const struct refused all[] = {
		{ "two", NULL },
		{ "scalar-and-empty", NULL },
		{ "overlap", "\"b\" overlaps another" },
		{ "gap", "\"b\" leaves a gap" },
		{ "tail", "8 bytes after the last" },
		{ "twice", "duplicate" },
		{ "dtype", "dtype is missing or unknown" },
		{ "overflow", "too large" },
		{ "wrap", "too large" },
		{ "negative", "not within" },
		{ "outside", "not within the file's 8" },
		{ "rank", "at most 8" },
		{ "header-too-long", "at most 16777216" },
		{ "header-over-file", "the file's 2" },
		{ "huge-length", "header of 18446744073709551615" },
		{ "short", "header" },
		{ "empty", "0 bytes" },
		{ "array", "not an object" },
		{ "deep", "depth" },
		{ "meta-number", "not a text" },
		{ "meta-list", "not an object" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct fx_safetensors s = { 0 };
		struct fx_error err = { 0 };
		char path[128];
		int result;

		snprintf(path, sizeof path, "tests/fuzz/corpus/safetensors/%s", all[i].file);
		result = fx_safetensors_read(&s, path, 1 << 20, &err);
		if (all[i].why ? result >= 0 || !strstr(err.text, all[i].why) : result < 0)
			fail_msg("%s: %d %s", all[i].file, result, err.text);
		fx_safetensors_fini(&s);
	}
}

static void writer_refuses(void **unused)
{
	const struct fx_tensor same[] = { { "a", FX_TENSOR_F32, 1, { 1 }, values, 0 },
					  { "a", FX_TENSOR_F32, 1, { 1 }, values, 0 } },
			       large = { "l", FX_TENSOR_F32, 2, { SIZE_MAX / 2, 4 }, values, 0 },
			       broken = { "\xff", FX_TENSOR_F32, 1, { 1 }, values, 0 };
	struct fx_error err = { 0 };
	void *bytes;
	size_t size;

	(void)unused;
	assert_int_equal(fx_safetensors_encode(same, 2, NULL, 0, &bytes, &size, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "two tensors"));
	assert_int_equal(fx_safetensors_encode(&large, 1, NULL, 0, &bytes, &size, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "too large"));
	assert_int_equal(fx_safetensors_encode(&broken, 1, NULL, 0, &bytes, &size, &err),
			 FX_EINVAL);
	assert_non_null(strstr(err.text, "not a valid name"));
}

/* The published flood-filling network, when it is there. */
static void real_model(void **unused)
{
	const char *data = test_data_dir();
	struct fx_safetensors s = { 0 };
	struct fx_error err = { 0 };
	size_t count = 0;

	(void)unused;
	if (!data)
		test_skip("models/fib25-ffn.safetensors is not there");
	if (fx_safetensors_read(&s, test_path(data, "models/fib25-ffn.safetensors"), 1 << 24,
				&err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < s.len; i++)
		count += fx_tensor_count(&s.tensors[i]);
	assert_true(s.len > 40 && count > 600000 && s.meta_len > 0);
	fx_safetensors_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(half_types),
		cmocka_unit_test(reasons),    cmocka_unit_test(writer_refuses),
		cmocka_unit_test(real_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
