// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/phantom*.c. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/map64.h"
#include "kernels/phantom.h"

/* A small dense volume with short processes, so that much happens. */
static struct fx_phantom_spec small(size_t height, size_t width)
{
	return (struct fx_phantom_spec){ .height = height,
					 .width = width,
					 .voxel_nm = { 10, 10, 10 },
					 .spacing_nm = 140,
					 .slope = 1,
					 .branch_nm = 900,
					 .end_nm = 900,
					 .mitochondria = 2,
					 .vesicles = 1,
					 .noise = 6,
					 .jitter = 3,
					 .node_nm = 40,
					 .piece_len = 1000,
					 .seed = 7 };
}

struct volume {
	size_t depth, height, width;
	uint8_t *image;
	uint32_t *truth;
	struct fx_tree **trees;
	size_t trees_len;
};

static void keep_trees(struct volume *v, struct fx_phantom *p)
{
	struct fx_tree *t;

	while ((t = fx_phantom_take_tree(p))) {
		v->trees = realloc(v->trees, (v->trees_len + 1) * sizeof(struct fx_tree *));
		assert_non_null(v->trees);
		v->trees[v->trees_len++] = t;
	}
}

static struct volume grow(const struct fx_phantom_spec *spec, size_t depth)
{
	const size_t area = spec->height * spec->width;
	struct volume v = { .depth = depth, .height = spec->height, .width = spec->width };
	struct fx_error err = { 0 };
	struct fx_phantom *p = NULL;

	v.image = malloc(depth * area);
	v.truth = malloc(depth * area * sizeof *v.truth);
	assert_true(v.image && v.truth);
	assert_int_equal(fx_phantom_new(spec, &p, &err), FX_OK);
	for (size_t z = 0; z < depth; z++) {
		assert_int_equal(fx_phantom_next(p, &err), FX_OK);
		assert_int_equal(fx_phantom_render(p, 0, 0, spec->height, spec->width,
						   v.image + z * area, v.truth + z * area, &err),
				 FX_OK);
		keep_trees(&v, p);
	}
	assert_int_equal(fx_phantom_finish(p, &err), FX_OK);
	keep_trees(&v, p);
	fx_phantom_free(p);
	return v;
}

static void drop(struct volume *v)
{
	for (size_t i = 0; i < v->trees_len; i++)
		fx_tree_free(v->trees[i]);
	free(v->trees);
	free(v->image);
	free(v->truth);
}

static void assert_same_start(const struct volume *a, const struct volume *b, size_t depth)
{
	const size_t n = depth * a->height * a->width;

	assert_memory_equal(a->image, b->image, n);
	assert_memory_equal(a->truth, b->truth, n * sizeof *a->truth);
}

static void same_seed_same_bytes_for_any_threads(void **unused)
{
	const struct fx_phantom_spec spec = small(170, 101);
	const int threads = omp_get_max_threads();
	struct volume a, b;

	(void)unused;
	omp_set_num_threads(1);
	a = grow(&spec, 8);
	omp_set_num_threads(2);
	b = grow(&spec, 8);
	omp_set_num_threads(threads);
	assert_same_start(&a, &b, 8);
	assert_int_equal(a.trees_len, b.trees_len);
	for (size_t i = 0; i < a.trees_len; i++) {
		assert_int_equal(a.trees[i]->segment, b.trees[i]->segment);
		assert_int_equal(a.trees[i]->len, b.trees[i]->len);
		for (size_t k = 0; k < a.trees[i]->len; k++)
			assert_true(a.trees[i]->nodes[k].radius_nm ==
				    b.trees[i]->nodes[k].radius_nm);
	}
	drop(&a);
	drop(&b);
}

static void another_seed_grows_another_tissue(void **unused)
{
	struct fx_phantom_spec spec = small(40, 40);
	struct volume a = grow(&spec, 1), b;

	(void)unused;
	spec.seed = 8;
	b = grow(&spec, 1);
	assert_memory_not_equal(a.truth, b.truth, 1600 * sizeof *a.truth);
	drop(&a);
	drop(&b);
}

static void a_section_does_not_depend_on_the_depth(void **unused)
{
	const struct fx_phantom_spec spec = small(33, 47);
	struct volume a = grow(&spec, 6), b = grow(&spec, 15);

	(void)unused;
	assert_same_start(&a, &b, 6);
	drop(&a);
	drop(&b);
}

