// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/alignchain.c. */
#include "support/test.h"

#include <string.h>

#include <fornix/error.h>

#include "kernels/alignchain.h"
#include "support/texture.h"

enum { N = 6 };

static struct fx_chain chain_of(struct fx_chain_node *nodes, const struct fx_chain_edge *edges,
				size_t len, enum fx_motion motion)
{
	return (struct fx_chain){ .motion = motion,
				  .height = 200,
				  .width = 100,
				  .within = 2,
				  .spring = 1e-5,
				  .nodes = nodes,
				  .nodes_len = N,
				  .edges = edges,
				  .edges_len = len };
}

static void near(const struct fx_affine2 *a, const struct fx_affine2 *b, double within)
{
	for (int k = 0; k < 4; k++) {
		const double p[2] = { k & 1 ? 199 : 0, k & 2 ? 99 : 0 };
		double x[2], y[2];

		fx_affine2_apply(a, p, x);
		fx_affine2_apply(b, p, y);
		if (!(hypot(x[0] - y[0], x[1] - y[1]) < within))
			fail_msg("%.4f %.4f instead of %.4f %.4f", x[0], x[1], y[0], y[1]);
	}
}

/* Random maps; the first node is where it is. */
static void make(struct fx_affine2 *truth, struct fx_chain_node *nodes, enum fx_motion motion)
{
	uint64_t seed = 12;

	for (int i = 0; i < N; i++) {
		truth[i] = fx_affine2_shift(10 * texture_chance(&seed), 10 * texture_chance(&seed));
		for (int k = 0; k < 4 && motion == FX_MOTION_AFFINE; k++)
			truth[i].m[k / 2][k % 2] += 0.04 * texture_chance(&seed) - 0.02;
		nodes[i] = (struct fx_chain_node){ .z = 3 * i };
	}
	nodes[0].fixed = true;
	nodes[0].map = truth[0];
}

static struct fx_chain_edge edge(const struct fx_affine2 *truth, size_t one, size_t other,
				 double weight)
{
	struct fx_chain_edge e = { one, other, { { { 0 } } }, weight };
	struct fx_affine2 back;

	assert_true(fx_affine2_invert(&truth[other], &back));
	e.map = fx_affine2_after(&back, &truth[one]);
	return e;
}

static void all_fit(void **unused)
{
	struct fx_affine2 truth[N];
	struct fx_chain_node nodes[N];
	struct fx_chain_edge edges[2 * N];
	size_t len;

	(void)unused;
	for (int motion = FX_MOTION_SHIFT; motion <= FX_MOTION_AFFINE; motion++) {
		struct fx_chain c;

		make(truth, nodes, (enum fx_motion)motion);
		len = 0;
		for (size_t i = 1; i < N; i++)
			edges[len++] = edge(truth, i, i - 1, 1);
		for (size_t i = 2; i < N; i++)
			edges[len++] = edge(truth, i, i - 2, 0.5);
		edges[len] = edge(truth, 4, 1, 1);
		edges[len++].map.m[0][2] += 40; /* one is wrong */
		c = chain_of(nodes, edges, len, (enum fx_motion)motion);
		assert_int_equal(fx_chain_solve(&c), FX_OK);
		for (int i = 0; i < N; i++)
			near(&nodes[i].map, &truth[i], 0.3);
	}
}

static void those_without_edges_lie_between(void **unused)
{
	struct fx_affine2 truth[N], half;
	struct fx_chain_node nodes[N];
	struct fx_chain_edge edges[N];
	struct fx_chain c;

	(void)unused;
	make(truth, nodes, FX_MOTION_AFFINE);
	edges[0] = edge(truth, 2, 0, 1);
	edges[1] = edge(truth, 3, 2, 1);
	c = chain_of(nodes, edges, 2, FX_MOTION_AFFINE);
	assert_int_equal(fx_chain_solve(&c), FX_OK);
	for (int i = 0; i < 6; i++)
		half.m[i / 3][i % 3] = (truth[0].m[i / 3][i % 3] + truth[2].m[i / 3][i % 3]) / 2;
	near(&nodes[1].map, &half, 0.03);
	near(&nodes[5].map, &truth[3], 0.03); /* behind the last, as the last */
}

