// SPDX-License-Identifier: Apache-2.0
/* histogram.c: counts of grey values. */
#include "kernels/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

size_t fx_histogram_bins(enum fx_dtype dtype)
{
	if (dtype == FX_U8)
		return 256;
	return dtype == FX_U16 ? 65536 : 0;
}

/* Four tables, so that runs of one grey value do not wait for their own increments. */
static void count_u8(uint64_t *counts, const uint8_t *v, size_t n)
{
	uint64_t part[4][256] = { { 0 } };
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		for (size_t j = 0; j < 4; j++)
			part[j][v[i + j]]++;
	for (; i < n; i++)
		part[0][v[i]]++;
	for (size_t b = 0; b < 256; b++)
		counts[b] += part[0][b] + part[1][b] + part[2][b] + part[3][b];
}

void fx_histogram_count(uint64_t *counts, const void *voxels, enum fx_dtype dtype, size_t n)
{
	const uint16_t *v = voxels;

	if (dtype == FX_U8)
		count_u8(counts, voxels, n);
	else if (dtype == FX_U16)
		for (size_t i = 0; i < n; i++)
			counts[v[i]]++;
}

uint64_t fx_histogram_total(const uint64_t *counts, size_t bins)
{
	uint64_t n = 0;

	for (size_t b = 0; b < bins; b++)
		n += counts[b];
	return n;
}

double fx_histogram_percentile(const uint64_t *counts, size_t bins, double percent)
{
	const uint64_t total = fx_histogram_total(counts, bins);
	const double wanted = ceil((double)total * percent / 100);
	const uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted;
	uint64_t seen = 0;

	if (!total)
		return 0;
	for (size_t b = 0; b < bins; b++) {
		seen += counts[b];
		if (seen >= rank || seen == total)
			return (double)b;
	}
	return 0;
}

void fx_histogram_moments(const uint64_t *counts, size_t bins, double *mean, double *sd)
{
	const double n = (double)fx_histogram_total(counts, bins);
	double sum = 0, squares = 0;

	*mean = *sd = 0;
	if (n == 0)
		return;
	for (size_t b = 0; b < bins; b++)
		sum += (double)counts[b] * (double)b;
	*mean = sum / n;
	for (size_t b = 0; b < bins; b++)
		squares += (double)counts[b] * ((double)b - *mean) * ((double)b - *mean);
	*sd = sqrt(squares / n);
}

int fx_histogram_init(struct fx_histogram *h, size_t bins, size_t window)
{
	size_t size;

	*h = (struct fx_histogram){ .bins = bins, .window = window };
	if (!fx_mul_size(bins, window, &size))
		return FX_ENOMEM;
	h->sum = fx_calloc(bins, sizeof *h->sum);
	h->last = fx_calloc(bins, sizeof *h->last);
	h->ring = fx_calloc(size, sizeof *h->ring);
	if (h->sum && h->last && h->ring)
		return FX_OK;
	fx_histogram_fini(h);
	return FX_ENOMEM;
}

void fx_histogram_fini(struct fx_histogram *h)
{
	free(h->sum);
	free(h->last);
	free(h->ring);
	*h = (struct fx_histogram){ 0 };
}

void fx_histogram_push(struct fx_histogram *h)
{
	uint64_t *slot = h->ring + h->next * h->bins;

	for (size_t b = 0; b < h->bins; b++)
		h->sum[b] += h->last[b] - slot[b];
	memcpy(slot, h->last, h->bins * sizeof *slot);
	h->next = (h->next + 1) % h->window;
	if (h->len < h->window)
		h->len++;
}

void fx_histogram_pack(const struct fx_histogram *h, struct fx_pack *to)
{
	fx_pack_put(to, &h->next, sizeof h->next);
	fx_pack_array(to, h->ring, h->len * h->bins, sizeof *h->ring);
}

int fx_histogram_unpack(struct fx_histogram *h, struct fx_unpack *from)
{
	void *ring;
	size_t n;
	int result = fx_unpack_get(from, &h->next, sizeof h->next);

	if (result == FX_OK)
		result = fx_unpack_array(from, &ring, &n, sizeof *h->ring);
	else
		ring = NULL;
	if (result == FX_OK && (n % h->bins || n / h->bins > h->window || h->next >= h->window ||
				(n / h->bins < h->window && h->next != n / h->bins)))
		result = FX_ETYPE;
	if (result == FX_OK) {
		h->len = n / h->bins;
		memcpy(h->ring, ring, n * sizeof *h->ring);
		for (size_t i = 0; i < n; i++)
			h->sum[i % h->bins] += h->ring[i];
	}
	free(ring);
	return result;
}
