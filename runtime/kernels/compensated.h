// SPDX-License-Identifier: Apache-2.0
/* compensated.h: sums that do not lose their low bits (Neumaier 1974). */
#ifndef FX_KERNELS_COMPENSATED_H
#define FX_KERNELS_COMPENSATED_H

#include <math.h>

/** Zero-initialise. Needs value-safe arithmetic: no -ffast-math. */
struct fx_sum {
	double sum, lost;
};

static inline void fx_sum_add(struct fx_sum *s, double x)
{
	const double sum = s->sum + x;

	s->lost += fabs(s->sum) >= fabs(x) ? (s->sum - sum) + x : (x - sum) + s->sum;
	s->sum = sum;
}

static inline double fx_sum_value(const struct fx_sum *s)
{
	return s->sum + s->lost;
}

#endif
