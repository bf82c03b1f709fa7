// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/trainer/segmentation.c on a toy tissue. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "nn/unetfit.h"
#include "support/images.h"
#include "support/node_test.h"
#include "support/tissue.h"

extern const struct fx_node_type fx_node_trainer_segmentation;

enum { Z = 14, Y = 16, X = 20 };

struct place {
	char *folder; /* owned */
	struct fx_block *image, *truth;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	assert_non_null(p);
	omp_set_num_threads(1); /* more would wait for each other most of the time */
	p->folder = test_tmp_dir();
	p->image = fx_block_new(FX_F32, Z, Y, X);
	p->truth = fx_block_new(FX_U32, Z, Y, X);
	assert_non_null(p->image);
	assert_non_null(p->truth);
	tissue_fill(p->image->data, p->truth->data, p->image->shape, 4);
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

static void give(struct node_test *t, const char *port, const struct fx_block *v, int64_t lo,
		 int64_t hi)
{
	struct fx_block *b = fx_block_crop(v, (struct fx_region){ { lo, 0, 0 }, { hi, Y, X } });

	assert_non_null(b);
	if (node_test_block(t, port, b) != FX_OK)
		fail_msg("%s", node_test_error(t));
}

/* A trainer of a small network, to "FOLDER/NAME", that was given all blocks. */
static struct node_test *trainer(const struct place *p, const char *name, bool backwards)
{
	char model[200];
	const char *options[] = { model,	 "width=8 8", "side=8 8 8",
				  "batch=2",	 "steps=12",  "reports=3",
				  "warmup=2",	 "rate=0.01", "aside_from=10",
				  "aside_to=14", "seed=4",    "note=a toy",
				  NULL };
	struct node_test *t;

	snprintf(model, sizeof model, "model=%s/%s", p->folder, name);
	t = node_test_new(&fx_node_trainer_segmentation, options);
	if (node_test_result(t) < 0)
		fail_msg("%s", node_test_error(t));
	give(t, "image", p->image, backwards ? 5 : 0, backwards ? Z : 5);
	give(t, "truth", p->truth, 0, Z); /* of other blocks than the image */
	give(t, "image", p->image, backwards ? 0 : 5, backwards ? 5 : Z);
	return t;
}

static void drain(struct node_test *t)
{
	if (node_test_drain(t) != FX_OK)
		fail_msg("%s", node_test_error(t));
}

static double number(const struct node_test *t, size_t i, const char *name)
{
	const struct fx_record *r = node_test_get(t, "curves", FX_RECORD, i)->message;

	return fx_record_number(r, name, (double)NAN);
}

static void loss_falls_and_the_model_is_written(void **state)
{
	struct place *p = *state;
	struct node_test *t = trainer(p, "made/model", false);
	struct fx_safetensors s = { 0 };
	struct fx_error err = { 0 };

	drain(t);
	assert_int_equal(node_test_count(t, "curves", FX_RECORD), 3);
	assert_true(number(t, 2, "curve.000000012.loss") <
		    0.9 * number(t, 0, "curve.000000004.loss"));
	assert_true(number(t, 2, "curve.000000012.aside_voi") > 0);
	if (fx_safetensors_read(&s, test_path(p->folder, "made/model"), 1 << 24, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(fx_safetensors_meta(&s, "arch"), "unet");
	assert_string_equal(fx_safetensors_meta(&s, "note"), "a toy");
	fx_safetensors_fini(&s);
	assert_true(access(test_path(p->folder, "made/model.checkpoint"), F_OK) != 0);
	node_test_free(t);
}

static void goes_on_after_a_break_to_the_same_bytes(void **state)
{
	struct place *p = *state;
	struct node_test *whole = trainer(p, "whole", false), *broken = trainer(p, "broken", true),
			 *rest;

	drain(whole);
	node_test_stop(broken);
	drain(broken);
	assert_non_null(strstr(node_test_warning(broken), "stopped at step 0 of 12"));
	assert_true(access(test_path(p->folder, "broken"), F_OK) != 0);
	assert_true(access(test_path(p->folder, "broken.checkpoint"), F_OK) == 0);
	rest = trainer(p, "broken", false);
	drain(rest);
	assert_string_equal(node_test_warning(rest), "");
	node_test_same(whole, rest);
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
	drain(t);
	assert_non_null(strstr(node_test_warning(t), "begins anew"));
	node_test_free(t);
}

static void images_alone_are_refused(void **state)
{
	struct place *p = *state;
	char model[200];
	const char *options[] = { model, NULL };
	struct node_test *t;

	snprintf(model, sizeof model, "model=%s/none", p->folder);
	t = node_test_new(&fx_node_trainer_segmentation, options);
	give(t, "image", p->image, 0, Z);
	assert_int_equal(node_test_drain(t), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "no voxel in common"));
	node_test_free(t);
}

static void wrong_options_are_refused(void **state)
{
	static const char *const empty[] = { "model=", NULL },
				 *const aside[] = { "model=/tmp/m", "aside_from=5", "aside_to=5",
						    NULL },
				 *const width[] = { "model=/tmp/m", "width=16,32", NULL },
				 *const *const all[] = { empty, aside, width };
	static const char *const says[] = { "must name a file",
					    "aside_from 5 must be below aside_to 5",
					    "must be 1 to 6 whole numbers such as 16 32 64 64" };

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct node_test *t = node_test_new(&fx_node_trainer_segmentation, all[i]);

		assert_int_equal(node_test_result(t), FX_EINVAL);
		assert_non_null(strstr(node_test_error(t), says[i]));
		node_test_free(t);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(loss_falls_and_the_model_is_written),
		TEST(goes_on_after_a_break_to_the_same_bytes),
		TEST(a_checkpoint_of_another_training_is_told),
		TEST(images_alone_are_refused),
		TEST(wrong_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
