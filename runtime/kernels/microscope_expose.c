// SPDX-License-Identifier: Apache-2.0
/* microscope_expose.c: the image of a section: geometry, optics, beam, detector. */
#include "kernels/microscope.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/gauss.h"
#include "kernels/phantom_noise.h"
#include "kernels/spline2d.h"

enum { STREAKS_MAX = 4096, FAR = 8 /* decays: e^-8 is nothing */ };

/* A rectangle that is being exposed. */
struct frame {
	const struct fx_microscope_shot *shot;
	const struct fx_specimen *s;
	double y, x; /* of its first voxel in the image */
	size_t h, w;
	float *grey; /* of 255 grey levels */
};

/* A bright streak along rows. */
struct streak {
	double y, x, light, tail, rows;
};

void fx_specimen_fini(struct fx_specimen *s)
{
	free(s->spline);
	s->spline = NULL;
}

static float level(const struct fx_specimen *s, size_t i)
{
	return s->dtype == FX_U8 ? (float)((const uint8_t *)s->voxels)[i] :
				   (float)((const uint16_t *)s->voxels)[i] / 257;
}

static int prepare(struct fx_specimen *s)
{
	const size_t n = s->height * s->width; /* checked with the size of voxels */

	if (s->spline)
		return FX_OK;
	s->spline = fx_alloc_aligned(n * sizeof *s->spline);
	if (!s->spline)
		return FX_ENOMEM;
	for (size_t i = 0; i < n; i++)
		s->spline[i] = level(s, i);
	fx_spline2d_prepare(s->spline, s->height, s->width);
	return FX_OK;
}

static bool is_still(const struct fx_microscope_shot *shot)
{
	const double(*const a)[3] = shot->affine;

	return a[0][0] == 1 && a[0][1] == 0 && a[1][0] == 0 && a[1][1] == 1 && !shot->folded;
}

/* The rectangle is voxels of the section as they are; gives the place of the first. */
static bool is_copy(const struct frame *f, size_t at[2])
{
	const double y = f->y + f->shot->affine[0][2], x = f->x + f->shot->affine[1][2];

	if (!is_still(f->shot) || y != floor(y) || x != floor(x) || y < 0 || x < 0 ||
	    y + (double)f->h > (double)f->s->height || x + (double)f->w > (double)f->s->width)
		return false;
	at[0] = (size_t)y;
	at[1] = (size_t)x;
	return true;
}

/* How far @p y, @p x of the image lies from the middle of the fold; roughly, where it does not
 * matter, which is beyond the reach wherever the line bends (noise stays within 1.5). */
static double from_fold(const struct fx_microscope_fold *f, double y, double x)
{
	const double v = y - f->through[0], u = x - f->through[1];
	const double straight = v * f->normal[0] + u * f->normal[1];

	if (fabs(straight) > f->reach + 1.5 * f->bend)
		return straight;
	return straight -
	       f->bend * (double)fx_noise_line(f->key, (v * f->normal[1] - u * f->normal[0]) /
							       f->bend_length);
}

/* Tissue at a distance comes from further out; nothing does beyond the reach. */
static double pulled(const struct fx_microscope_fold *f, double distance)
{
	const double rest = 1 - fabs(distance) / f->reach;

	return rest <= 0 ? 0 : (distance < 0 ? -1 : 1) * f->shift * rest * rest;
}

/* Three layers of tissue let less through. */
static float shade(const struct fx_microscope_fold *f, double distance)
{
	const double in = 2 * (1 - fabs(distance) / f->width);

	return in <= 0 ? 1.0F : (float)(1 - 0.7 * (in < 1 ? in : 1));
}

static void place_row(const struct frame *f, size_t i)
{
	const struct fx_microscope_shot *const shot = f->shot;
	const double(*const a)[3] = shot->affine, y = f->y + (double)i;
	float *const out = f->grey + i * f->w;

	for (size_t j = 0; j < f->w; j++) {
		double v = y, u = f->x + (double)j, distance = 0, pull;

		if (shot->folded) {
			distance = from_fold(&shot->fold, v, u);
			pull = pulled(&shot->fold, distance);
			v += pull * shot->fold.normal[0];
			u += pull * shot->fold.normal[1];
		}
		out[j] = fx_spline2d_at(f->s->spline, f->s->height, f->s->width,
					a[0][0] * v + a[0][1] * u + a[0][2],
					a[1][0] * v + a[1][1] * u + a[1][2]);
		if (shot->folded)
			out[j] *= shade(&shot->fold, distance);
	}
}

static int place(const struct frame *f, struct fx_specimen *s)
{
	size_t at[2];
	const bool copy = is_copy(f, at);

	if (!copy && prepare(s) < 0)
		return FX_ENOMEM;
#pragma omp parallel for schedule(static) if (f->h * f->w > 16384)
	for (size_t i = 0; i < f->h; i++) {
		if (!copy)
			place_row(f, i);
		for (size_t j = 0; copy && j < f->w; j++)
			f->grey[i * f->w + j] = level(s, (at[0] + i) * s->width + at[1] + j);
	}
	return FX_OK;
}

