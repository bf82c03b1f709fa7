// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/aligner/translation.c and runtime/node/aligner.c. */
#include "support/test.h"

#include "nodes/aligner/stack.h"

extern const struct fx_node_type fx_node_aligner_translation;

static void sections_come_to_lie_on_each_other(void **unused)
{
	static const char *const options[] = { "references=2", "pull=0", NULL };
	struct stack s = stack_new(5, 72, 6, 0);
	struct fx_block *v = stack_volume(&s);
	struct node_test *t = stack_run(&fx_node_aligner_translation, options, v);
	size_t outside = 0;

	(void)unused;
	for (size_t z = 1; z < s.len; z++) {
		assert_true(stack_miss(t, &s, z, 0) < 0.3);
		assert_true(fx_record_number(stack_record(t, z), "good", 0) == 1);
		assert_true(fx_record_number(stack_record(t, z), "confidence", 0) > 0.6);
	}
	for (size_t i = 0; i < node_test_count(t, "mask", FX_BLOCK); i++) {
		const struct fx_block *b = node_test_get(t, "mask", FX_BLOCK, i)->message,
				      *image = node_test_get(t, "image", FX_BLOCK, i)->message;

		assert_int_equal(b->role, FX_MASK);
		for (size_t k = 0; k < fx_block_len(b); k++)
			if (((const uint8_t *)b->data)[k]) {
				assert_int_equal(((const uint8_t *)image->data)[k], 0);
				outside++;
			}
	}
	assert_in_range(outside, 300, 10000);
	node_test_free(t);
	fx_block_free(v);
}

/* Tissue that runs aslant: it looks like a stage that drifts. */
static double end_of_slant(const char *pull, size_t len, double *jitter)
{
	const char *const options[] = { "references=1", "ahead=1", pull, NULL };
	struct stack s = stack_new(len, 36, 1, 0);
	struct fx_block *v;
	struct node_test *t;
	double off = 0;

	s.noise = 0;
	for (size_t z = 0; z < s.len; z++)
		s.map[z].m[0][2] += 0.4 * (double)z;
	v = stack_volume(&s);
	t = stack_run(&fx_node_aligner_translation, options, v);
	for (size_t z = len - 10; z < len; z++) /* without the jitter of the stage */
		off += (stack_map(t, z).m[0][2] + s.map[z].m[0][2] - 0.4 * (double)z) / 10;
	*jitter = 0;
	for (size_t z = len - 10; z < len; z++) /* misses by what the tissue moves, and no more */
		*jitter = fmax(*jitter, fabs(stack_miss(t, &s, z, z - 1)));
	node_test_free(t);
	fx_block_free(v);
	return fabs(off);
}

static void aslant_tissue_stays_aslant(void **unused)
{
	double jitter;

	(void)unused;
	assert_true(end_of_slant("pull=0", 20, &jitter) > 4); /* made upright */
	assert_true(jitter < 0.3);
	assert_true(end_of_slant("pull=0.3", 45, &jitter) < 0.7);
	assert_true(jitter < 0.8);
}

static void a_bad_section_does_not_break_the_chain(void **unused)
{
	static const char *const options[] = { "references=2", "pull=0", "ahead=2", NULL };
	struct stack s = stack_new(10, 56, 4, 0);
	struct fx_block *v;
	struct node_test *t;
	struct fx_affine2 a, b, c;

	(void)unused;
	s.bad[4] = s.bad[7] = s.bad[8] = true;
	v = stack_volume(&s);
	t = stack_run(&fx_node_aligner_translation, options, v);
	for (size_t z = 1; z < s.len; z++) {
		assert_true(fx_record_number(stack_record(t, z), "good", -1) == !s.bad[z]);
		if (!s.bad[z])
			assert_true(stack_miss(t, &s, z, 0) < 0.4);
	}
	a = stack_map(t, 3);
	b = stack_map(t, 4);
	c = stack_map(t, 5);
	assert_true(fabs(b.m[0][2] - (a.m[0][2] + c.m[0][2]) / 2) < 0.1);
	node_test_free(t);
	fx_block_free(v);
}

