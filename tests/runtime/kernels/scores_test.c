// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/scores.c. */
#include "support/test.h"

#include <math.h>

#include "kernels/scores.h"

static void assert_field(const struct fx_record *r, const char *name, double want)
{
	const double value = fx_record_number(r, name, (double)NAN);

	if (!(fabs(value - want) <= 1e-12))
		fail_msg("%s is %g, not %g", name, value, want);
}

/* Two bodies in one segment, and a voxel without segment. */
static void rules_become_fields(void **unused)
{
	struct fx_record *r = fx_record_new("scores");
	struct fx_contingency c = { 0 };
	unsigned left_out = 9;

	(void)unused;
	fx_contingency_count(&c, 5, 1, 2);
	fx_contingency_count(&c, 5, 2, 2);
	fx_contingency_count(&c, 0, 2, 1);
	assert_int_equal(fx_scores_add_rules(r, &c, &left_out), FX_OK);
	assert_int_equal(left_out, 0);
	assert_field(r, "truth_segments", 2);
	assert_field(r, "both_nonzero.voi_merge", 1);
	assert_field(r, "both_nonzero.voi_split", 0);
	assert_field(r, "both_nonzero.voi", 1);
	assert_field(r, "both_nonzero.rand_merge", 0.5);
	assert_field(r, "both_nonzero.rand_split", 1);
	assert_field(r, "both_nonzero.rand_f", 2.0 / 3);
	assert_field(r, "both_nonzero.arand", 1.0 / 3);
	assert_field(r, "both_nonzero.arand_pairs", 1 - 2 * 4.0 / (12 + 4));
	assert_field(r, "truth_nonzero.rand_split", 9.0 / 13);
	assert_field(r, "truth_nonzero.voxels", 5);
	assert_field(r, "all_voxels.rand_index", 1 - (13 + 17 - 2 * 9) / 20.0);
	fx_contingency_fini(&c);
	fx_contingency_count(&c, 5, 0, 2);
	assert_int_equal(fx_scores_add_rules(r, &c, &left_out), FX_OK);
	assert_int_equal(left_out, 2);
	fx_contingency_fini(&c);
	fx_record_free(r);
}

static void sizes_leave_out_the_unassigned(void **unused)
{
	struct fx_record *r = fx_record_new("scores"), *none = fx_record_new("scores");
	struct fx_contingency c = { 0 };

	(void)unused;
	assert_int_equal(fx_scores_add_sizes(none, &c), FX_OK);
	assert_field(none, "assigned_fraction", 0);
	fx_contingency_count(&c, 5, 0, 3);
	fx_contingency_count(&c, 7, 0, 4);
	fx_contingency_count(&c, 0, 0, 1);
	assert_int_equal(fx_scores_add_sizes(r, &c), FX_OK);
	assert_field(r, "segments", 2);
	assert_field(r, "voxels", 8);
	assert_field(r, "assigned_fraction", 7.0 / 8);
	fx_contingency_fini(&c);
	fx_record_free(r);
	fx_record_free(none);
}

static void run_lengths_become_fields(void **unused)
{
	struct fx_erl_node nodes[3] = { { .skeleton = 1, .segment = 4, .parent = -1 },
					{ .skeleton = 1, .segment = 4, .parent = 0 },
					{ .skeleton = 1, .segment = 0, .parent = 1 } };
	struct fx_record *r = fx_record_new("scores");
	struct fx_error err = { 0 };

	(void)unused;
	nodes[1].pos_nm[0] = 30;
	nodes[2].pos_nm[0] = 40;
	assert_int_equal(fx_scores_add_erl(r, nodes, 3, 3, NULL), FX_OK);
	assert_field(r, "erl.strict_nm", 900.0 / 40);
	assert_field(r, "erl.tolerant_nm", 0);
	assert_field(r, "erl.tolerance_nodes", 3);
	assert_field(r, "erl.ceiling_nm", 40);
	assert_field(r, "erl.omitted", 1);
	assert_field(r, "erl.length_nm", 40);
	assert_field(r, "erl.trees", 1);
	assert_int_equal(fx_scores_add_erl(r, nodes, 0, 3, &err), FX_EINVAL);
	assert_string_equal(err.text, "the skeletons have no cable to score");
	fx_record_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_become_fields),
		cmocka_unit_test(sizes_leave_out_the_unassigned),
		cmocka_unit_test(run_lengths_become_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
