// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/gate.c. */
#include "support/test.h"

#include "kernels/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct fx_gate_rules usual = {
	.attempts = 2, .deadline = 6, .patience = 3, .hold = 8
};

/* What the gate does, as words: "ask 3/1@9" is section 3, the first time, until section 9. */
static void steps(struct fx_gate *g, bool ended, char *to, size_t size)
{
	struct fx_gate_move m;

	while ((m = fx_gate_step(g, ended)).act != FX_GATE_WAIT) {
		const size_t at = strlen(to);

		if (m.act == FX_GATE_ASK)
			snprintf(to + at, size - at, " ask %d/%u@%d", (int)m.z, m.section.asked,
				 (int)m.section.deadline);
		else if (m.act == FX_GATE_PASS)
			snprintf(to + at, size - at, " pass %d:%d", (int)m.z, (int)m.section.kept);
		else
			snprintf(to + at, size - at, " close %d", (int)m.z);
	}
}

/* A verdict per word: "3" is good, "3!" is bad, "3!!" is worse, "-3" is lost, "." is the end. Image
 * numbers count up. */
static void expect(const struct fx_gate_rules *rules, const char *verdicts, const char *done)
{
	char all[1024] = "", *copy = strdup(verdicts), *save = NULL;
	struct fx_gate g;
	uint64_t image = 0;

	assert_non_null(copy);
	fx_gate_init(&g, rules, 0);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		const char *bad = strchr(w, '!');
		const int64_t z = strtoll(w, NULL, 10);
		const struct fx_gate_verdict v = { .image = image++,
						   .good = !bad,
						   .badness = bad ? (double)strlen(bad) : 0.2,
						   .region = { { z, 0, 0 }, { z + 1, 2, 2 } },
						   .reason = bad ? "defocus" : "good" };

		if (*w == '-')
			assert_int_equal(fx_gate_lost(&g, -z, "gone"), FX_OK);
		else if (*w != '.')
			assert_int_equal(fx_gate_judged(&g, &v), FX_OK);
		steps(&g, *w == '.', all, sizeof all);
	}
	assert_string_equal(all[0] ? all + 1 : all, done);
	free(copy);
	fx_gate_fini(&g);
}

static void good_ones_pass_in_order(void **unused)
{
	(void)unused;
	expect(&usual, "0 1 2", "pass 0:0 pass 1:1 pass 2:2");
	expect(&usual, "1 0 3 2", "pass 0:1 pass 1:0 pass 2:3 pass 3:2");
	expect(&usual, "0 -1 2", "pass 0:0 close 1 pass 2:2");
	expect(&usual, "1 1 0", "pass 0:2 pass 1:1");
	expect(&usual, "0 0 0! 1", "pass 0:0 pass 1:3");
}

static void bad_ones_are_asked_for(void **unused)
{
	(void)unused;
	expect(&usual, "0! 1 0 2", "ask 0/1@6 pass 0:2 pass 1:1 pass 2:3");
	/* fails again, and better */
	expect(&usual, "0! 1 0! 0", "ask 0/1@6 ask 0/2@6 pass 0:3 pass 1:1");
	expect(&usual, "0! 1 0! 0! 2", "ask 0/1@6 ask 0/2@6 close 0 pass 1:1 pass 2:4");
	/* no answer for three sections: once more; then the deadline */
	expect(&usual, "0! 1 2 3 4 5 6",
	       "ask 0/1@6 ask 0/2@6 close 0 pass 1:1 pass 2:2 pass 3:3 pass 4:4 pass 5:5 pass 6:6");
	/* a good one is not spoiled by a bad one */
	expect(&usual, "1 1! 0", "pass 0:2 pass 1:0");
}

static void never_after_the_deadline(void **unused)
{
	struct fx_gate_rules r = usual;

	(void)unused;
	r.patience = 100;
	expect(&r, "0! 1 2 3 4 5 0! 6",
	       "ask 0/1@6 ask 0/2@6 close 0 pass 1:1 pass 2:2 pass 3:3 pass 4:4 pass 5:5 pass 6:7");
	r.attempts = 9;
	r.hold = 100;
	expect(&r, "0! 1 2 3 4 5 6 0!",
	       "ask 0/1@6 close 0 pass 1:1 pass 2:2 pass 3:3 pass 4:4 pass 5:5 pass 6:6");
	r.attempts = 0;
	expect(&r, "0! 1", "close 0 pass 1:1");
}

static void what_waits_is_bounded(void **unused)
{
	struct fx_gate_rules r = usual;

	(void)unused;
	r.hold = 2;
	expect(&r, "0! 1 2 3", "ask 0/1@6 close 0 pass 1:1 pass 2:2 pass 3:3");
	expect(&r, "1 2 3", "close 0 pass 1:0 pass 2:1 pass 3:2");
	r.pass = true;
	expect(&r, "0!! 1 0! 2", "ask 0/1@6 ask 0/2@6 pass 0:2 pass 1:1 pass 2:3");
	expect(&r, "0! 1 0!! 2", "ask 0/1@6 ask 0/2@6 pass 0:0 pass 1:1 pass 2:3");
}

static void the_end_closes_all(void **unused)
{
	struct fx_gate_rules r = usual;

	(void)unused;
	expect(&r, "0! 2 .", "ask 0/1@6 close 0 close 1 pass 2:1");
	r.pass = true;
	expect(&r, "0! 2 .", "ask 0/1@6 pass 0:0 close 1 pass 2:1");
}

static void far_sections_are_refused(void **unused)
{
	struct fx_gate g;
	struct fx_gate_verdict v = { .region = { { 2000000, 0, 0 }, { 0, 0, 0 } }, .reason = "" };

	(void)unused;
	fx_gate_init(&g, &usual, 0);
	assert_int_equal(fx_gate_judged(&g, &v), FX_EINVAL);
	v.region.lo[0] = -1;
	assert_int_equal(fx_gate_judged(&g, &v), FX_OK);
	assert_int_equal(fx_gate_step(&g, true).act, FX_GATE_WAIT);
	assert_false(fx_gate_keeps(&g, 0, 0));
	fx_gate_fini(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_pass_in_order),
		cmocka_unit_test(bad_ones_are_asked_for),
		cmocka_unit_test(never_after_the_deadline),
		cmocka_unit_test(what_waits_is_bounded),
		cmocka_unit_test(the_end_closes_all),
		cmocka_unit_test(far_sections_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
