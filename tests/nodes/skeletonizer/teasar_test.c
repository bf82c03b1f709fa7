// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/skeletonizer/teasar.c, runtime/node/labeltrace.c and runtime/kernels/blockwise.c. */
#include "support/test.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/file.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_skeletonizer_teasar;

struct volume {
	size_t shape[3];
	double voxel_nm[3];
	uint16_t *voxels;
};

/* Gives blocks of @p cell voxels, from the last to the first when @p backwards. */
static void feed(struct node_test *t, const struct volume *v, size_t cell, int backwards)
{
	const size_t n[3] = { (v->shape[0] + cell - 1) / cell, (v->shape[1] + cell - 1) / cell,
			      (v->shape[2] + cell - 1) / cell };
	const size_t all = n[0] * n[1] * n[2];
	struct fx_block *whole = fx_block_new(FX_U16, v->shape[0], v->shape[1], v->shape[2]);

	memcpy(whole->data, v->voxels, fx_block_size(whole));
	memcpy(whole->voxel_nm, v->voxel_nm, sizeof whole->voxel_nm);
	whole->role = FX_LABELS;
	for (size_t i = 0; i < all; i++) {
		const size_t k = backwards ? all - 1 - i : i;
		const size_t at[3] = { k / n[2] / n[1], k / n[2] % n[1], k % n[2] };
		struct fx_region r;

		for (int a = 0; a < 3; a++) {
			r.lo[a] = (int64_t)(at[a] * cell);
			r.hi[a] = (int64_t)((at[a] + 1) * cell < v->shape[a] ? (at[a] + 1) * cell :
									       v->shape[a]);
		}
		assert_int_equal(node_test_block(t, "labels", fx_block_crop(whole, r)), FX_OK);
	}
	fx_block_free(whole);
}

static const struct fx_tree *tree_of(const struct node_test *t, size_t i)
{
	const struct sent *s = node_test_get(t, "trees", FX_TREE, i);

	return s ? s->message : NULL;
}

/* The same of a tree that must be there. */
static const struct fx_tree *a_tree_of(const struct node_test *t, size_t i)
{
	const struct fx_tree *tree = tree_of(t, i);

	if (tree)
		return tree;
	fail_msg("tree %zu was not sent", i);
	abort(); /* fail_msg() does not return, but the compiler does not know */
}

static size_t roots_of(const struct fx_tree *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->len; i++)
		n += tree->nodes[i].parent < 0;
	return n;
}

/* Two tubes 6 wide along x, 1 and 2, that cross all blocks. */
static struct volume make_tubes(uint16_t *voxels)
{
	struct volume v = { { 16, 24, 60 }, { 20, 20, 20 }, voxels };

	for (size_t z = 0; z < 16; z++)
		for (size_t y = 0; y < 24; y++)
			for (size_t x = 0; x < 60; x++) {
				const size_t in = z > 3 && z < 10;

				voxels[(z * 24 + y) * 60 + x] = in && y > 2 && y < 9   ? 1 :
								in && y > 12 && y < 19 ? 2 :
											 0;
			}
	return v;
}

/* Traced in 2 x 2 x 3 cells: blocks of any size, in any order, give the same bytes. */
static void the_cut_does_not_matter(void **unused)
{
	static const struct {
		size_t cell;
		int backwards;
	} cuts[] = { { 20, 0 }, { 20, 1 }, { 13, 0 }, { 60, 0 }, { 7, 1 } };
	const char *const options[] = { "cell=16 16 20 voxel", NULL };
	static uint16_t voxels[16 * 24 * 60];
	const struct volume v = make_tubes(voxels);
	struct node_test *first = NULL;

	(void)unused;
	for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++) {
		struct node_test *t = node_test_new(&fx_node_skeletonizer_teasar, options);

		feed(t, &v, cuts[k].cell, cuts[k].backwards);
		assert_int_equal(node_test_drain(t), FX_OK);
		assert_int_equal(node_test_count(t, "trees", FX_TREE), 2);
		for (size_t i = 0; i < 2; i++) {
			const struct fx_tree *tree = a_tree_of(t, i), *same;

			assert_int_equal(tree->segment, i + 1);
			assert_int_equal(roots_of(tree), 1);
			assert_true(fabs(fx_tree_length_nm(tree) - 59 * 20) < 60);
			same = a_tree_of(first ? first : t, i);
			assert_int_equal(tree->len, same->len);
			assert_memory_equal(tree->nodes, same->nodes,
					    same->len * sizeof(struct fx_tree_node));
		}
		if (first)
			node_test_free(t);
		else
			first = t;
	}
	node_test_free(first);
}

static void give_pair(struct node_test *t, const char *kind, uint64_t a, uint64_t b)
{
	struct fx_record *r = fx_record_new(kind);

	assert_int_equal(fx_record_table(r, 1, 2), FX_OK);
	r->table[0] = a;
	r->table[1] = b;
	assert_int_equal(node_test_record(t, "labels", r), FX_OK);
}

