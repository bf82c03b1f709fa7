// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/slab.c: how often chunks are decoded. */
#include "support/test.h"

#include <string.h>

#include "formats/slab.h"

enum { Z = 8, Y = 4, X = 6 };

/* Chunk (z, y, x) has that number in all its voxels; the one with `gone` is not there. */
struct source {
	size_t chunk[3], gone;
};

static int load(void *context, const size_t grid[3], struct fx_block *into, bool *there,
		struct fx_error *err)
{
	const struct source *s = context;
	const size_t number = 100 * grid[0] + 10 * grid[1] + grid[2];
	struct fx_block *b = fx_block_new(FX_U16, s->chunk[0], s->chunk[1], s->chunk[2]);

	(void)err;
	assert_non_null(b);
	for (size_t i = 0; i < fx_block_len(b); i++)
		((uint16_t *)b->data)[i] = (uint16_t)number;
	for (int a = 0; a < 3; a++)
		b->origin[a] = (int64_t)(grid[a] * s->chunk[a]);
	fx_block_paste(into, b);
	fx_block_free(b);
	*there = number != s->gone;
	return FX_OK;
}

/* Reads all sections, one by one; tells how many chunks were decoded. */
static size_t loads(size_t max, size_t gone)
{
	struct source source = { { 4, 2, 3 }, gone };
	struct fx_slab s = { .shape = { Z, Y, X },
			     .chunk = { 4, 2, 3 },
			     .dtype = FX_U16,
			     .max = max,
			     .load = load,
			     .context = &source };
	struct fx_block *b = fx_block_new(FX_U16, 1, Y, X);
	size_t n;

	assert_non_null(b);
	for (size_t z = 0; z < Z; z++) {
		b->origin[0] = (int64_t)z;
		memset(b->data, 0xFF, fx_block_size(b));
		assert_int_equal(fx_slab_read(&s, b, NULL), FX_OK);
		for (size_t i = 0; i < Y * X; i++)
			assert_int_equal(((uint16_t *)b->data)[i],
					 100 * (z / 4) + 10 * (i / X / 2) + i % X / 3);
	}
	n = s.loads;
	fx_slab_fini(&s);
	fx_block_free(b);
	return n;
}

static void a_chunk_is_decoded_once_where_its_layer_fits(void **state)
{
	(void)state;
	assert_int_equal(loads(4 * Y * X * 2, 999), 8);
	assert_int_equal(loads(0, 999), 8);
}

static void with_less_memory_a_layer_is_decoded_in_parts(void **state)
{
	(void)state;
	assert_int_equal(loads(2 * Y * X * 2, 999), 16);
	assert_int_equal(loads(3 * Y * X * 2, 999), 16);
	assert_int_equal(loads(Y * X * 2 - 1, 999), 32);
}

static void what_is_not_there_is_looked_for_again(void **state)
{
	(void)state;
	assert_int_equal(loads(0, 101), 11);
}

static void a_read_may_span_layers(void **state)
{
	struct source source = { { 4, 2, 3 }, 999 };
	struct fx_block *b = fx_block_new(FX_U16, Z, 2, 2);

	(void)state;
	assert_non_null(b);
	b->origin[1] = 1;
	b->origin[2] = 2;
	for (size_t max = 1; max < 1000; max *= 4) {
		struct fx_slab s = { .shape = { Z, Y, X },
				     .chunk = { 4, 2, 3 },
				     .dtype = FX_U16,
				     .max = max,
				     .load = load,
				     .context = &source };

		memset(b->data, 0xFF, fx_block_size(b));
		assert_int_equal(fx_slab_read(&s, b, NULL), FX_OK);
		for (size_t i = 0; i < Z * 4; i++)
			assert_int_equal(((uint16_t *)b->data)[i],
					 100 * (i / 16) + 10 * (i / 2 % 2) + i % 2);
		fx_slab_fini(&s);
	}
	fx_block_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chunk_is_decoded_once_where_its_layer_fits),
		cmocka_unit_test(with_less_memory_a_layer_is_decoded_in_parts),
		cmocka_unit_test(what_is_not_there_is_looked_for_again),
		cmocka_unit_test(a_read_may_span_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