/* Resin, a little brighter to one side. */
static void place_nothing(const struct frame *f)
{
	uint64_t random = f->shot->key;
	const double base = 185 + 30 * fx_noise_next(&random);
	const double dy = 24 * (fx_noise_next(&random) - 0.5) / (double)f->s->height;
	const double dx = 24 * (fx_noise_next(&random) - 0.5) / (double)f->s->width;

	for (size_t i = 0; i < f->h; i++)
		for (size_t j = 0; j < f->w; j++)
			f->grey[i * f->w + j] =
				(float)(base + dy * (f->y + (double)i) + dx * (f->x + (double)j));
}

/* How much of the blur there is at a place: all, or from an edge on. */
static float blur_part(const struct fx_microscope_shot *shot, double y, double x, double soft)
{
	double v;

	if (!shot->partly)
		return 1;
	v = ((y - shot->edge[0]) * shot->outward[0] + (x - shot->edge[1]) * shot->outward[1]) /
		    soft +
	    0.5;
	v = v < 0 ? 0 : v > 1 ? 1 : v;
	return (float)(v * v * (3 - 2 * v));
}

static int blur(const struct frame *f)
{
	const size_t shape[3] = { 1, f->h, f->w };
	const double sigma[3] = { 0, f->shot->defocus, f->shot->defocus };
	const double soft =
		4 + (double)(f->s->height < f->s->width ? f->s->height : f->s->width) / 12;
	const int order[3] = { 0 };
	float *wide = fx_alloc_aligned(f->h * f->w * sizeof *wide);
	const int result = wide ? fx_gauss(wide, f->grey, shape, sigma, order) : FX_ENOMEM;

	for (size_t i = 0; result == FX_OK && i < f->h; i++)
		for (size_t j = 0; j < f->w; j++) {
			float *const v = f->grey + i * f->w + j;

			*v += blur_part(f->shot, f->y + (double)i, f->x + (double)j, soft) *
			      (wide[i * f->w + j] - *v);
		}
	free(wide);
	return result;
}

static double fading(double distance, double length)
{
	return distance < 0 || distance > FAR * length ? 0 : fx_noise_exp(-distance / length);
}

static size_t draw_streaks(const struct frame *f, struct streak *out)
{
	const double h = (double)f->s->height, w = (double)f->s->width;
	uint64_t random = f->shot->key ^ 0xc4a6;
	double count = 4 + h / 30 * (0.5 + fx_noise_next(&random));
	size_t n = 0;

	for (; n < STREAKS_MAX && count > 0; n++, count--) {
		out[n].y = h * fx_noise_next(&random);
		out[n].x = w * (1.2 * fx_noise_next(&random) - 0.2);
		out[n].light = f->shot->charging * (0.4 + fx_noise_next(&random));
		out[n].tail = w * (0.05 + 0.4 * fx_noise_next(&random));
		out[n].rows = 0.5 + 2.5 * fx_noise_next(&random);
	}
	return n;
}

static void charge_row(const struct frame *f, const struct streak *all, size_t n, size_t i)
{
	const double y = floor(f->y + (double)i), lasting = (double)f->s->height / 12 + 1;
	float *const row = f->grey + i * f->w;
	double base = 0;

	for (size_t k = 0; k < n; k++) {
		const struct streak *const s = all + k;
		const double here = s->light * fading(y - s->y, s->rows);
		const double begin = s->x > f->x ? ceil(s->x - f->x) : 0;
		const double fade = fx_noise_exp(-1 / s->tail);
		double light = here * fading(f->x + begin - s->x, s->tail);

		base += 0.2 * s->light * fading(y - s->y, lasting);
		for (size_t j = (size_t)begin; j < f->w && light > 0.05; j++, light *= fade)
			row[j] += (float)light;
	}
	for (size_t j = 0; j < f->w; j++)
		row[j] += (float)base;
}

static int charge(const struct frame *f)
{
	struct streak *all = fx_calloc(STREAKS_MAX, sizeof *all);
	const size_t n = all ? draw_streaks(f, all) : 0;

#pragma omp parallel for schedule(static) if (f->h * f->w > 16384)
	for (size_t i = 0; i < f->h; i++)
		charge_row(f, all, n, i);
	free(all);
	return n ? FX_OK : FX_ENOMEM;
}

/* A number of about normal distribution (a hash of 32 bits by Wellons,
 * github.com/skeeto/hash-prospector, and the sum of its bytes). */
