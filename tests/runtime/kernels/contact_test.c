// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/contact.c. */
#include "support/test.h"

#include <stdlib.h>

#include "kernels/contact.h"

static void finds_the_middle_of_each_contact(void **unused)
{
	const double step_nm[2] = { 8, 8 };
	uint64_t a[7 * 12] = { 0 }, b[7 * 12] = { 0 };
	struct fx_contact *c;
	size_t len;

	(void)unused;
	for (size_t y = 1; y < 6; y++)
		for (size_t x = 1; x < 6; x++)
			a[y * 12 + x] = b[y * 12 + x] = 3;
	a[2 * 12 + 9] = b[2 * 12 + 9] = 3; /* a second, smaller one of the same object */
	a[6 * 12 + 11] = 4;		   /* touches by a corner only */
	b[5 * 12 + 10] = 4;
	a[4 * 12 + 9] = 8; /* faces another object */
	b[4 * 12 + 9] = 9;
	assert_int_equal(fx_contacts_find(a, b, 7, 12, step_nm, &c, &len), FX_OK);
	assert_int_equal(len, 3);
	assert_int_equal(c[0].a, 3 * 12 + 3);
	assert_int_equal(c[0].b, 3 * 12 + 3);
	assert_true(c[0].depth_nm > 23.9 && c[0].depth_nm < 24.1);
	assert_int_equal(c[0].edges, 0);
	assert_int_equal(c[1].a, 2 * 12 + 9);
	assert_int_equal(c[2].a, 6 * 12 + 11);
	assert_int_equal(c[2].b, 5 * 12 + 10);
	assert_int_equal(c[2].edges, 2 | 8);
	free(c);
}

/* One strip on one side, two on the other: both must be joined to it. */
static void one_contact_for_each_pair_of_pieces(void **unused)
{
	const double step_nm[2] = { 8, 8 };
	const uint64_t a[5] = { 1, 1, 1, 1, 1 }, b[5] = { 1, 1, 0, 1, 1 };
	struct fx_contact *c;
	size_t len;

	(void)unused;
	assert_int_equal(fx_contacts_find(a, b, 1, 5, step_nm, &c, &len), FX_OK);
	assert_int_equal(len, 2);
	assert_true(c[0].b < 2 && c[1].b > 2);
	free(c);
	assert_int_equal(fx_contacts_find(a, b, 0, 5, step_nm, &c, &len), FX_EINVAL);
}

/* Where many voxels are as deep: the nearest to the centre of the contact, which is rounded towards
 * the middle of the plane. */
static void breaks_ties_at_the_centre(void **unused)
{
	const double step_nm[2] = { 8, 8 };
	uint64_t a[3 * 20] = { 0 };
	struct fx_contact *c;
	size_t len;

	(void)unused;
	for (size_t y = 0; y < 3; y++)
		for (size_t x = 0; x < 8; x++)
			a[y * 20 + x] = a[y * 20 + x + 12] = 3;
	assert_int_equal(fx_contacts_find(a, a, 3, 20, step_nm, &c, &len), FX_OK);
	assert_int_equal(len, 2);
	assert_int_equal(c[0].a, 20 + 4);  /* 3.5 */
	assert_int_equal(c[1].a, 20 + 15); /* 15.5 */
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(finds_the_middle_of_each_contact),
					    cmocka_unit_test(one_contact_for_each_pair_of_pieces),
					    cmocka_unit_test(breaks_ties_at_the_centre) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
