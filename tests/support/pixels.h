// SPDX-License-Identifier: Apache-2.0
/* pixels.h: rows of features of a toy problem, and models made of them. Include after
 * support/test.h. */
#ifndef FX_TESTS_PIXELS_H
#define FX_TESTS_PIXELS_H

#include <stdlib.h>

#include "nn/pixelfit.h"

enum { PIXELS_ROWS = 300 };

/** Rows of random numbers; those of kind 1 have a larger number 2, and some of both overlap. */
static inline struct fx_pixelfit_data pixels_data(float rows[2][PIXELS_ROWS * FX_FEATURES],
						  uint64_t seed)
{
	for (int kind = 0; kind < 2; kind++)
		for (size_t i = 0; i < PIXELS_ROWS * FX_FEATURES; i++)
			rows[kind][i] = (float)(test_random(&seed) % 1000) / 1000 +
					(kind && i % FX_FEATURES == 2 ? 0.8F : 0);
	return (struct fx_pixelfit_data){ { rows[0], rows[1] }, { PIXELS_ROWS, PIXELS_ROWS } };
}

static inline struct fx_pixelfit_spec pixels_spec(struct fx_pixelfit_data data)
{
	return (struct fx_pixelfit_spec){ .data = data,
					  .hidden = 8,
					  .batch = 32,
					  .steps = 200,
					  .seed = 3,
					  .rate = 0.02,
					  .contrast = 0.1,
					  .offset = 0.05 };
}

/** Writes a model trained for @p steps steps. */
static inline void pixels_model(const char *path, uint64_t steps)
{
	static const double voxel[3] = { 8, 8, 8 };
	float(*rows)[PIXELS_ROWS * FX_FEATURES] = calloc(2, sizeof *rows);
	struct fx_pixelfit_spec spec;
	struct fx_pixelfit f = { 0 };
	struct fx_error err = { 0 };

	assert_non_null(rows);
	spec = pixels_spec(pixels_data(rows, 1));
	if (fx_pixelfit_init(&f, &spec, &err) < 0)
		fail_msg("%s", err.text);
	fx_pixelfit_run(&f, steps);
	if (fx_pixelfit_save(&f, path, false, voxel, "", &err) < 0)
		fail_msg("%s", err.text);
	fx_pixelfit_fini(&f);
	free(rows);
}

#endif
