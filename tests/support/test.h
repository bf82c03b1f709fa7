// SPDX-License-Identifier: Apache-2.0
/* test.h: cmocka with what it needs before it, and the seed of random tests. Include first. */
#ifndef FX_TESTS_TEST_H
#define FX_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/** Folder of the shared real data (environment FORNIX_DATA), or NULL when there is none: a test
 * that needs it then calls test_skip() with what it skips. */
const char *test_data_dir(void);
/** Prints "skipped: WHAT" and skips the test. */
void test_skip(const char *what);
/** A fresh folder under /tmp; remove with fx_remove_tree(). free(). */
char *test_tmp_dir(void);
/** Setup and teardown of a test whose state is such a folder. */
int test_folder_make(void **folder);
int test_folder_remove(void **folder);
/** xorshift random numbers: same seed, same numbers. */
uint64_t test_random(uint64_t *seed);

#endif
