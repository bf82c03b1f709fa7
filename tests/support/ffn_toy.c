// SPDX-License-Identifier: Apache-2.0
/* ffn_toy.c: a flood-filling network for tests. */
#include "support/test.h"

#include "support/ffn_toy.h"

#include <string.h>

enum { FEATURES = 4, LAYERS = 5 };

struct fx_ffn_model test_ffn_toy(float values[TEST_FFN_VALUES])
{
	struct fx_ffn_model m = { .depth = 2,
				  .features = FEATURES,
				  .fov = { 9, 9, 9 },
				  .deltas = { 3, 3, 3 },
				  .mean = 128,
				  .stddev = 32,
				  .voxel_nm = { 8, 8, 8 } };
	float *at[LAYERS], *next = values;

	memset(values, 0, TEST_FFN_VALUES * sizeof *values);
	for (size_t i = 0; i < LAYERS; i++) {
		size_t shape[5];

		m.weight[i] = at[i] = next;
		m.bias[i] = next + fx_ffn_model_shape(shape, m.depth, m.features, i);
		next += m.bias[i] - m.weight[i] + (ptrdiff_t)shape[0];
	}
	assert_true(next <= values + TEST_FFN_VALUES);
	at[0][13] = 1; /* channel 0: the image, channel 1: minus the image; tap 13 is the centre */
	at[0][2 * 27 + 13] = -1;
	at[1][13] = 1;
	at[1][(FEATURES + 1) * 27 + 13] = 1;
	at[4][0] = 6; /* module 1 adds nothing */
	at[4][1] = -6;
	return m;
}