static struct node_test *live(const char *lives)
{
	static uint16_t voxels[16 * 24 * 60];
	const struct volume v = make_tubes(voxels);
	const struct fx_mark done = { .kind = FX_MARK_DONE, .region.hi = { 16, 24, 60 } };
	const char *const options[] = { "cell=16 16 20 voxel", lives, NULL };
	struct node_test *t = node_test_new(&fx_node_skeletonizer_teasar, options);

	for (size_t i = 0; i < 16 * 24 * 60; i++)
		if (voxels[i] == 1 && i % 60 >= 20)
			voxels[i] = 3; /* one tube under two provisional ids */
	feed(t, &v, 20, 0);
	give_pair(t, "equivalence", 1, 3);
	node_test_mark(t, "labels", &done);
	give_pair(t, "final-ids", 1, 8);
	give_pair(t, "final-ids", 3, 8);
	give_pair(t, "final-ids", 2, 4);
	return t;
}

static void another_life_sends_the_same(void **unused)
{
	struct node_test *t[3];

	(void)unused;
	node_test_lives(live, t);
	assert_int_equal(node_test_count(t[2], "trees", FX_TREE), 2);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
	t[0] = live(NULL);
	node_test_hostile(t[0]);
	node_test_free(t[0]);
}

/* Object 8 is of part 2 of three, object 4 of part 1. */
static void parts_trace_their_objects(void **unused)
{
	struct node_test *whole = live(NULL);

	(void)unused;
	assert_int_equal(node_test_drain(whole), FX_OK);
	for (unsigned part = 0; part < 3; part++) {
		static const char *const options[] = { "@0/3", "@1/3", "@2/3" };
		struct node_test *t = live(options[part]);

		assert_int_equal(node_test_drain(t), FX_OK);
		assert_int_equal(node_test_count(t, "trees", FX_TREE), part ? 1 : 0);
		assert_int_equal(node_test_count(t, "trees", FX_NOTHING), 1);
		for (size_t i = 0; i < 2; i++) {
			const struct fx_tree *one = a_tree_of(whole, i), *same;

			if (one->segment % 3 != part)
				continue;
			same = a_tree_of(t, 0);
			assert_int_equal(same->segment, one->segment);
			assert_int_equal(same->len, one->len);
			assert_memory_equal(same->nodes, one->nodes, one->len * sizeof *one->nodes);
		}
		node_test_free(t);
	}
	node_test_free(whole);
}

static void uses_final_ids(void **unused)
{
	static uint16_t voxels[16 * 24 * 60];
	const struct volume v = make_tubes(voxels);
	struct node_test *t = node_test_new(&fx_node_skeletonizer_teasar, NULL);

	(void)unused;
	for (size_t i = 0; i < 16 * 24 * 60; i++)
		if (voxels[i] == 1 && i % 60 >= 20)
			voxels[i] = 3; /* one tube under two provisional ids */
	feed(t, &v, 20, 0);
	give_pair(t, "equivalence", 1, 3);
	give_pair(t, "final-ids", 1, 8);
	give_pair(t, "final-ids", 3, 8);
	assert_int_equal(node_test_drain(t), FX_ENOENT); /* 2 has none */
	assert_non_null(strstr(node_test_error(t), "label 2 has no final id"));
	node_test_free(t);

	t = node_test_new(&fx_node_skeletonizer_teasar, NULL);
	feed(t, &v, 20, 0);
	give_pair(t, "final-ids", 1, 8);
	give_pair(t, "final-ids", 3, 8);
	give_pair(t, "final-ids", 2, 4);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "trees", FX_TREE), 2);
	assert_int_equal(a_tree_of(t, 1)->segment, 8);
	assert_int_equal(roots_of(a_tree_of(t, 1)), 1);
	node_test_free(t);
}

static void sends_marks_and_drops_dust(void **unused)
{
	static uint16_t voxels[16 * 24 * 60];
	const struct volume v = make_tubes(voxels);
	const char *const options[] = { "dust=5000 voxel", NULL };
	struct node_test *t = node_test_new(&fx_node_skeletonizer_teasar, options);
	const struct fx_mark open = { .kind = FX_MARK_OPEN }, done = { .kind = FX_MARK_DONE };

	(void)unused;
	assert_int_equal(node_test_mark(t, "labels", &open), FX_OK);
	feed(t, &v, 20, 0);
	assert_int_equal(node_test_mark(t, "labels", &done), FX_OK);
	assert_int_equal(node_test_sent_len(t), 1);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "trees", FX_TREE), 0);
	assert_int_equal(node_test_sent_len(t), 2);
	assert_int_equal(node_test_sent(t, 1)->mark.kind, FX_MARK_DONE);
	node_test_free(t);
}

