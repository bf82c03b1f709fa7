// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/geodesic.c. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/geodesic.h"

enum { NZ = 6, NY = 8, NX = 9, PADDED = (NZ + 2) * (NY + 2) * (NX + 2) };
static const size_t shape[3] = { NZ, NY, NX };
static const double voxel_nm[3] = { 40, 16, 10 };

/* A random object of two thirds of the voxels. */
static uint32_t make(struct fx_lattice *l, uint8_t *flags, uint64_t seed)
{
	uint32_t source = 0;

	assert_int_equal(fx_lattice_init(l, shape, voxel_nm), FX_OK);
	assert_int_equal(l->len, PADDED);
	for (size_t i = 0; i < PADDED; i++)
		flags[i] = 0;
	for (size_t z = 0; z < NZ; z++)
		for (size_t y = 0; y < NY; y++)
			for (size_t x = 0; x < NX; x++) {
				const uint32_t at = fx_lattice_index(l, z, y, x);

				flags[at] = test_random(&seed) % 3 ? FX_VOXEL_IN : 0;
				if (!source && flags[at])
					source = at;
			}
	return source;
}

/* Relaxes every step until nothing changes. Steps cost @p penalty of where they go, else length. */
static void brute(const struct fx_lattice *l, const uint8_t *flags, const float *penalty,
		  uint32_t source, double *cost)
{
	int changed = 1;

	for (size_t i = 0; i < PADDED; i++)
		cost[i] = HUGE_VAL;
	cost[source] = 0;
	while (changed) {
		changed = 0;
		for (size_t i = 0; i < PADDED; i++)
			for (int n = 0; flags[i] && n < 26; n++) {
				const size_t j = (size_t)((ptrdiff_t)i + l->offset[n]);
				const double c = cost[i] + (penalty ? (double)penalty[j] :
								      (double)l->step_nm[n]);

				if (flags[j] && c < cost[j] - 1e-9) {
					cost[j] = c;
					changed = 1;
				}
			}
	}
}