static void a_section_does_not_depend_on_how_it_is_cut(void **unused)
{
	const struct fx_phantom_spec spec = small(45, 52);
	struct volume v = grow(&spec, 2);
	struct fx_error err = { 0 };
	struct fx_phantom *p = NULL;
	uint8_t image[17 * 19];
	uint32_t truth[17 * 19];

	(void)unused;
	assert_int_equal(fx_phantom_new(&spec, &p, &err), FX_OK);
	fx_phantom_next(p, &err);
	fx_phantom_next(p, &err);
	for (size_t y = 0; y < 45; y += 17)
		for (size_t x = 0; x < 52; x += 19) {
			const size_t h = y + 17 > 45 ? 45 - y : 17, w = x + 19 > 52 ? 52 - x : 19;

			assert_int_equal(fx_phantom_render(p, y, x, h, w, image, truth, &err), 0);
			for (size_t i = 0; i < h; i++) {
				const size_t at = (45 + y + i) * 52 + x;

				assert_memory_equal(image + i * w, v.image + at, w);
				assert_memory_equal(truth + i * w, v.truth + at, w * sizeof *truth);
			}
		}
	assert_int_equal(fx_phantom_render(p, 40, 0, 6, 1, image, truth, &err), FX_EINVAL);
	fx_phantom_free(p);
	drop(&v);
}

static uint32_t label_at(const struct volume *v, const double pos_nm[3])
{
	size_t at[3];

	for (int a = 0; a < 3; a++)
		at[a] = (size_t)lround(pos_nm[a] / 10);
	assert_true(at[0] < v->depth && at[1] < v->height && at[2] < v->width);
	return v->truth[(at[0] * v->height + at[1]) * v->width + at[2]];
}

/* Voxels of a label that hold together over faces, edges and corners with its first one. */
static void flood(const struct volume *v, uint8_t *seen, size_t *stack, size_t from)
{
	const int64_t shape[3] = { (int64_t)v->depth, (int64_t)v->height, (int64_t)v->width };
	size_t len = 1;

	stack[0] = from;
	seen[from] = 1;
	while (len > 0) {
		const size_t i = stack[--len];
		const int64_t z = (int64_t)(i / (v->height * v->width));
		const int64_t y = (int64_t)(i / v->width % v->height);
		const int64_t x = (int64_t)(i % v->width);

		for (int k = 0; k < 27; k++) {
			const int64_t at[3] = { z + k / 9 - 1, y + k / 3 % 3 - 1, x + k % 3 - 1 };
			size_t j;

			if (at[0] < 0 || at[1] < 0 || at[2] < 0 || at[0] >= shape[0] ||
			    at[1] >= shape[1] || at[2] >= shape[2])
				continue;
			j = (size_t)((at[0] * shape[1] + at[1]) * shape[2] + at[2]);
			if (!seen[j] && v->truth[j] == v->truth[i]) {
				seen[j] = 1;
				stack[len++] = j;
			}
		}
	}
}

static void labels_hold_together(void **unused)
{
	const struct fx_phantom_spec spec = small(80, 80);
	struct volume v = grow(&spec, 36);
	const size_t n = v.depth * v.height * v.width;
	uint8_t *seen = calloc(n, 1);
	size_t *stack = malloc(n * sizeof *stack), pieces = 0;
	struct fx_map64 labels = { 0 };

	(void)unused;
	assert_true(seen && stack);
	for (size_t i = 0; i < n; i++) {
		assert_true(v.truth[i] > 0);
		assert_non_null(fx_map64_at(&labels, v.truth[i]));
		if (!seen[i]) {
			flood(&v, seen, stack, i);
			pieces++;
		}
	}
	/* some leave the picture and come back, or are cut by its rim */
	assert_true(labels.len > 50);
	assert_true(pieces <= labels.len + labels.len / 5);
	fx_map64_fini(&labels);
	free(seen);
	free(stack);
	drop(&v);
}

static void check_tree(const struct volume *v, const struct fx_tree *t, size_t *forks)
{
	size_t children[2048] = { 0 };

	for (size_t i = 0; i < t->len; i++) {
		const struct fx_tree_node *n = &t->nodes[i];

		assert_int_equal(label_at(v, n->pos_nm), t->segment);
		assert_true(n->radius_nm >= 5 && n->radius_nm < 1000);
		assert_true(n->parent >= -1 && n->parent < (int32_t)i);
		if (n->parent >= 0 && ++children[n->parent] == 2)
			++*forks;
		if (n->parent >= 0) {
			assert_true(fabs(n->pos_nm[1] - t->nodes[n->parent].pos_nm[1]) < 200);
			assert_true(n->pos_nm[0] >= t->nodes[n->parent].pos_nm[0]);
		}
	}
}

static void nodes_lie_in_their_own_label(void **unused)
{
	const struct fx_phantom_spec spec = small(90, 80);
	struct volume v = grow(&spec, 50);
	struct fx_map64 segments = { 0 };
	size_t forks = 0, nodes = 0, ended = 0;

	(void)unused;
	for (size_t i = 0; i < v.trees_len; i++) {
		uint64_t *times = fx_map64_at(&segments, v.trees[i]->segment);

		assert_non_null(times);
		assert_int_equal((*times)++, 0); /* no id is used twice, no piece is this long */
		check_tree(&v, v.trees[i], &forks);
		nodes += v.trees[i]->len;
		for (size_t k = 0; k < v.trees[i]->len; k++)
			ended += v.trees[i]->nodes[k].type == 6;
	}
	assert_true(v.trees_len > 60);
	assert_true(nodes > 8 * v.trees_len);
	assert_true(forks >= 5);
	assert_true(ended >= 5);
	fx_map64_fini(&segments);
	drop(&v);
}

