// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/node/frames.c: sections put in order. What comes from sockets:
 * nodes/acquire/zmq_test.c. */
#include "support/test.h"

#include <string.h>

#include "node/frames.h"

static bool put(struct fx_frame_queue *a, int64_t section, int64_t version, const char *refused)
{
	struct fx_frame f = { .header = { .section = section, .version = version } };

	memcpy(f.refused, refused, strlen(refused) + 1);
	return fx_frame_queue_put(a, &f);
}

/* What comes next: a version, 'M' missing, 'I' idle, 'E' end. */
static int next(struct fx_frame_queue *a, bool ending)
{
	struct fx_frame f = { 0 };
	const int result = fx_frame_queue_next(a, ending, &f);
	const int version = (int)f.header.version;

	if (result == FX_OK)
		assert_int_equal(f.header.section, a->next);
	if (result == FX_OK || result == FX_ENOENT)
		a->next++;
	fx_frame_fini(&f);
	return result == FX_OK	   ? version :
	       result == FX_ENOENT ? 'M' :
	       result == FX_IDLE   ? 'I' :
				     'E';
}

static void in_order_at_once(void **state)
{
	struct fx_frame_queue a = { .reorder = 2 };

	(void)state;
	assert_int_equal(next(&a, false), 'I');
	assert_true(put(&a, 0, 1, ""));
	assert_int_equal(next(&a, false), 1);
	assert_int_equal(next(&a, false), 'I');
	assert_true(put(&a, 2, 5, ""));
	assert_int_equal(next(&a, false), 'I');
	assert_true(put(&a, 1, 4, ""));
	assert_int_equal(next(&a, false), 4);
	assert_int_equal(next(&a, false), 5);
	assert_false(put(&a, 1, 9, "")); /* was sent */
	assert_int_equal(next(&a, true), 'E');
	fx_frame_queue_fini(&a);
}

static void missing_when_later_ones_have_come(void **state)
{
	struct fx_frame_queue a = { .reorder = 2 };

	(void)state;
	put(&a, 2, 1, "");
	assert_int_equal(next(&a, false), 'I');
	put(&a, 3, 1, "");
	assert_int_equal(next(&a, false), 'M');
	assert_int_equal(next(&a, false), 'I'); /* 1 may still come */
	assert_int_equal(next(&a, true), 'M');
	assert_int_equal(next(&a, true), 1);
	assert_int_equal(next(&a, true), 1);
	assert_int_equal(next(&a, true), 'E');
	fx_frame_queue_fini(&a);
}

static void held_for_newer_versions(void **state)
{
	struct fx_frame_queue a = { .hold = 2 };

	(void)state;
	put(&a, 0, 2, "");
	assert_false(put(&a, 0, 1, ""));
	put(&a, 1, 1, "");
	assert_int_equal(next(&a, false), 'I');
	assert_true(put(&a, 0, 3, ""));
	put(&a, 2, 1, "");
	assert_int_equal(next(&a, false), 3);
	assert_int_equal(next(&a, false), 'I');
	assert_int_equal(next(&a, true), 1);
	fx_frame_queue_fini(&a);
}

static void what_is_refused_gives_way(void **state)
{
	struct fx_frame_queue a = { .hold = 1 };

	(void)state;
	put(&a, 0, 5, "damaged");
	assert_true(put(&a, 0, 1, ""));
	assert_false(put(&a, 0, 7, "damaged"));
	assert_int_equal(next(&a, true), 1);
	fx_frame_queue_fini(&a);
}

static void listens_where_it_may(void **state)
{
	static const char *const strange[] = { "tcp://*:9",	    "tcp://0.0.0.0:9",
					       "tcp://eth0:9",	    "tcp://192.168.0.1:9",
					       "udp://127.0.0.1:9", "tcp://127.example.org:9" };
	struct fx_error err = { 0 };
	struct fx_frames f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
		const struct fx_frames_config c = { .endpoint = strange[i],
						    .bind = true,
						    .queue = 1,
						    .largest = 100,
						    .topic = "" };

		assert_int_equal(fx_frames_open(&f, &c, &err), FX_EINVAL);
		assert_null(f.socket);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_at_once),
		cmocka_unit_test(missing_when_later_ones_have_come),
		cmocka_unit_test(held_for_newer_versions),
		cmocka_unit_test(what_is_refused_gives_way),
		cmocka_unit_test(listens_where_it_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
