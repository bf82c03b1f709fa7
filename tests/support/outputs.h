// SPDX-License-Identifier: Apache-2.0
/* outputs.h: looks at what a run has made: receipt, JSON, folders; makes sections for it. */
#ifndef FX_TESTS_OUTPUTS_H
#define FX_TESTS_OUTPUTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** The JSON file FOLDER/NAME; json_decref(). Fails the test when it is not there or not valid. */
json_t *test_json(const char *folder, const char *name);
/** FOLDER/NAME is there. */
bool test_is_there(const char *folder, const char *name);
/** Fails unless the two folders hold the same names with the same bytes; receipt.json and
 * provenance at their top are not compared. */
void test_same_folders(const char *a, const char *b);
/** Number of files under FOLDER whose name ends with @p ending. */
size_t test_count_files(const char *folder, const char *ending);

/** Fails unless the receipt of FOLDER adds up: on every edge sent == acked + dropped; all nodes
 * have ended with exit code 0, so that no sanitizer complained; and "complete" is @p complete. The
 * receipt; json_decref(). */
json_t *test_receipt(const char *folder, bool complete);
/** The same of a run whose processes the test also struck with the signal @p blow (0: none): one
 * that had finished, but of which its run did not know yet, may have ended by it. */
json_t *test_receipt_struck(const char *folder, bool complete, int blow);
/** Sum of an integer over the entries of a list in the receipt: ("nodes", "restarts"). */
json_int_t test_sum(const json_t *receipt, const char *list, const char *name);

/** What the sections look like. */
struct test_sections {
	size_t first, count; /**< numbers first..first+count-1 */
	size_t height, width;
	int depth; /**< bits: 8 or 16 */
};

/** Writes a section as FOLDER/NAME: cells with dark membranes in noise, a function of @p z only. */
void test_section(const char *folder, const char *name, const struct test_sections *s, size_t z);
/** Writes FOLDER/zNNN.png for all sections, with the folder. */
void test_write_sections(const char *folder, const struct test_sections *s);
/** Writes true labels of the first @p count sections of the same cells as a TIFF of u16. */
void test_write_truth(const char *path, const struct test_sections *s, size_t count);

#endif