static void refuses_blocks_off_the_grid(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_skeletonizer_teasar, NULL);
	struct fx_block *a = fx_block_new(FX_U32, 8, 8, 8), *b = fx_block_new(FX_U32, 8, 6, 8);

	(void)unused;
	b->origin[0] = 8;
	assert_int_equal(node_test_block(t, "labels", a), FX_OK);
	assert_int_equal(node_test_block(t, "labels", b), FX_OK);
	assert_int_equal(node_test_drain(t), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "do not lie on one grid"));
	node_test_free(t);
}

static int read_crop(struct volume *v)
{
	char *path = test_data_dir() ?
			     fx_path_join(test_data_dir(), "labels/connectomics-crop.tif") :
			     NULL;
	TIFF *tiff = path ? TIFFOpen(path, "r") : NULL;
	size_t row = 0;

	free(path);
	if (!tiff)
		return -1;
	*v = (struct volume){ { 128, 128, 128 }, { 40, 16, 16 }, calloc(128 * 128 * 128, 2) };
	do
		for (uint32_t y = 0; y < 128; y++, row++)
			if (row >= 128 * 128 || TIFFScanlineSize(tiff) != 256 ||
			    TIFFReadScanline(tiff, v->voxels + row * 128, y, 0) < 0)
				fail_msg("connectomics-crop.tif is not 128 x 128 x 128 u16");
	while (TIFFReadDirectory(tiff));
	TIFFClose(tiff);
	return 0;
}

enum { LARGEST = 40000 }; /* voxels of the labels that are compared: the others take long */

/* Clears larger labels. */
static void keep_small(struct volume *v)
{
	size_t *count = calloc(65536, sizeof *count);

	for (size_t i = 0; i < 128 * 128 * 128; i++)
		count[v->voxels[i]]++;
	for (size_t i = 0; i < 128 * 128 * 128; i++)
		if (count[v->voxels[i]] > LARGEST)
			v->voxels[i] = 0;
	free(count);
}

/* Of a forest: that nodes lie in their object, and no way leads back to where it came from. */
static void check_inside(const struct fx_tree *tree, const struct volume *v)
{
	for (size_t n = 0; n < tree->len; n++) {
		const double *p = tree->nodes[n].pos_nm;
		const size_t z = (size_t)lround(p[0] / v->voxel_nm[0]),
			     y = (size_t)lround(p[1] / v->voxel_nm[1]),
			     x = (size_t)lround(p[2] / v->voxel_nm[2]);

		assert_int_equal(v->voxels[(z * v->shape[1] + y) * v->shape[2] + x], tree->segment);
		assert_true(tree->nodes[n].parent < (int32_t)n);
	}
}

/* Cable and trees of the objects that are compared, by the reference. */
static void read_reference(double *cable, size_t *trees)
{
	char *path = fx_path_join(test_data_dir(), "labels/kimimaro/connectomics-crop.json");
	json_t *reference = json_load_file(path, 0, NULL),
	       *list = json_object_get(reference, "skeletons");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);

		if (json_integer_value(json_object_get(s, "voxels")) > LARGEST)
			continue;
		*cable += json_number_value(json_object_get(s, "cable_nm"));
		*trees += (size_t)json_integer_value(json_object_get(s, "trees"));
	}
	json_decref(reference);
	free(path);
}

/* The length of all trees lies within 1 % of the reference's. */
static void agrees_with_the_reference(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_skeletonizer_teasar, NULL);
	const struct fx_tree *tree;
	double want = 0, cable = 0;
	size_t want_trees = 0, trees = 0;
	struct volume v;

	(void)unused;
	if (read_crop(&v) < 0)
		test_skip("skeletons against labels/kimimaro");
	keep_small(&v);
	read_reference(&want, &want_trees);
	feed(t, &v, 64, 0);
	assert_int_equal(node_test_drain(t), FX_OK);
	for (size_t i = 0; (tree = tree_of(t, i)); i++) {
		cable += fx_tree_length_nm(tree);
		trees += roots_of(tree);
		check_inside(tree, &v);
	}
	print_message("cable nm: reference %.0f, here %.0f\n", want, cable);
	assert_true(want > 10000);
	assert_int_equal(trees, want_trees);
	assert_true(fabs(cable / want - 1) < 0.01);
	node_test_free(t);
	free(v.voxels);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(another_life_sends_the_same),
					    cmocka_unit_test(the_cut_does_not_matter),
					    cmocka_unit_test(parts_trace_their_objects),
					    cmocka_unit_test(uses_final_ids),
					    cmocka_unit_test(sends_marks_and_drops_dust),
					    cmocka_unit_test(refuses_blocks_off_the_grid),
					    cmocka_unit_test(agrees_with_the_reference) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
