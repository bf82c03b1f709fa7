// SPDX-License-Identifier: Apache-2.0
/* curve.c: draws curves, axes and a few letters. */
#include "kernels/curve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 800, HEIGHT = 450, LEFT = 90, RIGHT = 20, TOP = 40, BOTTOM = 40, DOT = 2 };

/* 5 x 7 dots, a row a byte, the leftmost dot is bit 4. */
static const struct {
	char letter;
	uint8_t rows[7];
} glyphs[] = {
	{ '0', { 14, 17, 19, 21, 25, 17, 14 } }, { '1', { 4, 12, 4, 4, 4, 4, 14 } },
	{ '2', { 14, 17, 1, 6, 8, 16, 31 } },	 { '3', { 31, 2, 4, 2, 1, 17, 14 } },
	{ '4', { 2, 6, 10, 18, 31, 2, 2 } },	 { '5', { 31, 16, 30, 1, 1, 17, 14 } },
	{ '6', { 6, 8, 16, 30, 17, 17, 14 } },	 { '7', { 31, 1, 2, 4, 8, 8, 8 } },
	{ '8', { 14, 17, 17, 14, 17, 17, 14 } }, { '9', { 14, 17, 17, 15, 1, 2, 12 } },
	{ '.', { 0, 0, 0, 0, 0, 12, 12 } },	 { '-', { 0, 0, 0, 31, 0, 0, 0 } },
	{ 'a', { 0, 0, 14, 1, 15, 17, 15 } },	 { 'b', { 16, 16, 30, 17, 17, 17, 30 } },
	{ 'c', { 0, 0, 14, 16, 16, 17, 14 } },	 { 'd', { 1, 1, 15, 17, 17, 17, 15 } },
	{ 'e', { 0, 0, 14, 17, 31, 16, 14 } },	 { 'f', { 6, 9, 8, 28, 8, 8, 8 } },
	{ 'g', { 0, 15, 17, 17, 15, 1, 14 } },	 { 'h', { 16, 16, 30, 17, 17, 17, 17 } },
	{ 'i', { 4, 0, 12, 4, 4, 4, 14 } },	 { 'j', { 2, 0, 6, 2, 2, 18, 12 } },
	{ 'k', { 16, 16, 18, 20, 24, 20, 18 } }, { 'l', { 12, 4, 4, 4, 4, 4, 14 } },
	{ 'm', { 0, 0, 26, 21, 21, 21, 21 } },	 { 'n', { 0, 0, 22, 25, 17, 17, 17 } },
	{ 'o', { 0, 0, 14, 17, 17, 17, 14 } },	 { 'p', { 0, 0, 30, 17, 30, 16, 16 } },
	{ 'q', { 0, 0, 15, 17, 15, 1, 1 } },	 { 'r', { 0, 0, 22, 25, 16, 16, 16 } },
	{ 's', { 0, 0, 14, 16, 14, 1, 30 } },	 { 't', { 8, 8, 28, 8, 8, 9, 6 } },
	{ 'u', { 0, 0, 17, 17, 17, 19, 13 } },	 { 'v', { 0, 0, 17, 17, 17, 10, 4 } },
	{ 'w', { 0, 0, 17, 17, 21, 21, 10 } },	 { 'x', { 0, 0, 17, 10, 4, 10, 17 } },
	{ 'y', { 0, 0, 17, 17, 15, 1, 14 } },	 { 'z', { 0, 0, 31, 2, 4, 8, 31 } },
};

static void fill(struct fx_picture *p, size_t y, size_t x, size_t h, size_t w, uint32_t colour)
{
	for (size_t i = y; i < y + h && i < p->h; i++)
		for (size_t j = x; j < x + w && j < p->w; j++) {
			uint8_t *rgb = p->rgb + (i * p->w + j) * 3;

			rgb[0] = (uint8_t)(colour >> 16);
			rgb[1] = (uint8_t)(colour >> 8);
			rgb[2] = (uint8_t)colour;
		}
}

static size_t text_width(const char *text)
{
	return strlen(text) * 6 * DOT;
}

