// SPDX-License-Identifier: Apache-2.0
/* Frames over ZeroMQ while processes are killed: nothing that was kept is lost or mixed. */
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "formats/volume.h"
#include "support/detector.h"
#include "support/images.h"
#include "support/outputs.h"
#include "support/run.h"

enum { SECTIONS = 24, SIDE = 64, UNACKNOWLEDGED = 4 };

/* The frame that section z of the volume shows; -1: none of them. */
static long shown(struct fx_volume *v, int64_t z)
{
	struct fx_error err = { 0 };
	struct fx_block *b;
	long frame = -1;

	if (fx_volume_read(v, (struct fx_region){ { z, 0, 0 }, { z + 1, SIDE, SIDE } }, &b, &err) <
	    0)
		fail_msg("%s", err.text);
	for (long n = 0; n < SECTIONS && frame < 0; n++) {
		size_t i = 0;

		while (i < SIDE * SIDE && ((uint8_t *)b->data)[i] == detector_voxel(n, 1, i))
			i++;
		frame = i == SIDE * SIDE ? n : -1;
	}
	fx_block_free(b);
	return frame;
}

/* Every section is its own frame, or, where it is missing, the last one before it. */
static int count_own(const char *path)
{
	struct fx_error err = { 0 };
	struct fx_volume v;
	long last = -1;
	int own = 0;

	if (fx_volume_open(path, &v, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(v.shape[0], SECTIONS);
	for (int64_t z = 0; z < SECTIONS; z++) {
		const long frame = shown(&v, z);

		if (frame != z && frame != last)
			fail_msg("section %d shows frame %ld", (int)z, frame);
		own += frame == z;
		last = frame;
	}
	fx_volume_close(&v);
	return own;
}

/* Kills the process called @p words, when there are any, in the middle of the series: the
 * @p receiver of frames, or another. */
static void series(struct test_place *p, const char *words, bool receiver, int lost_most)
{
	struct detector d = detector_new(ZMQ_PUSH, p->dir, "socket");
	char endpoint[300];
	struct test_run *r;
	json_t *receipt;
	int own;

	d.height = d.width = SIDE;
	snprintf(endpoint, sizeof endpoint, "endpoint=%s", d.endpoint);
	r = test_run_start(p, (const char *[]){ "run", "tests/e2e/frames.yaml", endpoint,
						test_word("out", p->dir, "out"), NULL });
	for (long n = 0; n < SECTIONS; n++) {
		detector_frame(&d, n, 1, "");
		fx_sleep_ms(10);
		if (words && n == SECTIONS / 2)
			kill(test_place_await(p, words), SIGKILL);
		if (receiver && n == SECTIONS / 2)
			detector_alone(&d);
	}
	detector_end(&d, SECTIONS);
	test_run_wait(r);
	own = count_own(test_path(p->dir, "out/image"));
	if (r->code > 1 || (r->code == 0 && own < SECTIONS) || (r->code && !lost_most))
		fail_msg("ended with %d, and %d sections are there: %s", r->code, own, r->err);
	assert_true(own >= SECTIONS - lost_most);
	receipt = test_receipt(test_path(p->dir, "out"), r->code == 0);
	assert_int_equal(test_sum(receipt, "nodes", "restarts"), words != NULL);
	/* what consumers had is not told to be missing, but for what they had not acknowledged */
	assert_in_range(json_array_size(json_object_get(receipt, "missing")), SECTIONS - own,
			SECTIONS - own + UNACKNOWLEDGED);
	json_decref(receipt);
	test_run_free(r);
	detector_free(&d);
}

static void all_sections_come(void **state)
{
	series(*state, NULL, false, 0);
}

static void a_killed_receiver_loses_what_was_under_way(void **state)
{
	series(*state, "node scope.0 acquire/zmq", true, SECTIONS / 2 + 1);
}

static void a_killed_consumer_loses_nothing(void **state)
{
	series(*state, "node tiles.0 tiler/blocks", false, 0);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(all_sections_come),
		PLACED(a_killed_receiver_loses_what_was_under_way),
		PLACED(a_killed_consumer_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
