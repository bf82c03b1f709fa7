// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/mosaic.c and mosaic_blend.c. */
#include "support/test.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/mosaic.h"
#include "support/mosaic.h"

static const struct fx_mosaic how = { .reach = 16, .overlap = 8, .confidence = 0.2, .feather = 12 };

/* What the kernel makes of a layout. */
struct made {
	struct fx_mosaic_tile tiles[LAYOUT_MAX];
	struct fx_mosaic_link *links; /* owned */
	size_t links_len;
	double median, most;
};

static void measure(struct made *m, const struct layout *l, const struct fx_mosaic *way)
{
	memset(m, 0, sizeof *m);
	for (size_t i = 0; i < l->len; i++) {
		m->tiles[i].image = fx_plane_of(l->voxels[i], FX_U8, l->height, l->width);
		memcpy(m->tiles[i].nominal, l->nominal[i], sizeof l->nominal[i]);
	}
	assert_int_equal(fx_mosaic_pairs(m->tiles, l->len, way, &m->links, &m->links_len), FX_OK);
	assert_int_equal(fx_mosaic_measure(m->tiles, way, m->links, m->links_len), FX_OK);
}

static void solve(struct made *m, const struct layout *l, const struct fx_mosaic *way)
{
	double places[LAYOUT_MAX][2];

	assert_int_equal(fx_mosaic_solve(m->tiles, l->len, way, m->links, m->links_len), FX_OK);
	for (size_t i = 0; i < l->len; i++)
		memcpy(places[i], m->tiles[i].place, sizeof places[i]);
	layout_errors(l, places, &m->median, &m->most);
}

static void check(struct layout l, size_t pairs, double error, bool whole, double noise,
		  double median, double most)
{
	struct made m;

	layout_image(&l, error, whole, noise);
	measure(&m, &l, &how);
	assert_int_equal(m.links_len, pairs);
	solve(&m, &l, &how);
	if (m.median > median || m.most > most)
		fail_msg("%zu tiles, noise %g: median %.3f, most %.3f voxels", l.len, noise,
			 m.median, m.most);
	free(m.links);
	layout_fini(&l);
}

static void grids(void **state)
{
	(void)state;
	check(layout_grid(3, 3, 100, 30), 20, 6, true, 0, 0.05, 0.1);
	check(layout_grid(2, 4, 100, 20), 16, 7, false, 0, 0.1, 0.2);
	check(layout_grid(3, 3, 100, 30), 20, 6, false, 25, 0.2, 0.4);
	check(layout_grid(1, 1, 40, 10), 0, 0, false, 0, 1e-9, 1e-9);
}

static void beams_in_hexagons(void **state)
{
	(void)state;
	check(layout_hexagon(1, 90, 20), 12, 5, false, 0, 0.1, 0.2);
	check(layout_hexagon(2, 90, 20), 42, 5, false, 10, 0.3, 0.6);
}

/* A repeating structure, or dirt on the lens, makes a shift that is wrong and sure of itself. */
static void wrong_links_lose(void **state)
{
	static const size_t wrong[] = { 5, 11, 14, 15 };
	struct layout l = layout_grid(3, 3, 90, 25);
	bool is_wrong[32] = { false };
	size_t used = 0;
	struct made m;

	(void)state;
	layout_image(&l, 4, false, 0);
	measure(&m, &l, &how);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		m.links[wrong[i]].by[0] += 9;
		m.links[wrong[i]].by[1] -= 3 + (double)i;
		is_wrong[wrong[i]] = true;
	}
	solve(&m, &l, &how);
	for (size_t i = 0; i < m.links_len; i++) {
		used += m.links[i].used;
		if (m.links[i].used && is_wrong[i])
			fail_msg("link %zu, residual %.2f", i, m.links[i].residual);
	}
	assert_true(used >= 12);
	if (m.most > 0.2)
		fail_msg("%.3f voxels", m.most);
	free(m.links);
	layout_fini(&l);
}

/* A tile that shows nothing stays where it should be; the others do not mind. */
static void empty_tiles_stay(void **state)
{
	struct layout l = layout_grid(1, 3, 90, 25);
	struct made m;

	(void)state;
	layout_image(&l, 4, false, 0);
	memset(l.voxels[2], 77, l.height * l.width);
	measure(&m, &l, &how);
	solve(&m, &l, &how);
	assert_int_equal(m.tiles[2].links, 0);
	assert_true(m.tiles[2].place[0] == l.nominal[2][0] &&
		    m.tiles[2].place[1] == l.nominal[2][1]);
	assert_int_equal(m.tiles[0].links, 1);
	assert_true(fabs(m.tiles[1].place[1] - m.tiles[0].place[1] - l.real[1][1] + l.real[0][1]) <
		    0.1);
	free(m.links);
	layout_fini(&l);
}

/* Mean difference between the mosaic and the picture, where tiles cover it. */
static double difference(const struct made *m, const struct layout *l, const struct fx_mosaic *way)
{
	const size_t height = 160, width = 160;
	uint8_t *to = calloc(height * width, 1);
	double sum = 0, off[2] = { 0, 0 };

	assert_non_null(to);
	for (size_t i = 0; i < l->len; i++)
		for (int a = 0; a < 2; a++)
			off[a] += (l->real[i][a] - m->tiles[i].place[a]) / (double)l->len;
	assert_int_equal(fx_mosaic_rows(m->tiles, l->len, way, 0, 50, width, to), FX_OK);
	assert_int_equal(
		fx_mosaic_rows(m->tiles, l->len, way, 50, height - 50, width, to + 50 * width),
		FX_OK);
	for (size_t y = 8; y < height - 12; y++)
		for (size_t x = 8; x < width - 12; x++)
			sum += fabs(texture_at(3, (double)y + off[0], (double)x + off[1]) -
				    to[y * width + x]);
	free(to);
	return sum / (double)((height - 20) * (width - 20));
}

