// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/conv3d.c: every path, instruction set and direction against a reference of
 * its own. */
#include "support/test.h"

#include <math.h>

#include "conv3d_cases.h"

/* What a run needs beside its volumes. */
struct run {
	struct fx_conv3d_plan p;
	struct fx_conv3d_args a;
	struct volume in, gate, residual, out, also;
	float *weights, *packed, *bias, *scratch;
};

static void run_free(struct run *r)
{
	volume_free(&r->in);
	volume_free(&r->gate);
	volume_free(&r->residual);
	volume_free(&r->out);
	volume_free(&r->also);
	free(r->weights);
	free(r->packed);
	free(r->bias);
	free(r->scratch);
}

/* A run of @p k with random parts of the epilogue. */
static struct run run_new(const struct conv_case *k, enum fx_conv3d_path path, bool dx, int threads,
			  uint64_t *seed)
{
	const struct fx_layout *in = dx ? &k->y : &k->x, *out = dx ? &k->x : &k->y;
	struct fx_error err = { 0 };
	const int parts = (int)(test_random(seed) % 32);
	struct run r = { 0 };

	if ((dx ? fx_conv3d_plan_dx(&r.p, &k->c, path, in, out, threads, &err) :
		  fx_conv3d_plan(&r.p, &k->c, path, in, out, threads, &err)) != FX_OK)
		fail_msg("%s", err.text);
	r.p.panel = parts % 3 ? 16 : 32; /* both kinds of packing on any CPU */
	r.p.gate = random_layout(out->shape, out->channels, seed);
	r.p.residual = random_layout(out->shape, out->channels, seed);
	r.p.also = random_layout(out->shape, out->channels, seed);
	r.in = volume_new(in, seed);
	r.gate = volume_new(&r.p.gate, seed);
	r.residual = volume_new(&r.p.residual, seed);
	r.out = volume_new(out, NULL);
	r.also = volume_new(&r.p.also, NULL);
	r.weights = random_floats(fx_conv3d_weights(&k->c), seed);
	r.bias = random_floats(out->channels, seed);
	r.packed = random_floats(r.p.packed_len, seed);
	r.scratch = random_floats(r.p.scratch_len + 1, seed);
	fx_conv3d_pack(&r.p, r.packed, r.weights);
	r.a = (struct fx_conv3d_args){ .in = r.in.data,
				       .packed = r.packed,
				       .bias = parts & 1 ? r.bias : NULL,
				       .gate = parts & 2 ? r.gate.data : NULL,
				       .residual = parts & 4 ? r.residual.data : NULL,
				       .out = r.out.data,
				       .also = parts & 8 ? r.also.data : NULL,
				       .scratch = r.scratch,
				       .relu = parts & 16 };
	return r;
}

/* The same run by the reference of this test: every input voxel spreads what it gives to the
 * outputs, in double. */
static void spread(const struct conv_case *k, const float *w, const struct volume *x,
		   const struct volume *y, double *to, bool dx)
{
	const struct fx_conv3d *c = &k->c;
	const size_t *n = k->x.shape, *m = k->y.shape;
	const int t[] = { c->kernel[0], c->kernel[1], c->kernel[2] };
	const ptrdiff_t sx[] = { (ptrdiff_t)(n[1] * n[2]), (ptrdiff_t)n[2], 1 },
			sy[] = { (ptrdiff_t)(m[1] * m[2]), (ptrdiff_t)m[2], 1 };

	for (ptrdiff_t i = 0; i < sx[0] * (ptrdiff_t)n[0]; i++)
		for (int j = 0; j < t[0] * t[1] * t[2]; j++) {
			const int kk[] = { j / t[2] / t[1], j / t[2] % t[1], j % t[2] };
			ptrdiff_t a[3], b[3], at = 0;
			bool ok = true;

			for (int d = 0; d < 3; d++) {
				a[d] = i / sx[d] % (ptrdiff_t)n[d];
				b[d] = (a[d] + c->before[d] - kk[d]) / c->stride[d];
				ok = ok && a[d] + c->before[d] - kk[d] == b[d] * c->stride[d] &&
				     b[d] >= 0 && b[d] < (ptrdiff_t)m[d];
				at += b[d] * sy[d];
			}
			for (size_t ci = 0; ok && ci < c->in_channels; ci++)
				for (size_t co = 0; co < c->out_channels; co++) {
					const double v =
						(double)w[(co * c->in_channels + ci) *
								  (size_t)(t[0] * t[1] * t[2]) +
							  (size_t)j];

					if (dx)
						to[(size_t)i * c->in_channels + ci] +=
							v *
							(double)y->data[fx_layout_at(&y->at, b[0],
										     b[1], b[2]) +
									co];
					else
						to[(size_t)at * c->out_channels + co] +=
							v *
							(double)x->data[fx_layout_at(&x->at, a[0],
										     a[1], a[2]) +
									ci];
				}
		}
}

