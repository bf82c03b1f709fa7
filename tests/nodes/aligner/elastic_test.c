// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/aligner/elastic.c and runtime/node/aligner_send.c. */
#include "support/test.h"

#include <fornix/error.h>

#include "kernels/elastic.h"
#include "nodes/aligner/stack.h"

extern const struct fx_node_type fx_node_aligner_elastic;

enum { SIDE = 110 };

/* How the second section is bent: voxel (y, x) shows what is at (y + by[0], x + by[1]). */
static void bend_at(double y, double x, double by[2])
{
	by[0] = 3 * sin(x / 14);
	by[1] = 2.5 * cos(y / 16);
}

/* The record's map and mesh say where voxels lie: those of both sections that show the same place
 * lie at the same one, on either axis. */
static void check_record(const struct node_test *t)
{
	const struct fx_record *r = stack_record(t, 1);
	const struct fx_affine2 map = stack_map(t, 1), first = stack_map(t, 0);
	struct fx_mesh m = { 0 };
	double sum[2] = { 0, 0 };
	int n = 0;

	assert_int_equal(fx_mesh_init(&m, SIDE, SIDE, 14), FX_OK);
	for (size_t i = 0; i < 2 * m.height * m.width; i++)
		m.by[i] = (double)(int64_t)r->table[i] / 1e6;
	for (int y = 24; y < SIDE - 24; y += 6)
		for (int x = 24; x < SIDE - 24; x += 6, n++) {
			const double p[2] = { y, x };
			double by[2], to[2], there[2], should[2];

			bend_at(y, x, by);
			there[0] = y + by[0];
			there[1] = x + by[1];
			fx_affine2_apply(&first, there, should);
			fx_affine2_apply(&map, p, to);
			fx_mesh_at(&m, to, by);
			for (int a = 0; a < 2; a++)
				sum[a] += fabs(to[a] + by[a] - should[a]);
		}
	fx_mesh_fini(&m);
	if (!(sum[0] / n < 0.5 && sum[1] / n < 0.5))
		fail_msg("the mesh misses by %.2f along y, %.2f along x", sum[0] / n, sum[1] / n);
}

/* Two sections of one texture, the second one bent by up to 4 voxels; how much they differ where
 * both are, once aligned. */
static double difference(const struct fx_block *v)
{
	static const char *const options[] = { "references=1",	"patch=24",
					       "grid=12",	"mesh=14",
					       "stiffness=0.1", "pull=0",
					       "pull_shape=0",	NULL };
	struct node_test *t = stack_run(&fx_node_aligner_elastic, options, v);
	const struct fx_block *a = node_test_get(t, "image", FX_BLOCK, 0)->message,
			      *b = node_test_get(t, "image", FX_BLOCK, 1)->message;
	const struct fx_record *r = stack_record(t, 1);
	double sum = 0;

	assert_int_equal(r->columns, 2);
	assert_int_equal(r->rows, 9 * 9);
	assert_true(fx_record_number(r, "mesh.step", 0) == 14);
	for (size_t y = 20; y < SIDE - 20; y++)
		for (size_t x = 20; x < SIDE - 20; x++)
			sum += fabs((double)((const uint8_t *)a->data)[y * SIDE + x] -
				    ((const uint8_t *)b->data)[y * SIDE + x]);
	check_record(t);
	node_test_free(t);
	return sum / ((SIDE - 40) * (SIDE - 40));
}

static void bent_sections_are_straightened(void **unused)
{
	struct fx_block *v = fx_block_new(FX_U8, 2, SIDE, SIDE);
	uint8_t *to = v->data;
	double before = 0, after;

	(void)unused;
	for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) {
		const double y = (double)(i / SIDE), x = (double)(i % SIDE);
		double by[2];

		bend_at(y, x, by);
		to[i] = (uint8_t)texture_at(6, y, x);
		to[i + (size_t)SIDE * SIDE] = (uint8_t)texture_at(6, y + by[0], x + by[1]);
		before += fabs((double)to[i] - to[i + (size_t)SIDE * SIDE]) / (SIDE * SIDE);
	}
	after = difference(v);
	if (before < 8 || after > before / 3)
		fail_msg("they differ by %.2f, once aligned by %.2f", before, after);
	fx_block_free(v);
}

static void another_life_sends_the_same(void **unused)
{
	static const char *const options[] = { "references=2", "ahead=1", "patch=16", "grid=4",
					       NULL };
	struct stack s = stack_new(6, 48, 2, 0.02);
	struct fx_block *v = stack_volume(&s);

	(void)unused;
	sections_check_lives(&fx_node_aligner_elastic, options, v);
	fx_block_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bent_sections_are_straightened),
		cmocka_unit_test(another_life_sends_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
