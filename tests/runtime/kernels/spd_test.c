// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/spd.c. */
#include "support/test.h"

#include <math.h>

#include "kernels/spd.h"

static void solves(void **unused)
{
	enum { N = 7 };
	double m[N * N], a[N * N], x[N * 2], b[N * 2];
	uint64_t seed = 9;

	(void)unused;
	for (int i = 0; i < N * N; i++)
		m[i] = (double)(test_random(&seed) % 1000) / 500 - 1;
	for (int i = 0; i < N * 2; i++)
		x[i] = (double)(test_random(&seed) % 1000) / 500 - 1;
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			a[i * N + j] = i == j ? 0.1 : 0;
			for (int k = 0; k < N; k++)
				a[i * N + j] += m[i * N + k] * m[j * N + k];
		}
	for (int i = 0; i < N; i++)
		for (int c = 0; c < 2; c++) {
			b[i * 2 + c] = 0;
			for (int k = 0; k < N; k++)
				b[i * 2 + c] += a[i * N + k] * x[k * 2 + c];
		}
	assert_true(fx_spd_solve(a, b, N, 2));
	for (int i = 0; i < N * 2; i++)
		assert_true(fabs(b[i] - x[i]) < 1e-9);
}

static void refuses(void **unused)
{
	double indefinite[4] = { 1, 2, 2, 1 }, none[1] = { (double)NAN }, b[2] = { 1, 1 };

	(void)unused;
	assert_false(fx_spd_solve(indefinite, b, 2, 1));
	assert_false(fx_spd_solve(none, b, 1, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(solves),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
