// SPDX-License-Identifier: Apache-2.0
/* spd.c: small dense systems with a symmetric, positive definite matrix. */
#include "kernels/spd.h"

#include <math.h>

static bool spd_factor(double *a, size_t n)
{
	for (size_t j = 0; j < n; j++)
		for (size_t i = j; i < n; i++) {
			double v = a[i * n + j];

			for (size_t k = 0; k < j; k++)
				v -= a[i * n + k] * a[j * n + k];
			if (i == j && !(v > 0 && isfinite(v)))
				return false;
			a[i * n + j] = i == j ? sqrt(v) : v / a[j * n + j];
		}
	return true;
}

bool fx_spd_solve(double *a, double *b, size_t n, size_t m)
{
	if (!spd_factor(a, n))
		return false;
	for (size_t c = 0; c < m; c++) {
		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < i; k++)
				b[i * m + c] -= a[i * n + k] * b[k * m + c];
			b[i * m + c] /= a[i * n + i];
		}
		for (size_t i = n; i-- > 0;) {
			for (size_t k = i + 1; k < n; k++)
				b[i * m + c] -= a[k * n + i] * b[k * m + c];
			b[i * m + c] /= a[i * n + i];
		}
	}
	return true;
}
