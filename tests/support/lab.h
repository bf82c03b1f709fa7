// SPDX-License-Identifier: Apache-2.0
/* lab.h: machines to test on: network namespaces of tests/e2e/lab.sh. Include after support/test.h.
 */
#ifndef FX_TESTS_LAB_H
#define FX_TESTS_LAB_H

#include "support/run.h"

/** What test_lab() returns where something is not to be had; its words say what. */
enum { TEST_LAB_NONE = 77 };

/** A place with machines. */
struct test_lab {
	struct test_place *place;
	char *dir;    /**< of keys and configurations */
	char *prefix; /**< of the names of the namespaces; NULL: there are none */
};

/** For cmocka: *state is a struct test_lab whose machines are up, if there can be any. */
int test_lab_setup(void **state);
int test_lab_teardown(void **state);
/** Runs "lab.sh WHAT DIR MORE"; its exit code. */
int test_lab(const struct test_lab *l, const char *what, const char *more);

#endif
