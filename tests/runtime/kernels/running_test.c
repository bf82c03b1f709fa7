// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/running.c. */
#include "support/test.h"

#include "kernels/running.h"

#include <math.h>

#include <fornix/error.h>

static void medians_of_the_last_few(void **unused)
{
	struct fx_running r;
	double median, spread;

	(void)unused;
	assert_int_equal(fx_running_init(&r, 2, 5), FX_OK);
	fx_running_usual(&r, 1, &median, &spread);
	assert_true(median == 0 && spread == 0);
	for (int i = 0; i < 9; i++) {
		float *to = fx_running_push(&r);

		to[0] = 3;
		to[1] = i == 6 ? 1000 : (float)i; /* 4 5 1000 7 8 stay */
	}
	fx_running_usual(&r, 0, &median, &spread);
	assert_true(median == 3 && spread == 0);
	fx_running_usual(&r, 1, &median, &spread);
	assert_true(median == 7 && fabs(spread - 2 * 1.4826) < 1e-9); /* 3 2 993 0 1 */
	fx_running_clear(&r);
	*fx_running_push(&r) = 5;
	fx_running_usual(&r, 0, &median, &spread);
	assert_true(median == 5 && spread == 0);
	fx_running_fini(&r);
	assert_int_equal(fx_running_init(&r, 1, 257), FX_ENOMEM);
	assert_int_equal(fx_running_init(&r, SIZE_MAX / 2, 4), FX_ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(medians_of_the_last_few) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
