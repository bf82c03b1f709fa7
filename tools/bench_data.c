// SPDX-License-Identifier: Apache-2.0
/* bench_data.c: what benchmarks compute on, and how they sum up what they measured. */
#include <stdlib.h>

#include "base/alloc.h"
#include "bench.h"
#include "kernels/phantom.h"

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median_of(double *values, int len)
{
	qsort(values, (size_t)len, sizeof *values, by_value);
	return values[len / 2];
}

/* One section of labels, wider. */
static bool put_labels(const struct fx_phantom *p, size_t side, uint64_t *labels,
		       struct fx_error *err)
{
	uint32_t *ids = fx_calloc(side * side, sizeof *ids);
	const bool ok = ids && fx_phantom_render(p, 0, 0, side, side, NULL, ids, err) == FX_OK;

	for (size_t i = 0; ok && i < side * side; i++)
		labels[i] = ids[i];
	free(ids);
	return ok;
}

bool bench_phantom(size_t depth, size_t side, bool textured, uint8_t *image, uint64_t *labels,
		   struct fx_error *err)
{
	const struct fx_phantom_spec spec = { .height = side,
					      .width = side,
					      .voxel_nm = { 8, 8, 8 },
					      .spacing_nm = 300,
					      .slope = 1,
					      .branch_nm = 3000,
					      .end_nm = 10000,
					      .mitochondria = textured,
					      .vesicles = textured,
					      .noise = textured ? 8 : 0,
					      .node_nm = 80,
					      .piece_len = 4096,
					      .seed = 1 };
	struct fx_phantom *p = NULL;
	bool ok = fx_phantom_new(&spec, &p, err) == FX_OK;

	for (size_t z = 0; z < depth && ok; z++) {
		const size_t at = z * side * side;

		ok = fx_phantom_next(p, err) == FX_OK;
		if (ok && image)
			ok = fx_phantom_render(p, 0, 0, side, side, image + at, NULL, err) == FX_OK;
		if (ok && labels)
			ok = put_labels(p, side, labels + at, err);
	}
	fx_phantom_free(p);
	return ok;
}
