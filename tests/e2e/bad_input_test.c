// SPDX-License-Identifier: Apache-2.0
/* Wrong sections, outputs, truths, options and graphs: one clear sentence each, the right exit
 * code, nothing left behind. */
#include "support/test.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/precomputed.h"
#include "support/images.h"
#include "support/metrics.h"
#include "support/outputs.h"
#include "support/run.h"

#define SECTIONS    "tests/e2e/sections.yaml"
#define RECONSTRUCT "graphs/reconstruct.yaml"
#define SENT	    "fornix_edge_acked{from=\"scope.image\",to=\"even.image\"} "

static const struct test_sections some = { 10, 16, 48, 56, 8 };

static const char *folder_of(struct test_place *p, const char *name)
{
	const char *path = test_path(p->dir, name);

	test_write_sections(path, &some);
	return path;
}

/* What a run says must be one sentence that holds all of @p says, a NULL at their end; a second
 * line may tell where the log is. */
static void check_sentence(const char *err, const char *const *says)
{
	static const char kept[] =
		"what was done is kept: the same command with --resume goes on\n";
	const char *end = strchr(err, '\n'), *log = end && end[1] ? strchr(end + 1, '\n') : NULL;

	if (!end || (end[1] && (!log || strncmp(end + 1, "  its log: /", 12) != 0)) ||
	    (log && log[1] && strcmp(log + 1, kept) != 0))
		fail_msg("not one sentence: %s", err);
	for (; *says; says++)
		if (!strstr(err, *says) || strstr(err, *says) > end)
			fail_msg("no \"%s\" in: %s", *says, err);
}

/* A run that fails with @p code and one sentence. */
static void fails(struct test_place *p, int code, const char *const *words, const char *const *says)
{
	struct test_run *r = test_run(p, words);

	if (r->code != code)
		fail_msg("ended with %d, not %d, and said: %s", r->code, code, r->err);
	check_sentence(r->err, says);
	assert_string_equal(r->out, "");
	test_run_free(r);
	test_place_clean_but_logs(p);
}

static void write_rgb(const char *path)
{
	unsigned char *pixels = calloc(some.height * some.width, 3);

	assert_non_null(pixels);
	test_write_png(path, some.height, some.width, 8, PNG_COLOR_TYPE_RGB, 0, pixels);
	free(pixels);
}

static void cut_off(const char *path, size_t size)
{
	assert_int_equal(truncate(path, (off_t)size), 0);
}

/* Sections of every wrong kind in one folder: each is told as missing, the rest is reconstructed.
 */
static void spoil(const char *in)
{
	struct test_sections small = some, wide = some;

	small.height = 40;
	wide.depth = 16;
	assert_int_equal(unlink(test_path(in, "z012.png")), 0);
	cut_off(test_path(in, "z014.png"), 500);
	test_write_file(test_path(in, "z016.png"), "not an image\n", 13);
	write_rgb(test_path(in, "z018.png"));
	test_section(in, "z020.png", &small, 20);
	test_section(in, "z022.png", &wide, 22);
	cut_off(test_path(in, "z024.png"), 0);
}

static void check_missing(const json_t *receipt)
{
	static const struct {
		int z;
		const char *says;
	} want[] = {
		{ 2, "no file with number 12" },
		{ 4, "z014.png: broken PNG" },
		{ 6, "z016.png: neither PNG nor TIFF" },
		{ 8, "z018.png: is RGB; fornix reads grey images" },
		{ 10, "z020.png: is 40 x 56 u8, the first section 48 x 56 u8" },
		{ 12, "z022.png: is 48 x 56 u16, the first section 48 x 56 u8" },
		{ 14, "z024.png: " },
	};
	const json_t *missing = json_object_get(receipt, "missing");

	assert_int_equal(json_array_size(missing), sizeof want / sizeof *want);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		const char *reason;
		int lo, hi;

		assert_int_equal(json_unpack(json_array_get(missing, i), "{s:{s:[i], s:[i]}, s:s}",
					     "region", "lo", &lo, "hi", &hi, "reason", &reason),
				 0);
		assert_int_equal(lo, want[i].z);
		assert_int_equal(hi, want[i].z + 1);
		if (!strstr(reason, want[i].says))
			fail_msg("no \"%s\" in: %s", want[i].says, reason);
	}
}

static void bad_sections_are_missing_and_the_run_goes_on(void **state)
{
	struct test_place *p = *state;
	struct fx_precomputed info;
	json_t *receipt;

	spoil(folder_of(p, "in"));
	fails(p, 1,
	      (const char *[]){ "run", SECTIONS, test_word("sections", p->dir, "in"),
				test_word("out", p->dir, "out"), "--quiet", NULL },
	      (const char *[]){
		      "fornix: 7 sections are missing; first section 2: no file with number 12 "
		      "in ",
		      NULL });
	receipt = test_receipt(test_path(p->dir, "out"), false);
	check_missing(receipt);
	json_decref(receipt);
	assert_int_equal(fx_precomputed_read_info(test_path(p->dir, "out/image"), &info, NULL),
			 FX_OK);
	assert_int_equal(info.size[0], some.count);
	assert_true(info.voxel_nm[0] == 40);
	test_place_clean(p);
}

