// SPDX-License-Identifier: Apache-2.0
/* render.c: colours, sections and scale bars. */
#include "kernels/render.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct fx_picture fx_picture_new(size_t h, size_t w, uint32_t colour)
{
	struct fx_picture p = { h, w, NULL };
	size_t n;

	if (h == 0 || w == 0 || !fx_mul_size(h, w, &n) || !fx_mul_size(n, 3, &n))
		return p;
	p.rgb = malloc(n);
	for (size_t i = 0; p.rgb && i < n; i++)
		p.rgb[i] = (uint8_t)(colour >> (16 - 8 * (i % 3)));
	return p;
}

void fx_picture_fini(struct fx_picture *p)
{
	free(p->rgb);
	*p = (struct fx_picture){ 0 };
}

/* ---- colours ---- */

static uint32_t gamma_byte(double linear)
{
	const double v =
		linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055;

	return (uint32_t)(fmin(fmax(v, 0), 1) * 255 + 0.5);
}

/* Lightness 0 to 1, chroma, and hue in turns, to 0xRRGGBB. */
static uint32_t oklch(double lightness, double chroma, double hue)
{
	const double a = chroma * cos(hue * 6.283185307179586);
	const double b = chroma * sin(hue * 6.283185307179586);
	const double l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
	const double m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
	const double s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
	const double red = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
	const double green = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
	const double blue = -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s;

	return gamma_byte(red) << 16 | gamma_byte(green) << 8 | gamma_byte(blue);
}

uint32_t fx_render_colour(uint64_t id)
{
	uint64_t h = id * 0x9e3779b97f4a7c15u;

	if (id == 0)
		return 0;
	h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	return oklch(0.66 + 0.16 * (double)(h & 0xff) / 255,
		     0.10 + 0.07 * (double)(h >> 8 & 0xff) / 255,
		     (double)(h >> 16 & 0xffff) / 65536);
}

/* ---- sections ---- */

/* A pixel's four samples and their weights: bilinear, held at the rim. */
struct spot {
	size_t at[4];
	float weight[4];
};

static struct spot spot_of(const struct fx_render_section *s, size_t y, size_t x)
{
	const size_t side[2] = { s->h, s->w }, pixel[2] = { y, x };
	size_t lo[2], hi[2];
	float part[2];

	for (int a = 0; a < 2; a++) {
		const float v = ((float)pixel[a] + 0.5f) / (float)s->scale - 0.5f;
		const float c = v > 0 ? v : 0;

		lo[a] = (size_t)c < side[a] - 1 ? (size_t)c : side[a] - 1;
		hi[a] = lo[a] + 1 < side[a] ? lo[a] + 1 : lo[a];
		part[a] = c - (float)lo[a];
	}
	return (struct spot){ { lo[0] * s->w + lo[1], lo[0] * s->w + hi[1], hi[0] * s->w + lo[1],
				hi[0] * s->w + hi[1] },
			      { (1 - part[0]) * (1 - part[1]), (1 - part[0]) * part[1],
				part[0] * (1 - part[1]), part[0] * part[1] } };
}

/* The label with the greatest weight around a pixel: borders become smooth lines. */
static uint64_t label_at(const struct fx_render_section *s, size_t y, size_t x)
{
	const struct spot q = spot_of(s, y, x);
	uint64_t best = 0;
	float most = -1;

	for (int i = 0; i < 4; i++) {
		float sum = 0;

		for (int k = 0; k < 4; k++)
			if (s->labels[q.at[k]] == s->labels[q.at[i]])
				sum += q.weight[k];
		if (sum > most) {
			most = sum;
			best = s->labels[q.at[i]];
		}
	}
	return best;
}

static float grey_at(const struct fx_render_section *s, size_t y, size_t x)
{
	const struct spot q = spot_of(s, y, x);
	float sum = 0;

	for (int i = 0; i < 4 && s->grey; i++)
		sum += q.weight[i] * (float)s->grey[q.at[i]];
	return sum;
}

/* One row of labels in pixels. */
static void label_row(const struct fx_render_section *s, size_t y, uint64_t *out)
{
	for (size_t x = 0; x < s->w * s->scale; x++)
		out[x] = label_at(s, y, x);
}

/* The tint keeps the light and dark of the section. */
static void tint(uint8_t rgb[3], float grey, uint64_t label, bool border)
{
	const uint32_t colour = fx_render_colour(label);
	const float light = 0.3f + grey / 190;

	for (int c = 0; c < 3; c++) {
		const float full = (float)(colour >> (16 - 8 * c) & 0xff);
		float v = label ? 0.34f * grey + 0.66f * full * light : grey;

		v = border ? 0.35f * v : v;
		rgb[c] = (uint8_t)(v > 255 ? 255 : v);
	}
}

