// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/conv3d*.c: every path against plain loops, those against a reference of
 * their own, gradients by the adjoint and by differences. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/conv3d.h"

enum { GUARD = 64 };

static const float guard = -12345.678F;

/* A buffer of a layout between guards; pads and slots beyond the channels are 0. */
struct volume {
	struct fx_layout at;
	float *all, *data;
};

static float uniform(uint64_t *seed)
{
	return (float)(test_random(seed) % 2001) / 1000 - 1;
}

static size_t pick(uint64_t *seed, const size_t *from, size_t len)
{
	return from[test_random(seed) % len];
}

/* Calls @p each for all channels of all voxels. */
static void volume_random(struct volume *v, uint64_t *seed)
{
	const struct fx_layout *l = &v->at;

	for (size_t i = 0; i < l->shape[0] * l->shape[1] * l->shape[2]; i++) {
		float *at = v->data + fx_layout_at(l, (ptrdiff_t)(i / l->shape[2] / l->shape[1]),
						   (ptrdiff_t)(i / l->shape[2] % l->shape[1]),
						   (ptrdiff_t)(i % l->shape[2]));

		for (size_t c = 0; c < l->channels; c++)
			at[c] = uniform(seed);
	}
}

static struct volume volume_new(const struct fx_layout *l, uint64_t *seed)
{
	struct volume v = { .at = *l,
			    .all = fx_alloc_aligned((l->len + 2 * GUARD) * sizeof(float)) };

	assert_non_null(v.all);
	v.data = v.all + GUARD;
	for (size_t i = 0; i < GUARD; i++)
		v.all[i] = v.data[l->len + i] = guard;
	memset(v.data, 0, l->len * sizeof *v.data);
	if (seed)
		volume_random(&v, seed);
	return v;
}

/* Guards are whole, and what is no slot of a voxel is still 0. */
static void volume_free(struct volume *v)
{
	const struct fx_layout *l = &v->at;

	for (size_t i = 0; i < GUARD; i++)
		assert_true(v->all[i] == guard && v->data[l->len + i] == guard);
	for (size_t i = 0; i < l->shape[0] * l->shape[1] * l->shape[2]; i++) {
		float *at = v->data + fx_layout_at(l, (ptrdiff_t)(i / l->shape[2] / l->shape[1]),
						   (ptrdiff_t)(i / l->shape[2] % l->shape[1]),
						   (ptrdiff_t)(i % l->shape[2]));

		for (size_t c = l->channels; c < l->slots; c++)
			assert_true(at[c] == 0);
		memset(at, 0, l->channels * sizeof *at);
	}
	for (size_t i = 0; i < l->len; i++)
		assert_true(v->data[i] == 0);
	free(v->all);
}

/* Padded, dense, or a part of the channels of a wider one. */
static struct fx_layout random_layout(const size_t shape[3], size_t channels, uint64_t *seed)
{
	struct fx_layout l, wide;

	switch (test_random(seed) % 3) {
	case 0:
		assert_int_equal(fx_layout_dense(&l, shape, channels), FX_OK);
		break;
	case 1:
		assert_int_equal(fx_layout_padded(&l, shape, channels), FX_OK);
		break;
	default:
		assert_int_equal(fx_layout_padded(&wide, shape, channels + 16), FX_OK);
		assert_int_equal(fx_layout_channels(&l, &wide, 8, channels), FX_OK);
	}
	return l;
}

/* A convolution and two volumes that fit it. */
struct conv_case {
	struct fx_conv3d c;
	struct fx_layout x, y;
};

static struct conv_case random_case(uint64_t *seed, enum fx_conv3d_path path)
{
	static const size_t sides[] = { 1, 2, 3, 4, 5, 7, 10 }, rows[] = { 1, 2, 6, 9, 13, 17, 70 },
			    channels[] = { 1, 2, 3, 8, 9, 16, 24, 35 };
	struct conv_case k;
	size_t in[3], out[3];

	do {
		k.c = (struct fx_conv3d){ .in_channels = pick(seed, channels, 8),
					  .out_channels = pick(seed, channels, 8) };
		for (int i = 0; i < 3; i++) {
			k.c.kernel[i] =
				path == FX_CONV3D_WINOGRAD ? 3 : 1 + (int)(test_random(seed) % 3);
			k.c.stride[i] = path == FX_CONV3D_WINOGRAD || path == FX_CONV3D_BLAS ?
						1 :
						1 + (int)(test_random(seed) % 2);
			k.c.before[i] = (int)(test_random(seed) % (unsigned)k.c.kernel[i]);
			k.c.after[i] = (int)(test_random(seed) % (unsigned)k.c.kernel[i]);
			in[i] = i == 2 ? pick(seed, rows, 7) : pick(seed, sides, 7);
		}
	} while (fx_conv3d_shape(&k.c, in, out) != FX_OK ||
		 in[0] * in[1] * in[2] * k.c.in_channels * k.c.out_channels > 60000);
	k.x = random_layout(in, k.c.in_channels, seed);
	k.y = random_layout(out, k.c.out_channels, seed);
	return k;
}

