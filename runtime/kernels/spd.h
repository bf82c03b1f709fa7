// SPDX-License-Identifier: Apache-2.0
/* spd.h: small dense systems with a symmetric, positive definite matrix. */
#ifndef FX_KERNELS_SPD_H
#define FX_KERNELS_SPD_H

#include <stdbool.h>
#include <stddef.h>

/** Solves a x = b by Cholesky's method for the @p m columns of @p b (n x m, row by row), in place;
 * of @p a (n x n) the lower triangle is used and destroyed. False when @p a is not positive
 * definite: then @p b is useless. */
bool fx_spd_solve(double *a, double *b, size_t n, size_t m);

#endif
