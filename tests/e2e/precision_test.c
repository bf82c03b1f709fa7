// SPDX-License-Identifier: Apache-2.0
/* Probabilities as fewer bits: the same values on one host and from one to another, half as many
 * bytes on the way, also in a run that goes on. */
#include "support/test.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/npywrite.h"
#include "formats/volume.h"
#include "kernels/half.h"
#include "support/outputs.h"
#include "support/run.h"

#define GRAPH "tests/e2e/precision.yaml"

enum { Z = 8, Y = 64, X = 64, VOXELS = Z * Y * X };

static float value_at(size_t i)
{
	return (float)(i * 7919 % VOXELS) / (VOXELS - 1);
}

static const char *path_in(const struct test_place *p, const char *name)
{
	return strchr(test_word("p", p->dir, name), '=') + 1;
}

static void write_volume(const struct test_place *p)
{
	struct fx_block *b = fx_block_new(FX_F32, Z, Y, X);
	struct fx_error err = { 0 };

	assert_non_null(b);
	for (size_t i = 0; i < VOXELS; i++)
		((float *)b->data)[i] = value_at(i);
	assert_int_equal(fx_npy_write(path_in(p, "map.npy"), b, &err), FX_OK);
	fx_block_free(b);
}

static void run_ends(struct test_place *p, int code, const char *out, const char *const more[4])
{
	const char *words[12] = { "run", GRAPH, test_word("volume", p->dir, "map.npy"),
				  test_word("out", p->dir, out), "--quiet" };

	for (size_t i = 0; i < 4 && more[i]; i++)
		words[5 + i] = more[i];
	test_run_expect(p, code, words);
}

/* What was written, as floats; free(). */
static float *written(const struct test_place *p, const char *out, enum fx_dtype dtype)
{
	char name[64];
	struct fx_volume v;
	struct fx_error err = { 0 };
	struct fx_block *b;
	float *values = malloc(VOXELS * sizeof *values);

	snprintf(name, sizeof name, "%s/map", out);
	if (fx_volume_open(path_in(p, name), &v, &err) < 0 ||
	    fx_volume_read(&v, (struct fx_region){ { 0, 0, 0 }, { Z, Y, X } }, &b, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(b->dtype, dtype);
	assert_non_null(values);
	for (size_t i = 0; i < VOXELS; i++)
		values[i] = dtype == FX_U8 ? (float)((const uint8_t *)b->data)[i] :
					     ((const float *)b->data)[i];
	fx_block_free(b);
	fx_volume_close(&v);
	return values;
}

/* Bytes that the blocks between the two hosts had. */
static json_int_t bytes_sent(const struct test_place *p, const char *out)
{
	json_t *receipt = test_receipt(path_in(p, out), true);
	const json_t *edges = json_object_get(receipt, "edges");
	json_int_t bytes = -1;

	for (size_t i = 0; i < json_array_size(edges); i++) {
		const json_t *e = json_array_get(edges, i);

		if (strcmp(json_string_value(json_object_get(e, "to")), "on.in") == 0)
			bytes = json_integer_value(json_object_get(e, "bytes"));
	}
	json_decref(receipt);
	return bytes;
}

static void halves_are_the_same_everywhere(void **state)
{
	struct test_place *p = *state;
	float *got;

	write_volume(p);
	run_ends(p, 0, "here", (const char *[4]){ NULL });
	run_ends(p, 0, "far", (const char *[4]){ "far=a", NULL });
	run_ends(p, 0, "image", (const char *[4]){ "far=a", "role=image", NULL });
	test_same_folders(path_in(p, "here/map"), path_in(p, "far/map"));
	test_same_folders(path_in(p, "here/map"), path_in(p, "image/map"));
	got = written(p, "far", FX_F32);
	for (size_t i = 0; i < VOXELS; i++)
		assert_true(got[i] == fx_half_value(fx_half(value_at(i))));
	free(got);
	run_ends(p, 0, "whole", (const char *[4]){ "far=a", "first=as-is", NULL });
	got = written(p, "whole", FX_F32);
	for (size_t i = 0; i < VOXELS; i++)
		assert_true(got[i] == value_at(i));
	free(got);
	assert_int_equal(bytes_sent(p, "far"), VOXELS * 2);
	assert_int_equal(bytes_sent(p, "whole"), VOXELS * 4);
	test_place_clean(p);
}

static void bytes_are_the_same_everywhere(void **state)
{
	struct test_place *p = *state;
	float *got;

	write_volume(p);
	run_ends(p, 0, "here", (const char *[4]){ "first=u8", NULL });
	run_ends(p, 0, "far", (const char *[4]){ "first=u8", "far=a", NULL });
	run_ends(p, 0, "behind", (const char *[4]){ "first=as-is", "second=u8", NULL });
	test_same_folders(path_in(p, "here/map"), path_in(p, "far/map"));
	test_same_folders(path_in(p, "here/map"), path_in(p, "behind/map"));
	got = written(p, "far", FX_U8);
	for (size_t i = 0; i < VOXELS; i++)
		assert_true(got[i] == (float)(int)(value_at(i) * 255 + 0.5F));
	free(got);
	assert_int_equal(bytes_sent(p, "far"), VOXELS);
	run_ends(p, 0, "twice", (const char *[4]){ "first=f16", "second=u8", "far=a", NULL });
	got = written(p, "twice", FX_U8);
	for (size_t i = 0; i < VOXELS; i++)
		assert_true(got[i] ==
			    (float)(int)(fx_half_value(fx_half(value_at(i))) * 255 + 0.5F));
	free(got);
	test_place_clean(p);
}

static void an_image_is_not_made_bytes(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;

	write_volume(p);
	r = test_run(p, (const char *[]){ "run", GRAPH, test_word("volume", p->dir, "map.npy"),
					  test_word("out", p->dir, "out"), "--quiet", "role=image",
					  "first=u8", NULL });
	assert_int_equal(r->code, 1);
	if (!strstr(r->err, "precision u8 is not for what output blocks sends: f32 image"))
		fail_msg("%s", r->err);
	test_run_free(r);
}

static void another_precision_is_another_run(void **state)
{
	struct test_place *p = *state;
	struct test_run *r;

	write_volume(p);
	r = test_run_start(p,
			   (const char *[]){ "run", GRAPH, test_word("volume", p->dir, "map.npy"),
					     test_word("out", p->dir, "out"), NULL });
	test_place_await(p, "node save.0 ");
	kill(r->pid, SIGKILL);
	test_run_wait(r);
	test_run_free(r);
	r = test_run(p, (const char *[]){ "run", GRAPH, test_word("volume", p->dir, "map.npy"),
					  test_word("out", p->dir, "out"), "--quiet", "--resume",
					  "first=u8", NULL });
	assert_int_equal(r->code, 2);
	if (!strstr(r->err, "tiles.precision"))
		fail_msg("%s", r->err);
	test_run_free(r);
	run_ends(p, 0, "out", (const char *[4]){ "--resume", NULL });
	free(written(p, "out", FX_F32));
	test_place_clean(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(halves_are_the_same_everywhere, test_place_setup,
						test_place_teardown),
		cmocka_unit_test_setup_teardown(bytes_are_the_same_everywhere, test_place_setup,
						test_place_teardown),
		cmocka_unit_test_setup_teardown(an_image_is_not_made_bytes, test_place_setup,
						test_place_teardown),
		cmocka_unit_test_setup_teardown(another_precision_is_another_run, test_place_setup,
						test_place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
