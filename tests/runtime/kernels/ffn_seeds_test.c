// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/ffn_seeds.c and mt19937.c against plain sums. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/ffn_seeds.h"

enum { Z = 13, Y = 17, X = 21, LEN = Z * Y * X };

static const size_t shape[3] = { Z, Y, X };
static const struct fx_ffn_seeding seeding = {
	.sigma = 2.5, .noise = 1e-4, .random = 7, .spacing = 2
};

/* First numbers that numpy.random.seed(42); numpy.random.random() gives. */
static void random_numbers_are_the_known_ones(void **unused)
{
	static const double want[] = { 0.3745401188473625, 0.9507143064099162, 0.7319939418114051 };
	struct fx_mt19937 m;
	double v = 0;

	(void)unused;
	fx_mt19937_init(&m, 42);
	for (size_t i = 0; i < 3; i++)
		assert_true(fabs(fx_mt19937_real(&m) - want[i]) < 1e-15);
	for (int i = 3; i < 1000; i++)
		v = fx_mt19937_real(&m);
	assert_true(fabs(v - 0.44600577295795574) < 1e-15);
}

static float *noise(uint64_t seed)
{
	float *v = malloc(LEN * sizeof *v);

	assert_non_null(v);
	for (size_t i = 0; i < LEN; i++)
		v[i] = (float)(test_random(&seed) % 256) / 33 +
		       4 * sinf((float)(i / (Y * X)) * 0.8F) * cosf((float)(i % X) * 0.5F);
	return v;
}

static size_t mirrored(int i, int n)
{
	while (i < 0 || i >= n)
		i = i < 0 ? -1 - i : 2 * n - 1 - i;
	return (size_t)i;
}

static double at(const float *v, int z, int y, int x)
{
	return (double)v[(mirrored(z, Z) * Y + mirrored(y, Y)) * X + mirrored(x, X)];
}

/* All 27 taps of the three Sobel filters at once. */
static double plain_edge(const float *v, int z, int y, int x)
{
	double s[3] = { 0 };

	for (int n = 0; n < 27; n++) {
		const int d[3] = { n / 9 - 1, n / 3 % 3 - 1, n % 3 - 1 };
		const double value = at(v, z + d[0], y + d[1], x + d[2]);

		for (int a = 0; a < 3; a++)
			s[a] += value * d[a] * (2 - abs(d[(a + 1) % 3])) *
				(2 - abs(d[(a + 2) % 3]));
	}
	return sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2]);
}

static void edges_are_sobel_sums(void **unused)
{
	float *image = noise(1), *edges = malloc(LEN * sizeof *edges);

	(void)unused;
	assert_non_null(edges);
	assert_int_equal(fx_ffn_edges(edges, image, shape), FX_OK);
	for (int i = 0; i < LEN; i++) {
		const double want = plain_edge(image, i / (Y * X), i / X % Y, i % X);

		assert_true(fabs((double)edges[i] - want) < 1e-5 * (1 + want));
	}
	free(image);
	free(edges);
}