static void tissue_moves_and_pull(void **unused)
{
	struct fx_affine2 truth[N];
	struct fx_chain_node nodes[N];
	struct fx_chain_edge edges[N];
	struct fx_chain c;
	const struct fx_affine2 still = fx_affine2_shift(0, 0);

	(void)unused;
	for (int i = 0; i < N; i++) { /* 2 voxels a section along y, seen in the images */
		truth[i] = fx_affine2_shift(-6 * i, 0);
		nodes[i] = (struct fx_chain_node){ .z = 3 * i, .map = still, .fixed = i == 0 };
	}
	for (size_t i = 1; i < N; i++)
		edges[i - 1] = edge(truth, i, i - 1, 1);
	c = chain_of(nodes, edges, N - 1, FX_MOTION_AFFINE);
	c.moves[0][0] = -2;
	assert_int_equal(fx_chain_solve(&c), FX_OK);
	near(&nodes[5].map, &still, 0.01);
	c.moves[0][0] = 0;
	assert_int_equal(fx_chain_solve(&c), FX_OK);
	near(&nodes[5].map, &truth[5], 0.01);
	for (int i = 0; i < N; i++)
		nodes[i].pull[0] = nodes[i].pull[1] = 100;
	assert_int_equal(fx_chain_solve(&c), FX_OK);
	near(&nodes[5].map, &still, 0.5);
}

/* Pairs that contradict each other do not make all smaller. */
static void nothing_shrinks(void **unused)
{
	struct fx_affine2 truth[N];
	struct fx_chain_node nodes[N];
	struct fx_chain_edge edges[2 * N];
	struct fx_chain c;
	size_t len = 0;

	(void)unused;
	make(truth, nodes, FX_MOTION_AFFINE);
	nodes[0].fixed = false;
	for (size_t i = 1; i < N; i++)
		edges[len++] = edge(truth, i, i - 1, 1);
	for (size_t i = 2; i < N; i++) {
		edges[len] = edge(truth, i, i - 2, 1);
		edges[len++].map.m[1][2] += i % 2 ? 0.5 : -0.5;
	}
	c = chain_of(nodes, edges, len, FX_MOTION_AFFINE);
	assert_int_equal(fx_chain_solve(&c), FX_OK);
	for (int i = 0; i < N; i++) { /* the first stands still */
		const struct fx_affine2 placed = fx_affine2_after(&truth[0], &nodes[i].map);

		near(&placed, &truth[i], 0.8);
	}
}

static void nothing_to_solve(void **unused)
{
	struct fx_chain_node nodes[N] = { { .z = 0 } };
	struct fx_chain_edge edge = { 1, 0, { { { 1, 0, (double)NAN }, { 0, 1, 0 } } }, 1 };
	struct fx_chain c = chain_of(nodes, &edge, 0, FX_MOTION_AFFINE);
	const struct fx_affine2 still = fx_affine2_shift(0, 0);

	(void)unused;
	assert_int_equal(fx_chain_solve(&c), FX_OK);
	near(&nodes[3].map, &still, 1e-6);
	c.edges_len = 1;
	assert_int_equal(fx_chain_solve(&c), FX_EINVAL);
	for (int i = 0; i < N; i++)
		nodes[i] = (struct fx_chain_node){ .fixed = true, .map = still };
	c.edges_len = 0;
	assert_int_equal(fx_chain_solve(&c), FX_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_fit),
		cmocka_unit_test(those_without_edges_lie_between),
		cmocka_unit_test(tissue_moves_and_pull),
		cmocka_unit_test(nothing_shrinks),
		cmocka_unit_test(nothing_to_solve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
