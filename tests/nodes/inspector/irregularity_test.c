// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/inspector/irregularity.c. */
#include "support/test.h"

#include "support/artefacts.h"
#include "support/sections.h"

extern const struct fx_node_type fx_node_inspector_irregularity;

enum { SECTIONS = 14, SIDE = 128 };

static const struct cut whole = { 1000, 1000, false };

/* The mask that @p t sent; its tiles have the role of one. */
static struct fx_block *mask_of(const struct node_test *t, const struct fx_block *v)
{
	struct fx_block *all = fx_block_new_like(v, FX_U8);

	assert_non_null(all);
	for (size_t i = 0; i < node_test_count(t, "mask", FX_BLOCK); i++) {
		const struct fx_block *b = node_test_get(t, "mask", FX_BLOCK, i)->message;

		assert_int_equal(b->role, FX_MASK);
		fx_block_paste(all, b);
	}
	return all;
}

/* Share of the voxels of a part of section @p z that are masked. */
static double share(const struct fx_block *mask, size_t z, size_t y0, size_t y1)
{
	size_t n = 0;

	for (size_t i = y0 * SIDE; i < y1 * SIDE; i++) {
		assert_true(artefacts_section(mask, z)[i] <= 1);
		n += artefacts_section(mask, z)[i];
	}
	return (double)n / (double)((y1 - y0) * SIDE);
}

static struct node_test *give_all(const struct fx_block *v)
{
	struct node_test *t = node_test_new(&fx_node_inspector_irregularity, NULL);

	sections_open(t, "image", v);
	for (int64_t z = 0; z < SECTIONS; z++)
		sections_give(t, "image", v, z, whole);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "mask", FX_BLOCK), SECTIONS);
	return t;
}

static const char *verdict(const struct node_test *t, size_t z)
{
	const struct fx_record *r = node_test_get(t, "records", FX_RECORD, z)->message;

	assert_string_equal(r->kind, "irregularity");
	assert_true(fx_record_number(r, "section", -1) == (double)z);
	return fx_record_text(r, "verdict");
}

/* Moves rows @p y0 to @p y1 of section @p z by @p by voxels along x; the rest is mirrored. */
static void move(struct fx_block *v, size_t z, size_t y0, size_t y1, size_t by)
{
	for (size_t y = y0; y < y1; y++) {
		uint8_t *row = artefacts_section(v, z) + y * SIDE, copy[SIDE];

		memcpy(copy, row, SIDE);
		for (size_t x = 0; x < SIDE; x++)
			row[x] = copy[x >= by ? x - by : by - x];
	}
}

/* One bad section, and the next is regular again; a jump that lasts, and the stream goes on. */
static void masks_what_does_not_continue(void **unused)
{
	struct fx_block *v = artefacts_volume(SECTIONS, SIDE, SIDE, 4, 21),
			*other = artefacts_volume(1, SIDE, SIDE, 4, 99), *mask;
	struct node_test *t;

	(void)unused;
	memcpy(artefacts_section(v, 4), other->data, SIDE * SIDE); /* another place */
	for (size_t z = 7; z < SECTIONS; z++)
		move(v, z, 0, SIDE, 7);
	move(v, 10, 0, SIDE / 2, 6);
	t = give_all(v);
	mask = mask_of(t, v);
	for (size_t z = 0; z < SECTIONS; z++) {
		const double above = share(mask, z, 0, 64), below = share(mask, z, 64, SIDE);
		const bool all = z == 4 || z == 7;

		assert_true(all || z == 10 ? above > 0.8 : above == 0);
		assert_true(all ? below > 0.8 : z == 10 ? below <= 0.5 : below == 0);
		if (z != 10)
			assert_string_equal(verdict(t, z), z == 4 ? "cut" :
							   z == 7 ? "shift" :
								    "regular");
	}
	assert_true(fabs(fx_record_number(node_test_get(t, "records", FX_RECORD, 7)->message,
					  "shift_x", 0)) > 6);
	fx_block_free(mask);
	fx_block_free(v);
	fx_block_free(other);
	node_test_free(t);
}

/* Resin has no structure: nothing can be told of it. */
static void what_is_empty_is_regular(void **unused)
{
	struct fx_block *v = artefacts_volume(SECTIONS, SIDE, SIDE, 4, 21), *mask;
	struct node_test *t;
	uint64_t seed = 4;

	(void)unused;
	for (size_t z = 0; z < SECTIONS; z++)
		for (size_t i = 0; i < SIDE * SIDE / 3; i++)
			artefacts_section(v, z)[i] =
				artefacts_grey(200 + 2 * artefacts_normal(&seed));
	for (size_t i = 0; i < SIDE * SIDE; i++) /* all of it: blank */
		artefacts_section(v, 9)[i] = artefacts_grey(200 + 2 * artefacts_normal(&seed));
	t = give_all(v);
	mask = mask_of(t, v);
	for (size_t z = 0; z < SECTIONS; z++) {
		assert_true(z == 9 || share(mask, z, 0, 32) == 0);
		assert_true(z == 9 ? share(mask, z, 64, SIDE) > 0.9 :
				     share(mask, z, 64, SIDE) == 0);
	}
	fx_block_free(mask);
	fx_block_free(v);
	node_test_free(t);
}

static void cuts_do_not_matter(void **unused)
{
	static const struct cut cuts[] = { { 1000, 1000, false },
					   { 5, 7, false },
					   { 13, 40, true } };
	struct fx_block *v = artefacts_volume(4, 40, SIDE, 4, 21);
	struct fx_block *first = NULL;

	(void)unused;
	move(v, 2, 0, 40, 7);
	for (size_t i = 0; i < 3; i++) {
		const char *const options[] = { i ? "memory=0" : "memory=1", "step=7", "patch=20",
						NULL };
		struct node_test *t = node_test_new(&fx_node_inspector_irregularity, options);
		struct fx_block *mask;

		sections_open(t, "image", v);
		for (int64_t z = 0; z < 4; z++)
			sections_give(t, "image", v, z, cuts[i]);
		mask = mask_of(t, v);
		if (first)
			sections_equal(first, mask);
		if (first)
			fx_block_free(mask);
		else
			first = mask;
		node_test_free(t);
	}
	fx_block_free(first);
	fx_block_free(v);
}

static void another_life_sends_the_same(void **unused)
{
	const char *const options[] = { "step=8", "patch=16", "reach=3", NULL };
	struct fx_block *v = artefacts_volume(6, 40, 70, 4, 5);

	(void)unused;
	artefacts_grade(v, 4, 0, 90, 8);
	sections_check_lives(&fx_node_inspector_irregularity, options, v);
	fx_block_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks_what_does_not_continue),
		cmocka_unit_test(what_is_empty_is_regular),
		cmocka_unit_test(cuts_do_not_matter),
		cmocka_unit_test(another_life_sends_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
