// SPDX-License-Identifier: Apache-2.0
/* Checks, draws and runs every graph in graphs/ on a little data. */
#include "support/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/image.h"
#include "formats/precomputed.h"
#include "formats/swc.h"
#include "support/ffn_toy.h"
#include "support/images.h"
#include "support/outputs.h"
#include "support/run.h"

#define DEMO	     "graphs/demo.yaml"
#define RECONSTRUCT  "graphs/reconstruct.yaml"
#define TRAIN	     "graphs/train-pixels.yaml"
#define SMALL_BLOCKS "block=32 32 32", "halo=8 8 8"

static const struct test_sections some = { 7, 20, 64, 72, 8 };

/* The graphs that are run below (live and cluster by tests of their own), with what they must be
 * given. */
static const struct {
	const char *name;
	const char *params[3];
	const char *holds; /* a type in it */
} shipped[] = {
	{ "cluster.yaml", { "sections=/nowhere", "out=/nowhere" }, "segmenter/unet" },
	{ "consensus.yaml", { "sections=/nowhere", "out=/nowhere" }, "consensus/oversegmentation" },
	{ "demo.yaml", { "out=/nowhere" }, "segmenter/unet" },
	{ "ffn.yaml", { "sections=/nowhere", "model=/nowhere", "out=/nowhere" }, "segmenter/ffn" },
	{ "live.yaml", { "sections=/nowhere", "out=/nowhere" }, "inspector/feedback" },
	{ "reconstruct.yaml", { "out=/nowhere", "sections=/nowhere" }, "segmenter/unet" },
	{ "train-pixels.yaml",
	  { "sections=/nowhere", "truth=/nowhere", "model=/nowhere" },
	  "trainer/pixels" },
	{ "train-unet.yaml",
	  { "sections=/nowhere", "truth=/nowhere", "model=/nowhere" },
	  "trainer/segmentation" },
};

static int yaml_files(const struct dirent *e)
{
	return fx_path_ends(e->d_name, ".yaml");
}

static void none_is_left_out(void **unused)
{
	struct dirent **names;
	const int n = scandir("graphs", &names, yaml_files, alphasort);

	(void)unused;
	for (int i = 0; i < n; i++) {
		size_t k = 0;

		while (k < sizeof shipped / sizeof *shipped &&
		       strcmp(shipped[k].name, names[i]->d_name) != 0)
			k++;
		if (k == sizeof shipped / sizeof *shipped)
			fail_msg("graphs/%s is not run by this test: add it", names[i]->d_name);
		free(names[i]);
	}
	free(names);
	assert_int_equal(n, sizeof shipped / sizeof *shipped);
}

static void each_is_checked_and_drawn(void **state)
{
	struct test_place *p = *state;

	for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++) {
		const char *const *give = shipped[i].params,
				  *path = test_path("graphs", shipped[i].name);
		struct test_run *dot, *json;
		json_t *j;

		test_run_expect(p, 0,
				(const char *[]){ "check", path, give[0], give[1], give[2], NULL });
		dot = test_run(p, (const char *[]){ "draw", path, "--format", "dot", give[0],
						    give[1], give[2], NULL });
		json = test_run(p, (const char *[]){ "draw", path, "--format", "json", give[0],
						     give[1], give[2], NULL });
		assert_int_equal(dot->code, 0);
		assert_int_equal(strncmp(dot->out, "digraph", 7), 0);
		assert_non_null(strstr(dot->out, shipped[i].holds));
		assert_int_equal(json->code, 0);
		j = json_loads(json->out, 0, NULL);
		assert_true(json_array_size(json_object_get(j, "nodes")) > 4);
		json_decref(j);
		test_run_free(dot);
		test_run_free(json);
	}
	test_place_clean(p);
}

