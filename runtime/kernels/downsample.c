// SPDX-License-Identifier: Apache-2.0
/* downsample.c: a coarser copy of an image or of labels. */
#include "kernels/downsample.h"

#include <string.h>

enum { COVERED = 8 };

size_t fx_downsample_len(size_t n, size_t factor)
{
	return (n + factor - 1) / factor;
}

/* An integer voxel. */
static uint64_t get(const void *from, size_t i, enum fx_dtype dtype)
{
	switch (dtype) {
	case FX_U8:
		return ((const uint8_t *)from)[i];
	case FX_U16:
		return ((const uint16_t *)from)[i];
	case FX_U32:
		return ((const uint32_t *)from)[i];
	default:
		return ((const uint64_t *)from)[i];
	}
}

static void put(void *to, size_t i, enum fx_dtype dtype, uint64_t v)
{
	switch (dtype) {
	case FX_U8:
		((uint8_t *)to)[i] = (uint8_t)v;
		return;
	case FX_U16:
		((uint16_t *)to)[i] = (uint16_t)v;
		return;
	case FX_U32:
		((uint32_t *)to)[i] = (uint32_t)v;
		return;
	default:
		((uint64_t *)to)[i] = v;
	}
}

/* Mean without overflow, as 64-bit voxels may have all bits. */
static uint64_t mean_of(const uint64_t *v, size_t n)
{
	uint64_t whole = 0, rest = 0;

	for (size_t i = 0; i < n; i++) {
		whole += v[i] / n;
		rest += v[i] % n;
	}
	return whole + (2 * rest + n) / (2 * n);
}

static uint64_t mode_of(const uint64_t *v, size_t n)
{
	uint64_t best = 0;
	size_t best_len = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = 0;

		for (size_t k = 0; k < n; k++)
			len += v[k] == v[i];
		if (len > best_len || (len == best_len && v[i] && (!best || v[i] < best))) {
			best = v[i];
			best_len = len;
		}
	}
	return best;
}

static void reduce_floats(const float *from, const size_t *at, size_t n, float *to)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)from[at[i]];
	*to = (float)(sum / (double)n);
}

/* Places of the voxels that voxel (z, y, x) covers; how many. */
static size_t covered(const size_t shape[3], const size_t factor[3], const size_t p[3],
		      size_t at[COVERED])
{
	size_t n = 0, hi[3];

	for (int a = 0; a < 3; a++)
		hi[a] = (p[a] + 1) * factor[a] < shape[a] ? (p[a] + 1) * factor[a] : shape[a];
	for (size_t z = p[0] * factor[0]; z < hi[0]; z++)
		for (size_t y = p[1] * factor[1]; y < hi[1]; y++)
			for (size_t x = p[2] * factor[2]; x < hi[2]; x++)
				at[n++] = (z * shape[1] + y) * shape[2] + x;
	return n;
}

static void downsample(const void *from, const size_t shape[3], const size_t factor[3],
		       enum fx_dtype dtype, void *to,
		       uint64_t (*reduce)(const uint64_t *v, size_t n))
{
	size_t len[3], i = 0, p[3];

	for (int a = 0; a < 3; a++)
		len[a] = fx_downsample_len(shape[a], factor[a]);
	for (p[0] = 0; p[0] < len[0]; p[0]++)
		for (p[1] = 0; p[1] < len[1]; p[1]++)
			for (p[2] = 0; p[2] < len[2]; p[2]++, i++) {
				size_t at[COVERED];
				uint64_t v[COVERED];
				const size_t n = covered(shape, factor, p, at);

				if (dtype == FX_F32) {
					reduce_floats(from, at, n, (float *)to + i);
					continue;
				}
				for (size_t k = 0; k < n; k++)
					v[k] = get(from, at[k], dtype);
				put(to, i, dtype, reduce(v, n));
			}
}

void fx_downsample_mean(const void *from, const size_t shape[3], const size_t factor[3],
			enum fx_dtype dtype, void *to)
{
	downsample(from, shape, factor, dtype, to, mean_of);
}

void fx_downsample_mode(const void *from, const size_t shape[3], const size_t factor[3],
			enum fx_dtype dtype, void *to)
{
	downsample(from, shape, factor, dtype, to, mode_of);
}
