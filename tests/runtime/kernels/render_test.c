// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/render.c and render_tube.c. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

#include "kernels/render.h"

static const uint8_t *pixel(const struct fx_picture *p, size_t y, size_t x)
{
	return p->rgb + (y * p->w + x) * 3;
}

static int lightness(const uint8_t *rgb)
{
	return rgb[0] + rgb[1] + rgb[2];
}

static void colours_are_stable_and_apart(void **unused)
{
	size_t alike = 0;

	(void)unused;
	assert_int_equal(fx_render_colour(0), 0);
	for (uint64_t i = 1; i < 200; i++) {
		const uint32_t c = fx_render_colour(i), d = fx_render_colour(i + 1);
		const int light = (int)(c >> 16) + (int)(c >> 8 & 0xff) + (int)(c & 0xff);
		int far = 0;

		assert_int_equal(c, fx_render_colour(i));
		assert_true(light > 200 && light < 740);
		for (int s = 0; s < 24; s += 8)
			far += abs((int)(c >> s & 0xff) - (int)(d >> s & 0xff));
		alike += far < 40;
	}
	assert_true(alike < 20);
}

static void a_section_keeps_its_grey_values(void **unused)
{
	static const uint8_t grey[6] = { 10, 60, 110, 160, 210, 250 };
	const struct fx_render_section s = { 2, 3, 5, grey, NULL };
	struct fx_picture p = fx_picture_new(10, 15, 0);

	(void)unused;
	assert_non_null(p.rgb);
	fx_render_section(&p, 0, 0, &s, false);
	for (size_t i = 0; i < 6; i++) {
		const uint8_t *rgb = pixel(&p, i / 3 * 5 + 2, i % 3 * 5 + 2);

		assert_int_equal(rgb[0], grey[i]);
		assert_int_equal(rgb[1], grey[i]);
		assert_int_equal(rgb[2], grey[i]);
	}
	fx_picture_fini(&p);
}

static void segments_are_tinted_and_parted(void **unused)
{
	static const uint8_t grey[4] = { 133, 133, 133, 133 };
	static const uint64_t labels[4] = { 7, 9, 7, 0 };
	const struct fx_render_section s = { 2, 2, 20, grey, labels };
	struct fx_picture p = fx_picture_new(40, 40, 0);
	const uint8_t *rgb;

	(void)unused;
	fx_render_section(&p, 0, 0, &s, true);
	assert_memory_equal(pixel(&p, 5, 5), pixel(&p, 35, 5), 3); /* one segment, one colour */
	assert_memory_not_equal(pixel(&p, 5, 5), pixel(&p, 5, 35), 3);
	rgb = pixel(&p, 35, 35); /* unassigned: as it was */
	assert_true(rgb[0] == 133 && rgb[1] == 133 && rgb[2] == 133);
	assert_true(lightness(pixel(&p, 5, 20)) < lightness(pixel(&p, 5, 10)) / 2); /* the border */
	assert_true(lightness(pixel(&p, 20, 5)) > lightness(pixel(&p, 5, 20)));
	fx_picture_fini(&p);
}

static void what_sticks_out_is_cut(void **unused)
{
	static const uint8_t grey[4] = { 200, 200, 200, 200 };
	static const uint64_t labels[4] = { 1, 2, 3, 4 };
	const struct fx_render_section s = { 2, 2, 8, grey, labels };
	const float a[4] = { 0, -50, -50, 9 }, b[4] = { 3, 80, 90, 12 };
	struct fx_picture p = fx_picture_new(10, 12, 0);
	struct fx_render_space space = fx_render_space_new(30, 30);

	(void)unused;
	fx_render_section(&p, 4, 5, &s, true);
	assert_int_equal(lightness(pixel(&p, 3, 11)), 0);
	assert_true(lightness(pixel(&p, 9, 11)) > 0);
	fx_render_tube(&space, a, b, 0xffffff);
	fx_render_space_show(&space, &p, 2, 2);
	fx_render_scale_bar(&p, 9, 9, 30, 8);
	fx_render_space_fini(&space);
	fx_picture_fini(&p);
}

static void the_nearer_tube_hides_the_farther(void **unused)
{
	const float a[4] = { 10, 20, 2, 4 }, b[4] = { 10, 20, 38, 4 };
	const float c[4] = { 30, 2, 20, 4 }, d[4] = { 30, 38, 20, 4 };
	const float never[4] = { NAN, 2, 20, 4 };

	(void)unused;
	for (int order = 0; order < 2; order++) {
		struct fx_picture p = fx_picture_new(40, 40, 0x000010);
		struct fx_render_space s = fx_render_space_new(40, 40);

		assert_true(s.depth && p.rgb);
		if (order)
			fx_render_tube(&s, c, d, 0x00ff00);
		fx_render_tube(&s, a, b, 0xff0000);
		fx_render_tube(&s, c, d, 0x00ff00);
		fx_render_tube(&s, never, d, 0x0000ff);
		fx_render_space_show(&s, &p, 0, 0);
		assert_true(pixel(&p, 20, 20)[0] > 100 && pixel(&p, 20, 20)[1] == 0);
		assert_true(pixel(&p, 8, 20)[1] > 40 && pixel(&p, 8, 20)[0] == 0);
		assert_true(pixel(&p, 20, 8)[0] > pixel(&p, 8, 20)[1]); /* dimmed */
		assert_true(pixel(&p, 5, 5)[2] == 0x10);
		fx_render_space_fini(&s);
		fx_picture_fini(&p);
	}
}

static void a_scale_bar_has_a_round_length(void **unused)
{
	struct fx_picture p = fx_picture_new(100, 300, 0x000000);
	size_t length = 0;

	(void)unused;
	fx_render_scale_bar(&p, 95, 10, 200, 4); /* at most 800 nm: 500 nm, 125 pixels */
	while (pixel(&p, 93, 10 + length)[0] == 255)
		length++;
	assert_int_equal(length, 125);
	fx_picture_fini(&p);
	p = fx_picture_new(0, 5, 0);
	assert_null(p.rgb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(colours_are_stable_and_apart),
		cmocka_unit_test(a_section_keeps_its_grey_values),
		cmocka_unit_test(segments_are_tinted_and_parted),
		cmocka_unit_test(what_sticks_out_is_cut),
		cmocka_unit_test(the_nearer_tube_hides_the_farther),
		cmocka_unit_test(a_scale_bar_has_a_round_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
