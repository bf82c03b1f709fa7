// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/node/masked.c by tiler/blocks, which cuts an image and its mask in step. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "support/sections.h"

extern const struct fx_node_type fx_node_tiler_blocks;

enum { DEPTH = 11, HIGH = 9, WIDE = 13 };

static struct fx_block *mask_new(void)
{
	struct fx_block *m = fx_block_new(FX_U8, DEPTH, HIGH, WIDE);
	uint64_t seed = 8;

	assert_non_null(m);
	m->role = FX_MASK;
	for (size_t i = 0; i < fx_block_len(m); i++)
		((uint8_t *)m->data)[i] = test_random(&seed) % 5 == 0 ? (uint8_t)(1 + i % 9) : 0;
	return m;
}

/* Which comes first: image and mask in turn; all of the image first; all of the mask first; the
 * mask some sections behind. */
enum order { TURNS, IMAGE_FIRST, MASK_FIRST, BEHIND, ORDERS };

static void give(struct node_test *t, const char *port, const struct fx_block *v, int64_t z)
{
	const struct fx_mark gone = sections_mark(v, FX_MARK_MISSING, z);

	if (z < 0 || z >= DEPTH)
		return;
	if (z == 5 || (z == 8 && strcmp(port, "mask") == 0))
		assert_int_equal(node_test_mark(t, port, &gone), FX_OK);
	else
		sections_give(t, port, v, z, (struct cut){ 4, 5, false });
}

static struct node_test *live(const struct fx_block *image, const struct fx_block *mask,
			      enum order order, const char *lives)
{
	const char *const options[] = { "block=4 5 6", "halo=1 1 2", lives, NULL };
	struct node_test *t = node_test_new(&fx_node_tiler_blocks, options);
	const int lag = order == IMAGE_FIRST ? DEPTH :
			order == MASK_FIRST  ? -DEPTH :
			order == BEHIND	     ? 3 :
					       0;

	sections_open(t, order == MASK_FIRST ? "mask" : "image",
		      order == MASK_FIRST ? mask : image);
	if (order == MASK_FIRST)
		sections_open(t, "image", image);
	for (int z = -DEPTH; z < 2 * DEPTH; z++) {
		give(t, "image", image, z);
		if (z == 0 && order != MASK_FIRST)
			sections_open(t, "mask", mask);
		give(t, "mask", mask, z - lag);
	}
	return t;
}

static void check_block(const struct fx_block *b, const struct fx_block *image,
			const struct fx_block *mask)
{
	const size_t len = fx_block_len(b);
	const uint16_t *v = b->data;

	assert_int_equal(b->channels, 2);
	assert_int_equal(b->role, FX_IMAGE);
	for (size_t i = 0; i < len; i++) {
		const size_t p[3] = { (size_t)b->origin[0] + i / (b->shape[1] * b->shape[2]),
				      (size_t)b->origin[1] + i / b->shape[2] % b->shape[1],
				      (size_t)b->origin[2] + i % b->shape[2] };
		const size_t z = p[0] == 5 ? 4 : p[0]; /* what is missing is filled */
		const size_t in_section = p[1] * WIDE + p[2],
			     m = (z == 8 ? 7 : z) * HIGH * WIDE + in_section;

		assert_int_equal(v[i], ((uint16_t *)image->data)[z * HIGH * WIDE + in_section]);
		assert_int_equal(v[len + i], ((uint8_t *)mask->data)[m] != 0);
	}
}

static void the_mask_is_channel_two(void **unused)
{
	struct fx_block *image = sections_volume(FX_U16, DEPTH, HIGH, WIDE, 300),
			*mask = mask_new();
	struct node_test *first = NULL;

	(void)unused;
	for (int order = 0; order < ORDERS; order++) {
		struct node_test *t = live(image, mask, (enum order)order, NULL);

		assert_int_equal(node_test_drain(t), FX_OK);
		assert_int_equal(node_test_count(t, "blocks", FX_BLOCK), 3 * 2 * 3);
		for (size_t i = 0; i < 18; i++)
			check_block(node_test_get(t, "blocks", FX_BLOCK, i)->message, image, mask);
		if (first)
			node_test_same(first, t);
		if (first)
			node_test_free(t);
		else
			first = t;
	}
	node_test_free(first);
	fx_block_free(image);
	fx_block_free(mask);
}

static void another_life_sends_the_same(void **unused)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	struct fx_block *image = sections_volume(FX_U16, DEPTH, HIGH, WIDE, 300),
			*mask = mask_new();

	(void)unused;
	for (int order = 0; order < ORDERS; order++) {
		struct node_test *t[3];

		for (size_t i = 0; i < 3; i++) {
			t[i] = live(image, mask, (enum order)order, lives[i]);
			assert_int_equal(node_test_drain(t[i]), FX_OK);
			node_test_same(t[0], t[i]);
		}
		for (size_t i = 0; i < 3; i++)
			node_test_free(t[i]);
	}
	fx_block_free(image);
	fx_block_free(mask);
}

/* The mask ends early: what it does not say is as before. */
static void a_mask_may_end_early(void **unused)
{
	struct fx_block *image = sections_volume(FX_U16, DEPTH, HIGH, WIDE, 300),
			*mask = mask_new();
	struct node_test *t = node_test_new(&fx_node_tiler_blocks, NULL);

	(void)unused;
	sections_open(t, "image", image);
	sections_open(t, "mask", mask);
	for (int64_t z = 0; z < DEPTH; z++)
		give(t, "image", image, z);
	sections_give(t, "mask", mask, 0, (struct cut){ 4, 5, false });
	assert_int_equal(node_test_count(t, "blocks", FX_BLOCK), 0);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "blocks", FX_BLOCK), 1);
	node_test_free(t);
	fx_block_free(image);
	fx_block_free(mask);
}

static void refuses_what_does_not_fit(void **unused)
{
	struct fx_block *image = sections_volume(FX_U16, DEPTH, HIGH, WIDE, 300),
			*mask = fx_block_new(FX_U8, DEPTH, HIGH, WIDE + 1);
	const char *const options[] = { "ahead=1", "block=2 9 13", "halo=0 0 0", NULL };
	struct node_test *t = node_test_new(&fx_node_tiler_blocks, NULL);
	struct fx_mark open = { .kind = FX_MARK_OPEN,
				.region = fx_block_region(mask),
				.dtype = FX_U8 };

	(void)unused;
	sections_open(t, "image", image);
	assert_int_equal(node_test_mark(t, "mask", &open), FX_EINVAL);
	assert_string_equal(node_test_error(t), "on axis x the image has 0..12 and its mask 0..13");
	node_test_free(t);
	t = node_test_new(&fx_node_tiler_blocks, NULL);
	sections_open(t, "image", image);
	assert_int_equal(node_test_drain(t), FX_EINVAL);
	node_test_free(t);
	t = node_test_new(&fx_node_tiler_blocks, options);
	sections_open(t, "image", image);
	for (int64_t z = 0; z < 3; z++)
		give(t, "image", image, z);
	assert_int_equal(
		node_test_block(t, "image",
				fx_block_crop(image, sections_mark(image, FX_MARK_DONE, 3).region)),
		FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "section 3 comes too early"));
	node_test_free(t);
	fx_block_free(image);
	fx_block_free(mask);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mask_is_channel_two),
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(a_mask_may_end_early),
		cmocka_unit_test(refuses_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