static void wide_sections_work(void **state)
{
	struct test_place *p = *state;
	struct test_sections wide = some;

	wide.depth = 16;
	test_write_sections(test_path(p->dir, "wide"), &wide);
	folder_of(p, "narrow");
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "wide" : "narrow", *out = i ? "from-wide" : "from-narrow";

		test_run_expect(p, 0,
				(const char *[]){ "run", SECTIONS,
						  test_word("sections", p->dir, name),
						  test_word("out", p->dir, out), "--quiet", NULL });
		json_decref(test_receipt(test_path(p->dir, out), true));
	}
	/* the same greys in 16 bits, stretched, are the same image */
	test_same_folders(test_path(p->dir, "from-narrow"), test_path(p->dir, "from-wide"));
	test_place_clean(p);
}

static void folders_without_sections(void **state)
{
	struct test_place *p = *state;
	const char *in = folder_of(p, "twice"), *text;
	const struct {
		const char *folder, *says;
	} cases[] = {
		{ "twice", "a012.png and z012.png both have number 12; give a pattern" },
		{ "empty", "empty holds no numbered .png, .tif or .tiff file" },
		{ "file", "file is not a folder" },
		{ "nowhere", "nowhere is not a folder" },
		{ "text", "text: no section can be read; z001.png: neither PNG nor TIFF" },
	};

	test_section(in, "a012.png", &some, 12);
	fx_make_dirs(test_path(p->dir, "empty"), NULL);
	test_write_file(test_path(p->dir, "file"), "x", 1);
	text = test_path(p->dir, "text");
	fx_make_dirs(text, NULL);
	test_write_file(test_path(text, "z001.png"), "just text", 9);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		fails(p, 1,
		      (const char *[]){ "run", SECTIONS,
					test_word("sections", p->dir, cases[i].folder),
					test_word("out", p->dir, "out"), "--quiet", NULL },
		      (const char *[]){ "fornix: scope (acquire/sections): ", cases[i].says,
					NULL });
		assert_int_equal(test_count_files(test_path(p->dir, "out"), ""), 2);
	}
}

static void folder_that_vanishes(void **state)
{
	struct test_place *p = *state;
	const char *in = folder_of(p, "in");
	struct test_run *r = test_run_start(
		p, (const char *[]){ "run", SECTIONS, test_word("sections", p->dir, "in"),
				     "acquire=watch", test_word("out", p->dir, "out"), NULL });
	const char *last;

	test_metrics_await(r, SENT, 4);
	assert_int_equal(fx_remove_tree(in, NULL), FX_OK);
	test_run_wait(r);
	assert_int_equal(r->code, 1);
	last = strstr(r->err, "\nfornix: ");
	assert_non_null(last);
	check_sentence(last + 1, (const char *[]){ "scope (acquire/watch): ",
						   "/in: the folder has vanished", NULL });
	assert_false(test_is_there(p->dir, "out/image"));
	assert_false(test_is_there(p->dir, "out/image.fornix-partial"));
	test_run_free(r);
	test_place_clean_but_logs(p);
}

static void outputs_that_cannot_be_written(void **state)
{
	struct test_place *p = *state;
	const char *sections = test_word("sections", p->dir, "in"),
		   *busy = test_path(p->dir, "busy");

	folder_of(p, "in");
	test_write_file(test_path(p->dir, "file"), "x", 1);
	fails(p, 2,
	      (const char *[]){ "run", SECTIONS, sections, test_word("out", p->dir, "file"), NULL },
	      (const char *[]){ "fornix: out: ", "/file: cannot make folder: File exists", NULL });
	fails(p, 2,
	      (const char *[]){ "run", SECTIONS, sections, test_word("out", p->dir, "file/out"),
				NULL },
	      (const char *[]){ "fornix: out: ", "/file/out: cannot make folder: Not a directory",
				NULL });
	fx_make_dirs(test_path(busy, "image"), NULL);
	test_write_file(test_path(busy, "image/mine.txt"), "x", 1);
	fails(p, 1,
	      (const char *[]){ "run", SECTIONS, sections, test_word("out", p->dir, "busy"),
				"--quiet", NULL },
	      (const char *[]){ "fornix: save (writer/precomputed): ",
				"busy/image: holds other files, such as mine.txt, which are not "
				"overwritten",
				NULL });
	assert_int_equal(test_count_files(test_path(busy, "image"), ""), 1);
	fails(p, 1,
	      (const char *[]){ "run", SECTIONS, sections, test_word("out", p->dir, "out"),
				"--quiet", "--receipt", test_path(p->dir, "file/receipt.json"),
				NULL },
	      (const char *[]){ "/file/receipt.json: cannot write: Not a directory", NULL });
}

