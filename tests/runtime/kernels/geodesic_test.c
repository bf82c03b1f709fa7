// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/geodesic.c. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

#include "kernels/geodesic.h"

enum { NZ = 6, NY = 8, NX = 9, PADDED = (NZ + 2) * (NY + 2) * (NX + 2) };
static const size_t shape[3] = { NZ, NY, NX };
static const double voxel_nm[3] = { 40, 16, 10 };

/* A random object of two kinds of voxels. */
static uint32_t make(struct fx_lattice *l, uint32_t *ids, uint64_t seed)
{
	uint32_t source = 0;

	assert_int_equal(fx_lattice_init(l, shape, voxel_nm), FX_OK);
	assert_int_equal(l->len, PADDED);
	for (size_t i = 0; i < PADDED; i++)
		ids[i] = 0;
	for (size_t z = 0; z < NZ; z++)
		for (size_t y = 0; y < NY; y++)
			for (size_t x = 0; x < NX; x++) {
				const uint32_t at = fx_lattice_index(l, z, y, x);

				ids[at] = 1 + (test_random(&seed) % 3 == 0);
				if (!source && ids[at] == 1)
					source = at;
			}
	return source;
}

/* Relaxes every step until nothing changes. Steps cost @p penalty of where they go, else length. */
static void brute(const struct fx_lattice *l, const uint32_t *ids, const float *penalty,
		  uint32_t source, double *cost)
{
	int changed = 1;

	for (size_t i = 0; i < PADDED; i++)
		cost[i] = HUGE_VAL;
	cost[source] = 0;
	while (changed) {
		changed = 0;
		for (size_t i = 0; i < PADDED; i++)
			for (int n = 0; ids[i] == 1 && n < 26; n++) {
				const size_t j = (size_t)((ptrdiff_t)i + l->offset[n]);
				const double c = cost[i] + (penalty ? (double)penalty[j] :
								      (double)l->step_nm[n]);

				if (ids[j] == 1 && c < cost[j] - 1e-9) {
					cost[j] = c;
					changed = 1;
				}
			}
	}
}

static void field_equals_relaxation(void **unused)
{
	struct fx_lattice l;
	uint32_t ids[PADDED], order[PADDED];
	float dist[PADDED];
	double want[PADDED];
	const uint32_t source = make(&l, ids, 5);
	struct fx_geodesic *g = fx_geodesic_new(&l);
	size_t len, reached = 0;

	(void)unused;
	for (size_t i = 0; i < PADDED; i++)
		dist[i] = INFINITY;
	assert_int_equal(fx_geodesic_field(g, ids, 1, source, dist, order, &len), FX_OK);
	brute(&l, ids, NULL, source, want);
	for (size_t i = 0; i < PADDED; i++) {
		if (isinf(want[i])) {
			assert_true(isinf(dist[i]));
			continue;
		}
		assert_true(fabs((double)dist[i] - want[i]) < 1e-2);
		reached++;
	}
	assert_int_equal(len, reached);
	for (size_t i = 1; i < len; i++)
		assert_true(fx_geodesic_band(g, (double)dist[order[i - 1]]) <=
			    fx_geodesic_band(g, (double)dist[order[i]]));
	fx_geodesic_free(g);
}

static void way_is_the_cheapest(void **unused)
{
	struct fx_lattice l;
	uint32_t ids[PADDED], *way;
	uint8_t flags[PADDED] = { 0 };
	float penalty[PADDED];
	double want[PADDED], cost = 0;
	uint64_t seed = 11;
	const uint32_t start = make(&l, ids, 6);
	struct fx_geodesic *g = fx_geodesic_new(&l);
	uint32_t goal = 0;
	size_t len;

	(void)unused;
	for (size_t i = 0; i < PADDED; i++)
		penalty[i] = (float)(test_random(&seed) % 100 + 1);
	brute(&l, ids, penalty, start, want);
	for (uint32_t i = 0; i < PADDED; i++)
		if (!isinf(want[i]))
			goal = i;
	assert_int_equal(fx_geodesic_way(g, ids, 1, penalty, start, flags, 1, &way, &len),
			 FX_ENOENT);
	flags[goal] = 1;
	assert_int_equal(fx_geodesic_way(g, ids, 1, penalty, start, flags, 1, &way, &len), FX_OK);
	assert_int_equal(way[0], goal);
	assert_int_equal(way[len - 1], start);
	for (size_t i = 0; i + 1 < len; i++) {
		size_t a[3], b[3];

		cost += (double)penalty[way[i]];
		assert_int_equal(ids[way[i]], 1);
		fx_lattice_voxel(&l, way[i], a);
		fx_lattice_voxel(&l, way[i + 1], b);
		for (int k = 0; k < 3; k++)
			assert_true(a[k] + 1 >= b[k] && b[k] + 1 >= a[k]);
	}
	assert_true(fabs(cost - want[goal]) < 1e-6);
	free(way);
	fx_geodesic_free(g);
}

/* In a full volume a ball is all voxels within its radius; a wall stops it. */
static void balls_stay_inside(void **unused)
{
	struct fx_lattice l;
	uint32_t ids[PADDED], owner[PADDED];
	float depth[PADDED];
	const struct fx_ball ball = { { 2, 4, 2 }, 55 };
	struct fx_ball_entry entry = { 0, 0 };
	struct fx_geodesic *g;

	(void)unused;
	make(&l, ids, 1);
	g = fx_geodesic_new(&l);
	entry.voxel = fx_lattice_index(&l, 2, 4, 2);
	for (size_t i = 0; i < PADDED; i++) {
		size_t at[3];

		fx_lattice_voxel(&l, (uint32_t)i, at);
		ids[i] = ids[i] && at[2] != 5;
		depth[i] = -1;
	}
	assert_int_equal(fx_geodesic_roll(g, ids, 1, &ball, &entry, 1, depth, owner), FX_OK);
	for (uint32_t i = 0; i < PADDED; i++) {
		size_t at[3];
		double z, y, x;

		if (!ids[i])
			continue;
		fx_lattice_voxel(&l, i, at);
		z = ((double)at[0] - 2) * 40;
		y = ((double)at[1] - 4) * 16;
		x = ((double)at[2] - 2) * 10;
		assert_int_equal(depth[i] >= 0, at[2] < 5 && z * z + y * y + x * x <= 55.0 * 55.0);
	}
	fx_geodesic_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(field_equals_relaxation),
					    cmocka_unit_test(way_is_the_cheapest),
					    cmocka_unit_test(balls_stay_inside) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
