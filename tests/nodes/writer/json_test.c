// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/writer/json.c. */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "support/images.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_writer_json;

static struct node_test *start(const char *folder, const char *name)
{
	char path[600];

	snprintf(path, sizeof path, "path=%s/%s", folder, name);
	return node_test_new(&fx_node_writer_json, (const char *const[]){ path, NULL });
}

static struct fx_record *record(const char *name, double number)
{
	struct fx_record *r = fx_record_new("scores");

	assert_non_null(r);
	assert_int_equal(fx_record_add_number(r, name, number), FX_OK);
	return r;
}

static void names_with_dots_are_nested(void **folder)
{
	static const char want[] = "{\n"
				   "  \"truth_nonzero\": {\n"
				   "    \"voi_split\": 0.10000000000000001,\n"
				   "    \"pairs\": -3\n"
				   "  },\n"
				   "  \"segments\": 4000000000000000,\n"
				   "  \"note\": \"a \\\"b\\\"\",\n"
				   "  \"none\": null,\n"
				   "  \"big\": 1.0000000000000001e300\n"
				   "}\n";
	struct node_test *t = start(*folder, "a/b/scores.json");
	struct fx_record *r = record("truth_nonzero.voi_split", 7);
	void *text;
	size_t size;

	fx_record_add_number(r, "segments", 4e15);
	fx_record_add_text(r, "note", "a \"b\"");
	assert_int_equal(node_test_record(t, "records", r), FX_OK);
	assert_int_equal(node_test_record(t, "records", record("truth_nonzero.voi_split", 0.1)),
			 FX_OK);
	assert_int_equal(node_test_record(t, "records", record("truth_nonzero.pairs", -3)), FX_OK);
	assert_int_equal(node_test_record(t, "records", record("none", (double)NAN)), FX_OK);
	assert_int_equal(node_test_record(t, "records", record("big", 1e300)), FX_OK);
	assert_int_not_equal(access(test_path(*folder, "a/b/scores.json"), F_OK), 0);
	assert_int_equal(node_test_drain(t), FX_OK);
	node_test_free(t);
	assert_int_equal(
		fx_file_read(test_path(*folder, "a/b/scores.json"), 4096, &text, &size, NULL),
		FX_OK);
	assert_string_equal(text, want);
	free(text);
}

static void another_life_writes_the_same(void **folder)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	static const char *const names[] = { "a.json", "b.json", "c.json" };

	for (size_t i = 0; i < 3; i++) {
		char path[600];
		struct node_test *t;

		snprintf(path, sizeof path, "path=%s/%s", (const char *)*folder, names[i]);
		t = node_test_new(&fx_node_writer_json,
				  (const char *const[]){ path, lives[i], NULL });
		node_test_record(t, "records", record("b.voi", 0.1));
		node_test_record(t, "records", record("a", 3));
		node_test_record(t, "records", record("b.n", (double)NAN));
		node_test_record(t, "records", record("b.voi", 1e300 / 3));
		assert_int_equal(node_test_drain(t), FX_OK);
		test_same_files(test_path(*folder, "a.json"), test_path(*folder, names[i]));
		if (!lives[i])
			node_test_hostile(t);
		node_test_free(t);
	}
}

static void a_line_for_each_record(void **folder)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };

	for (size_t i = 0; i < 3; i++) {
		char path[600];
		struct node_test *t;
		void *text;
		size_t size;

		snprintf(path, sizeof path, "path=%s/lines.jsonl", (const char *)*folder);
		t = node_test_new(&fx_node_writer_json,
				  (const char *const[]){ path, "lines=true", lives[i], NULL });
		node_test_record(t, "records", record("b.voi", 2));
		node_test_record(t, "records", record("b.voi", 3));
		assert_int_equal(node_test_drain(t), FX_OK);
		node_test_free(t);
		assert_int_equal(
			fx_file_read(test_path(*folder, "lines.jsonl"), 4096, &text, &size, NULL),
			FX_OK);
		assert_string_equal(text, "{\"b\": {\"voi\": 2}}\n{\"b\": {\"voi\": 3}}\n");
		free(text);
	}
}

static void rows_of_tables_are_lines(void **folder)
{
	char path[300];
	struct node_test *t;
	struct fx_record *r = record("z", 5);
	void *text;
	size_t size;

	snprintf(path, sizeof path, "path=%s/rows.jsonl", (const char *)*folder);
	t = node_test_new(&fx_node_writer_json,
			  (const char *const[]){ path, "lines=true", "rows=true", NULL });
	fx_record_add_text(r, "columns", "a  b");
	assert_int_equal(fx_record_table(r, 2, 3), FX_OK);
	for (size_t i = 0; i < 5; i++)
		r->table[i] = ((uint64_t)1 << 60) + i;
	r->table[5] = UINT64_MAX;
	node_test_record(t, "records", r);
	node_test_record(t, "records", record("alone", 1));
	assert_int_equal(node_test_drain(t), FX_OK);
	node_test_free(t);
	assert_int_equal(fx_file_read(test_path(*folder, "rows.jsonl"), 4096, &text, &size, NULL),
			 FX_OK);
	assert_string_equal(text, "{\"z\": 5, \"a\": 1152921504606846976, "
				  "\"b\": 1152921504606846977, \"column3\": 1152921504606846978}\n"
				  "{\"z\": 5, \"a\": 1152921504606846979, "
				  "\"b\": 1152921504606846980, "
				  "\"column3\": \"18446744073709551615\"}\n"
				  "{\"alone\": 1}\n");
	free(text);
	t = node_test_new(&fx_node_writer_json, (const char *const[]){ path, "rows=true", NULL });
	assert_int_equal(node_test_result(t), FX_EINVAL);
	node_test_free(t);
}

static void nothing_is_an_empty_object(void **folder)
{
	struct node_test *t = start(*folder, "empty.json");
	void *text;
	size_t size;

	assert_int_equal(node_test_drain(t), FX_OK);
	node_test_free(t);
	assert_int_equal(fx_file_read(test_path(*folder, "empty.json"), 64, &text, &size, NULL),
			 FX_OK);
	assert_string_equal(text, "{}\n");
	free(text);
}

static void a_name_is_a_value_or_an_object(void **folder)
{
	struct node_test *t = start(*folder, "c.json");

	assert_int_equal(node_test_record(t, "records", record("a", 1)), FX_OK);
	assert_int_equal(node_test_record(t, "records", record("a.b", 1)), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "a.b names a value and also an object"));
	assert_int_equal(node_test_record(t, "records", record("x.y", 1)), FX_OK);
	assert_int_equal(node_test_record(t, "records", record("x", 1)), FX_EINVAL);
	node_test_free(t);
	t = start(*folder, "");
	assert_int_equal(node_test_result(t), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "must name a file"));
	node_test_free(t);
	t = node_test_new(&fx_node_writer_json, (const char *const[]){ "path=/proc/x/y", NULL });
	assert_int_equal(node_test_result(t), FX_EIO);
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_life_writes_the_same),
		cmocka_unit_test(names_with_dots_are_nested),
		cmocka_unit_test(a_line_for_each_record),
		cmocka_unit_test(rows_of_tables_are_lines),
		cmocka_unit_test(nothing_is_an_empty_object),
		cmocka_unit_test(a_name_is_a_value_or_an_object),
	};

	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