static void check_volume(const char *folder, enum fx_role role, const size_t size[3])
{
	struct fx_precomputed info;
	struct fx_error err = { 0 };
	struct fx_block *b;
	bool some_set = false;

	if (fx_precomputed_read_info(folder, &info, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(info.role, role);
	for (int a = 0; a < 3; a++) {
		assert_int_equal(info.size[a], size[a]);
		assert_int_equal(info.offset[a], 0);
		assert_true(info.voxel_nm[a] == 8);
	}
	if (fx_precomputed_read_chunk(folder, &info, (const int64_t[3]){ 0 }, &b, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < fx_block_size(b); i++)
		some_set = some_set || ((const uint8_t *)b->data)[i];
	assert_true(some_set);
	fx_block_free(b);
}

static int swc_files(const struct dirent *e)
{
	return fx_path_ends(e->d_name, ".swc");
}

static void check_skeletons(const char *out)
{
	struct dirent **names;
	const char *folder = test_path(out, "skeletons/swc");
	const int n = scandir(folder, &names, swc_files, alphasort);
	json_t *info = test_json(out, "skeletons/precomputed/info");

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		struct fx_tree *t;
		struct fx_error err = { 0 };
		size_t repairs;

		if (fx_swc_read(test_path(folder, names[i]->d_name), 1, &t, &repairs, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(repairs, 0);
		assert_true(t->len > 0);
		fx_tree_free(t);
		free(names[i]);
	}
	free(names);
	assert_string_equal(json_string_value(json_object_get(info, "@type")),
			    "neuroglancer_skeletons");
	json_decref(info);
	/* as many there as here, with an info */
	assert_int_equal(test_count_files(test_path(out, "skeletons/precomputed"), ""), n + 2);
}

static void check_picture(const char *path)
{
	struct fx_image im = { 0 };
	struct fx_error err = { 0 };
	void *bytes;
	size_t size;

	/* a colour PNG: what reads sections says so, and refuses it */
	assert_true(fx_image_open(path, &im, &err) < 0);
	assert_non_null(strstr(err.text, "RGB"));
	assert_int_equal(fx_file_read(path, 64 << 20, &bytes, &size, &err), FX_OK);
	assert_true(size > 1000);
	assert_memory_equal(bytes, "\x89PNG\r\n\x1a\n", 8);
	assert_memory_equal((const char *)bytes + size - 8, "IEND\xae\x42\x60\x82", 8);
	free(bytes);
}

/* All that design section 8 promises in the folder of a run. */
static void check_outputs(const char *out, const size_t size[3], bool scored)
{
	json_t *receipt = test_receipt(out, true), *scores = test_json(out, "scores.json"),
	       *provenance = test_json(out, "provenance"),
	       *truth = json_object_get(scores, "truth_nonzero");

	assert_int_equal(json_array_size(json_object_get(receipt, "missing")), 0);
	assert_int_equal(json_integer_value(json_object_get(receipt, "voxels")),
			 size[0] * size[1] * size[2]);
	assert_int_equal(test_sum(receipt, "nodes", "warnings"), 0);
	assert_true(json_number_value(json_object_get(scores, "segments")) > 0);
	assert_int_equal(json_is_number(json_object_get(truth, "voi_split")), scored);
	assert_non_null(json_object_get(provenance, "processing"));
	check_volume(test_path(out, "labels"), FX_LABELS, size);
	check_volume(test_path(out, "image"), FX_IMAGE, size);
	check_skeletons(out);
	check_picture(test_path(out, "picture.png"));
	assert_int_equal(test_count_files(out, "partial"), 0);
	json_decref(receipt);
	json_decref(scores);
	json_decref(provenance);
}

static void demo_runs(void **state)
{
	struct test_place *p = *state;
	struct test_run *r =
		test_run(p, (const char *[]){ "run", DEMO, test_word("out", p->dir, "out"),
					      "size=40 64 64", SMALL_BLOCKS, NULL });

	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	assert_non_null(strstr(r->err, "complete: nothing lost, nothing missing"));
	check_outputs(test_path(p->dir, "out"), (const size_t[3]){ 40, 64, 64 }, true);
	test_run_free(r);
	test_place_clean(p);
}

static void reconstruct_runs(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;
	json_t *printed;

	test_write_sections(test_path(p->dir, "in"), &some);
	r = test_run(p, (const char *[]){ "run", RECONSTRUCT, test_word("sections", p->dir, "in"),
					  test_word("out", p->dir, "out"), SMALL_BLOCKS, "--json",
					  "--quiet", NULL });
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	assert_string_equal(r->err, "");
	printed = json_loads(r->out, 0, NULL);
	assert_true(json_is_true(json_object_get(printed, "complete")));
	json_decref(printed);
	check_outputs(test_path(p->dir, "out"),
		      (const size_t[3]){ some.count, some.height, some.width }, false);
	/* nothing is ever written into an input folder */
	assert_int_equal(test_count_files(test_path(p->dir, "in"), ""), some.count);
	test_run_free(r);
	test_place_clean(p);
}

static void write_reference(const char *path)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "{\"counts\": [");
	for (int i = 0; i < 256; i++)
		fprintf(f, "%d%s", i >= 60 && i < 200 ? 1 + i % 7 : 0, i < 255 ? "," : "]}\n");
	fclose(f);
}

static void reconstruct_runs_with_truth_and_adapter(void **state)
{
	struct test_place *p = *state;

	test_write_sections(test_path(p->dir, "in"), &some);
	test_write_truth(test_path(p->dir, "truth.tif"), &some, some.count - 4);
	write_reference(test_path(p->dir, "reference.json"));
	test_run_expect(p, 0,
			(const char *[]){ "run", RECONSTRUCT, test_word("sections", p->dir, "in"),
					  test_word("out", p->dir, "out"),
					  test_word("truth", p->dir, "truth.tif"), "adapt=on",
					  test_word("reference", p->dir, "reference.json"),
					  SMALL_BLOCKS, NULL });
	check_outputs(test_path(p->dir, "out"),
		      (const size_t[3]){ some.count, some.height, some.width }, true);
	test_place_clean(p);
}

static void train_runs_and_its_model_segments(void **state)
{
	struct test_place *p = *state;
	json_t *curves, *receipt;

	test_write_sections(test_path(p->dir, "in"), &some);
	test_write_truth(test_path(p->dir, "truth.tif"), &some, some.count - 4);
	test_run_expect(p, 0,
			(const char *[]){ "run", TRAIN, test_word("sections", p->dir, "in"),
					  test_word("truth", p->dir, "truth.tif"),
					  test_word("model", p->dir, "made/model"), "zero=boundary",
					  "steps=80", "aside_from=12", "aside_to=16",
					  "block=16 32 32", "--quiet", NULL });
	curves = test_json(p->dir, "made/model.json");
	assert_int_equal(json_object_size(json_object_get(curves, "curve")), 40);
	json_decref(curves);
	check_picture(test_path(p->dir, "made/model.png"));
	assert_int_equal(test_count_files(test_path(p->dir, "made"), ""), 3);
	test_run_expect(p, 0,
			(const char *[]){ "run", RECONSTRUCT, test_word("sections", p->dir, "in"),
					  test_word("out", p->dir, "out"), "segmenter=pixels",
					  test_word("model", p->dir, "made/model"), SMALL_BLOCKS,
					  NULL });
	receipt = test_receipt(test_path(p->dir, "out"), true);
	assert_int_equal(test_sum(receipt, "nodes", "warnings"), 0);
	json_decref(receipt);
	test_place_clean(p);
}

static void train_unet_runs_and_its_model_segments(void **state)
{
	struct test_place *p = *state;
	json_t *curves, *scores;

	test_write_sections(test_path(p->dir, "in"), &some);
	test_write_truth(test_path(p->dir, "truth.tif"), &some, some.count - 4);
	test_run_expect(p, 0,
			(const char *[]){ "run", "graphs/train-unet.yaml",
					  test_word("sections", p->dir, "in"),
					  test_word("truth", p->dir, "truth.tif"),
					  test_word("model", p->dir, "made/model"), "zero=boundary",
					  "steps=6", "reports=2", "side=16 16 16", "width=8 8",
					  "aside_from=12", "aside_to=16", "phantom_size=16 48 48",
					  "--quiet", NULL });
	curves = test_json(p->dir, "made/model.json");
	assert_int_equal(json_object_size(json_object_get(curves, "curve")), 2);
	json_decref(curves);
	check_picture(test_path(p->dir, "made/model.png"));
	assert_int_equal(test_count_files(test_path(p->dir, "made"), ""), 3);
	test_run_expect(p, 0,
			(const char *[]){ "run", RECONSTRUCT, test_word("sections", p->dir, "in"),
					  test_word("out", p->dir, "out"), "segmenter=unet",
					  test_word("model", p->dir, "made/model"), SMALL_BLOCKS,
					  NULL });
	scores = test_json(p->dir, "out/scores.json");
	/* so little training finds few segments or none */
	assert_int_equal(json_integer_value(json_object_get(scores, "voxels")),
			 some.count * some.height * some.width);
	json_decref(scores);
	test_place_clean(p);
}

static void ffn_runs(void **state)
{
	float values[TEST_FFN_VALUES];
	const struct fx_ffn_model toy = test_ffn_toy(values);
	struct test_place *p = *state;
	const char *model = test_path(p->dir, "toy.safetensors");

	assert_int_equal(fx_ffn_model_write(&toy, model, "test", NULL), FX_OK);
	test_write_sections(test_path(p->dir, "in"), &some);
	test_run_expect(p, 0,
			(const char *[]){ "run", "graphs/ffn.yaml",
					  test_word("sections", p->dir, "in"),
					  test_word("model", p->dir, "toy.safetensors"),
					  test_word("out", p->dir, "out"), "workers=2",
					  "block=16 32 32", "halo=8 8 8", NULL });
	json_decref(test_receipt(test_path(p->dir, "out"), true));
	assert_true(test_count_files(test_path(p->dir, "out/labels"), "") > 0);
	assert_int_equal(test_count_files(test_path(p->dir, "out/flooding"), ""), 0);
	test_place_clean(p);
}

static void consensus_runs(void **state)
{
	struct test_place *p = *state;
	json_t *receipt;
	void *text;
	size_t size;

	test_write_sections(test_path(p->dir, "in"), &some);
	test_run_expect(p, 0,
			(const char *[]){ "run", "graphs/consensus.yaml",
					  test_word("sections", p->dir, "in"),
					  test_word("out", p->dir, "out"), "threshold=0.9",
					  SMALL_BLOCKS, NULL });
	receipt = test_receipt(test_path(p->dir, "out"), true);
	assert_int_equal(test_sum(receipt, "nodes", "warnings"), 0);
	json_decref(receipt);
	check_volume(test_path(p->dir, "out/labels"), FX_LABELS,
		     (const size_t[3]){ some.count, some.height, some.width });
	assert_int_equal(
		fx_file_read(test_path(p->dir, "out/merges.jsonl"), 64 << 20, &text, &size, NULL),
		FX_OK);
	assert_int_equal(strncmp(text, "{\"a\": ", 6), 0);
	free(text);
	assert_int_equal(
		fx_file_read(test_path(p->dir, "out/edits.jsonl"), 64 << 20, &text, &size, NULL),
		FX_OK);
	assert_int_equal(strncmp(text, "{\"a\": ", 6), 0);
	assert_non_null(strstr(text, "score_ppm"));
	free(text);
	test_place_clean(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_is_left_out),
		cmocka_unit_test_setup_teardown(each_is_checked_and_drawn, test_place_setup,
						test_place_teardown),
		cmocka_unit_test_setup_teardown(demo_runs, test_place_setup, test_place_teardown),
		cmocka_unit_test_setup_teardown(reconstruct_runs, test_place_setup,
						test_place_teardown),
		cmocka_unit_test_setup_teardown(reconstruct_runs_with_truth_and_adapter,
						test_place_setup, test_place_teardown),
		cmocka_unit_test_setup_teardown(consensus_runs, test_place_setup,
						test_place_teardown),
		cmocka_unit_test_setup_teardown(ffn_runs, test_place_setup, test_place_teardown),
		cmocka_unit_test_setup_teardown(train_unet_runs_and_its_model_segments,
						test_place_setup, test_place_teardown),
		cmocka_unit_test_setup_teardown(train_runs_and_its_model_segments, test_place_setup,
						test_place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