static void sections_show_the_picture(void **state)
{
	struct layout l = layout_grid(2, 2, 90, 20);
	struct fx_mosaic whole = how;
	struct made m;
	double found, nominal, at_whole;

	(void)state;
	whole.whole = true;
	layout_image(&l, 4, false, 0);
	measure(&m, &l, &how);
	solve(&m, &l, &how);
	found = difference(&m, &l, &how);
	at_whole = difference(&m, &l, &whole);
	for (size_t i = 0; i < l.len; i++)
		memcpy(m.tiles[i].place, m.tiles[i].nominal, sizeof m.tiles[i].place);
	nominal = difference(&m, &l, &how);
	if (!(found < 1 && at_whole > found && at_whole < 6 && nominal > 8))
		fail_msg("%.2f, at whole voxels %.2f, at nominal places %.2f", found, at_whole,
			 nominal);
	free(m.links);
	layout_fini(&l);
}

static void voxels_are_kept_where_one_tile_is(void **state)
{
	static const uint8_t a[] = { 1, 2, 3, 4, 5, 6 }, b[] = { 11, 12, 13, 14, 15, 16 };
	static const uint16_t wide[] = { 60000, 65535 };
	struct fx_mosaic_tile tiles[] = {
		{ .image = { a, FX_U8, 2, 3, 3 }, .place = { 1, 0 } },
		{ .image = { b, FX_U8, 2, 3, 3 }, .place = { -1, 4 } },
	};
	const struct fx_mosaic_tile one = { .image = { wide, FX_U16, 1, 2, 2 },
					    .place = { 0, 0.4 } };
	const struct fx_mosaic whole = { .feather = 2, .whole = true },
			       wide_seam = { .feather = 4 };
	static const uint8_t dark[6] = { 0 }, light[5] = { 100, 100, 100, 100, 100 };
	const struct fx_mosaic_tile seam[] = { { .image = { dark, FX_U8, 1, 6, 6 } },
					       { .image = { light, FX_U8, 1, 5, 5 },
						 .place = { 0, 3 } } };
	uint8_t to[3 * 6];
	uint16_t to16[4];

	(void)state;
	assert_int_equal(fx_mosaic_rows(tiles, 2, &whole, 0, 3, 6, to), FX_OK);
	assert_memory_equal(
		to, ((const uint8_t[]){ 0, 0, 0, 0, 14, 15, 1, 2, 3, 0, 0, 0, 4, 5, 6, 0, 0, 0 }),
		sizeof to);
	tiles[1].place[0] = 1;
	tiles[1].place[1] = 1; /* (2 and 11, weights 1 and 1/2), (3 and 12: 1/2 and 1) */
	assert_int_equal(fx_mosaic_rows(tiles, 2, &whole, 1, 1, 6, to), FX_OK);
	assert_memory_equal(to, ((const uint8_t[]){ 1, 5, 9, 13, 0, 0 }), 6);
	assert_int_equal(fx_mosaic_rows(seam, 2, &wide_seam, 0, 1, 8, to), FX_OK);
	/* 3/4 and 1/4, 2/4 and 2/4, 1/4 and 3/4 of 0 and 100 */
	assert_memory_equal(to, ((const uint8_t[]){ 0, 0, 0, 25, 50, 75, 100, 100 }), 8);
	assert_int_equal(fx_mosaic_rows(&one, 1, &whole, 0, 1, 4, to16), FX_OK);
	assert_memory_equal(to16, ((const uint16_t[]){ 60000, 65535, 0, 0 }), sizeof to16);
}

/* Leaves numbers where the stack was. */
static void scribble(double value)
{
	volatile double left[8192];

	for (size_t i = 0; i < 8192; i++)
		left[i] = value;
	assert_true(left[77] == value);
}

/* What lay in memory before makes no difference: tiles whose corners meet, shown 9 times. */
static void the_same_tiles_give_the_same(void **state)
{
	static const double values[] = { 0, 1, -1, 1e300, -1e300, 0.5 };
	const struct fx_mosaic far = {
		.reach = 32, .overlap = 8, .confidence = 0.2, .feather = 16
	};

	(void)state;
	for (uint64_t section = 0; section < 9; section++) {
		struct layout l = layout_grid(2, 2, 80, 20);
		struct made first = { 0 };

		for (size_t i = 0; i < l.len; i++) {
			const double map[2][3] = { { 1, 0, l.nominal[i][0] },
						   { 0, 1, l.nominal[i][1] } };

			l.voxels[i] = malloc((size_t)80 * 80);
			assert_non_null(l.voxels[i]);
			texture_fill(3, l.voxels[i], 80, 80, map, 6, 100 + section * 4 + i);
		}
		for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
			struct made m;

			omp_set_num_threads(1 + (int)k % 3); /* whose stacks differ as well */
			scribble(values[k]);
			measure(&m, &l, &far);
			if (k)
				assert_memory_equal(m.links, first.links,
						    m.links_len * sizeof *m.links);
			else
				first = m;
			if (k)
				free(m.links);
		}
		free(first.links);
		layout_fini(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grids),
		cmocka_unit_test(beams_in_hexagons),
		cmocka_unit_test(wrong_links_lose),
		cmocka_unit_test(empty_tiles_stay),
		cmocka_unit_test(sections_show_the_picture),
		cmocka_unit_test(voxels_are_kept_where_one_tile_is),
		cmocka_unit_test(the_same_tiles_give_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