static inline float grain(uint32_t key, uint32_t x)
{
	uint32_t h = key + x * 0x9e3779b9U;

	h = (h ^ (h >> 16)) * 0x7feb352dU;
	h = (h ^ (h >> 15)) * 0x846ca68bU;
	h ^= h >> 16;
	h = (h & 0xff00ff) + (h >> 8 & 0xff00ff);
	return (float)((int32_t)((h & 0xffff) + (h >> 16)) - 510) * (1 / 147.8F);
}

/* Gain, offset and shot noise of one row: more noise where there is more light. */
static inline __attribute__((always_inline)) void detect(const struct frame *f, uint32_t key,
							 float *row)
{
	const float gain = (float)f->shot->gain, offset = (float)f->shot->offset;
	const float noise = (float)f->shot->noise;

	for (uint32_t j = 0; j < (uint32_t)f->w; j++) {
		const float v = row[j] * gain + offset, light = v < 0 ? 0 : v;

		row[j] = v + noise * (0.5F + light * (0.5F / 128)) * grain(key, j);
	}
}

static void detect_c(const struct frame *f, uint32_t key, float *row)
{
	detect(f, key, row);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void detect_avx2(const struct frame *f, uint32_t key,
							float *row)
{
	detect(f, key, row);
}
#endif

static inline float within(float v, float high)
{
	return v < 0 ? 0 : v > high ? high : v;
}

static void digitise(const struct frame *f, const float *row, size_t i, void *out)
{
	uint8_t *const bytes = (uint8_t *)out + i * f->w;
	uint16_t *const words = (uint16_t *)out + i * f->w;

	if (f->s->dtype == FX_U8)
		for (size_t j = 0; j < f->w; j++)
			bytes[j] = (uint8_t)(int32_t)within(row[j] + 0.5F, 255);
	else
		for (size_t j = 0; j < f->w; j++)
			words[j] = (uint16_t)(int32_t)within(row[j] * 257 + 0.5F, 65535);
}

static void read_out(const struct frame *f, unsigned tile, void *out)
{
	void (*see)(const struct frame *, uint32_t, float *) = detect_c;

#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		see = detect_avx2;
#endif
#pragma omp parallel for schedule(static) if (f->h * f->w > 16384)
	for (size_t i = 0; i < f->h; i++) {
		see(f, (uint32_t)fx_noise_at(f->shot->key, (int64_t)tile, (int64_t)i, 1),
		    f->grey + i * f->w);
		digitise(f, f->grey + i * f->w, i, out);
	}
}

/* Nothing happens to the rectangle: the bytes as they are. */
static bool copy_bytes(const struct frame *f, void *out)
{
	const struct fx_microscope_shot *const shot = f->shot;
	const size_t size = fx_dtype_size(f->s->dtype);
	size_t at[2];

	if (shot->blank || shot->defocus > 0 || shot->charging > 0 || shot->noise > 0 ||
	    shot->gain != 1 || shot->offset != 0 || !is_copy(f, at))
		return false;
	for (size_t i = 0; i < f->h; i++)
		memcpy((uint8_t *)out + i * f->w * size,
		       (const uint8_t *)f->s->voxels + ((at[0] + i) * f->s->width + at[1]) * size,
		       f->w * size);
	return true;
}

static int expose(const struct frame *f, struct fx_specimen *s)
{
	int result = FX_OK;

	if (f->shot->blank)
		place_nothing(f);
	else
		result = place(f, s);
	if (result == FX_OK && f->shot->defocus > 0)
		result = blur(f);
	if (result == FX_OK && f->shot->charging > 0)
		result = charge(f);
	return result;
}

int fx_microscope_expose(const struct fx_microscope_shot *shot, struct fx_specimen *s,
			 const double at[2], const size_t size[2], unsigned tile, void *out,
			 struct fx_error *err)
{
	struct frame f = { shot, s, at[0], at[1], size[0], size[1], NULL };
	size_t bytes = 0, own = 0;
	int result;

	if ((s->dtype != FX_U8 && s->dtype != FX_U16) || !s->height || !s->width || !f.h || !f.w)
		return fx_error_set(err, FX_EINVAL,
				    "a microscope needs voxels of u8 or u16 and an image");
	if (!fx_mul_size(f.h, f.w, &bytes) || !fx_mul_size(bytes, sizeof(float), &bytes) ||
	    !fx_mul_size(s->height, s->width, &own) || !fx_mul_size(own, sizeof(float), &own))
		return fx_error_set(err, FX_ENOMEM, "the image is too large");
	if (copy_bytes(&f, out))
		return FX_OK;
	f.grey = fx_alloc_aligned(bytes);
	result = f.grey ? expose(&f, s) : FX_ENOMEM;
	if (result == FX_OK)
		read_out(&f, tile, out);
	free(f.grey);
	return result == FX_OK ?
		       FX_OK :
		       fx_error_set(err, result, "no memory for an image of %zu x %zu", f.h, f.w);
}
