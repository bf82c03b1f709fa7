// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/trainer/pixels.c on a tiny phantom. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "kernels/phantom.h"
#include "nn/pixelmodel.h"
#include "support/images.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_trainer_pixels;

enum { Z = 14, Y = 48, X = 64 };

struct place {
	char *folder; /* owned */
	struct fx_block *image, *truth;
};

static void render(struct place *p)
{
	const struct fx_phantom_spec spec = { .voxel_nm = { 8, 8, 8 },
					      .height = Y,
					      .width = X,
					      .spacing_nm = 150,
					      .slope = 1,
					      .branch_nm = 1500,
					      .end_nm = 4000,
					      .noise = 7,
					      .node_nm = 80,
					      .piece_len = 4096,
					      .seed = 5 };
	struct fx_phantom *grown;
	struct fx_error err = { 0 };

	p->image = fx_block_new(FX_U8, Z, Y, X);
	p->truth = fx_block_new(FX_U32, Z, Y, X);
	assert_non_null(p->image);
	assert_non_null(p->truth);
	for (int a = 0; a < 3; a++)
		p->image->voxel_nm[a] = 8;
	if (fx_phantom_new(&spec, &grown, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t z = 0; z < Z; z++) {
		if (fx_phantom_next(grown, &err) < 0 ||
		    fx_phantom_render(grown, 0, 0, Y, X, (uint8_t *)p->image->data + z * Y * X,
				      (uint32_t *)p->truth->data + z * Y * X, &err) < 0)
			fail_msg("%s", err.text);
	}
	fx_phantom_free(grown);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	assert_non_null(p);
	omp_set_num_threads(1); /* more would wait for each other most of the time */
	p->folder = test_tmp_dir();
	render(p);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	fx_block_free(p->image);
	fx_block_free(p->truth);
	fx_remove_tree(p->folder, NULL);
	free(p->folder);
	free(p);
	return 0;
}

static struct fx_block *half(const struct fx_block *v, int64_t lo, int64_t hi)
{
	struct fx_block *b = fx_block_crop(v, (struct fx_region){ { 0, 0, lo }, { Z, Y, hi } });

	assert_non_null(b);
	return b;
}

static void give(struct node_test *t, const char *port, struct fx_block *b)
{
	if (node_test_block(t, port, b) != FX_OK)
		fail_msg("%s", node_test_error(t));
}

/* A trainer of a small network, to "FOLDER/NAME", that was given all blocks. */
static struct node_test *trainer(const struct place *p, const char *name, bool backwards)
{
	char model[200];
	const char *options[] = { model,       "voxels=1000", "hidden=8",	"batch=128",
				  "steps=120", "reports=4",   "aside_from=10",	"aside_to=14",
				  "rate=0.01", "seed=4",      "note=a phantom", NULL };
	struct node_test *t;

	snprintf(model, sizeof model, "model=%s/%s", p->folder, name);
	t = node_test_new(&fx_node_trainer_pixels, options);
	if (node_test_result(t) < 0)
		fail_msg("%s", node_test_error(t));
	give(t, "image", backwards ? half(p->image, 30, X) : half(p->image, 0, 30));
	give(t, "image", backwards ? half(p->image, 0, 30) : half(p->image, 30, X));
	give(t, "truth", half(p->truth, 0, 30));
	give(t, "truth", half(p->truth, 30, X));
	return t;
}

static const struct fx_record *report(const struct node_test *t, size_t i)
{
	return node_test_get(t, "curves", FX_RECORD, i)->message;
}

static void loss_falls_and_the_model_is_written(void **state)
{
	struct place *p = *state;
	struct node_test *t = trainer(p, "made/model", false);
	struct fx_pixelmodel m = { 0 };
	struct fx_error err = { 0 };
	double first, last;

	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "curves", FX_RECORD), 4);
	first = fx_record_number(report(t, 0), "curve.000000030.loss", (double)NAN);
	last = fx_record_number(report(t, 3), "curve.000000120.loss", (double)NAN);
	assert_true(last < 0.8 * first);
	assert_true(fx_record_number(report(t, 3), "curve.000000120.aside_auc", (double)NAN) > 0.8);
	if (fx_pixelmodel_read(&m, test_path(p->folder, "made/model"), &err) < 0)
		fail_msg("%s", err.text);
	fx_pixelmodel_fini(&m);
	assert_true(access(test_path(p->folder, "made/model.checkpoint"), F_OK) != 0);
	node_test_free(t);
}

