// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/tfcheckpoint.c and ffnimport.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/ffnimport.h"
#include "support/images.h"
#include "support/tf_checkpoint.h"

static const float numbers[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

static const struct tf_tensor few[] = {
	{ "alpha", 2, { 3, 4 }, numbers },
	{ "alpha/beta", 1, { 5 }, numbers + 2 },
	{ "alpha/gamma", 0, { 0 }, numbers + 7 },
	{ "omega", 3, { 1, 0, 2 }, numbers },
};

enum { FEW = sizeof few / sizeof *few };

static void crc_is_the_castagnoli_one(void **unused)
{
	uint8_t zeros[32] = { 0 };
	const uint32_t crc = 0xe3069283U, blank = 0x8a9136aaU; /* RFC 3720, B.4 */

	(void)unused;
	assert_int_equal(fx_tf_crc("123456789", 9), (crc >> 15 | crc << 17) + 0xa282ead8U);
	assert_int_equal(fx_tf_crc(zeros, 32), (blank >> 15 | blank << 17) + 0xa282ead8U);
}

static void tensors_come_back(void **unused)
{
	char *dir = test_tmp_dir();
	const char *prefix = test_path(dir, "model.ckpt-7");
	struct fx_tf_checkpoint c = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	test_tf_write(prefix, few, FEW);
	if (fx_tf_open(&c, prefix, &err))
		fail_msg("%s", err.text);
	assert_int_equal(c.len, FEW);
	assert_int_equal(c.shards, 1);
	for (size_t i = 0; i < FEW; i++) {
		const struct fx_tf_tensor *t = fx_tf_find(&c, few[i].name);
		float *values = NULL;
		size_t len = 9, want = 1;

		assert_non_null(t);
		assert_int_equal(t->rank, few[i].rank);
		for (int a = 0; a < t->rank; a++) {
			assert_int_equal(t->shape[a], few[i].shape[a]);
			want *= t->shape[a];
		}
		if (fx_tf_floats(&c, t, &values, &len, &err))
			fail_msg("%s", err.text);
		assert_int_equal(len, want);
		assert_memory_equal(values, few[i].values, len * sizeof *values);
		free(values);
	}
	assert_null(fx_tf_find(&c, "alpha/bet"));
	fx_tf_fini(&c);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void damaged_data_are_told(void **unused)
{
	char *dir = test_tmp_dir();
	const char *prefix = test_path(dir, "m"), *shard = test_path(dir, "m.data-00000-of-00001");
	struct fx_tf_checkpoint c = { 0 };
	struct fx_error err = { 0 };
	float *values;
	void *bytes;
	size_t size, len;

	(void)unused;
	assert_int_equal(fx_tf_open(&c, prefix, &err), FX_ENOENT);
	assert_non_null(strstr(err.text, "m.index"));
	test_tf_write(prefix, few, FEW);
	assert_int_equal(fx_tf_open(&c, prefix, &err), FX_OK);
	assert_int_equal(fx_file_read(shard, 1 << 20, &bytes, &size, &err), FX_OK);
	((uint8_t *)bytes)[5] ^= 4;
	test_write_file(shard, bytes, size);
	assert_int_equal(fx_tf_floats(&c, fx_tf_find(&c, "alpha"), &values, &len, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "alpha has a wrong checksum"));
	test_write_file(shard, bytes, 20);
	assert_int_equal(fx_tf_floats(&c, fx_tf_find(&c, "alpha"), &values, &len, &err), FX_EIO);
	remove(shard);
	assert_int_equal(fx_tf_floats(&c, fx_tf_find(&c, "alpha"), &values, &len, &err), FX_ENOENT);
	c.tensors[0].shape[0] = 4;
	assert_int_equal(fx_tf_floats(&c, c.tensors, &values, &len, &err), FX_EINVAL);
	c.tensors[0].shape[0] = SIZE_MAX / 4;
	assert_int_equal(fx_tf_floats(&c, c.tensors, &values, &len, &err), FX_EINVAL);
	c.tensors[0].dtype = 9;
	assert_int_equal(fx_tf_floats(&c, c.tensors, &values, &len, &err), FX_ETYPE);
	fx_tf_fini(&c);
	free(bytes);
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* Parses exactly @p size bytes; a failure has a text. */
static int parse(const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	struct fx_tf_checkpoint c = { 0 };
	struct fx_error err = { 0 };
	int result;

	assert_non_null(exact);
	memcpy(exact, bytes, size);
	result = fx_tf_parse(&c, exact, size, &err);
	assert_true(result == FX_OK || (err.code == result && err.text[0]));
	fx_tf_fini(&c);
	free(exact);
	return result;
}

/* Changes of bytes inside of the first block, whose checksum is then made right again, so that the
 * parser behind it sees them. */
static void any_bytes_are_safe(void **unused)
{
	void *saved, *data;
	size_t size, data_size, block, refused = 0, accepted = 0;
	uint64_t seed = 4;
	uint8_t *bytes, *copy;

	(void)unused;
	test_tf_encode(few, FEW, FEW, &saved, &size, &data, &data_size);
	bytes = saved;
	copy = malloc(size);
	assert_non_null(copy);
	assert_int_equal(parse(bytes, size), FX_OK);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(parse(bytes, cut), FX_EINVAL);
	for (size_t i = 0; i < size; i++) { /* all but the footer and the unused metaindex */
		memcpy(copy, bytes, size);
		copy[i] ^= 1;
		refused += parse(copy, size) != FX_OK;
	}
	assert_true(refused >= size - 48 - 13);
	block = 0; /* the first block ends with its restarts: 0, 1 */
	while (memcmp(bytes + block, "\0\0\0\0\1\0\0\0\0", 9) != 0)
		block++;
	block += 9;
	for (int i = 0; i < 5000; i++) {
		uint32_t crc;

		memcpy(copy, bytes, size);
		for (uint64_t k = 0; k <= test_random(&seed) % 3; k++)
			copy[test_random(&seed) % (block - 1)] = (uint8_t)test_random(&seed);
		crc = fx_tf_crc(copy, block);
		for (size_t k = 0; k < 4; k++)
			copy[block + k] = (uint8_t)(crc >> 8 * k);
		if (parse(copy, size) == FX_OK)
			accepted++;
	}
	assert_true(accepted > 10 && accepted < 4000);
	free(copy);
	free(saved);
	free(data);
}

static void a_network_is_permuted(void **unused)
{
	char *dir = test_tmp_dir(), *names;
	const char *prefix = test_path(dir, "net"), *path = test_path(dir, "net.safetensors");
	struct fx_ffn_model m = { .fov = { 0 } }, back = { 0 };
	struct fx_tf_checkpoint c = { 0 };
	struct fx_error err = { 0 };
	float *values;
	size_t len;
	struct tf_tensor *t = test_tf_ffn(11, 3, &len, &values, &names);

	(void)unused;
	test_tf_write(prefix, t, len);
	assert_int_equal(fx_tf_open(&c, prefix, &err), FX_OK);
	if (fx_ffn_import(&m, &c, &err))
		fail_msg("%s", err.text);
	assert_int_equal(m.depth, 11);
	assert_int_equal(m.features, 3);
	for (size_t n = 0; n < len; n++) { /* conv10_b: names do not sort as numbers */
		const size_t in = 2, out = 1, z = 0, y = 2, x = 1;

		if (strcmp(t[n].name, "scope/conv10_b/weights") != 0)
			continue;
		assert_true(m.weight[21][((out * 3 + in) * 3 + z) * 9 + y * 3 + x] ==
			    t[n].values[(((z * 3 + y) * 3 + x) * 3 + in) * 3 + out]);
	}
	for (int i = 0; i < 3; i++) {
		m.fov[i] = 9 + 2 * (size_t)i;
		m.deltas[i] = 2;
		m.voxel_nm[i] = 8 + i;
	}
	m.mean = 100;
	m.stddev = 20.5;
	assert_int_equal(fx_ffn_model_write(&m, path, "test", &err), FX_OK);
	if (fx_ffn_model_read(&back, path, &err))
		fail_msg("%s", err.text);
	assert_true(back.fov[2] == 13 && back.voxel_nm[2] == 10 && back.stddev == 20.5);
	for (size_t i = 0; i < 2 * m.depth + 1; i++) {
		size_t shape[5];
		const size_t count = fx_ffn_model_shape(shape, m.depth, m.features, i);

		assert_memory_equal(back.weight[i], m.weight[i], count * sizeof(float));
		assert_memory_equal(back.bias[i], m.bias[i], shape[0] * sizeof(float));
	}
	fx_ffn_model_fini(&m);
	fx_ffn_model_fini(&back);
	c.tensors[3].shape[0] = 7;
	assert_int_equal(fx_ffn_import(&m, &c, &err), FX_EINVAL);
	c.tensors[3].name[0] = 'X';
	assert_int_equal(fx_ffn_import(&m, &c, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "has no tensor scope/"));
	fx_tf_fini(&c);
	assert_int_equal(fx_ffn_import(&m, &c, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "not of a flood-filling network"));
	free(t);
	free(values);
	free(names);
	fx_remove_tree(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_is_the_castagnoli_one), cmocka_unit_test(tensors_come_back),
		cmocka_unit_test(damaged_data_are_told),     cmocka_unit_test(any_bytes_are_safe),
		cmocka_unit_test(a_network_is_permuted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
