// SPDX-License-Identifier: Apache-2.0
/* fft2.h: discrete Fourier transform of real 2-D images, f32, by kissfft. */
#ifndef FX_KERNELS_FFT2_H
#define FX_KERNELS_FFT2_H

#include <stddef.h>

/** One frequency. */
struct fx_complex {
	float re, im;
};

/** A plan for images of one size. Zero-initialise; fx_fft2_fini() when done. One thread at a time.
 */
struct fx_fft2 {
	size_t height, width; /**< of the image; width is even */
	size_t columns; /**< of the spectrum: width / 2 + 1; the others are their conjugates */
	void *rows, *columns_to, *rows_back, *columns_back; /**< owned */
	struct fx_complex *work;			    /**< owned */
};

/** The smallest even number from @p n on (n <= 2^24) whose only prime factors are 2, 3 and 5: the
 * transform is fast for those. */
size_t fx_fft2_size(size_t n);
/** FX_EINVAL for an odd width, a side of 0 or above 2^24; FX_ENOMEM. */
int fx_fft2_init(struct fx_fft2 *f, size_t height, size_t width);
/** Takes a zeroed one. */
void fx_fft2_fini(struct fx_fft2 *f);
/** @p spectrum (height x columns) of @p image (height x width):
 * sum of image[y][x] exp(-2 pi i (v y / height + u x / width)). */
void fx_fft2_forward(const struct fx_fft2 *f, const float *image, struct fx_complex *spectrum);
/** The same with +i: forward and inverse give the image times height x width. Spoils @p spectrum.
 */
void fx_fft2_inverse(const struct fx_fft2 *f, struct fx_complex *spectrum, float *image);

#endif
