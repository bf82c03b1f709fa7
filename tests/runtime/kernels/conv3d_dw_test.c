// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/conv3d_dw.c: gradients of every path against plain loops, and those in
 * double precision against central differences. */
#include "support/test.h"

#include <math.h>

#include "conv3d_cases.h"

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

static void test_dw_blas(void **state)
{
	(void)state;
	check_dw(FX_CONV3D_BLAS, 40, false);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dw_direct),
		cmocka_unit_test(test_dw_blas),
		cmocka_unit_test(test_f64_gradients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