static void draw_row(struct fx_picture *p, size_t y, size_t x, const struct fx_render_section *s,
		     size_t row, const uint64_t *labels, const uint64_t *above)
{
	for (size_t i = 0; i < s->w * s->scale && x + i < p->w; i++) {
		const float grey = grey_at(s, row, i);
		const uint64_t label = labels ? labels[i] : 0;
		const bool border = labels && ((i > 0 && labels[i - 1] != label) ||
					       (row > 0 && above[i] != label));

		tint(p->rgb + ((y + row) * p->w + x + i) * 3, grey, label, border);
	}
}

void fx_render_section(struct fx_picture *p, size_t y, size_t x, const struct fx_render_section *s,
		       bool colours)
{
	const size_t width = s->w * s->scale;
	uint64_t *rows = colours && s->labels ? fx_calloc(2 * width, sizeof *rows) : NULL;

	for (size_t row = 0; row < s->h * s->scale && y + row < p->h; row++) {
		uint64_t *labels = rows ? rows + row % 2 * width : NULL;

		if (labels)
			label_row(s, row, labels);
		draw_row(p, y, x, s, row, labels, rows ? rows + (row + 1) % 2 * width : NULL);
	}
	free(rows);
}

/* ---- letters ---- */

/* 5 x 7 dots, a row a byte, the leftmost dot is bit 4. */
static const struct {
	char letter;
	uint8_t rows[7];
} font[] = {
	{ '0', { 14, 17, 19, 21, 25, 17, 14 } }, { '1', { 4, 12, 4, 4, 4, 4, 14 } },
	{ '2', { 14, 17, 1, 6, 8, 16, 31 } },	 { '5', { 31, 16, 30, 1, 1, 17, 14 } },
	{ 'n', { 0, 0, 22, 25, 17, 17, 17 } },	 { 'm', { 0, 0, 26, 21, 21, 21, 21 } },
	{ 'u', { 0, 0, 17, 17, 19, 29, 16 } },
};

static void fill(struct fx_picture *p, size_t y, size_t x, size_t h, size_t w, uint8_t grey)
{
	for (size_t i = y; i < y + h && i < p->h; i++)
		for (size_t j = x; j < x + w && j < p->w; j++)
			memset(p->rgb + (i * p->w + j) * 3, grey, 3);
}

static void draw_letter(struct fx_picture *p, size_t y, size_t x, size_t dot, char letter,
			uint8_t grey)
{
	for (size_t k = 0; k < sizeof font / sizeof *font; k++)
		for (size_t i = 0; i < 35 && font[k].letter == letter; i++)
			if (font[k].rows[i / 5] >> (4 - i % 5) & 1)
				fill(p, y + i / 5 * dot, x + i % 5 * dot, dot, dot, grey);
}

void fx_render_scale_bar(struct fx_picture *p, size_t y, size_t x, size_t longest,
			 double nm_per_pixel)
{
	const double limit = (double)longest * nm_per_pixel;
	const size_t dot = longest / 56 > 1 ? longest / 56 : 1, thick = 2 * dot;
	double nm = 1;
	size_t length;
	char text[24];

	if (!(nm_per_pixel > 1e-6 && nm_per_pixel < 1e12))
		return;
	while (nm * 10 <= limit && nm < 1e12)
		nm *= 10;
	nm *= nm * 5 <= limit ? 5 : nm * 2 <= limit ? 2 : 1;
	length = (size_t)(nm / nm_per_pixel + 0.5);
	if (nm >= 1e6)
		snprintf(text, sizeof text, "%.0f mm", nm / 1e6);
	else
		snprintf(text, sizeof text, nm >= 1e3 ? "%.0f um" : "%.0f nm",
			 nm >= 1e3 ? nm / 1e3 : nm);
	if (length > longest || length == 0 || y < 12 * dot)
		return;
	for (int shadow = 1; shadow >= 0; shadow--) {
		const size_t off = shadow ? dot / 2 + 1 : 0;
		const uint8_t grey = shadow ? 0 : 255;

		fill(p, y - thick + off, x + off, thick, length, grey);
		for (size_t i = 0; text[i]; i++)
			draw_letter(p, y - thick - 10 * dot + off, x + i * 6 * dot + off, dot,
				    text[i], grey);
	}
}