/* Largest error of what run @p r wrote, over sqrt(terms) + terms / 20. */
static double worst(const struct run *r, const struct conv_case *k)
{
	const struct fx_layout *l = &r->p.out;
	const size_t voxels = l->shape[0] * l->shape[1] * l->shape[2];
	double *sums = fx_calloc(voxels * l->channels, sizeof *sums), most = 0;
	const double terms = 2 + (double)fx_conv3d_weights(&k->c) / (double)l->channels;

	assert_non_null(sums);
	spread(k, r->weights, &r->in, &r->in, sums, r->p.transposed);
	for (size_t i = 0; i < voxels * l->channels; i++) {
		const size_t c = i % l->channels, v = i / l->channels;
		const ptrdiff_t z = (ptrdiff_t)(v / l->shape[2] / l->shape[1]),
				y = (ptrdiff_t)(v / l->shape[2] % l->shape[1]),
				x = (ptrdiff_t)(v % l->shape[2]);
		double want = sums[i] + (r->a.bias ? (double)r->bias[c] : 0), relu;

		if (r->a.gate && r->gate.data[fx_layout_at(&r->p.gate, z, y, x) + c] <= 0)
			want = 0;
		if (r->a.residual)
			want += (double)r->residual.data[fx_layout_at(&r->p.residual, z, y, x) + c];
		relu = want > 0 ? want : 0;
		most = fmax(most, fabs((double)r->out.data[fx_layout_at(l, z, y, x) + c] -
				       (r->a.relu ? relu : want)));
		if (r->a.also)
			most = fmax(
				most,
				fabs((double)r->also.data[fx_layout_at(&r->p.also, z, y, x) + c] -
				     relu));
	}
	free(sums);
	return most / (sqrt(terms) + 0.05 * terms);
}

static void check_path(enum fx_conv3d_path path, enum fx_conv3d_isa isa, int cases,
		       double tolerance)
{
	uint64_t seed = 11 + (uint64_t)path;

	for (int i = 0; i < cases; i++) {
		const struct conv_case k = random_case(&seed, path);
		struct run r = run_new(&k, path, i % 2, 1 + i % 3, &seed);
		double error;

		fx_conv3d_run_isa(&r.p, &r.a, isa);
		error = worst(&r, &k);
		if (!(error <= tolerance))
			fail_msg("path %d, %s, case %d%s: error %g, kernel %d %d %d, stride %d %d "
				 "%d, "
				 "%zu x %zu x %zu, %zu to %zu channels",
				 path, fx_conv3d_isa_name(isa), i, i % 2 ? " dx" : "", error,
				 k.c.kernel[0], k.c.kernel[1], k.c.kernel[2], k.c.stride[0],
				 k.c.stride[1], k.c.stride[2], k.x.shape[0], k.x.shape[1],
				 k.x.shape[2], k.c.in_channels, k.c.out_channels);
		run_free(&r);
	}
}

static void no_such_cpu(const char *what)
{
	print_message("skipped: %s\n", what);
	skip();
}

