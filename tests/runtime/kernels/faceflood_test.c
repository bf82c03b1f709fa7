// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/faceflood.c against a search for the lowest face, one after another. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/faceflood.h"

enum { LEN_MAX = 9 * 8 * 10, WAITS_MAX = 6 * LEN_MAX };

/* A voxel that a label has reached. */
struct wait {
	size_t at;
	unsigned height;
	uint32_t label;
};

struct search {
	uint8_t face[3][LEN_MAX];
	uint32_t seeds[LEN_MAX], labels[LEN_MAX];
	struct wait waits[WAITS_MAX];
	size_t waits_len;
};

/* Everything around voxel @p i waits, at least at @p level. */
static void search_around(struct search *s, size_t i, unsigned level, const size_t shape[3])
{
	static const struct {
		int axis, up;
	} order[6] = { { 0, 0 }, { 1, 0 }, { 2, 0 }, { 2, 1 }, { 1, 1 }, { 0, 1 } };
	const size_t step[3] = { shape[1] * shape[2], shape[2], 1 },
		     at[3] = { i / step[0], i / step[1] % shape[1], i % shape[2] };

	for (int k = 0; k < 6; k++) {
		const int a = order[k].axis;
		size_t far, upper;

		if (order[k].up ? at[a] + 1 == shape[a] : at[a] == 0)
			continue;
		far = order[k].up ? i + step[a] : i - step[a];
		upper = order[k].up ? far : i;
		if (s->labels[far])
			continue;
		assert_true(s->waits_len < WAITS_MAX);
		s->waits[s->waits_len++] =
			(struct wait){ far, s->face[a][upper] > level ? s->face[a][upper] : level,
				       s->labels[i] };
	}
}

static void search(struct search *s, const size_t shape[3])
{
	const size_t len = shape[0] * shape[1] * shape[2];

	s->waits_len = 0;
	memcpy(s->labels, s->seeds, sizeof s->labels);
	for (size_t i = 0; i < len; i++)
		if (s->seeds[i])
			search_around(s, i, 0, shape);
	while (s->waits_len) {
		size_t first = 0;
		struct wait w;

		for (size_t i = 1; i < s->waits_len; i++)
			if (s->waits[i].height < s->waits[first].height)
				first = i;
		w = s->waits[first];
		memmove(&s->waits[first], &s->waits[first + 1],
			(--s->waits_len - first) * sizeof w);
		if (s->labels[w.at])
			continue;
		s->labels[w.at] = w.label;
		search_around(s, w.at, w.height, shape);
	}
}

/* Random faces of @p levels heights, random seeds. */
static void fill(struct search *s, size_t len, uint64_t *seed, unsigned levels, unsigned seeds)
{
	memset(s->seeds, 0, sizeof s->seeds);
	for (size_t i = 0; i < len; i++)
		for (int a = 0; a < 3; a++)
			s->face[a][i] = (uint8_t)(test_random(seed) % levels * 255 / (levels - 1));
	for (unsigned k = 1; k <= seeds; k++)
		s->seeds[test_random(seed) % len] = k;
}

static void floods_the_lowest_face_first(void **unused)
{
	static const size_t shapes[][3] = { { 9, 8, 10 }, { 1, 1, 1 }, { 1, 7, 9 }, { 8, 1, 3 },
					    { 6, 5, 1 },  { 2, 2, 2 }, { 1, 1, 9 } };
	static const unsigned levels[] = { 2, 5, 256 };
	struct search *s = calloc(1, sizeof *s);
	uint32_t *got = calloc(LEN_MAX, sizeof *got);
	uint64_t seed = 5;

	(void)unused;
	assert_non_null(s);
	assert_non_null(got);
	for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
		for (size_t l = 0; l < 3; l++) {
			const size_t *n = shapes[k], len = n[0] * n[1] * n[2];
			const uint8_t *const face[3] = { s->face[0], s->face[1], s->face[2] };

			fill(s, len, &seed, levels[l], 9);
			search(s, n);
			memcpy(got, s->seeds, len * sizeof *got);
			assert_int_equal(fx_faces_flood(got, face, n), FX_OK);
			assert_memory_equal(got, s->labels, len * sizeof *got);
		}
	free(got);
	free(s);
}

/* A wall of two voxels with faces of 255 around: what lies behind it is reached over it. */
static void walls_are_climbed_last(void **unused)
{
	static const uint8_t x[8] = { 9, 1, 1, 200, 255, 90, 1, 1 }, none[8] = { 0 };
	static const size_t shape[3] = { 1, 1, 8 };
	const uint8_t *const face[3] = { none, none, x };
	uint32_t labels[8] = { 7, 0, 0, 0, 0, 0, 0, 9 },
		 one[8] = { 7 }; /* wins what is left over the wall */

	(void)unused;
	assert_int_equal(fx_faces_flood(labels, face, shape), FX_OK);
	assert_memory_equal(labels, ((uint32_t[]){ 7, 7, 7, 7, 9, 9, 9, 9 }), sizeof labels);
	assert_int_equal(fx_faces_flood(one, face, shape), FX_OK);
	assert_memory_equal(one, ((uint32_t[]){ 7, 7, 7, 7, 7, 7, 7, 7 }), sizeof one);
}

static void without_seeds_all_stays_empty(void **unused)
{
	static const uint8_t v[8] = { 0 };
	static const size_t shape[3] = { 2, 2, 2 };
	const uint8_t *const face[3] = { v, v, v };
	uint32_t labels[8] = { 0 };

	(void)unused;
	assert_int_equal(fx_faces_flood(labels, face, shape), FX_OK);
	for (int i = 0; i < 8; i++)
		assert_int_equal(labels[i], 0);
}

static void refuses_shapes(void **unused)
{
	static const size_t shapes[][3] = { { 0, 2, 2 },
					    { 2, 2, 0 },
					    { SIZE_MAX, 1, 1 },
					    { 1, SIZE_MAX, 3 },
					    { 1 << 12, 1 << 12, 1 << 8 } };
	const uint8_t *const face[3] = { NULL, NULL, NULL };

	(void)unused;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		assert_int_equal(fx_faces_flood(NULL, face, shapes[i]), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floods_the_lowest_face_first),
		cmocka_unit_test(walls_are_climbed_last),
		cmocka_unit_test(without_seeds_all_stays_empty),
		cmocka_unit_test(refuses_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
