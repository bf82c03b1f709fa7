// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/metrics.c. */
#include "support/test.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "kernels/metrics.h"
#include "support/labels_tiff.h"

static void assert_near(double a, double b, double limit)
{
	if (!(fabs(a - b) <= limit))
		fail_msg("%.17g is not %.17g within %g", a, b, limit);
}

static void compare(const uint16_t *seg, const uint64_t *truth, size_t n, struct fx_seg_scores *s)
{
	assert_int_equal(fx_metrics_compare(seg, FX_U16, truth, FX_U64, n, s, NULL), FX_OK);
}

static void perfect_labels_score_perfectly(void **unused)
{
	const uint16_t seg[] = { 4, 4, 9, 0, 4 };
	const uint64_t truth[] = { 1, 1, 1u << 31, 0, 1 };
	struct fx_seg_scores s[FX_RULES];

	(void)unused;
	compare(seg, truth, 5, s);
	for (int rule = 0; rule < FX_RULES; rule++) {
		assert_near(s[rule].voi, 0, 0);
		assert_near(s[rule].arand, 0, 0);
		assert_near(s[rule].arand_pairs, 0, 0);
		assert_near(s[rule].rand_f, 1, 0);
		assert_near(s[rule].rand_index, 1, 0);
		assert_int_equal(s[rule].voxels, rule == FX_ALL_VOXELS ? 5 : 4);
	}
}

/* One truth body of 4 cut in halves: one bit of splits, no merger. */
static void a_split_is_one_bit(void **unused)
{
	const uint16_t seg[] = { 1, 1, 2, 2 };
	const uint64_t truth[] = { 7, 7, 7, 7 };
	struct fx_seg_scores s[FX_RULES];

	(void)unused;
	compare(seg, truth, 4, s);
	assert_near(s[0].voi_split, 1, 1e-15);
	assert_near(s[0].voi_merge, 0, 0);
	assert_near(s[0].rand_split, 0.5, 0);
	assert_near(s[0].rand_merge, 1, 0);
	assert_near(s[0].arand, 1.0 / 3, 1e-15);
	assert_near(s[0].arand_pairs, 1 - 2 * 4.0 / (12 + 4), 1e-15);
	assert_near(s[0].rand_index, 1 - 8.0 / 12, 1e-15);
	assert_int_equal(s[0].pairs, 2);
}

/* Two bodies in one segment: one bit of mergers; rules differ in what they do with 0. */
static void rules_treat_zero_as_stated(void **unused)
{
	const uint16_t seg[] = { 3, 3, 3, 3, 0, 3 };
	const uint64_t truth[] = { 1, 1, 2, 2, 2, 0 };
	struct fx_seg_scores s[FX_RULES];

	(void)unused;
	compare(seg, truth, 6, s);
	assert_near(s[FX_BOTH_NONZERO].voi_merge, 1, 1e-15);
	assert_near(s[FX_BOTH_NONZERO].voi_split, 0, 0);
	assert_int_equal(s[FX_TRUTH_NONZERO].voxels, 5);
	assert_int_equal(s[FX_TRUTH_NONZERO].seg_labels, 2);
	assert_near(s[FX_TRUTH_NONZERO].rand_split, (4.0 + 4 + 1) / (4 + 9), 1e-15);
	assert_int_equal(s[FX_ALL_VOXELS].voxels, 6);
	assert_int_equal(s[FX_ALL_VOXELS].truth_labels, 3);
}

static void a_rule_without_voxels_is_told(void **unused)
{
	const uint16_t seg[] = { 0, 0 };
	const uint64_t truth[] = { 1, 1 };
	struct fx_seg_scores s[FX_RULES];
	struct fx_contingency c = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	compare(seg, truth, 2, s);
	assert_int_equal(s[FX_BOTH_NONZERO].voxels, 0);
	assert_int_equal(s[FX_TRUTH_NONZERO].voxels, 2);
	fx_contingency_count(&c, 0, 1, 2);
	assert_int_equal(fx_metrics_scores(&c, FX_BOTH_NONZERO, s, &err), FX_EINVAL);
	assert_string_equal(err.text, "no voxel counts under the rule both_nonzero");
	assert_int_equal(fx_metrics_compare(seg, FX_F32, truth, FX_U64, 2, s, &err), FX_ETYPE);
	assert_int_equal(fx_metrics_compare(seg, FX_U16, truth, FX_U64, 0, s, &err), FX_EINVAL);
	fx_contingency_fini(&c);
}