static void draw_text(struct fx_picture *p, size_t y, size_t x, const char *text, uint32_t colour)
{
	for (; *text; text++, x += 6 * DOT)
		for (size_t g = 0; g < sizeof glyphs / sizeof *glyphs; g++)
			for (size_t i = 0; i < 35 && glyphs[g].letter == *text; i++)
				if (glyphs[g].rows[i / 5] >> (4 - i % 5) & 1)
					fill(p, y + i / 5 * DOT, x + i % 5 * DOT, DOT, DOT, colour);
}

/* Where a number lies between the ends of an axis, 0 to 1. */
static double share(double v, double lo, double hi)
{
	return hi > lo ? (v - lo) / (hi - lo) : 0.5;
}

struct axes {
	double x_lo, x_hi, y_lo, y_hi;
};

static struct axes axes_of(const struct fx_curve *curves, size_t len, const double *steps,
			   size_t points)
{
	struct axes a = { 0, 0, (double)INFINITY, -(double)INFINITY };

	if (points) {
		a.x_lo = steps[0];
		a.x_hi = steps[points - 1];
	}
	for (size_t i = 0; i < len * points; i++) {
		const double v = curves[i / points].values[i % points];

		if (!isfinite(v))
			continue;
		a.y_lo = fmin(a.y_lo, v);
		a.y_hi = fmax(a.y_hi, v);
	}
	if (!(a.y_lo <= a.y_hi))
		a.y_lo = a.y_hi = 0;
	return a;
}

static void draw_axes(struct fx_picture *p, const struct axes *a)
{
	const uint32_t ink = 0x404040;
	char text[32];

	fill(p, TOP, LEFT - 2, HEIGHT - TOP - BOTTOM, 2, ink);
	fill(p, HEIGHT - BOTTOM, LEFT - 2, 2, WIDTH - LEFT - RIGHT + 2, ink);
	snprintf(text, sizeof text, "%.4f", a->y_hi);
	draw_text(p, TOP, 4, text, ink);
	snprintf(text, sizeof text, "%.4f", a->y_lo);
	draw_text(p, HEIGHT - BOTTOM - 7 * DOT, 4, text, ink);
	snprintf(text, sizeof text, "%.0f", a->x_lo);
	draw_text(p, HEIGHT - BOTTOM + 10, LEFT, text, ink);
	snprintf(text, sizeof text, "step %.0f", a->x_hi);
	draw_text(p, HEIGHT - BOTTOM + 10, WIDTH - RIGHT - text_width(text), text, ink);
}

/* A line of 2 pixels through the points, and none over gaps. */
static void draw_curve(struct fx_picture *p, const struct fx_curve *c, const struct axes *a,
		       const double *steps, size_t points)
{
	const double w = WIDTH - LEFT - RIGHT - 2, h = HEIGHT - TOP - BOTTOM - 2;
	double last_x = 0, last_y = (double)NAN;

	for (size_t i = 0; i < points; i++) {
		const double x = LEFT + w * share(steps[i], a->x_lo, a->x_hi),
			     y = TOP + h * (1 - share(c->values[i], a->y_lo, a->y_hi)),
			     from_x = isfinite(last_y) ? last_x : x,
			     from_y = isfinite(last_y) ? last_y : y,
			     n = ceil(fmax(fabs(x - from_x), fabs(y - from_y))) + 1;

		for (double k = 0; isfinite(y) && k <= n; k++)
			fill(p, (size_t)(from_y + (y - from_y) * k / n),
			     (size_t)(from_x + (x - from_x) * k / n), 2, 2, c->colour);
		last_x = x;
		last_y = y;
	}
}

struct fx_picture fx_curve_draw(const struct fx_curve *curves, size_t len, const double *steps,
				size_t points)
{
	struct fx_picture p = fx_picture_new(HEIGHT, WIDTH, 0xffffff);
	const struct axes a = axes_of(curves, len, steps, points);
	size_t x = LEFT;

	if (!p.rgb)
		return p;
	draw_axes(&p, &a);
	for (size_t i = 0; i < len; i++) {
		draw_curve(&p, &curves[i], &a, steps, points);
		draw_text(&p, 12, x, curves[i].name, curves[i].colour);
		x += text_width(curves[i].name) + 12 * DOT;
	}
	return p;
}
