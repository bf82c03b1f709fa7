// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/flow/work.c. */
#include "support/test.h"

#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_flow_work;

static struct fx_block *block(void)
{
	struct fx_block *b = fx_block_new(FX_U16, 2, 3, 4);

	assert_non_null(b);
	for (uint16_t i = 0; i < 24; i++)
		((uint16_t *)b->data)[i] = (uint16_t)(i * 7);
	b->origin[1] = 40;
	b->halo_lo[0] = 1;
	b->halo_hi[2] = 2;
	b->voxel_nm[0] = 30;
	b->role = FX_MASK;
	b->level = 3;
	return b;
}

static struct node_test *node(const char *a, const char *b)
{
	return node_test_new(&fx_node_flow_work, (const char *[]){ a, b, NULL });
}

static void passes_the_same_block_on(void **unused)
{
	struct node_test *t = node("time=0 ms", NULL);
	struct fx_block *want = block();
	const struct fx_block *got;

	(void)unused;
	assert_int_equal(node_test_block(t, "in", block()), FX_OK);
	assert_int_equal(node_test_sent_len(t), 1);
	got = node_test_get(t, "out", FX_BLOCK, 0)->message;
	assert_int_equal(got->dtype, want->dtype);
	assert_int_equal(got->role, want->role);
	assert_int_equal(got->level, want->level);
	assert_memory_equal(got->origin, want->origin, sizeof want->origin);
	assert_memory_equal(got->shape, want->shape, sizeof want->shape);
	assert_memory_equal(got->halo_lo, want->halo_lo, sizeof want->halo_lo);
	assert_memory_equal(got->halo_hi, want->halo_hi, sizeof want->halo_hi);
	assert_memory_equal(got->voxel_nm, want->voxel_nm, sizeof want->voxel_nm);
	assert_memory_equal(got->data, want->data, fx_block_size(want));
	fx_block_free(want);
	node_test_free(t);
}

enum { BLOCKS = 8 };

/* How often it let go of the processor for some blocks, which take at least @p ms each. */
static long pauses_of(struct node_test *t, int ms)
{
	const int64_t start = fx_now_ns();
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < BLOCKS; i++)
		assert_int_equal(node_test_block(t, "in", block()), FX_OK);
	getrusage(RUSAGE_SELF, &after);
	assert_true(fx_now_ns() - start >= BLOCKS * ms * INT64_C(1000000));
	return after.ru_nvcsw - before.ru_nvcsw;
}

static void takes_its_time_and_computes_when_asked(void **unused)
{
	struct node_test *waits = node("time=100 ms", NULL); /* others have it for less */
	struct node_test *computes = node("time=5 ms", "busy=true");

	(void)unused;
	assert_true(pauses_of(waits, 100) >= BLOCKS);
	assert_true(pauses_of(computes, 5) < BLOCKS / 2); /* others may take it */
	node_test_free(waits);
	node_test_free(computes);
}

/* A long wait shows that it lives, and ends with the run. */
static void a_long_wait_can_be_seen_and_ended(void **unused)
{
	struct node_test *t = node("time=2 s", NULL); /* of slices of 1 s */
	struct node_test *u = node("time=3600 s", NULL);

	(void)unused;
	assert_int_equal(node_test_block(t, "in", block()), FX_OK);
	assert_true(node_test_progress(t, "blocks", NULL) >= 0);
	node_test_stop(u);
	assert_int_equal(node_test_block(u, "in", block()), FX_OK);
	node_test_free(t);
	node_test_free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_the_same_block_on),
		cmocka_unit_test(takes_its_time_and_computes_when_asked),
		cmocka_unit_test(a_long_wait_can_be_seen_and_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
