// SPDX-License-Identifier: Apache-2.0
/* Replays published objects of FIB-25 with Winograd convolutions, one of 1,760 evaluations: many
 * minutes. FFN_IDS="64 1" in the environment replays those instead. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/fib25.h"

static const char *const usual =
	"2 3 5 7 10 12 15 17 19 28 29 32 38 49 57 71 85 92 100 130 175 225 238 250 8";

static void replay(const char *data, const char *ids)
{
	struct fx_ffn_net *net = fib25_net(data, FX_CONV3D_WINOGRAD);
	float *image = fib25_image(data);
	int32_t *published = fib25_published(data);
	size_t len, total = 0, count = 0;
	struct fib25_object *objects = fib25_objects(data, &len);
	char *end;

	for (const char *at = ids; *at; at = end) {
		const unsigned long id = strtoul(at, &end, 10);
		const struct fib25_object *o = objects + id - 1;
		const int64_t begin = fx_now_ns();
		size_t evaluations, differ;

		assert_true(end != at && id >= 1 && id <= len);
		differ = fib25_replay(o, net, image, published, &evaluations);
		print_message(
			"object %3d: %4zu of %4zu evaluations, %7zu voxels, %zu differ, %.0f s\n",
			o->id, evaluations, o->evaluations, o->voxels, differ,
			(double)(fx_now_ns() - begin) / 1e9);
		fflush(stdout);
		assert_int_equal(differ, 0);
		assert_int_equal(evaluations, o->evaluations);
		total += evaluations;
		count++;
	}
	print_message("%zu objects, %zu evaluations, no voxel differs\n", count, total);
	free(objects);
	free(published);
	free(image);
	fx_ffn_net_free(net);
}

static void many_objects_are_the_published_ones(void **unused)
{
	const char *data = test_data_dir(), *ids = getenv("FFN_IDS");

	(void)unused;
	if (!data)
		test_skip("replay of many published objects of FIB-25");
	replay(data, ids ? ids : usual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_objects_are_the_published_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
