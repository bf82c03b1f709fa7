// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/nn/plan.c: values that share memory do not disturb each other. Its use for
 * training is tested by gradient_test.c and allocate_test.c. */
#include "support/test.h"

#include <string.h>

#include "nn/nn.h"

enum { SIDE = 4, CHANNELS = 8, LEN = SIDE * SIDE * SIDE * CHANNELS };

/* A convolution plus a value that is read again @p later, or is kept. */
static struct fx_nn *net_of(enum fx_nn_purpose purpose, bool later, bool keep, float out[LEN],
			    float kept[LEN])
{
	const struct fx_nn_conv plain = {
		.out = CHANNELS, .kernel = 3, .stride = 1, .start = FX_NN_HE, .relu = true
	};
	struct fx_nn_conv added = plain;
	struct fx_nn *net = fx_nn_new(7);
	float in[LEN];
	int x, h, y;

	assert_non_null(net);
	x = fx_nn_input(net, (struct fx_nn_shape){ 1, SIDE, SIDE, SIDE, CHANNELS }, FX_NN_PADDED);
	h = fx_nn_conv(net, x, "a", &plain);
	if (keep)
		fx_nn_keep(net, h);
	y = fx_nn_conv(net, h, "b", &plain);
	added.residual = true;
	added.add = h;
	y = fx_nn_conv(net, y, "c", &added);
	if (later)
		y = fx_nn_add(net, y, h);
	y = fx_nn_keep(net, fx_nn_scale(net, y, 2));
	assert_int_equal(fx_nn_plan(net, purpose, NULL), FX_OK);
	for (int i = 0; i < LEN; i++)
		in[i] = (float)(i * 37 % 100) / 50 - 1;
	fx_nn_put(net, x, in);
	fx_nn_forward(net);
	fx_nn_get(net, y, out);
	if (keep)
		fx_nn_get(net, h, kept);
	return net;
}

static void what_is_read_later_is_not_written_over(void **unused)
{
	float out[2][LEN], kept[2][LEN] = { 0 };

	(void)unused;
	for (int k = 0; k < 4; k++) {
		struct fx_nn *all = net_of(FX_NN_TRAIN, k & 1, k & 2, out[0], kept[0]),
			     *some = net_of(FX_NN_INFER, k & 1, k & 2, out[1], kept[1]);

		assert_memory_equal(out[0], out[1], sizeof out[0]);
		assert_memory_equal(kept[0], kept[1], sizeof kept[0]);
		assert_true(some->arena_len < all->arena_len);
		fx_nn_free(all);
		fx_nn_free(some);
	}
}

/* A value that is added and not needed any more gives its memory to the sum. */
static void sums_take_the_place_of_what_is_added(void **unused)
{
	float out[LEN], kept[LEN];
	struct fx_nn *net = net_of(FX_NN_INFER, false, false, out, kept);

	(void)unused;
	assert_ptr_equal(net->values[net->layers_len - 1].data, net->values[1].data);
	fx_nn_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_later_is_not_written_over),
		cmocka_unit_test(sums_take_the_place_of_what_is_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
