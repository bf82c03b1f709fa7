// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/finalids.c. */
#include "support/test.h"

#include <string.h>

#include "kernels/finalids.h"

static struct fx_record *table(const char *kind, const uint64_t *ids, size_t rows, uint32_t columns)
{
	struct fx_record *r = fx_record_new(kind);

	assert_int_equal(fx_record_table(r, rows, columns), FX_OK);
	memcpy(r->table, ids, rows * columns * sizeof *ids);
	return r;
}

static void without_records_ids_are_final(void **unused)
{
	const uint64_t pair[] = { 40, 50 };
	struct fx_record *r = table("equivalence", pair, 1, 2);
	struct fx_final_ids f = { 0 };
	struct fx_contingency c = { 0 };

	(void)unused;
	fx_contingency_count(&c, 40, 1, 1);
	assert_int_equal(fx_final_ids_take(&f, r, NULL), FX_OK);
	assert_false(f.any);
	assert_int_equal(fx_final_ids_of(&f, 40), 40);
	assert_int_equal(fx_final_ids_apply(&f, &c, NULL), FX_OK);
	assert_int_equal(c.len, 1);
	fx_record_free(r);
	fx_contingency_fini(&c);
	fx_final_ids_fini(&f);
}

static void records_add_up_and_apply(void **unused)
{
	const uint64_t first[] = { 40, 1, 50, 2 }, second[] = { 60, 1 };
	struct fx_record *a = table("final-ids", first, 2, 2),
			 *b = table("final-ids", second, 1, 2);
	struct fx_final_ids f = { 0 };
	struct fx_contingency c = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_final_ids_take(&f, a, NULL), FX_OK);
	fx_contingency_count(&c, 40, 9, 3);
	fx_contingency_count(&c, 60, 9, 4);
	assert_int_equal(fx_final_ids_apply(&f, &c, &err), FX_EINVAL);
	assert_string_equal(err.text, "no final-ids record names segment 60");
	assert_int_equal(c.len, 2); /* as it was */
	assert_int_equal(fx_final_ids_take(&f, b, NULL), FX_OK);
	assert_int_equal(fx_final_ids_apply(&f, &c, NULL), FX_OK);
	assert_int_equal(c.len, 1);
	assert_int_equal(fx_final_ids_of(&f, 50), 2);
	assert_int_equal(fx_final_ids_of(&f, 0), 0);
	fx_record_free(a);
	fx_record_free(b);
	fx_contingency_fini(&c);
	fx_final_ids_fini(&f);
}

static void other_tables_are_refused(void **unused)
{
	const uint64_t three[] = { 1, 2, 3 };
	struct fx_record *r = table("final-ids", three, 1, 3);
	struct fx_final_ids f = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_final_ids_take(&f, r, &err), FX_EINVAL);
	assert_string_equal(err.text, "a final-ids record has 3 columns, not 2");
	fx_record_free(r);
	fx_final_ids_fini(&f);
}

static void labels_are_replaced(void **unused)
{
	const uint64_t ids[] = { 40, 1, 50, 2 };
	struct fx_record *r = table("final-ids", ids, 2, 2);
	struct fx_final_ids f = { 0 };
	struct fx_error err = { 0 };
	struct fx_block *b = fx_block_new(FX_U16, 1, 1, 5), *wide;
	const uint16_t labels[] = { 40, 40, 0, 50, 40 };

	(void)unused;
	memcpy(b->data, labels, sizeof labels);
	wide = fx_labels_widen(b);
	assert_int_equal(wide->dtype, FX_U64);
	assert_int_equal(fx_final_ids_relabel(&f, wide->data, 5, &err), FX_OK);
	assert_int_equal(((uint64_t *)wide->data)[3], 50); /* no record came */
	assert_int_equal(fx_final_ids_take(&f, r, NULL), FX_OK);
	assert_int_equal(fx_final_ids_relabel(&f, wide->data, 5, &err), FX_OK);
	assert_memory_equal(wide->data, ((const uint64_t[]){ 1, 1, 0, 2, 1 }), 40);
	assert_int_equal(fx_final_ids_relabel(&f, wide->data, 5, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "label 1 has no final id"));
	fx_block_free(b);
	fx_block_free(wide);
	fx_record_free(r);
	fx_final_ids_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_records_ids_are_final),
		cmocka_unit_test(records_add_up_and_apply),
		cmocka_unit_test(other_tables_are_refused),
		cmocka_unit_test(labels_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
