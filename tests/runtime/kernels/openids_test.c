// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/openids.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/openids.h"

enum { N = 400, WINDOW = 25 };

/* What rows say: the id each was closed with. */
struct closing {
	uint64_t parent[N + 1];
	size_t len;
};

static void collect(const struct fx_open_ids *o, struct closing *c)
{
	for (size_t i = 0; i < o->closed_len; i++) {
		const uint64_t id = o->closed[i][0];

		assert_true(id > 0 && id <= N && o->closed[i][1] <= id && o->closed[i][1] > 0);
		assert_int_equal(c->parent[id], 0); /* once */
		c->parent[id] = o->closed[i][1];
		c->len++;
	}
}

static uint64_t root_of(const struct closing *c, uint64_t id)
{
	while (c->parent[id] != id)
		id = c->parent[id];
	return id;
}

static void an_id_is_closed_when_nothing_holds_it(void **unused)
{
	struct fx_open_ids o = { 0 };

	(void)unused;
	assert_int_equal(fx_open_ids_add(&o, 5), 0);
	assert_int_equal(fx_open_ids_add(&o, 7), 0);
	assert_int_equal(fx_open_ids_add(&o, 9), 0);
	fx_open_ids_hold(&o, 7);
	fx_open_ids_hold(&o, 9);
	assert_int_equal(fx_open_ids_join(&o, 9, 5), 0); /* keeps 5 */
	assert_int_equal(fx_open_ids_close(&o), 0);
	assert_int_equal(o.closed_len, 0);
	assert_int_equal(fx_open_ids_join(&o, 9, 7), 0);
	assert_int_equal(fx_open_ids_release(&o, 7), 0);
	assert_int_equal(fx_open_ids_close(&o), 0);
	assert_int_equal(o.closed_len, 1);
	assert_int_equal(o.closed[0][0], 7);
	assert_int_equal(o.closed[0][1], 5);
	assert_int_equal(fx_open_ids_release(&o, 9), 0);
	assert_int_equal(fx_open_ids_close(&o), 0);
	assert_int_equal(o.closed_len, 2);
	assert_int_equal(o.closed[1][0], 5);
	assert_int_equal(o.closed[1][1], 5);
	assert_int_equal(o.index.len, 0);
	fx_open_ids_fini(&o);
}

/* Ids come one by one, are held for a while, and joined to others that are held; the last are
 * released (@p way 1) or closed with all. */
static void check_sets(int way, uint64_t seed)
{
	struct fx_open_ids o = { 0 };
	struct closing c = { { 0 }, 0 };
	uint64_t paint[N + 1];
	size_t most = 0;

	for (uint64_t id = 1; id <= N; id++) {
		const uint64_t oldest = id > WINDOW ? id - WINDOW : 1;

		paint[id] = id;
		assert_int_equal(fx_open_ids_add(&o, id), 0);
		fx_open_ids_hold(&o, id);
		for (int k = 0; k < 2; k++) {
			const uint64_t with = oldest + test_random(&seed) % (id - oldest + 1),
				       who = oldest + test_random(&seed) % (id - oldest + 1),
				       a = paint[with], b = paint[who];

			if (test_random(&seed) % 3)
				continue;
			assert_int_equal(fx_open_ids_join(&o, with, who), 0);
			for (uint64_t i = 1; i <= id; i++)
				if (paint[i] == (a > b ? a : b))
					paint[i] = a < b ? a : b;
		}
		if (id > WINDOW)
			assert_int_equal(fx_open_ids_release(&o, id - WINDOW), 0);
		assert_int_equal(fx_open_ids_close(&o), 0);
		collect(&o, &c);
		most = o.index.len > most ? o.index.len : most;
	}
	assert_true(most < 3 * WINDOW);
	assert_true(o.len < 3 * WINDOW + 1);
	for (uint64_t id = N - WINDOW + 1; id <= N && way; id++)
		assert_int_equal(fx_open_ids_release(&o, id), 0);
	assert_int_equal(way ? fx_open_ids_close(&o) : fx_open_ids_close_all(&o), 0);
	collect(&o, &c);
	assert_int_equal(c.len, N);
	assert_int_equal(o.index.len, 0);
	for (uint64_t id = 1; id <= N; id++)
		assert_int_equal(root_of(&c, id), paint[id]);
	fx_open_ids_fini(&o);
}

static void rows_give_the_sets(void **unused)
{
	(void)unused;
	for (uint64_t seed = 1; seed < 20; seed++)
		check_sets(seed % 2, seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(an_id_is_closed_when_nothing_holds_it),
					    cmocka_unit_test(rows_give_the_sets) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