static void disk_that_fills_up(void **state)
{
	struct test_place *p = *state;
	const char *disk = test_path(p->dir, "disk"), *out = test_path(disk, "out");

	folder_of(p, "in");
	fx_make_dirs(disk, NULL);
	if (mount("fornix-test", disk, "tmpfs", 0, "size=32k") != 0) {
		print_message("skipped: a disk that fills up (needs root, to mount a small one)\n");
		skip();
	}
	fails(p, 1,
	      (const char *[]){ "run", SECTIONS, test_word("sections", p->dir, "in"),
				test_word("out", p->dir, "disk/out"), "--quiet", NULL },
	      (const char *[]){ "disk/out/", "No space left on device", NULL });
	fx_remove_tree(out, NULL);
	fails(p, 1,
	      (const char *[]){ "run", SECTIONS, test_word("sections", p->dir, "in"),
				test_word("out", p->dir, "disk/out"), "--quiet", "--at-most-once",
				NULL },
	      (const char *[]){ "fornix: save (writer/precomputed): ", "disk/out/image",
				"No space left on device", NULL });
	assert_false(test_is_there(out, "image"));
	assert_false(test_is_there(out, "image.fornix-partial"));
	assert_int_equal(umount(disk), 0);
}

static int unmount_and_free(void **state)
{
	struct test_place *p = *state;

	umount(test_path(p->dir, "disk"));
	return test_place_teardown(state);
}

/* Writes a graph and gives its path. */
static const char *graph(struct test_place *p, const char *text)
{
	const char *path = test_path(p->dir, "graph.yaml");

	test_write_file(path, text, strlen(text));
	return path;
}

static void truth_of_another_shape(void **state)
{
	static const char text[] =
		"version: 1\n"
		"params: { labels: { help: x }, truth: { help: x }, out: { help: x } }\n"
		"nodes:\n"
		"  a: { type: acquire/volume, set: { path: $labels, role: labels } }\n"
		"  b: { type: acquire/volume, set: { path: $truth, role: labels } }\n"
		"  at: { type: tiler/blocks, from: { image: a.out }, set: { halo: 0 0 0 } }\n"
		"  bt: { type: tiler/blocks, from: { image: b.out }, set: { halo: 0 0 0 } }\n"
		"  score: { type: scorer/segmentation, from: { labels: at.blocks, truth: bt.blocks "
		"} }\n"
		"  save: { type: writer/json, from: { records: score.scores }, set: { path: "
		"$out/s.json } }\n";
	struct test_place *p = *state;
	const struct {
		const char *file, *says[4];
	} cases[] = {
		{ "low.tif",
		  { "fornix: score (scorer/segmentation): ", "truth of 16 x 40 x 56 voxels",
		    "labels of 16 x 48 x 56", NULL } },
		{ "more.tif",
		  { "fornix: score (scorer/segmentation): ", "truth of 20 x 48 x 56 voxels",
		    "at most as many sections", NULL } },
		{ "float.tif",
		  { "fornix: b (acquire/volume): ", "float.tif has f32 voxels, not labels",
		    NULL } },
		{ "none.tif",
		  { "fornix: b (acquire/volume): ", "none.tif: cannot open: No such file", NULL } },
	};
	struct test_sections low = some;
	float *grey = calloc(some.height * some.width, sizeof *grey);

	assert_non_null(grey);
	low.height = 40;
	test_write_truth(test_path(p->dir, "labels.tif"), &some, 16);
	test_write_truth(test_path(p->dir, "low.tif"), &low, 16);
	test_write_truth(test_path(p->dir, "more.tif"), &some, 20);
	test_write_tiff(test_path(p->dir, "float.tif"), 1, some.height, some.width, 32, 3, 0, grey);
	free(grey);
	graph(p, text);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		fails(p, 1,
		      (const char *[]){ "run", test_path(p->dir, "graph.yaml"),
					test_word("labels", p->dir, "labels.tif"),
					test_word("truth", p->dir, cases[i].file),
					test_word("out", p->dir, "out"), "--quiet", NULL },
		      cases[i].says);
		assert_false(test_is_there(p->dir, "out/s.json"));
	}
}

