// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/pool.c: a slot is free when none of many holders has it. */
#include "support/test.h"

#include <sys/mman.h>
#include <unistd.h>

#include "link/pool.h"

static struct fx_pool *pool_of(unsigned slots)
{
	const int fd = fx_pool_create(slots, NULL);
	struct fx_pool *p;

	assert_true(fd >= 0);
	p = fx_pool_map(fd, true, NULL);
	assert_non_null(p);
	close(fd);
	return p;
}

static void a_slot_is_free_when_no_one_holds_it(void **unused)
{
	static const unsigned holders[] = { 1, 63, 64, 130, FX_POOL_HOLDERS - 1 };
	const size_t len = sizeof holders / sizeof *holders;
	struct fx_pool *p = pool_of(2);

	(void)unused;
	assert_int_equal(fx_pool_take(p), 0);
	for (size_t i = 0; i < len; i++)
		fx_pool_hold(p, 0, holders[i]);
	fx_pool_drop(p, 0, 0);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(fx_pool_used(p), 1);
		assert_int_equal(fx_pool_take(p), 1);
		fx_pool_drop(p, 1, 0);
		fx_pool_drop(p, 0, holders[i]);
	}
	assert_int_equal(fx_pool_used(p), 0);
	assert_int_equal(fx_pool_take(p), 0);
	assert_int_equal(fx_pool_take(p), 1);
	assert_int_equal(fx_pool_take(p), -1);
	fx_pool_unmap(p);
}

static void a_life_is_forgotten_but_for_what_it_reads(void **unused)
{
	struct fx_pool *p = pool_of(FX_POOL_SLOTS_MAX);
	struct fx_slots reads = { 0 };

	(void)unused;
	assert_int_equal(fx_pool_slots(p), FX_POOL_SLOTS_MAX);
	for (unsigned i = 0; i < FX_POOL_SLOTS_MAX; i++)
		fx_pool_hold(p, i, 200);
	fx_pool_hold(p, 9, 201);
	fx_slots_set(&reads, 3, true);
	fx_slots_set(&reads, 70, true);
	fx_slots_set(&reads, 71, true);
	fx_slots_set(&reads, 255, true);
	fx_slots_set(&reads, 71, false);
	assert_true(fx_slots_has(&reads, 70));
	assert_false(fx_slots_has(&reads, 71));
	assert_false(fx_slots_has(&reads, 6));
	fx_pool_forget(p, 200, &reads);
	assert_int_equal(fx_pool_used(p), 4); /* 3, 70, 255, and 9 of the other */
	fx_pool_forget(p, 200, NULL);
	assert_int_equal(fx_pool_used(p), 1);
	fx_pool_unmap(p);
}

static void slots_are_apart_and_end(void **unused)
{
	struct fx_pool *p = pool_of(3);
	char *a = fx_pool_slot(p, 1), *b = fx_pool_slot(p, 2);

	(void)unused;
	*a = 'a';
	*b = 'b';
	assert_true(b - a >= 256 << 20);
	assert_int_equal(*a, 'a');
	assert_null(fx_pool_slot(p, 3));
	fx_pool_unmap(p);
}

static void what_is_no_pool_is_refused(void **unused)
{
	const int fd = memfd_create("no-pool", MFD_CLOEXEC);
	struct fx_error err = { 0 };

	(void)unused;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 100000), 0);
	assert_null(fx_pool_map(fd, false, &err));
	assert_int_equal(err.code, FX_EIO);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slot_is_free_when_no_one_holds_it),
		cmocka_unit_test(a_life_is_forgotten_but_for_what_it_reads),
		cmocka_unit_test(slots_are_apart_and_end),
		cmocka_unit_test(what_is_no_pool_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