/* 2^40 voxels in one segment: the squares need 80 bits. */
static void huge_counts_are_exact(void **unused)
{
	const uint64_t n = (uint64_t)1 << 40;
	struct fx_contingency c = { 0 };
	struct fx_seg_scores s;

	(void)unused;
	fx_contingency_count(&c, 1, 1, n);
	fx_contingency_count(&c, 2, 1, n);
	assert_int_equal(fx_metrics_scores(&c, FX_ALL_VOXELS, &s, NULL), FX_OK);
	assert_near(s.rand_split, 0.5, 0);
	assert_near(s.voi_split, 1, 1e-12);
	fx_contingency_fini(&c);
}

static json_t *load_json(const char *data, const char *name)
{
	char *path = fx_path_join(data, name);
	json_error_t error;
	json_t *json = json_load_file(path, 0, &error);

	if (!json)
		fail_msg("%s: %s", path, error.text);
	free(path);
	return json;
}

static void assert_scores(const struct fx_seg_scores *s, const json_t *want, double limit)
{
	const struct {
		const char *name;
		double value;
	} fields[] = {
		{ "voxels", (double)s->voxels },
		{ "pairs", (double)s->pairs },
		{ "truth_labels", (double)s->truth_labels },
		{ "seg_labels", (double)s->seg_labels },
		{ "voi_split", s->voi_split },
		{ "voi_merge", s->voi_merge },
		{ "voi", s->voi },
		{ "rand_split", s->rand_split },
		{ "rand_merge", s->rand_merge },
		{ "rand_f", s->rand_f },
		{ "arand", s->arand },
		{ "arand_pairs", s->arand_pairs },
		{ "rand_index", s->rand_index },
	};

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		assert_near(fields[i].value,
			    json_number_value(json_object_get(want, fields[i].name)), limit);
}

static void tiny_volumes_score_as_published(void **unused)
{
	const char *data = test_data_dir();
	json_t *expected, *volume;
	size_t i;

	(void)unused;
	if (!data)
		test_skip("tiny volumes with exact scores");
	expected = load_json(data, "metrics/tiny/expected.json");
	json_array_foreach(json_object_get(expected, "volumes"), i, volume)
	{
		char name[2][64];
		struct fx_block *seg, *truth;
		struct fx_seg_scores s[FX_RULES];

		for (int k = 0; k < 2; k++)
			snprintf(name[k], sizeof name[k], "metrics/%s",
				 json_string_value(json_object_get(volume, k ? "truth" : "seg")));
		seg = test_labels_tiff(data, name[0], 0);
		truth = test_labels_tiff(data, name[1], 0);
		assert_int_equal(fx_metrics_compare(seg->data, seg->dtype, truth->data,
						    truth->dtype, fx_block_len(seg), s, NULL),
				 FX_OK);
		for (int rule = 0; rule < FX_RULES; rule++)
			assert_scores(&s[rule],
				      json_object_get(json_object_get(volume, "scores"),
						      fx_rule_name((enum fx_rule)rule)),
				      1e-12);
		fx_block_free(seg);
		fx_block_free(truth);
	}
	assert_int_equal(i, 3);
	json_decref(expected);
}

static void the_published_ffn_scores_as_published(void **unused)
{
	const char *data = test_data_dir();
	struct fx_seg_scores s[FX_RULES];
	struct fx_block *seg, *truth;
	json_t *expected;

	(void)unused;
	if (!data)
		test_skip("scores of the published FFN segmentation of FIB-25");
	expected = load_json(data, "metrics/fib25-ffn-reference.json");
	seg = test_labels_tiff(data, "fib25/ffn-published.tif", 125);
	truth = test_labels_tiff(data, "fib25/truth-z000-124.tif", 125);
	assert_int_equal(fx_metrics_compare(seg->data, seg->dtype, truth->data, truth->dtype,
					    fx_block_len(seg), s, NULL),
			 FX_OK);
	for (int rule = 0; rule < FX_ALL_VOXELS; rule++)
		assert_scores(&s[rule],
			      json_object_get(json_object_get(expected, "scores"),
					      fx_rule_name((enum fx_rule)rule)),
			      1e-11);
	json_decref(expected);
	fx_block_free(seg);
	fx_block_free(truth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(perfect_labels_score_perfectly),
		cmocka_unit_test(a_split_is_one_bit),
		cmocka_unit_test(rules_treat_zero_as_stated),
		cmocka_unit_test(a_rule_without_voxels_is_told),
		cmocka_unit_test(huge_counts_are_exact),
		cmocka_unit_test(tiny_volumes_score_as_published),
		cmocka_unit_test(the_published_ffn_scores_as_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