static void field_equals_relaxation(void **unused)
{
	struct fx_lattice l;
	uint8_t flags[PADDED];
	uint32_t order[PADDED];
	float dist[PADDED];
	double want[PADDED];
	const uint32_t source = make(&l, flags, 5);
	struct fx_geodesic *g = fx_geodesic_new(&l);
	size_t len, reached = 0;

	(void)unused;
	for (size_t i = 0; i < PADDED; i++)
		dist[i] = flags[i] ? INFINITY : 0;
	assert_int_equal(fx_geodesic_field(g, source, dist, order, &len), FX_OK);
	brute(&l, flags, NULL, source, want);
	for (size_t i = 0; i < PADDED; i++) {
		if (isinf(want[i])) {
			assert_true(flags[i] ? isinf(dist[i]) : dist[i] <= 0);
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
	uint32_t *way;
	uint8_t flags[PADDED], before[PADDED];
	float penalty[PADDED];
	double want[PADDED], cost = 0;
	uint64_t seed = 11;
	const uint32_t start = make(&l, flags, 6);
	struct fx_geodesic *g = fx_geodesic_new(&l);
	uint32_t goal = 0;
	size_t len;

	(void)unused;
	for (size_t i = 0; i < PADDED; i++)
		penalty[i] = (float)(test_random(&seed) % 100 + 1);
	brute(&l, flags, penalty, start, want);
	for (uint32_t i = 0; i < PADDED; i++)
		if (!isinf(want[i]))
			goal = i;
	memcpy(before, flags, sizeof before);
	assert_int_equal(fx_geodesic_way(g, flags, penalty, start, FX_VOXEL_TREE, &way, &len),
			 FX_ENOENT);
	assert_memory_equal(flags, before, sizeof before);
	flags[goal] |= FX_VOXEL_TREE;
	assert_int_equal(fx_geodesic_way(g, flags, penalty, start, FX_VOXEL_TREE, &way, &len),
			 FX_OK);
	assert_int_equal(way[0], goal);
	assert_int_equal(way[len - 1], start);
	for (size_t i = 0; i + 1 < len; i++) {
		size_t a[3], b[3];

		cost += (double)penalty[way[i]];
		assert_true(flags[way[i]] & FX_VOXEL_IN);
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
	uint8_t flags[PADDED];
	struct fx_clearing by[PADDED];
	const struct fx_ball ball = { { 2, 4, 2 }, 55 };
	struct fx_ball_entry entry = { 0, 0 };
	struct fx_geodesic *g;

	(void)unused;
	make(&l, flags, 1);
	g = fx_geodesic_new(&l);
	entry.voxel = fx_lattice_index(&l, 2, 4, 2);
	for (uint32_t i = 0; i < PADDED; i++)
		flags[i] = 0;
	for (size_t i = 0; i < NZ * NY * NX; i++)
		if (i % NX != 5)
			flags[fx_lattice_index(&l, i / NX / NY, i / NX % NY, i % NX)] = FX_VOXEL_IN;
	assert_int_equal(fx_geodesic_roll(g, flags, &ball, &entry, 1, by), FX_OK);
	for (uint32_t i = 0; i < PADDED; i++) {
		size_t at[3];
		double z, y, x;

		if (!flags[i])
			continue;
		fx_lattice_voxel(&l, i, at);
		z = ((double)at[0] - 2) * 40;
		y = ((double)at[1] - 4) * 16;
		x = ((double)at[2] - 2) * 10;
		assert_int_equal(flags[i] == (FX_VOXEL_IN | FX_VOXEL_CLEARED),
				 at[2] < 5 && z * z + y * y + x * x <= 55.0 * 55.0);
	}
	fx_geodesic_free(g);
}

/* A row of voxels: each is cleared by the nearer of two balls, and what the first call cleared
 * stops the second one. */
static void the_nearest_ball_clears(void **unused)
{
	const struct fx_ball balls[] = { { { 0, 0, 1 }, 41 },
					 { { 0, 0, 5 }, 21 },
					 { { 0, 0, 8 }, 200 } };
	const size_t row[3] = { 1, 1, 12 };
	struct fx_lattice l;
	uint8_t flags[3 * 3 * 14] = { 0 };
	struct fx_clearing by[3 * 3 * 14];
	struct fx_ball_entry e[3];
	struct fx_geodesic *g;

	(void)unused;
	assert_int_equal(fx_lattice_init(&l, row, voxel_nm), FX_OK);
	g = fx_geodesic_new(&l);
	for (size_t x = 0; x < 12; x++)
		flags[fx_lattice_index(&l, 0, 0, x)] = FX_VOXEL_IN;
	for (uint32_t i = 0; i < 3; i++)
		e[i] = (struct fx_ball_entry){
			fx_lattice_index(&l, 0, 0, (size_t)balls[i].centre[2]), i
		};
	assert_int_equal(fx_geodesic_roll(g, flags, balls, e, 2, by), FX_OK);
	for (size_t x = 0; x < 12; x++) {
		const uint32_t v = fx_lattice_index(&l, 0, 0, x);

		assert_int_equal(!!(flags[v] & FX_VOXEL_CLEARED), x <= 7);
		if (x <= 7)
			assert_int_equal(by[v].ball, x > 3);
	}
	assert_int_equal(fx_geodesic_roll(g, flags, balls, e + 2, 1, by), FX_OK);
	for (size_t x = 0; x < 12; x++)
		if (x != 3) /* as far from one as from the other */
			assert_int_equal(by[fx_lattice_index(&l, 0, 0, x)].ball, x <= 3 ? 0 :
										 x <= 7 ? 1 :
											  2);
	fx_geodesic_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(field_equals_relaxation),
					    cmocka_unit_test(way_is_the_cheapest),
					    cmocka_unit_test(balls_stay_inside),
					    cmocka_unit_test(the_nearest_ball_clears) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