static void test_plain(void **state)
{
	(void)state;
	check_path(FX_CONV3D_PLAIN, FX_CONV3D_PORTABLE, 40, 1e-6);
}

static void test_direct_portable(void **state)
{
	(void)state;
	check_path(FX_CONV3D_DIRECT, FX_CONV3D_PORTABLE, 60, 1e-6);
}

static void test_direct_avx2(void **state)
{
	(void)state;
	if (!fx_conv3d_isa_here(FX_CONV3D_AVX2))
		no_such_cpu("AVX2 kernels: this CPU has none");
	check_path(FX_CONV3D_DIRECT, FX_CONV3D_AVX2, 60, 1e-6);
}

static void test_direct_avx512(void **state)
{
	(void)state;
	if (!fx_conv3d_isa_here(FX_CONV3D_AVX512))
		no_such_cpu("AVX-512 kernels: this CPU has none");
	check_path(FX_CONV3D_DIRECT, FX_CONV3D_AVX512, 60, 1e-6);
}

/* Same bits as @p r, run with another instruction set or number of threads. */
static void assert_same(struct run *r, enum fx_conv3d_isa isa, int threads)
{
	const size_t size = r->out.at.len * sizeof(float);
	float *before = malloc(size);

	assert_non_null(before);
	memcpy(before, r->out.data, size);
	volume_random(&r->out, &(uint64_t){ 3 });
	r->p.threads = threads;
	fx_conv3d_run_isa(&r->p, &r->a, isa);
	assert_memory_equal(before, r->out.data, size);
	free(before);
}

static void check_bits(enum fx_conv3d_path path, int cases)
{
	uint64_t seed = 5;

	for (int i = 0; i < cases; i++) {
		const struct conv_case k = random_case(&seed, path);
		struct run r = run_new(&k, path, i % 2, 3, &seed);
		const enum fx_conv3d_isa isa = fx_conv3d_isa();

		fx_conv3d_run_isa(&r.p, &r.a, isa);
		assert_same(&r, isa, 2);
		assert_same(&r, isa, 1);
		if (isa == FX_CONV3D_AVX512 && path == FX_CONV3D_DIRECT)
			assert_same(&r, FX_CONV3D_AVX2, 1);
		run_free(&r);
	}
}

static void test_winograd(void **state)
{
	(void)state;
	for (enum fx_conv3d_isa isa = FX_CONV3D_PORTABLE; isa < FX_CONV3D_ISAS; isa++)
		if (fx_conv3d_isa_here(isa))
			check_path(FX_CONV3D_WINOGRAD, isa, 40, 2e-5);
}

static void test_blas(void **state)
{
	(void)state;
	check_path(FX_CONV3D_BLAS, FX_CONV3D_PORTABLE, 60, 1e-6);
}

static void test_blas_bits(void **state)
{
	(void)state;
	check_bits(FX_CONV3D_BLAS, 10);
}

static void test_winograd_bits(void **state)
{
	(void)state;
	check_bits(FX_CONV3D_WINOGRAD, 10);
}

/* So many channels that the taps go in parts, and a long row of several strips. */
static void test_many_channels(void **state)
{
	static const enum fx_conv3d_path paths[] = { FX_CONV3D_DIRECT, FX_CONV3D_WINOGRAD,
						     FX_CONV3D_BLAS };
	struct conv_case k = { .c = fx_conv3d_same(130, 40, 3) };
	uint64_t seed = 4;

	(void)state;
	assert_int_equal(fx_layout_padded(&k.x, (size_t[]){ 2, 2, 67 }, 130), FX_OK);
	assert_int_equal(fx_layout_padded(&k.y, (size_t[]){ 2, 2, 67 }, 40), FX_OK);
	for (int i = 0; i < 3; i++) {
		struct run r = run_new(&k, paths[i], false, 2, &seed);

		fx_conv3d_run(&r.p, &r.a);
		assert_true(worst(&r, &k) <= (paths[i] == FX_CONV3D_WINOGRAD ? 2e-5 : 1e-6));
		run_free(&r);
	}
}

