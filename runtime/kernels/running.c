// SPDX-License-Identifier: Apache-2.0
/* running.c: median and spread of the last few values of many series. */
#include "kernels/running.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

enum { WINDOW_MAX = 256 };

int fx_running_init(struct fx_running *r, size_t series, size_t window)
{
	size_t n;

	*r = (struct fx_running){ .series = series, .window = window };
	if (window > WINDOW_MAX || !fx_mul_size(series, window, &n))
		return FX_ENOMEM;
	r->ring = fx_calloc(n, sizeof *r->ring);
	return r->ring ? FX_OK : FX_ENOMEM;
}

void fx_running_fini(struct fx_running *r)
{
	free(r->ring);
	*r = (struct fx_running){ 0 };
}

float *fx_running_push(struct fx_running *r)
{
	float *values = r->ring + r->next * r->series;

	r->next = (r->next + 1) % r->window;
	r->len += r->len < r->window;
	return values;
}

void fx_running_clear(struct fx_running *r)
{
	r->len = r->next = 0;
}

/* The lower median of @p n values, which are sorted. */
static float median_of(float *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const float x = v[i];
		size_t j = i;

		for (; j > 0 && v[j - 1] > x; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
	return v[(n - 1) / 2];
}

void fx_running_usual(const struct fx_running *r, size_t i, double *median, double *spread)
{
	float v[WINDOW_MAX];
	float middle;

	*median = *spread = 0;
	if (!r->len)
		return;
	for (size_t k = 0; k < r->len; k++)
		v[k] = r->ring[k * r->series + i];
	middle = median_of(v, r->len);
	for (size_t k = 0; k < r->len; k++)
		v[k] = fabsf(v[k] - middle);
	*median = (double)middle;
	*spread = 1.4826 * (double)median_of(v, r->len);
}

void fx_running_pack(const struct fx_running *r, struct fx_pack *to)
{
	const uint64_t next = r->next;

	fx_pack_put(to, &next, sizeof next);
	fx_pack_array(to, r->ring, r->len, r->series * sizeof *r->ring);
}

int fx_running_unpack(struct fx_running *r, struct fx_unpack *from)
{
	uint64_t next;
	void *values;
	size_t len;
	int result = fx_unpack_get(from, &next, sizeof next);

	if (result < 0)
		return result;
	result = fx_unpack_array(from, &values, &len, r->series * sizeof *r->ring);
	if (result < 0)
		return result;
	if (len > r->window || next >= r->window || (len < r->window && next != len))
		result = FX_ETYPE;
	for (size_t i = 0; result == FX_OK && i < len * r->series; i++)
		if (!isfinite(((const float *)values)[i]))
			result = FX_ETYPE;
	if (result == FX_OK) {
		memcpy(r->ring, values, len * r->series * sizeof *r->ring);
		r->len = len;
		r->next = next;
	}
	free(values);
	return result;
}
