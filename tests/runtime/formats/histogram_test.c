// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/histogram.c. */
#include "support/test.h"

#include "formats/histogram.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* {"counts": [first, 1, 2, ...]} with @p n counts and @p tail behind. */
static char *text_of(const char *first, int n, const char *tail)
{
	char *text = malloc(8192);
	size_t used;

	assert_non_null(text);
	used = (size_t)snprintf(text, 8192, "{\"counts\": [%s", first);
	for (int i = 1; i < n; i++)
		used += (size_t)snprintf(text + used, 8192 - used, ", %d.5", i);
	snprintf(text + used, 8192 - used, "]%s", tail);
	return text;
}

static int load(const char *text, double *counts, struct fx_error *err)
{
	char *dir = test_tmp_dir(), *path = fx_path_join(dir, "h.json");
	int result;

	assert_int_equal(fx_file_write(path, text, strlen(text), NULL), FX_OK);
	result = fx_histogram_load(path, counts, err);
	fx_remove_tree(dir, NULL);
	free(path);
	free(dir);
	return result;
}

static void reads_counts(void **unused)
{
	char *text = text_of("1e3", 256, ", \"comment\": \"of the left half\"}");
	double counts[256];

	(void)unused;
	assert_int_equal(load(text, counts, NULL), FX_OK);
	assert_true(counts[0] == 1000 && counts[1] == 1.5 && counts[255] == 255.5);
	free(text);
}

static void refuses(char *text, const char *why)
{
	struct fx_error err = { 0 };
	double counts[256];

	assert_true(load(text, counts, &err) < 0);
	if (!strstr(err.text, why) || !strstr(err.text, "h.json"))
		fail_msg("\"%s\" lacks \"%s\" or the path", err.text, why);
	free(text);
}

static void says_what_is_wrong(void **unused)
{
	char *full = text_of("1", 256, "}");
	struct fx_error err = { 0 };
	double counts[256];

	(void)unused;
	refuses(text_of("1", 255, "}"), "not a list of 256 numbers");
	refuses(text_of("-1", 256, "}"), "counts[0] is not a number within 0..1e18");
	refuses(text_of("\"a\"", 256, "}"), "counts[0]");
	refuses(text_of("1e19", 256, "}"), "counts[0]");
	refuses(text_of("1", 256, ", \"bins\": 3}"), "unknown key \"bins\"");
	refuses(text_of("1", 256, ", \"comment\": 3}"), "comment is not a text");
	refuses(text_of("1", 256, ", \"counts\": []}"), "duplicate");
	refuses(strdup("[]"), "not an object");
	refuses(strdup("{}"), "not a list");
	refuses(strdup(""), ":1:0:");
	for (size_t n = 1; n < strlen(full); n += 97) { /* any beginning of it alone */
		char *part = strdup(full);

		part[n] = 0;
		assert_true(load(part, counts, NULL) < 0);
		free(part);
	}
	assert_true(fx_histogram_load("/nonexistent/h.json", counts, &err) < 0);
	assert_non_null(strstr(err.text, "/nonexistent/h.json"));
	free(full);
}

static void refuses_all_zeros(void **unused)
{
	char *text = calloc(1, 1024);
	size_t used;

	(void)unused;
	assert_non_null(text);
	used = (size_t)snprintf(text, 1024, "{\"counts\": [0");
	for (int i = 1; i < 256; i++)
		used += (size_t)snprintf(text + used, 1024 - used, ",0");
	snprintf(text + used, 1024 - used, "]}");
	refuses(text, "all counts are 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_counts),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(refuses_all_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
