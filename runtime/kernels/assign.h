// SPDX-License-Identifier: Apache-2.0
/* assign.h: who goes with whom, so that the costs are least. */
#ifndef FX_KERNELS_ASSIGN_H
#define FX_KERNELS_ASSIGN_H

#include <stddef.h>

/** Assigns each of @p rows a column of its own so that the sum of @p costs (rows x columns, finite)
 * is least, by the Hungarian method with potentials (Kuhn 1955, Munkres 1957), rows^2 x columns
 * steps. rows <= columns. column[i] = that of row i. FX_EINVAL, FX_ENOMEM. */
int fx_assign(const double *costs, size_t rows, size_t columns, size_t *column);

#endif