/* Distance of voxel i to the nearest edge. */
static double plain_distance(const bool *edge, int i, const double voxel[3])
{
	double best = HUGE_VAL;

	for (int k = 0; k < LEN; k++) {
		const double d[3] = { (i / (Y * X) - k / (Y * X)) * voxel[0],
				      (i / X % Y - k / X % Y) * voxel[1],
				      (i % X - k % X) * voxel[2] };

		if (edge[k])
			best = fmin(best, d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
	}
	return sqrt(best);
}

/* Edges: above the Gaussian of the edges as one sum over the whole (truncated) cube. */
static bool *plain_edges(const float *image)
{
	bool *edge = malloc(LEN * sizeof *edge);
	float *edges = malloc(LEN * sizeof *edges);
	double w[21], sum = 0;

	assert_true(edge && edges);
	assert_int_equal(fx_ffn_edges(edges, image, shape), FX_OK);
	for (int k = -10; k <= 10; k++)
		sum += w[k + 10] = exp(-0.5 * k * k / (2.5 * 2.5));
	for (int i = 0; i < LEN; i++) {
		double smooth = 0;

		for (int z = -10; z <= 10; z++)
			for (int y = -10; y <= 10; y++) {
				double row = 0;

				for (int x = -10; x <= 10; x++)
					row += w[x + 10] *
					       at(edges, i / (Y * X) + z, i / X % Y + y, i % X + x);
				smooth += w[z + 10] * w[y + 10] * row;
			}
		smooth /= sum * sum * sum;
		assert_true(fabs((double)edges[i] - smooth) > 1e-5 * smooth); /* no close call */
		edge[i] = (double)edges[i] > smooth;
	}
	free(edges);
	return edge;
}

static void seeds_are_the_deepest_points(void **unused)
{
	const double voxel[3] = { 40, 20, 20 }, unit[3] = { 2, 1, 1 };
	const size_t margin[3] = { 3, 2, 4 };
	float *image = noise(3);
	bool *edge = plain_edges(image);
	double *q = malloc(LEN * sizeof *q);
	struct fx_ffn_pos *seeds = NULL;
	struct fx_mt19937 m;
	size_t len = 0, found = 0;

	(void)unused;
	assert_non_null(q);
	fx_mt19937_init(&m, 7);
	for (int i = 0; i < LEN; i++)
		q[i] = plain_distance(edge, i, unit) + 1e-4 * fx_mt19937_real(&m);
	assert_int_equal(fx_ffn_seeds(&seeds, &len, image, shape, voxel, margin, &seeding), FX_OK);
	for (int z = 3; z < Z - 3; z++)
		for (int y = 2; y < Y - 2; y++)
			for (int x = 4; x < X - 4; x++) {
				const double here = q[(z * Y + y) * X + x];
				bool peak = true;

				for (int n = 0; n < 125; n++)
					peak &= q[((z + n / 25 - 2) * Y + y + n / 5 % 5 - 2) * X +
						  x + n % 5 - 2] <= here;
				if (!peak)
					continue;
				assert_true(found < len);
				assert_int_equal(seeds[found].at[0], z);
				assert_int_equal(seeds[found].at[1], y);
				assert_int_equal(seeds[found].at[2], x);
				found++;
			}
	assert_int_equal(found, len);
	assert_true(len > 5);
	free(seeds);
	free(q);
	free(edge);
	free(image);
}

static void threads_do_not_matter(void **unused)
{
	const double voxel[3] = { 1, 1, 1 };
	const size_t margin[3] = { 0, 0, 0 };
	const int threads = omp_get_max_threads();
	struct fx_ffn_pos *one = NULL, *two = NULL;
	float *image = noise(9);
	size_t a = 0, b = 0;

	(void)unused;
	omp_set_num_threads(1);
	assert_int_equal(fx_ffn_seeds(&one, &a, image, shape, voxel, margin, &seeding), FX_OK);
	omp_set_num_threads(3);
	assert_int_equal(fx_ffn_seeds(&two, &b, image, shape, voxel, margin, &seeding), FX_OK);
	omp_set_num_threads(threads);
	assert_true(a > 5 && a == b);
	assert_memory_equal(one, two, a * sizeof *one);
	free(one);
	free(two);
	free(image);
}

static void odd_volumes_have_no_seeds(void **unused)
{
	static const size_t thin[3] = { 1, 4, 40 };
	const double voxel[3] = { 1, 1, 1 }, flat[3] = { 1, 0, 1 };
	const size_t margin[3] = { 0, 0, 0 };
	struct fx_ffn_seeding wrong = seeding;
	float *image = noise(2);
	struct fx_ffn_pos *seeds = NULL;
	size_t len = 0;

	(void)unused;
	assert_int_equal(fx_ffn_seeds(&seeds, &len, image, thin, voxel, margin, &seeding), FX_OK);
	assert_int_equal(len, 0);
	assert_int_equal(fx_ffn_seeds(&seeds, &len, image, shape, flat, margin, &seeding),
			 FX_EINVAL);
	wrong.sigma = 0;
	assert_int_equal(fx_ffn_seeds(&seeds, &len, image, shape, voxel, margin, &wrong),
			 FX_EINVAL);
	for (size_t i = 0; i < LEN; i++)
		image[i] = 5;
	assert_int_equal(fx_ffn_seeds(&seeds, &len, image, shape, voxel, margin, &seeding), FX_OK);
	assert_int_equal(len, 0);
	assert_null(seeds);
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_numbers_are_the_known_ones),
		cmocka_unit_test(edges_are_sobel_sums),
		cmocka_unit_test(seeds_are_the_deepest_points),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(odd_volumes_have_no_seeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
