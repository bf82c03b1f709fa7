// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/acquire/phantom.c. */
#include "support/test.h"

#include <string.h>

#include "support/node_test.h"

extern const struct fx_node_type fx_node_acquire_phantom;

static struct node_test *run(const char *const *options)
{
	struct node_test *t = node_test_new(&fx_node_acquire_phantom, options);

	assert_int_equal(node_test_result(t), FX_OK);
	while (node_test_step(t) == FX_OK)
		;
	assert_int_equal(node_test_result(t), FX_END);
	assert_int_equal(node_test_drain(t), FX_OK);
	return t;
}

static void marks_frame_the_sections(void **unused)
{
	static const char *const options[] = { "size=3 40 50", "voxel=10 8 8 nm", "spacing=120",
					       NULL };
	struct node_test *t = run(options);

	(void)unused;
	for (unsigned port = 0; port < 3; port++) {
		static const char *const names[] = { "image", "truth", "trees" };
		const struct sent *open = node_test_get(t, names[port], FX_NOTHING, 0);

		assert_int_equal(node_test_count(t, names[port], FX_NOTHING), 4);
		assert_int_equal(open->mark.kind, FX_MARK_OPEN);
		assert_int_equal(open->mark.region.hi[0], 3);
		assert_int_equal(open->mark.region.hi[2], 50);
		assert_true(open->mark.voxel_nm[0] == 10 && open->mark.voxel_nm[1] == 8);
		for (size_t z = 0; z < 3; z++) {
			const struct sent *done = node_test_get(t, names[port], FX_NOTHING, z + 1);

			assert_int_equal(done->mark.kind, FX_MARK_DONE);
			assert_int_equal(done->mark.region.lo[0], z);
			assert_int_equal(done->mark.region.hi[0], z + 1);
			assert_int_equal(done->mark.region.hi[1], 40);
		}
	}
	assert_int_equal(node_test_get(t, "image", FX_NOTHING, 0)->mark.dtype, FX_U8);
	assert_true(node_test_count(t, "trees", FX_TREE) > 0);
	node_test_free(t);
}

/* The tiles of one output pasted together. */
static struct fx_block *whole(const struct node_test *t, const char *port, enum fx_dtype dtype,
			      size_t largest)
{
	struct fx_block *all = fx_block_new(dtype, 2, 30, 41);
	size_t voxels = 0;

	assert_non_null(all);
	for (size_t i = 0; i < node_test_count(t, port, FX_BLOCK); i++) {
		const struct fx_block *b = node_test_get(t, port, FX_BLOCK, i)->message;

		assert_int_equal(b->dtype, dtype);
		assert_int_equal(b->shape[0], 1);
		assert_true(fx_block_len(b) * 4 <= largest);
		assert_true(b->voxel_nm[2] == 8);
		fx_block_paste(all, b);
		voxels += fx_block_len(b);
	}
	assert_int_equal(voxels, fx_block_len(all));
	return all;
}

static void tiles_are_small_and_cut_nothing(void **unused)
{
	static const char *const one[] = { "size=2 30 41", "spacing=120", NULL };
	static const char *const bands[] = { "size=2 30 41", "spacing=120", "tile=0.5 KiB", NULL };
	static const char *const pieces[] = { "size=2 30 41", "spacing=120", "tile=0.125 KiB",
					      NULL };
	struct node_test *a = run(one), *b = run(bands), *c = run(pieces);
	const struct {
		const char *port;
		enum fx_dtype dtype;
	} outputs[] = { { "image", FX_U8 }, { "truth", FX_U32 } };

	(void)unused;
	assert_int_equal(node_test_count(a, "image", FX_BLOCK), 2);
	for (size_t i = 0; i < 2; i++) {
		struct fx_block *x = whole(a, outputs[i].port, outputs[i].dtype, 4 << 20);
		struct fx_block *y = whole(b, outputs[i].port, outputs[i].dtype, 512);
		struct fx_block *z = whole(c, outputs[i].port, outputs[i].dtype, 128);

		assert_memory_equal(x->data, y->data, fx_block_size(x));
		assert_memory_equal(x->data, z->data, fx_block_size(x));
		fx_block_free(x);
		fx_block_free(y);
		fx_block_free(z);
	}
	node_test_free(a);
	node_test_free(b);
	node_test_free(c);
}

static void outputs_may_be_unconnected(void **unused)
{
	static const char *const options[] = { "size=2 20 20", "-image", NULL };
	struct node_test *t = run(options);

	(void)unused;
	assert_int_equal(node_test_count(t, "image", FX_BLOCK), 0);
	assert_int_equal(node_test_count(t, "truth", FX_BLOCK), 2);
	node_test_free(t);
}

static void another_life_goes_on_with_the_same_bytes(void **unused)
{
	static const char *const one[] = { "size=12 40 50", "voxel=20 8 8", "spacing=100",
					   "branch=100",    "end=100",	    NULL };
	static const char *const saved[] = {
		"size=12 40 50", "voxel=20 8 8", "spacing=100", "branch=100",
		"end=100",	 "+saved",	 NULL
	};
	static const char *const killed[] = {
		"size=12 40 50", "voxel=20 8 8", "spacing=100", "branch=100",
		"end=100",	 "+killed",	 NULL
	};
	struct node_test *a = run(one), *b = run(saved), *c = run(killed);

	(void)unused;
	assert_true(node_test_count(a, "trees", FX_TREE) > 10);
	node_test_same(a, b);
	node_test_same(a, c);
	node_test_hostile(a);
	node_test_free(a);
	node_test_free(b);
	node_test_free(c);
}

static void wrong_options_are_named(void **unused)
{
	static const char *const pixels[] = { "size=2 20 20", "spacing=30", NULL };
	static const char *const part[] = { "size=2.5 20 20", NULL };
	struct node_test *t = node_test_new(&fx_node_acquire_phantom, pixels);

	(void)unused;
	assert_int_equal(node_test_result(t), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "spacing"));
	node_test_free(t);
	t = node_test_new(&fx_node_acquire_phantom, part);
	assert_int_equal(node_test_result(t), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "2.5"));
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_frame_the_sections),
		cmocka_unit_test(tiles_are_small_and_cut_nothing),
		cmocka_unit_test(outputs_may_be_unconnected),
		cmocka_unit_test(another_life_goes_on_with_the_same_bytes),
		cmocka_unit_test(wrong_options_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
