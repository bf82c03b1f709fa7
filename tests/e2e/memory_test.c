// SPDX-License-Identifier: Apache-2.0
/* Memory does not grow with the stream: twice the sections, the same peak in every process. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/images.h"
#include "support/outputs.h"
#include "support/run.h"

enum {
	PER_CENT = 10, /* more than this is growth */
	/* Twice the sections are this much more to hold, for a node that would hold them: labels of
	 * 64 bits of 96 sections of 64 x 64, and images of 40 sections of 320 x 320. Both are more
	 * than what is allowed to a process of 25 MiB. */
	IMAGE_WINDOW = 8 * 320 * 320, /* how many sections wait at a node is a matter of luck */
};

/* Peak of the @p i-th process in bytes, and its name. */
static json_int_t peak(const json_t *receipt, size_t i, const char **name)
{
	const json_t *node = json_array_get(json_object_get(receipt, "nodes"), i);
	json_int_t bytes;

	assert_int_equal(json_unpack_ex((json_t *)(uintptr_t)node, NULL, 0, "{s:s, s:I}", "node",
					name, "peak_rss_bytes", &bytes),
			 0);
	assert_true(bytes > 1 << 20);
	return bytes;
}

/* Memory that is freed must be free at once, not kept aside by the sanitizer. */
static char *free_at_once(void)
{
	const char *options = getenv("ASAN_OPTIONS");
	char *before = fx_strdup(options ? options : "");
	char *all =
		fx_asprintf("%s:quarantine_size_mb=0:thread_local_quarantine_size_kb=0", before);

	assert_true(before && all);
	setenv("ASAN_OPTIONS", all, 1);
	free(all);
	return before;
}

static json_t *run_of(struct test_place *p, const char *out, const char *const *words)
{
	char *before = free_at_once();

	test_run_expect(p, 0, words);
	setenv("ASAN_OPTIONS", before, 1);
	free(before);
	return test_receipt(test_path(p->dir, out), true);
}

static void compare(json_t *once, json_t *twice, json_int_t slack)
{
	const size_t n = json_array_size(json_object_get(once, "nodes"));
	unsigned grown = 0;

	assert_int_equal(json_array_size(json_object_get(twice, "nodes")), n);
	for (size_t i = 0; i < n; i++) {
		const char *name, *same;
		const json_int_t a = peak(once, i, &name), b = peak(twice, i, &same);

		assert_string_equal(name, same);
		print_message("%-16s %8.2f MiB, %8.2f MiB\n", name, (double)a / (1 << 20),
			      (double)b / (1 << 20));
		grown += b > a + a * PER_CENT / 100 + slack;
	}
	if (grown)
		fail_msg("the peak of %u processes grows with the stream", grown);
	json_decref(once);
	json_decref(twice);
}

static void labels_do_not_pile_up(void **state)
{
	struct test_place *p = *state;
	json_t *run[2];

	for (int i = 0; i < 2; i++) {
		const char *out = i ? "twice" : "once";

		run[i] = run_of(
			p, out,
			(const char *[]){ "run", "graphs/demo.yaml", test_word("out", p->dir, out),
					  "segmenter=watershed",
					  i ? "size=192 64 64" : "size=96 64 64", "block=16 32 32",
					  "halo=4 8 8", "cell=48 64 64", "--quiet", NULL });
	}
	compare(run[0], run[1], 0);
	test_place_clean(p);
}

static void images_do_not_pile_up(void **state)
{
	struct test_place *p = *state;
	json_t *run[2];

	for (int i = 0; i < 2; i++) {
		const char *in = i ? "in-twice" : "in-once", *out = i ? "twice" : "once";
		const struct test_sections s = { 0, i ? 80 : 40, 320, 320, 8 };

		test_write_sections(test_path(p->dir, in), &s);
		run[i] = run_of(p, out,
				(const char *[]){ "run", "tests/e2e/sections.yaml",
						  test_word("sections", p->dir, in),
						  test_word("out", p->dir, out), "block=8 160 160",
						  "--quiet", NULL });
	}
	compare(run[0], run[1], IMAGE_WINDOW);
	test_place_clean(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(labels_do_not_pile_up, test_place_setup,
						test_place_teardown),
		cmocka_unit_test_setup_teardown(images_do_not_pile_up, test_place_setup,
						test_place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
