// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/nglink.c. */
#include "support/test.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "formats/nglink.h"

/* The text behind "#!", with %XX read back; free(). */
static char *decode(const char *link)
{
	const char *at = strstr(link, "#!");
	char *out = calloc(strlen(link) + 1, 1);
	size_t n = 0;

	assert_non_null(at);
	assert_non_null(out);
	for (at += 2; *at; at++) {
		if (*at == '%') {
			const char hex[3] = { at[1], at[2], 0 };

			out[n++] = (char)strtol(hex, NULL, 16);
			at += 2;
		} else {
			assert_null(strchr("{}\"[]:,/ ", *at));
			out[n++] = *at;
		}
	}
	return out;
}

static void a_link_says_where_and_what(void **unused)
{
	static const uint64_t ids[] = { 5, 18446744073709551615u };
	const struct fx_nglink_layer layers[] = {
		{ "image", "precomputed://http://localhost:8000/image", NULL, 0 },
		{ "labels", "zarr://http://localhost:8000/a b.zarr", ids, 2 },
		{ "truth", "", ids, 1 },
	};
	const double voxel[] = { 40, 8, 4 };
	const int64_t at[] = { 3, 20, 100 };
	char *link = fx_nglink("https://viewer.example/", voxel, at, layers, 3), *text;
	json_t *root, *list;

	(void)unused;
	assert_non_null(link);
	assert_int_equal(strncmp(link, "https://viewer.example/#!%7B", 28), 0);
	text = decode(link);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	list = json_object_get(root, "layers");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_array_get(
				    json_object_get(json_array_get(list, 1), "segments"), 1)),
			    "18446744073709551615");
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "source")),
			    "zarr://http://localhost:8000/a b.zarr");
	assert_true(json_real_value(json_array_get(json_object_get(root, "position"), 0)) == 100.5);
	assert_true(json_real_value(json_array_get(json_object_get(root, "position"), 2)) == 3.5);
	assert_true(json_real_value(json_array_get(
			    json_object_get(json_object_get(root, "dimensions"), "z"), 0)) ==
		    40 * 1e-9);
	json_decref(root);
	free(text);
	free(link);
	assert_null(fx_nglink("https://viewer.example/", voxel, at, layers + 2, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_says_where_and_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
