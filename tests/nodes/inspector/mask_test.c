// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/inspector/mask.c. */
#include "support/test.h"

#include "support/sections.h"

extern const struct fx_node_type fx_node_inspector_mask;

enum { DEPTH = 7, HIGH = 9, WIDE = 11, AREA = HIGH * WIDE };

static struct fx_block *random_mask(uint64_t seed)
{
	struct fx_block *v = fx_block_new(FX_U8, DEPTH, HIGH, WIDE);

	assert_non_null(v);
	for (size_t i = 0; i < fx_block_len(v); i++)
		((uint8_t *)v->data)[i] = test_random(&seed) % 4 == 0;
	return v;
}

static void give(struct node_test *t, const char *port, const struct fx_block *v, int64_t z)
{
	const struct fx_mark gone = sections_mark(v, FX_MARK_MISSING, z);
	const bool missing = z == 3 || z == (*port == 'a' ? 2 : 5);

	if (z < 0 || z >= DEPTH)
		return;
	if (missing)
		assert_int_equal(node_test_mark(t, port, &gone), FX_OK);
	else
		sections_give(t, port, v, z, (struct cut){ *port == 'a' ? 4 : 5, 6, false });
}

/* Input b is @p lag sections behind, and never gives its last one. */
static struct node_test *live(const struct fx_block *a, const struct fx_block *b, int lag,
			      const char *lives)
{
	const char *const options[] = { "memory=0", lives, NULL };
	struct node_test *t = node_test_new(&fx_node_inspector_mask, options);

	sections_open(t, "a", a);
	sections_open(t, "b", b);
	for (int z = -DEPTH; z < 2 * DEPTH; z++) {
		give(t, "a", a, z);
		if (z - lag < DEPTH - 1)
			give(t, "b", b, z - lag);
	}
	return t;
}

static void either_excludes(void **unused)
{
	struct fx_block *a = random_mask(1), *b = random_mask(2);

	(void)unused;
	for (int lag = -5; lag <= 5; lag += 5) {
		struct node_test *t = live(a, b, lag, NULL);
		struct fx_block *all;

		assert_int_equal(node_test_drain(t), FX_OK);
		all = sections_sent(t, a, FX_U8);
		for (size_t i = 0; i < fx_block_len(all); i++) {
			const size_t z = i / AREA;
			const int has_a = z != 2 && z != 3, has_b = z != 3 && z != 5 && z != 6;
			const int want = (has_a && ((uint8_t *)a->data)[i]) ||
					 (has_b && ((uint8_t *)b->data)[i]);

			assert_int_equal(((uint8_t *)all->data)[i], want);
		}
		for (size_t i = 0, missing = 0; i < node_test_sent_len(t); i++) {
			const struct sent *s = node_test_sent(t, i);

			missing += s->mark.kind == FX_MARK_MISSING;
			assert_true(s->mark.kind != FX_MARK_MISSING || s->mark.region.lo[0] == 3);
			assert_true(missing <= 1);
		}
		fx_block_free(all);
		node_test_free(t);
	}
	fx_block_free(a);
	fx_block_free(b);
}

static void another_life_sends_the_same(void **unused)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	struct fx_block *a = random_mask(1), *b = random_mask(2);

	(void)unused;
	for (int lag = -3; lag <= 3; lag += 3) {
		struct node_test *t[3];

		for (size_t i = 0; i < 3; i++) {
			t[i] = live(a, b, lag, lives[i]);
			assert_int_equal(node_test_drain(t[i]), FX_OK);
			node_test_same(t[0], t[i]);
		}
		for (size_t i = 0; i < 3; i++)
			node_test_free(t[i]);
	}
	fx_block_free(a);
	fx_block_free(b);
}

static void sizes_must_agree(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_inspector_mask, NULL);
	struct fx_block *a = random_mask(1);
	struct fx_mark open = { .kind = FX_MARK_OPEN,
				.region = { .hi = { DEPTH, HIGH, WIDE - 1 } },
				.dtype = FX_U8 };

	(void)unused;
	sections_open(t, "a", a);
	assert_int_equal(node_test_mark(t, "b", &open), FX_EINVAL);
	assert_string_equal(node_test_error(t),
			    "masks of 9 x 11 and 9 x 10 voxels do not fit together");
	node_test_free(t);
	fx_block_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(either_excludes),
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(sizes_must_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