static void wrong_options(void **state)
{
	static const struct {
		const char *word, *says[4];
	} cases[] = {
		{ "halo=8 8 70000",
		  { "reconstruct.yaml:", "tiles.halo: ", "is not within 0..65536 voxel" } },
		{ "block=0 8 8", { "tiles.block: ", "is not within 1.." } },
		{ "block=64 64", { "tiles.block: ", "64 64" } },
		{ "voxel=8 8 8 px", { "scope.voxel: unit \"px\", but this is in nm" } },
		{ "workers=0", { "segment.workers: \"0\" is not a whole number within 1..64" } },
		{ "acquire=wach",
		  { "no node type \"acquire/wach\"; did you mean \"acquire/watch\"?" } },
		{ "silence=5 s", { "acquire/sections has no option \"silence\"" } },
		{ "segmenter=watershet",
		  { "no node type \"segmenter/watershet\"; did you mean "
		    "\"segmenter/watershed\"?" } },
		{ "blok=8 8 8", { "no parameter \"blok\"; did you mean \"block\"?" } },
		{ "--transport=udp", { "--transport udp: use shm, ipc or tcp" } },
		{ "--metrics=70000", { "--metrics 70000: use a port 0..65535" } },
		{ "--restarts=101", { "--restarts 101: use a whole number 0..100" } },
		{ "--hang=-1", { "--hang -1: -1 is not within 0..1000000 s" } },
		{ "--restart-window=0", { "--restart-window 0: use a whole number 1..86400" } },
		{ "--quit", { "did you mean \"quiet\"?" } },
	};
	struct test_place *p = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		fails(p, 2,
		      (const char *[]){ "run", RECONSTRUCT, "sections=/nowhere",
					test_word("out", p->dir, "out"), cases[i].word, NULL },
		      cases[i].says);
	fails(p, 2, (const char *[]){ "run", RECONSTRUCT, test_word("out", p->dir, "out"), NULL },
	      (const char *[]){
		      "params.sections: has no default and is not given; add sections=VALUE",
		      NULL });
	fails(p, 2, (const char *[]){ "run", test_path(p->dir, "none.yaml"), NULL },
	      (const char *[]){ "none.yaml: cannot open: No such file", NULL });
	assert_false(test_is_there(p->dir, "out")); /* nothing was begun */
	test_place_clean(p);
}

static void wrong_graphs(void **state)
{
	static const struct {
		const char *text, *says[4];
	} cases[] = {
		{ "  a: { type: flow/pass, from: { in: b.out } }\n"
		  "  b: { type: flow/pass, from: { in: a.out } }\n",
		  { "graph.yaml:3:3: a: a cycle: a -> b -> a" } },
		{ "  a: { type: flow/pass, from: { in: a.out } }\n",
		  { "graph.yaml:3:", "cycle: a -> a" } },
		{ "  a: { type: acquire/phantom }\n"
		  "  b: { type: tiler/blocks }\n",
		  { "graph.yaml:4:3: b: input \"image\" is not connected: sections as 2-D "
		    "tiles" } },
		{ "  a: { type: acquire/phantom }\n"
		  "  b: { type: tiler/blocks, from: { image: a.imag } }\n",
		  { "graph.yaml:4:", "\"imag\"", "did you mean \"image\"?" } },
		{ "  a: { type: acquire/phantom }\n"
		  "  b: { type: tiler/blocks, from: { imge: a.image } }\n",
		  { "graph.yaml:4:", "\"imge\"", "did you mean \"image\"?" } },
		{ "  scope: { type: acquire/phantom }\n"
		  "  b: { type: tiler/blocks, from: { image: scop.image } }\n",
		  { "graph.yaml:4:", "\"scop\"", "did you mean \"scope\"?" } },
		{ "  a: { type: acquire/phantom }\n"
		  "  b: { type: skeletonizer/teasar, from: { labels: a.image } }\n",
		  { "graph.yaml:4:51: b.labels does not take what a.image sends: u8 image" } },
		{ "  a: { type: acquire/phantom, set: { sise: 8 8 8 } }\n",
		  { "graph.yaml:3:", "\"sise\"", "did you mean \"size\"?" } },
		{ "  a: { typ: acquire/phantom }\n", { "graph.yaml:3:", "\"typ\"", "\"type\"" } },
		{ "  a: {\n", { "graph.yaml:4:1: not valid YAML: " } },
	};
	struct test_place *p = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = fx_asprintf("version: 1\nnodes:\n%s", cases[i].text);

		assert_non_null(text);
		fails(p, 2, (const char *[]){ "run", graph(p, text), NULL }, cases[i].says);
		free(text);
	}
	test_place_clean(p);
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		PLACED(bad_sections_are_missing_and_the_run_goes_on),
		PLACED(wide_sections_work),
		PLACED(folders_without_sections),
		PLACED(folder_that_vanishes),
		PLACED(outputs_that_cannot_be_written),
		cmocka_unit_test_setup_teardown(disk_that_fills_up, test_place_setup,
						unmount_and_free),
		PLACED(truth_of_another_shape),
		PLACED(wrong_options),
		PLACED(wrong_graphs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
