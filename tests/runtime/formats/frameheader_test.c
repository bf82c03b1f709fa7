// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/frameheader.c: what detectors say. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "formats/frameheader.h"

/* Parses up to four parts of text; the result, and a refusal's text in err. */
static int parse(const char *const *text, struct fx_frameheader *h, struct fx_error *err)
{
	struct iovec parts[4];
	char copies[4][512];
	size_t len = 0;

	for (; text[len]; len++) {
		snprintf(copies[len], sizeof copies[len], "%s", text[len]);
		parts[len] = (struct iovec){ copies[len], strlen(text[len]) };
	}
	return fx_frameheader_parse(parts, len, h, err);
}

static struct fx_frameheader must(const char *const *text)
{
	struct fx_frameheader h;
	struct fx_error err = { 0 };

	if (parse(text, &h, &err) < 0)
		fail_msg("%s", err.text);
	return h;
}

static void refuses(const char *head, const char *why)
{
	struct fx_frameheader h;
	struct fx_error err = { 0 };

	assert_true(parse((const char *const[]){ head, "x", NULL }, &h, &err) < 0);
	if (!strstr(err.text, why))
		fail_msg("not \"%s\" but \"%s\"", why, err.text);
}

static void of_fornix(void **state)
{
	struct fx_frameheader h = must((const char *const[]){
		"{\"series\":\"s7\",\"frame\":12,\"section\":9,\"tile\":3,\"version\":2,\"shape\":"
		"[4,6],\"dtype\":\"uint16\",\"compression\":\"bslz4\"}",
		"x", NULL });

	(void)state;
	assert_true(h.kind == FX_FRAME_IMAGE && h.part == 1);
	assert_string_equal(h.series, "s7");
	assert_true(h.frame == 12 && h.section == 9 && h.tile == 3 && h.version == 2);
	assert_true(h.height == 4 && h.width == 6 && h.dtype == FX_U16);
	assert_true(h.codec == FX_CODEC_BSLZ4 && fx_frameheader_size(&h) == 48);
	h = must((const char *const[]){ "{\"frame\":12,\"shape\":[4,6],\"dtype\":\"uint8\"}", "x",
					NULL });
	assert_true(h.section == 12 && h.tile == 0 && h.version == 1);
	assert_true(h.codec == FX_CODEC_NONE && h.series[0] == 0);
	h = must((const char *const[]){ "{\"series\":\"s7\",\"end\":true,\"frames\":13}", NULL });
	assert_true(h.kind == FX_FRAME_END && h.frames == 13);
}

static void of_dectris(void **state)
{
	struct fx_frameheader h = must((const char *const[]){
		"{\"htype\":\"dimage-1.0\",\"series\":41,\"frame\":5,\"hash\":\"0\"}",
		"{\"htype\":\"dimage_d-1.0\",\"shape\":[1030,514],\"type\":\"uint16\",\"encoding\":"
		"\"bs16-lz4<\",\"size\":99}",
		"x", NULL });

	(void)state;
	assert_true(h.kind == FX_FRAME_IMAGE && h.part == 2 && h.frame == 5 && h.section == 5);
	assert_string_equal(h.series, "41");
	assert_true(h.width == 1030 && h.height == 514 && h.codec == FX_CODEC_BSLZ4);
	h = must((const char *const[]){ "{\"htype\":\"dheader-1.0\",\"series\":41}", "{}", NULL });
	assert_int_equal(h.kind, FX_FRAME_OTHER);
	h = must((const char *const[]){ "{\"htype\":\"dseries_end-1.0\",\"series\":41}", NULL });
	assert_true(h.kind == FX_FRAME_END && h.frames == -1);
}

static void of_others(void **state)
{
	struct fx_frameheader h = must((const char *const[]){
		"{\"htype\":\"image\",\"msg_number\":6,\"frame\":5,\"shape\":[3,2],\"type\":"
		"\"uint32\",\"compression\":\"none\"}",
		"x", NULL });

	(void)state;
	assert_true(h.kind == FX_FRAME_IMAGE && h.frame == 5 && h.dtype == FX_U32);
	h = must((const char *const[]){ "{\"htype\":\"series_end\",\"msg_number\":7}", NULL });
	assert_int_equal(h.kind, FX_FRAME_END);
	h = must((const char *const[]){
		"{\"frame_num\":8,\"acquisition_id\":\"run\",\"dtype\":\"uint16\",\"dsize\":2,"
		"\"dataset\":\"d\",\"compression\":\"none\",\"shape\":[\"5\",\"7\"]}",
		"x", NULL });
	assert_true(h.frame == 8 && h.height == 5 && h.width == 7);
	assert_string_equal(h.series, "run");
	h = must((const char *const[]){
		"topic", "{\"frame\":1,\"shape\":[1,1],\"dtype\":\"uint8\"}", "x", NULL });
	assert_int_equal(h.part, 2);
}

static void what_cannot_be_is_refused(void **state)
{
	(void)state;
	refuses("{\"frame\":-1,\"shape\":[4,6],\"dtype\":\"uint8\"}", "not a number from 0");
	refuses("{\"shape\":[4,6],\"dtype\":\"uint8\"}", "no number of its frame");
	refuses("{\"frame\":1,\"shape\":[4,0],\"dtype\":\"uint8\"}", "\"shape\"");
	refuses("{\"frame\":1,\"shape\":[2,4,6],\"dtype\":\"uint8\"}", "\"shape\"");
	refuses("{\"frame\":1,\"shape\":[4,6],\"dtype\":\"int64\"}", "\"int64\" is not one of");
	refuses("{\"frame\":1,\"shape\":[4,6],\"dtype\":\"uint8\",\"compression\":\"zip\"}",
		"\"zip\" is not one of");
	refuses("{\"hello\":1}", "neither image nor end");
	refuses("[1]", "without JSON");
	refuses("{\"htype\":\"dimage-1.0\",\"frame\":1}", "without a second part");
}

static void decodes_exactly_what_was_said(void **state)
{
	struct fx_frameheader h = { .height = 2, .width = 8, .dtype = FX_U8 };
	static const char packed[] = "\xf0\x01"
				     "0123456789abcdef";
	char to[18];
	struct fx_error err = { 0 };

	(void)state;
	assert_int_equal(fx_frame_decode(&h, "0123456789abcdef", 16, to, &err), FX_OK);
	assert_memory_equal(to, "0123456789abcdef", 16);
	assert_int_equal(fx_frame_decode(&h, "0123456789abcdef", 15, to, &err), FX_EINVAL);
	h.codec = FX_CODEC_LZ4_RAW;
	memset(to, 0, sizeof to);
	assert_int_equal(fx_frame_decode(&h, packed, sizeof packed - 1, to, &err), FX_OK);
	assert_memory_equal(to, "0123456789abcdef", 16);
	h.height = 1; /* more than it should be */
	assert_int_equal(fx_frame_decode(&h, packed, sizeof packed - 1, to, &err), FX_EINVAL);
	h.height = 2;
	h.width = 9; /* less */
	assert_int_equal(fx_frame_decode(&h, packed, sizeof packed - 1, to, &err), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_fornix),
		cmocka_unit_test(of_dectris),
		cmocka_unit_test(of_others),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(decodes_exactly_what_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