static void goes_on_after_a_break_to_the_same_bytes(void **state)
{
	struct place *p = *state;
	struct node_test *whole = trainer(p, "whole", false), *broken = trainer(p, "broken", true),
			 *rest;

	assert_int_equal(node_test_drain(whole), FX_OK);
	node_test_stop(broken);
	assert_int_equal(node_test_drain(broken), FX_OK);
	assert_non_null(strstr(node_test_warning(broken), "stopped at step 30 of 120"));
	assert_int_equal(node_test_count(broken, "curves", FX_RECORD), 1);
	assert_true(access(test_path(p->folder, "broken"), F_OK) != 0);
	assert_true(access(test_path(p->folder, "broken.checkpoint"), F_OK) == 0);
	rest = trainer(p, "broken", false);
	assert_int_equal(node_test_drain(rest), FX_OK);
	assert_string_equal(node_test_warning(rest), "");
	node_test_same(whole, rest); /* the curves as well: a kill is such a break */
	test_same_files(test_path(p->folder, "whole"), test_path(p->folder, "broken"));
	node_test_free(whole);
	node_test_free(broken);
	node_test_free(rest);
}

static void a_checkpoint_of_another_training_is_told(void **state)
{
	struct place *p = *state;
	struct node_test *t = trainer(p, "again", false);

	test_write_file(test_path(p->folder, "again.checkpoint"), "nonsense", 8);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_non_null(strstr(node_test_warning(t), "begins anew"));
	node_test_free(t);
}

static void truth_of_one_body_is_refused(void **state)
{
	struct place *p = *state;
	char model[200];
	const char *options[] = { model, NULL };
	struct node_test *t;

	for (size_t i = 0; i < Z * Y * X; i++)
		((uint32_t *)p->truth->data)[i] = 7;
	snprintf(model, sizeof model, "model=%s/one", p->folder);
	t = node_test_new(&fx_node_trainer_pixels, options);
	give(t, "truth", half(p->truth, 0, X));
	give(t, "image", half(p->image, 0, X));
	assert_int_equal(node_test_drain(t), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "0 at boundaries"));
	node_test_free(t);
}

static void blocks_without_partner_are_told(void **state)
{
	struct place *p = *state;
	struct node_test *t = trainer(p, "more", false);
	struct fx_block *b = half(p->image, 0, X);

	b->origin[0] = Z;
	give(t, "image", b);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_non_null(strstr(node_test_warning(t), "1 blocks have no partner"));
	node_test_free(t);
}

static void sections_beyond_the_truth_are_left_out(void **state)
{
	const struct fx_mark open = { .kind = FX_MARK_OPEN, .region = { { 0 }, { Z, Y, X } } };
	struct place *p = *state;
	struct node_test *t = trainer(p, "beyond", false);
	struct fx_block *b = half(p->image, 0, X);

	assert_int_equal(node_test_mark(t, "truth", &open), FX_OK);
	b->origin[0] = Z;
	give(t, "image", b);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_string_equal(node_test_warning(t), "");
	node_test_free(t);
}

static void wrong_options_are_refused(void **state)
{
	static const char *const empty[] = { "model=", NULL }, *const aside[] = {
		"model=/tmp/m", "aside_from=5", "aside_to=5", NULL
	};
	struct node_test *a = node_test_new(&fx_node_trainer_pixels, empty),
			 *b = node_test_new(&fx_node_trainer_pixels, aside);

	(void)state;
	assert_int_equal(node_test_result(a), FX_EINVAL);
	assert_int_equal(node_test_result(b), FX_EINVAL);
	assert_non_null(strstr(node_test_error(b), "aside_from 5 must be below aside_to 5"));
	node_test_free(a);
	node_test_free(b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(loss_falls_and_the_model_is_written),
		TEST(goes_on_after_a_break_to_the_same_bytes),
		TEST(a_checkpoint_of_another_training_is_told),
		TEST(truth_of_one_body_is_refused),
		TEST(blocks_without_partner_are_told),
		TEST(sections_beyond_the_truth_are_left_out),
		TEST(wrong_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
