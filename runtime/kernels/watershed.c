// SPDX-License-Identifier: Apache-2.0
/* watershed.c: seeds at maxima and flooding with a bucket queue. */
#include "kernels/watershed.h"

#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

static bool volume_len(const size_t shape[3], size_t *len)
{
	return shape[0] && shape[1] && shape[2] && fx_mul_size(shape[0], shape[1], len) &&
	       fx_mul_size(*len, shape[2], len) && *len <= FX_WATERSHED_LEN_MAX;
}

static void larger_row(float *restrict acc, const float *restrict v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		acc[i] = v[i] > acc[i] ? v[i] : acc[i];
}

/* Maximum over +-radius rows of n voxels; row j of a group of @p rows is @p stride apart. */
static void box_max_across(float *out, const float *in, size_t i, size_t rows, size_t stride,
			   size_t n, size_t radius)
{
	size_t lo = i > radius ? i - radius : 0, hi = rows - 1 - i > radius ? i + radius : rows - 1;

	memcpy(out, in + lo * stride, n * sizeof *out);
	for (size_t k = lo + 1; k <= hi; k++)
		larger_row(out, in + k * stride, n);
}

static void box_max_along(float *out, const float *in, size_t n, size_t radius)
{
	memcpy(out, in, n * sizeof *out);
	for (size_t k = 1; k <= radius && k < n; k++) {
		larger_row(out + k, in, n - k);
		larger_row(out, in + k, n - k);
	}
}

/* Maximum of the box around every voxel; @p tmp has the size of the volume. */
static void box_max(float *out, float *tmp, const float *in, const size_t shape[3],
		    const size_t radius[3])
{
	size_t n = shape[2], plane = shape[1] * n, rows = shape[0] * shape[1];

#pragma omp parallel for schedule(static)
	for (size_t r = 0; r < rows; r++)
		box_max_along(out + r * n, in + r * n, n, radius[2]);
#pragma omp parallel for schedule(static)
	for (size_t r = 0; r < rows; r++)
		box_max_across(tmp + r * n, out + r / shape[1] * plane, r % shape[1], shape[1], n,
			       n, radius[1]);
#pragma omp parallel for schedule(static)
	for (size_t r = 0; r < rows; r++)
		box_max_across(out + r * n, tmp + r % shape[1] * n, r / shape[1], shape[0], plane,
			       n, radius[0]);
}

/* Offers the neighbours of voxel @p i, given by the box lo..hi, to the seed @p label. */
static size_t grow_seed(uint32_t *labels, uint32_t *stack, size_t len, size_t i, uint32_t label,
			const size_t shape[3])
{
	size_t x = i % shape[2], y = i / shape[2] % shape[1], z = i / shape[2] / shape[1];

	for (size_t a = z ? z - 1 : 0; a <= z + 1 && a < shape[0]; a++)
		for (size_t b = y ? y - 1 : 0; b <= y + 1 && b < shape[1]; b++)
			for (size_t c = x ? x - 1 : 0; c <= x + 1 && c < shape[2]; c++) {
				size_t k = (a * shape[1] + b) * shape[2] + c;

				if (labels[k] != UINT32_MAX)
					continue;
				labels[k] = label;
				stack[len++] = (uint32_t)k;
			}
	return len;
}

/* Numbers the connected groups of voxels that are UINT32_MAX. */
static uint32_t number_seeds(uint32_t *labels, uint32_t *stack, size_t len, const size_t shape[3])
{
	uint32_t count = 0;

	for (size_t i = 0; i < len; i++) {
		size_t top = 0;

		if (labels[i] != UINT32_MAX)
			continue;
		labels[i] = ++count;
		stack[top++] = (uint32_t)i;
		while (top) {
			size_t k = stack[--top];

			top = grow_seed(labels, stack, top, k, count, shape);
		}
	}
	return count;
}

static void mark_maxima(uint32_t *labels, const float *map, const float *box, size_t len,
			float floor)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		labels[i] = map[i] > floor && map[i] >= box[i] ? UINT32_MAX : 0;
}

int fx_seeds_maxima(uint32_t *labels, uint32_t *count, const float *map, const size_t shape[3],
		    const size_t radius[3], float floor)
{
	uint32_t *stack;
	size_t len;
	float *box, *tmp;
	int err = FX_ENOMEM;

	if (!volume_len(shape, &len))
		return FX_EINVAL;
	box = fx_alloc_aligned(len * sizeof *box);
	tmp = fx_alloc_aligned(len * sizeof *tmp);
	stack = fx_alloc_aligned(len * sizeof *stack);
	if (box && tmp && stack) {
		box_max(box, tmp, map, shape, radius);
		mark_maxima(labels, map, box, len, floor);
		*count = number_seeds(labels, stack, len, shape);
		err = FX_OK;
	}
	free(stack);
	free(tmp);
	free(box);
	return err;
}

/* Voxels that wait, one list for every height; next[] links them. */
struct buckets {
	uint32_t head[256], tail[256]; /* index + 1; 0 is none */
	uint32_t *next;
	unsigned level; /* no lower list has entries */
};

static void buckets_push(struct buckets *q, size_t i, unsigned level)
{
	uint32_t id = (uint32_t)i + 1;

	q->next[i] = 0;
	if (q->tail[level])
		q->next[q->tail[level] - 1] = id;
	else
		q->head[level] = id;
	q->tail[level] = id;
}

/* Takes the first of the lowest list; false when all are empty. */
static bool buckets_pop(struct buckets *q, size_t *i)
{
	while (q->level < 256 && !q->head[q->level])
		q->level++;
	if (q->level == 256)
		return false;
	*i = q->head[q->level] - 1;
	q->head[q->level] = q->next[*i];
	if (!q->head[q->level])
		q->tail[q->level] = 0;
	return true;
}

static void flood_to(struct buckets *q, uint32_t *labels, const uint8_t *height, size_t to,
		     uint32_t label)
{
	if (labels[to])
		return;
	labels[to] = label;
	buckets_push(q, to, height[to] > q->level ? height[to] : q->level);
}

static void flood_from(struct buckets *q, uint32_t *labels, const uint8_t *height, size_t i,
		       const size_t shape[3])
{
	size_t n = shape[2], plane = shape[1] * n, x = i % n, y = i / n % shape[1], z = i / plane;

	if (z)
		flood_to(q, labels, height, i - plane, labels[i]);
	if (y)
		flood_to(q, labels, height, i - n, labels[i]);
	if (x)
		flood_to(q, labels, height, i - 1, labels[i]);
	if (x + 1 < n)
		flood_to(q, labels, height, i + 1, labels[i]);
	if (y + 1 < shape[1])
		flood_to(q, labels, height, i + n, labels[i]);
	if (z + 1 < shape[0])
		flood_to(q, labels, height, i + plane, labels[i]);
}

int fx_watershed_flood(uint32_t *labels, const uint8_t *height, const size_t shape[3])
{
	struct buckets q = { .level = 0 };
	size_t len, i = 0;

	if (!volume_len(shape, &len))
		return FX_EINVAL;
	q.next = fx_alloc_aligned(len * sizeof *q.next);
	if (!q.next)
		return FX_ENOMEM;
	for (size_t k = 0; k < len; k++)
		if (labels[k])
			buckets_push(&q, k, height[k]);
	while (buckets_pop(&q, &i))
		flood_from(&q, labels, height, i, shape);
	free(q.next);
	return FX_OK;
}
