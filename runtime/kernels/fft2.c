// SPDX-License-Identifier: Apache-2.0
/* fft2.c: discrete Fourier transform of real 2-D images. */
#include "kernels/fft2.h"

#include <kiss_fftr.h>
#include <stdlib.h>

#include <fornix/error.h>

#include "base/alloc.h"

enum { AT_ONCE = 16 }; /* columns, which lie apart in memory */
static const size_t side_max = (size_t)1 << 24;

static size_t without(size_t n, size_t factor)
{
	while (n % factor == 0)
		n /= factor;
	return n;
}

size_t fx_fft2_size(size_t n)
{
	size_t even = n < 2 ? 2 : n + n % 2;

	while (without(without(without(even, 2), 3), 5) != 1)
		even += 2;
	return even;
}

int fx_fft2_init(struct fx_fft2 *f, size_t height, size_t width)
{
	*f = (struct fx_fft2){ .height = height, .width = width, .columns = width / 2 + 1 };
	if (!height || !width || width % 2 || height > side_max || width > side_max)
		return FX_EINVAL;
	f->rows = kiss_fftr_alloc((int)width, 0, NULL, NULL);
	f->rows_back = kiss_fftr_alloc((int)width, 1, NULL, NULL);
	f->columns_to = kiss_fft_alloc((int)height, 0, NULL, NULL);
	f->columns_back = kiss_fft_alloc((int)height, 1, NULL, NULL);
	f->work = fx_calloc((AT_ONCE + 1) * height, sizeof *f->work);
	return f->rows && f->rows_back && f->columns_to && f->columns_back && f->work ? FX_OK :
											FX_ENOMEM;
}

void fx_fft2_fini(struct fx_fft2 *f)
{
	free(f->rows);
	free(f->rows_back);
	free(f->columns_to);
	free(f->columns_back);
	free(f->work);
	*f = (struct fx_fft2){ 0 };
}

/* Transforms every column in place. */
static void fft2_columns(const struct fx_fft2 *f, kiss_fft_cfg plan, struct fx_complex *s)
{
	const size_t h = f->height, c = f->columns;
	struct fx_complex *out = f->work + AT_ONCE * h;

	for (size_t x = 0; x < c; x += AT_ONCE) {
		const size_t n = c - x < AT_ONCE ? c - x : AT_ONCE;

		for (size_t y = 0; y < h; y++)
			for (size_t i = 0; i < n; i++)
				f->work[i * h + y] = s[y * c + x + i];
		for (size_t i = 0; i < n; i++) {
			kiss_fft(plan, (const kiss_fft_cpx *)(f->work + i * h),
				 (kiss_fft_cpx *)out);
			for (size_t y = 0; y < h; y++)
				f->work[i * h + y] = out[y];
		}
		for (size_t y = 0; y < h; y++)
			for (size_t i = 0; i < n; i++)
				s[y * c + x + i] = f->work[i * h + y];
	}
}

void fx_fft2_forward(const struct fx_fft2 *f, const float *image, struct fx_complex *spectrum)
{
	for (size_t y = 0; y < f->height; y++)
		kiss_fftr(f->rows, image + y * f->width,
			  (kiss_fft_cpx *)(spectrum + y * f->columns));
	fft2_columns(f, f->columns_to, spectrum);
}

void fx_fft2_inverse(const struct fx_fft2 *f, struct fx_complex *spectrum, float *image)
{
	fft2_columns(f, f->columns_back, spectrum);
	for (size_t y = 0; y < f->height; y++)
		kiss_fftri(f->rows_back, (const kiss_fft_cpx *)(spectrum + y * f->columns),
			   image + y * f->width);
}