static void test_direct_bits(void **state)
{
	(void)state;
	check_bits(FX_CONV3D_DIRECT, 10);
}

/* Kernel 2, stride 2 without overlap, and its transpose, by hand. */
static void test_transposed(void **state)
{
	const struct fx_conv3d c = {
		.in_channels = 1, .out_channels = 1, .kernel = { 2, 2, 2 }, .stride = { 2, 2, 2 }
	};
	const float w[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct fx_layout small, large;
	struct fx_conv3d_plan p;
	float in[2 * 8] = { [0] = 10, [8] = -1 }, out[16 * 8], packed[8 * 8];

	(void)state;
	assert_int_equal(fx_layout_dense(&small, (size_t[]){ 1, 1, 2 }, 1), FX_OK);
	assert_int_equal(fx_layout_dense(&large, (size_t[]){ 2, 2, 4 }, 1), FX_OK);
	assert_int_equal(fx_conv3d_plan_dx(&p, &c, FX_CONV3D_DIRECT, &small, &large, 1, NULL),
			 FX_OK);
	assert_int_equal(p.packed_len, 64);
	fx_conv3d_pack(&p, packed, w);
	fx_conv3d_run(&p, &(struct fx_conv3d_args){ .in = in, .packed = packed, .out = out });
	for (size_t i = 0; i < 16; i++) {
		const size_t x = i % 4, tap = i / 4 * 2 + x % 2;

		assert_true(out[i * 8] == (x < 2 ? 10 : -1) * w[tap]);
	}
}

static void test_refuses(void **state)
{
	const size_t shape[] = { 4, 4, 4 }, huge[] = { 1, (size_t)1 << 40, (size_t)1 << 40 };
	struct fx_conv3d c = fx_conv3d_same(2, 3, 3);
	struct fx_layout x, y;
	struct fx_conv3d_plan p;
	struct fx_error err = { 0 };
	size_t out[3];

	(void)state;
	assert_int_equal(fx_layout_padded(&x, (size_t[]){ 0, 1, 1 }, 1), FX_EINVAL);
	assert_int_equal(fx_layout_padded(&x, shape, 0), FX_EINVAL);
	assert_int_equal(fx_layout_dense(&x, huge, 8), FX_EINVAL);
	assert_int_equal(fx_layout_padded(&x, shape, 2), FX_OK);
	assert_int_equal(fx_layout_padded(&y, shape, 2), FX_OK);
	assert_int_equal(fx_conv3d_plan(&p, &c, FX_CONV3D_DIRECT, &x, &y, 1, &err), FX_EINVAL);
	assert_string_equal(err.text,
			    "convolution from 2 to 3 channels between volumes of 2 and 2");
	c.stride[1] = 2;
	assert_int_equal(fx_conv3d_plan(&p, &c, FX_CONV3D_DIRECT, &x, &y, 1, &err), FX_EINVAL);
	assert_string_equal(err.text, "convolution makes 4 x 2 x 4, not 4 x 4 x 4 voxels");
	assert_false(fx_conv3d_can(&c, FX_CONV3D_WINOGRAD));
	assert_false(fx_conv3d_can(&c, FX_CONV3D_BLAS));
	c.kernel[0] = 6;
	assert_int_equal(fx_conv3d_shape(&c, shape, out), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	      cmocka_unit_test(test_direct_portable),
		cmocka_unit_test(test_direct_avx2),   cmocka_unit_test(test_direct_avx512),
		cmocka_unit_test(test_many_channels), cmocka_unit_test(test_direct_bits),
		cmocka_unit_test(test_winograd),      cmocka_unit_test(test_winograd_bits),
		cmocka_unit_test(test_blas),	      cmocka_unit_test(test_blas_bits),
		cmocka_unit_test(test_transposed),    cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