/* Behind a gap that nothing bridges it goes on, and says so. */
static void another_tissue_begins_anew(void **unused)
{
	static const char *const options[] = { "references=2", "pull=0", "patience=3", NULL };
	struct stack s = stack_new(9, 56, 3, 0);
	struct fx_block *v;
	struct node_test *t;

	(void)unused;
	for (size_t z = 4; z < s.len; z++)
		s.map[z].m[0][2] += 4000;
	v = stack_volume(&s);
	t = stack_run(&fx_node_aligner_translation, options, v);
	for (size_t z = 4; z < 6; z++)
		assert_true(fx_record_number(stack_record(t, z), "good", -1) == 0);
	for (size_t z = 6; z < s.len; z++) {
		assert_true(fx_record_number(stack_record(t, z), "good", -1) == 1);
		assert_true(stack_miss(t, &s, z, 5) < 0.4);
	}
	assert_true(fabs(stack_map(t, 8).m[0][2]) < 10); /* near where the stage had it */
	node_test_free(t);
	fx_block_free(v);
}

/* What comes of @p v cut as @p cut. */
static struct fx_block *aligned(const struct fx_block *v, struct cut cut, const char *memory)
{
	struct node_test *t = node_test_new(&fx_node_aligner_translation,
					    (const char *const[]){ "references=2", memory, NULL });
	struct fx_block *all = fx_block_new_like(v, FX_U8);

	sections_open(t, "image", v);
	for (size_t z = 0; z < v->shape[0]; z++)
		sections_give(t, "image", v, (int64_t)z, cut);
	assert_int_equal(node_test_drain(t), FX_OK);
	for (size_t i = 0; i < node_test_count(t, "image", FX_BLOCK); i++)
		fx_block_paste(all, node_test_get(t, "image", FX_BLOCK, i)->message);
	node_test_free(t);
	return all;
}

static void tiles_do_not_matter(void **unused)
{
	struct stack s = stack_new(3, 40, 4, 0);
	struct fx_block *v = stack_volume(&s),
			*whole = aligned(v, (struct cut){ 1000, 1000, false }, "memory=64"),
			*cut = aligned(v, (struct cut){ 7, 13, true }, "memory=0");

	(void)unused;
	sections_equal(whole, cut);
	fx_block_free(v);
	fx_block_free(whole);
	fx_block_free(cut);
}

static void another_life_sends_the_same(void **unused)
{
	static const char *const options[] = { "references=2", "ahead=1", NULL };
	struct stack s = stack_new(6, 32, 3, 0);
	struct fx_block *v = stack_volume(&s);

	(void)unused;
	sections_check_lives(&fx_node_aligner_translation, options, v);
	fx_block_free(v);
}

static void what_is_refused(void **unused)
{
	struct node_test *t =
		node_test_new(&fx_node_aligner_translation, (const char *const[]){ NULL });
	struct fx_block *v = fx_block_new(FX_U8, 1, 8, 8);
	struct fx_mark part = sections_mark(v, FX_MARK_DONE, 0);

	(void)unused;
	part.region.hi[1] = 4;
	assert_int_not_equal(node_test_mark(t, "image", &part), FX_OK);
	node_test_free(t);
	t = node_test_new(&fx_node_aligner_translation, (const char *const[]){ NULL });
	sections_open(t, "image", v);
	part = sections_mark(v, FX_MARK_DONE, 0);
	assert_int_not_equal(node_test_mark(t, "image", &part), FX_OK); /* without its tiles */
	node_test_free(t);
	fx_block_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_come_to_lie_on_each_other),
		cmocka_unit_test(aslant_tissue_stays_aslant),
		cmocka_unit_test(a_bad_section_does_not_break_the_chain),
		cmocka_unit_test(another_tissue_begins_anew),
		cmocka_unit_test(tiles_do_not_matter),
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
