// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/lost.c. */
#include "support/test.h"

#include "link/lost.h"

enum { MANY = 6, LONG_MS = 3600000 };

/* Parcels 0..MANY-1 in the order in which they were sent. */
struct flight {
	struct fx__parcel parcels[MANY], *items[MANY];
};

static void fly(struct flight *f)
{
	*f = (struct flight){ 0 };
	for (size_t i = 0; i < MANY; i++) {
		f->parcels[i].seq = i;
		f->items[i] = &f->parcels[i];
	}
}

/* A greeting with a list of those of "012345" that stand in @p have. */
static size_t greet(struct fx__silence *s, struct flight *f, const char *have)
{
	uint64_t seqs[MANY];
	struct fx_control c = { .kind = FX_CONTROL_HELLO, .acks = seqs, .lists = true };

	for (; *have; have++)
		seqs[c.acks_len++] = (uint64_t)(*have - '0');
	return fx__lost(s, f->items, MANY, &c);
}

static void expect(const struct flight *f, const char *order)
{
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(f->items[i]->seq, order[i] - '0');
}

static void what_was_overtaken_is_lost(void **unused)
{
	struct fx__silence s = { 0 };
	struct flight f;

	(void)unused;
	fly(&f);
	assert_int_equal(greet(&s, &f, "024"), 2);
	expect(&f, "024513");
	assert_int_equal(greet(&s, &f, "024"), 0); /* sent again, and behind what has come */
	expect(&f, "024513");
	assert_int_equal(greet(&s, &f, "0243"), 2); /* 5 was there before 1 and 3 */
	expect(&f, "024351");
	fly(&f);
	assert_int_equal(greet(&s, &f, "5"), 5);
	expect(&f, "501234");
}

/* As if so much time had passed. */
static void wait_long(struct fx__silence *s)
{
	s->heard_ns -= LONG_MS * INT64_C(1000000);
}

static void what_came_last_is_lost_when_nothing_new_comes(void **unused)
{
	struct fx__silence s = { .apart_ms = LONG_MS };
	struct flight f;

	(void)unused;
	fly(&f);
	assert_int_equal(greet(&s, &f, ""), 0);
	for (int i = 0; i < 5; i++) /* at once: no silence yet */
		assert_int_equal(greet(&s, &f, ""), 0);
	wait_long(&s);
	assert_int_equal(greet(&s, &f, ""), 0);
	s.acked = true; /* something new */
	wait_long(&s);
	assert_int_equal(greet(&s, &f, ""), 0);
	wait_long(&s);
	assert_int_equal(greet(&s, &f, ""), 0);
	wait_long(&s);
	assert_int_equal(greet(&s, &f, ""), 6);
	expect(&f, "012345");
	assert_int_equal(s.patience, 4); /* the next time later */
	assert_int_equal(greet(&s, &f, "012345"), 0);
	assert_int_equal(s.patience, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_overtaken_is_lost),
		cmocka_unit_test(what_came_last_is_lost_when_nothing_new_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
