// SPDX-License-Identifier: Apache-2.0
/* Derivatives of every kind of layer and of whole networks against central differences, in double
 * precision. */
#include "support/test.h"

#include <string.h>

#include "support/gradient.h"

#define SHAPE(...) ((struct fx_nn_shape){ __VA_ARGS__ })

/* An input that is derived too. */
static int input(struct fx_nn *net, struct fx_nn_shape s, enum fx_nn_layout layout)
{
	return fx_nn_learn(net, fx_nn_input(net, s, layout));
}

static struct fx_nn *fresh(void)
{
	struct fx_nn *net = fx_nn_new(3);

	assert_non_null(net);
	return net;
}

static void linear(void **unused)
{
	(void)unused;
	for (int layout = FX_NN_DENSE; layout <= FX_NN_PADDED; layout++) {
		struct fx_nn *net = fresh();
		const int x = input(net, SHAPE(2, 3, 1, 5, 4), (enum fx_nn_layout)layout);

		gradient_check(net, fx_nn_linear(net, x, "l", 3, FX_NN_XAVIER), 1e-6);
	}
}

/* Kernels, strides, flat or not, with or without ReLU and a residual, in pairs so that pads count.
 */
static void convolutions(void **unused)
{
	static const struct fx_nn_conv kinds[] = {
		{ .out = 5, .kernel = 3, .stride = 1, .relu = true },
		{ .out = 9, .kernel = 1, .stride = 1 },
		{ .out = 4, .kernel = 2, .stride = 2, .relu = true },
		{ .out = 4, .kernel = 3, .stride = 2 },
		{ .out = 4, .kernel = 3, .stride = 1, .flat = true },
		{ .out = 4, .kernel = 2, .stride = 2, .flat = true },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct fx_nn *net = fresh();
		const int x = input(net, SHAPE(2, 4, 4, 6, 3), FX_NN_PADDED);
		struct fx_nn_conv c = kinds[i];
		int y;

		c.start = FX_NN_HE;
		y = fx_nn_conv(net, x, "a", &c);
		c = (struct fx_nn_conv){ .out = c.out,
					 .kernel = 3,
					 .stride = 1,
					 .residual = true,
					 .add = y,
					 .relu = i % 2,
					 .start = FX_NN_HE,
					 .gain = 0.5 };
		gradient_check(net, fx_nn_conv(net, y, "b", &c), 1e-6);
	}
}

static void convolutions_up(void **unused)
{
	(void)unused;
	for (int i = 0; i < 4; i++) {
		struct fx_nn *net = fresh();
		const int x = input(net, SHAPE(2, 2, 3, 2, 3), FX_NN_PADDED),
			  skip = input(net, SHAPE(2, i & 1 ? 2 : 4, 6, 4, 5), FX_NN_PADDED);

		gradient_check(net,
			       fx_nn_conv_up(net, x, "u",
					     &(struct fx_nn_conv){ .out = 5,
								   .flat = i & 1,
								   .relu = i & 2,
								   .residual = true,
								   .add = skip,
								   .start = FX_NN_HE }),
			       1e-6);
	}
}

static int leaky(struct fx_nn *net, int x)
{
	return fx_nn_leaky_relu(net, x, 0.2);
}

static int scaled(struct fx_nn *net, int x)
{
	return fx_nn_scale(net, x, -1.7);
}

static void points(void **unused)
{
	int (*const kinds[])(struct fx_nn *, int) = { fx_nn_relu, leaky,	 fx_nn_elu,
						      fx_nn_gelu, fx_nn_sigmoid, fx_nn_tanh,
						      scaled };

	(void)unused;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (int layout = FX_NN_DENSE; layout <= FX_NN_PADDED; layout++) {
			struct fx_nn *net = fresh();
			const int x = input(net, SHAPE(1, 1, 2, 2, 3), (enum fx_nn_layout)layout);

			gradient_check(net, kinds[i](net, x), 1e-6);
		}
}

static void grad_scale(void **unused)
{
	const NN_REAL x0[2] = { 1, -2 }, zero[2] = { 0, 0 };
	NN_REAL g[2];
	struct fx_nn *net = fresh();
	const int x = input(net, SHAPE(1, 1, 1, 1, 2), FX_NN_DENSE),
		  t = fx_nn_input(net, SHAPE(1, 1, 1, 1, 2), FX_NN_DENSE);

	(void)unused;
	fx_nn_mse(net, fx_nn_grad_scale(net, x, -3), t, -1, 2);
	assert_int_equal(fx_nn_plan(net, FX_NN_TRAIN, NULL), FX_OK);
	fx_nn_put(net, x, x0);
	fx_nn_put(net, t, zero);
	assert_true(fabs(fx_nn_forward(net) - 5) < 1e-12);
	fx_nn_backward(net);
	fx_nn_get_grad(net, x, g);
	assert_true(fabs(g[0] + 6) < 1e-12 && fabs(g[1] - 12) < 1e-12);
	fx_nn_free(net);
}