static float *random_floats(size_t len, uint64_t *seed)
{
	float *v = fx_alloc_aligned(len * sizeof *v);

	assert_non_null(v);
	for (size_t i = 0; i < len; i++)
		v[i] = uniform(seed);
	return v;
}

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

/* Largest error of what run @p r wrote, in units of the tolerance's sqrt(terms). */
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
	return most / sqrt(terms);
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
		test_skip("AVX2 kernels: this CPU has none");
	check_path(FX_CONV3D_DIRECT, FX_CONV3D_AVX2, 60, 1e-6);
}

static void test_direct_avx512(void **state)
{
	(void)state;
	if (!fx_conv3d_isa_here(FX_CONV3D_AVX512))
		test_skip("AVX-512 kernels: this CPU has none");
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

static void test_winograd_bits(void **state)
{
	(void)state;
	check_bits(FX_CONV3D_WINOGRAD, 10);
}

static void test_direct_bits(void **state)
{
	(void)state;
	check_bits(FX_CONV3D_DIRECT, 10);
}

/* Gradients of the weights and the bias of one case. */
struct grads {
	float *dw, *db;
	size_t dw_len, db_len;
};

static struct grads grads_of(const struct conv_case *k, enum fx_conv3d_path path, int threads,
			     const struct volume *x, const struct volume *dy)
{
	struct grads g = { .dw_len = fx_conv3d_weights(&k->c), .db_len = k->c.out_channels };
	struct fx_conv3d_plan p;
	float *scratch;

	assert_int_equal(fx_conv3d_plan_dw(&p, &k->c, path, &x->at, &dy->at, threads, NULL), FX_OK);
	g.dw = fx_calloc(g.dw_len, sizeof *g.dw);
	g.db = fx_calloc(g.db_len, sizeof *g.db);
	scratch = random_floats(p.scratch_len + 1, &(uint64_t){ 9 });
	assert_true(g.dw && g.db);
	g.dw[0] = g.db[0] = 1; /* what is there is added to */
	fx_conv3d_run_dw(&p, x->data, dy->data, g.dw, g.db, scratch);
	free(scratch);
	return g;
}

static double largest_difference(const float *a, const float *b, size_t len)
{
	double most = 0;

	for (size_t i = 0; i < len; i++)
		most = fmax(most, fabs((double)a[i] - (double)b[i]));
	return most;
}

/* The gradients of @p path are those of the plain loops; @p same: for any number of threads. */
static void check_dw(enum fx_conv3d_path path, int cases, bool same)
{
	uint64_t seed = 23;

	for (int i = 0; i < cases; i++) {
		const struct conv_case k = random_case(&seed, path);
		struct volume x = volume_new(&k.x, &seed), dy = volume_new(&k.y, &seed);
		const double terms = (double)(k.y.shape[0] * k.y.shape[1] * k.y.shape[2]) + 2;
		struct grads g[3];

		g[0] = grads_of(&k, FX_CONV3D_PLAIN, 1, &x, &dy);
		g[1] = grads_of(&k, path, 1, &x, &dy);
		g[2] = grads_of(&k, path, 3, &x, &dy);
		for (int j = 1; j < 3; j++) {
			assert_true(largest_difference(g[0].dw, g[j].dw, g[0].dw_len) <=
				    1e-6 * sqrt(terms));
			assert_true(largest_difference(g[0].db, g[j].db, g[0].db_len) <=
				    1e-6 * sqrt(terms));
		}
		if (same)
			assert_memory_equal(g[1].dw, g[2].dw, g[1].dw_len * sizeof(float));
		for (int j = 0; j < 3; j++) {
			free(g[j].dw);
			free(g[j].db);
		}
		volume_free(&x);
		volume_free(&dy);
	}
}

static void test_dw_direct(void **state)
{
	(void)state;
	check_dw(FX_CONV3D_DIRECT, 40, true);
}

/* One random convolution in double precision. */
struct f64_case {
	struct conv_case k;
	double *x, *y, *w, *b, *dy, *dx, *dw, *db;
	size_t weights;
};

static double *random_doubles(size_t len, uint64_t *seed)
{
	double *v = fx_calloc(len, sizeof *v);

	assert_non_null(v);
	for (size_t i = 0; seed && i < len; i++)
		v[i] = (double)uniform(seed);
	return v;
}

static struct f64_case f64_new(uint64_t *seed)
{
	struct f64_case f = { .k = random_case(seed, FX_CONV3D_PLAIN) };

	/* Pads are never read in double precision: all the buffer may be random. */
	f.weights = fx_conv3d_weights(&f.k.c);
	f.x = random_doubles(f.k.x.len, seed);
	f.y = random_doubles(f.k.y.len, NULL);
	f.w = random_doubles(f.weights, seed);
	f.b = random_doubles(f.k.c.out_channels, seed);
	f.dy = random_doubles(f.k.y.len, seed);
	f.dx = random_doubles(f.k.x.len, NULL);
	f.dw = random_doubles(f.weights, NULL);
	f.db = random_doubles(f.k.c.out_channels, NULL);
	return f;
}

static void f64_free(struct f64_case *f)
{
	double *const all[] = { f->x, f->y, f->w, f->b, f->dy, f->dx, f->dw, f->db };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
}

/* <dy, conv(x) + b> */
static double f64_loss(struct f64_case *f)
{
	const struct fx_layout *l = &f->k.y;
	struct fx_conv3d_plan p;
	double sum = 0;

	assert_int_equal(fx_conv3d_plan(&p, &f->k.c, FX_CONV3D_PLAIN, &f->k.x, l, 1, NULL), FX_OK);
	fx_conv3d_run_f64(&p, &(struct fx_conv3d_args_f64){
				      .in = f->x, .weights = f->w, .bias = f->b, .out = f->y });
	for (size_t i = 0; i < l->shape[0] * l->shape[1] * l->shape[2]; i++)
		for (size_t c = 0; c < l->channels; c++) {
			const size_t at =
				c + fx_layout_at(l, (ptrdiff_t)(i / l->shape[2] / l->shape[1]),
						 (ptrdiff_t)(i / l->shape[2] % l->shape[1]),
						 (ptrdiff_t)(i % l->shape[2]));

			sum += f->dy[at] * f->y[at];
		}
	return sum;
}

/* Central difference of the loss by *@p value against @p gradient. */
static void assert_gradient(struct f64_case *f, double *value, double gradient)
{
	const double h = 1e-5, was = *value;
	double up, down, slope;

	*value = was + h;
	up = f64_loss(f);
	*value = was - h;
	down = f64_loss(f);
	*value = was;
	slope = (up - down) / (2 * h);
	if (!(fabs(slope - gradient) <= 1e-6 * fmax(1e-2, fabs(slope) + fabs(gradient))))
		fail_msg("gradient %.9g, central difference %.9g", gradient, slope);
}

static void test_f64_gradients(void **state)
{
	uint64_t seed = 77;

	(void)state;
	for (int i = 0; i < 12; i++) {
		struct f64_case f = f64_new(&seed);
		struct fx_conv3d_plan dx, dw;

		assert_int_equal(
			fx_conv3d_plan_dx(&dx, &f.k.c, FX_CONV3D_PLAIN, &f.k.y, &f.k.x, 1, NULL),
			FX_OK);
		assert_int_equal(
			fx_conv3d_plan_dw(&dw, &f.k.c, FX_CONV3D_PLAIN, &f.k.x, &f.k.y, 1, NULL),
			FX_OK);
		fx_conv3d_run_f64(&dx, &(struct fx_conv3d_args_f64){
					       .in = f.dy, .weights = f.w, .out = f.dx });
		fx_conv3d_run_dw_f64(&dw, f.x, f.dy, f.dw, f.db);
		for (int j = 0; j < 4; j++) {
			const size_t w = test_random(&seed) % f.weights,
				     b = test_random(&seed) % f.k.c.out_channels;
			const size_t x =
				test_random(&seed) % f.k.c.in_channels +
				fx_layout_at(&f.k.x,
					     (ptrdiff_t)(test_random(&seed) % f.k.x.shape[0]),
					     (ptrdiff_t)(test_random(&seed) % f.k.x.shape[1]),
					     (ptrdiff_t)(test_random(&seed) % f.k.x.shape[2]));

			assert_gradient(&f, &f.w[w], f.dw[w]);
			assert_gradient(&f, &f.b[b], f.db[b]);
			assert_gradient(&f, &f.x[x], f.dx[x]);
		}
		f64_free(&f);
	}
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
		cmocka_unit_test(test_direct_bits),   cmocka_unit_test(test_winograd),
		cmocka_unit_test(test_winograd_bits), cmocka_unit_test(test_dw_direct),
		cmocka_unit_test(test_f64_gradients), cmocka_unit_test(test_transposed),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