/* Roots of @p t that do not lie where a node of an earlier piece lies. */
static size_t loose_roots(const struct volume *v, const struct fx_tree *t)
{
	size_t loose = 0;

	for (size_t i = 0; i < t->len; i++) {
		bool joined = t->nodes[i].parent >= 0;

		for (size_t k = 0; k < v->trees_len && v->trees[k] != t && !joined; k++)
			for (size_t l = 0; l < v->trees[k]->len && !joined; l++)
				joined = v->trees[k]->segment == t->segment &&
					 memcmp(v->trees[k]->nodes[l].pos_nm, t->nodes[i].pos_nm,
						sizeof t->nodes[i].pos_nm) == 0;
		loose += !joined;
	}
	return loose;
}

static void long_neurites_come_in_joined_pieces(void **unused)
{
	struct fx_phantom_spec spec = small(40, 40);
	struct volume v = { 0 };
	struct fx_error err = { 0 };
	struct fx_phantom *p = NULL;
	size_t early, joined = 0;

	(void)unused;
	spec.node_nm = 1;
	spec.piece_len = 10;
	assert_int_equal(fx_phantom_new(&spec, &p, &err), FX_OK);
	for (int z = 0; z < 25; z++) {
		assert_int_equal(fx_phantom_next(p, &err), FX_OK);
		keep_trees(&v, p);
	}
	early = v.trees_len;
	assert_int_equal(fx_phantom_finish(p, &err), FX_OK);
	keep_trees(&v, p);
	for (size_t i = early; i < v.trees_len; i++) {
		assert_true(v.trees[i]->len < 40);
		joined += v.trees[i]->nodes[0].pos_nm[0] > 0 && loose_roots(&v, v.trees[i]) == 0;
	}
	assert_true(joined > 0);
	fx_phantom_free(p);
	drop(&v);
}

static void any_size_down_to_one_voxel(void **unused)
{
	static const size_t sizes[][3] = { { 1, 1, 1 }, { 3, 1, 37 }, { 2, 65, 1 }, { 1, 33, 34 } };

	(void)unused;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		const struct fx_phantom_spec spec = small(sizes[i][1], sizes[i][2]);
		struct volume v = grow(&spec, sizes[i][0]);

		for (size_t k = 0; k < sizes[i][0] * sizes[i][1] * sizes[i][2]; k++)
			assert_true(v.truth[k] > 0);
		drop(&v);
	}
}

static void thick_sections_work(void **unused)
{
	struct fx_phantom_spec spec = small(40, 40);
	struct volume v;

	(void)unused;
	spec.voxel_nm[0] = 40;
	v = grow(&spec, 10);
	assert_true(v.trees_len > 5);
	drop(&v);
}

/* Membranes are dark: on the whole, voxels at a border of two labels are darker than others. */
static void borders_are_dark(void **unused)
{
	const struct fx_phantom_spec spec = small(96, 96);
	struct volume v = grow(&spec, 1);
	double sum[2] = { 0, 0 }, count[2] = { 0, 0 };

	(void)unused;
	for (size_t y = 0; y + 1 < 96; y++)
		for (size_t x = 0; x + 1 < 96; x++) {
			const size_t i = y * 96 + x;
			const int border =
				v.truth[i] != v.truth[i + 1] || v.truth[i] != v.truth[i + 96];

			sum[border] += v.image[i];
			count[border]++;
		}
	assert_true(sum[0] / count[0] > sum[1] / count[1] + 15);
	drop(&v);
}

static void refuses_what_cannot_be_grown(void **unused)
{
	struct fx_phantom_spec spec = small(0, 5);
	struct fx_phantom *p = NULL;
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_phantom_new(&spec, &p, &err), FX_EINVAL);
	spec = small(5, 5);
	spec.spacing_nm = 50;
	assert_int_equal(fx_phantom_new(&spec, &p, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "spacing"));
	spec = small(5, 5);
	spec.noise = (double)NAN;
	assert_int_equal(fx_phantom_new(&spec, &p, &err), FX_EINVAL);
	assert_null(p);
	fx_phantom_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_same_bytes_for_any_threads),
		cmocka_unit_test(another_seed_grows_another_tissue),
		cmocka_unit_test(a_section_does_not_depend_on_the_depth),
		cmocka_unit_test(a_section_does_not_depend_on_how_it_is_cut),
		cmocka_unit_test(labels_hold_together),
		cmocka_unit_test(nodes_lie_in_their_own_label),
		cmocka_unit_test(long_neurites_come_in_joined_pieces),
		cmocka_unit_test(any_size_down_to_one_voxel),
		cmocka_unit_test(thick_sections_work),
		cmocka_unit_test(borders_are_dark),
		cmocka_unit_test(refuses_what_cannot_be_grown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