/* One value used three times: gradients are summed. */
static void sums_and_products(void **unused)
{
	(void)unused;
	for (int layout = FX_NN_DENSE; layout <= FX_NN_PADDED; layout++) {
		struct fx_nn *net = fresh();
		const int x = input(net, SHAPE(2, 2, 2, 3, 3), (enum fx_nn_layout)layout),
			  y = input(net, SHAPE(2, 2, 2, 3, 1), (enum fx_nn_layout)layout),
			  gate = fx_nn_mul(net, x, fx_nn_sigmoid(net, y));

		gradient_check(net, fx_nn_add(net, fx_nn_add(net, gate, x), fx_nn_mul(net, x, x)),
			       1e-6);
	}
}

/* Targets and weights of the losses: weights of 0 hide a target that is not a number. */
static void fill_targets(struct fx_nn *net, int t, int w, double most)
{
	struct fx_pcg rng = fx_pcg_seed(9, 9);
	const size_t n = fx_nn_len(net, t), nw = fx_nn_len(net, w);
	NN_REAL *target = malloc(n * sizeof *target), *weight = malloc(nw * sizeof *weight);

	assert_non_null(target);
	assert_non_null(weight);
	for (size_t i = 0; i < n; i++)
		target[i] = (NN_REAL)floor(most * fx_pcg_unit(&rng));
	for (size_t i = 0; i < nw; i++)
		weight[i] = i % 4 ? (NN_REAL)fx_pcg_unit(&rng) : 0;
	for (size_t i = 0; i < n; i += 4 * n / nw)
		target[i] = NAN;
	fx_nn_put(net, t, target);
	fx_nn_put(net, w, weight);
	free(target);
	free(weight);
}

static void check_loss(struct fx_nn *net, int x, int t, int w, double classes)
{
	struct fx_pcg rng = fx_pcg_seed(5, 2);
	double worst;

	assert_int_equal(fx_nn_plan(net, FX_NN_TRAIN, NULL), FX_OK);
	gradient_fill(net, x, 2, &rng);
	fill_targets(net, t, w, classes);
	worst = gradient_worst(net, &rng);
	assert_true(net->loss > 0 && isfinite(net->loss));
	if (!(worst < 1e-6))
		fail_msg("relative error %g", worst);
	fx_nn_free(net);
}

static void losses(void **unused)
{
	(void)unused;
	for (int kind = 0; kind < 5; kind++)
		for (int layout = FX_NN_DENSE; layout <= FX_NN_PADDED; layout++) {
			struct fx_nn *net = fresh();
			const enum fx_nn_layout lay = (enum fx_nn_layout)layout;
			const struct fx_nn_shape s = SHAPE(2, 2, 3, 4, 3),
						 one = SHAPE(2, 2, 3, 4, 1);
			const int x = input(net, s, lay),
				  t = fx_nn_input(net, kind == 4 ? one : s, lay),
				  w = fx_nn_input(net, kind % 2 ? s : one, lay);

			switch (kind) {
			case 0:
				fx_nn_bce(net, x, t, w, 1, 20);
				break;
			case 1:
				fx_nn_bce(net, x, t, w, 2.5, 20);
				break;
			case 2:
				fx_nn_mse(net, x, t, w, 20);
				break;
			case 3:
				fx_nn_dice(net, fx_nn_sigmoid(net, x), t, w, 20);
				break;
			default:
				fx_nn_cross_entropy(net, x, t, w, 20);
			}
			check_loss(net, x, t, w, kind == 4 ? 3 : 2);
		}
	{
		struct fx_nn *net = fresh();
		const struct fx_nn_shape s = SHAPE(1, 1, 1, 20, 2);
		const int x = input(net, s, FX_NN_DENSE), t = fx_nn_input(net, s, FX_NN_DENSE),
			  w = fx_nn_input(net, s, FX_NN_DENSE);

		fx_nn_l1(net, x, t, w, 20);
		check_loss(net, x, t, w, 2);
	}
}

static void whole_mlp(void **unused)
{
	struct fx_nn *net = fresh();
	const int x = input(net, SHAPE(1, 1, 1, 700, 5), FX_NN_DENSE),
		  a = fx_nn_relu(net, fx_nn_linear(net, x, "a", 7, FX_NN_HE)),
		  b = fx_nn_relu(net, fx_nn_linear(net, a, "b", 6, FX_NN_HE));

	(void)unused;
	gradient_check(net, fx_nn_linear(net, b, "c", 2, FX_NN_XAVIER), 1e-5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linear),	cmocka_unit_test(points),
		cmocka_unit_test(convolutions), cmocka_unit_test(convolutions_up),
		cmocka_unit_test(grad_scale),	cmocka_unit_test(sums_and_products),
		cmocka_unit_test(losses),	cmocka_unit_test(whole_mlp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
