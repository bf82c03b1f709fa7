// SPDX-License-Identifier: Apache-2.0
/* volume_copy.c: from a volume that is read to one that is written. */
#include "formats/volume_copy.h"

#include <math.h>
#include <string.h>

#include "base/scratch.h"
#include "formats/slab.h"

struct copy {
	struct fx_volume *from;
	struct fx_volume_write *to;
	struct fx_scratch slab; /* whole sections that wait, of from's type */
	double done, all;	/* rows */
};

/* A voxel as a number that holds it: all of u64 in u, all of f32 in d. */
struct number {
	uint64_t u;
	double d;
};

static struct number get(const void *from, size_t i, enum fx_dtype dtype)
{
	struct number n = { 0 };

	switch (dtype) {
	case FX_U8:
		n.u = ((const uint8_t *)from)[i];
		break;
	case FX_U16:
		n.u = ((const uint16_t *)from)[i];
		break;
	case FX_U32:
		n.u = ((const uint32_t *)from)[i];
		break;
	case FX_U64:
		n.u = ((const uint64_t *)from)[i];
		break;
	default:
		n.d = (double)((const float *)from)[i];
		n.u = n.d >= 0 && n.d < 18446744073709551616.0 ? (uint64_t)n.d : 0;
		return n;
	}
	n.d = (double)n.u;
	return n;
}

/* False when the value would change. */
static bool put(void *to, size_t i, enum fx_dtype dtype, struct number n, bool was_float)
{
	const bool whole = !was_float || (double)n.u == n.d;

	switch (dtype) {
	case FX_U8:
		((uint8_t *)to)[i] = (uint8_t)n.u;
		return whole && n.u <= UINT8_MAX;
	case FX_U16:
		((uint16_t *)to)[i] = (uint16_t)n.u;
		return whole && n.u <= UINT16_MAX;
	case FX_U32:
		((uint32_t *)to)[i] = (uint32_t)n.u;
		return whole && n.u <= UINT32_MAX;
	case FX_U64:
		((uint64_t *)to)[i] = n.u;
		return whole;
	default:
		((float *)to)[i] = (float)n.d;
		return was_float || (n.u <= (uint64_t)1 << 53 && (double)(float)n.d == n.d);
	}
}

int fx_volume_cast(struct fx_block **b, enum fx_dtype dtype, struct fx_error *err)
{
	const struct fx_block *from = *b;
	const size_t len = fx_block_len(from), area = from->shape[1] * from->shape[2];
	struct fx_block *to = fx_block_new_like(from, dtype);

	if (!to)
		return fx_error_set(err, FX_ENOMEM, "no memory for a part of a volume");
	for (size_t i = 0; i < len; i++) {
		const struct number n = get(from->data, i, from->dtype);

		if (put(to->data, i, dtype, n, from->dtype == FX_F32))
			continue;
		fx_block_free(to);
		return fx_error_set(err, FX_ETYPE,
				    "voxel %lld %lld %lld (z y x) is %.17g, which %s does not hold",
				    (long long)from->origin[0] + (long long)(i / area),
				    (long long)from->origin[1] +
					    (long long)(i / from->shape[2] % from->shape[1]),
				    (long long)from->origin[2] + (long long)(i % from->shape[2]),
				    n.d, fx_dtype_name(dtype));
	}
	fx_block_free(*b);
	*b = to;
	return FX_OK;
}

static int tell(struct copy *c, size_t sections, size_t rows, struct fx_error *err)
{
	const struct fx_volume_spec *s = &c->to->spec;

	c->done += (double)sections * (double)rows;
	if (s->progress && s->progress(s->context, c->done / c->all) < 0)
		return fx_error_set(err, FX_EIO, "%s: interrupted", s->path);
	return FX_OK;
}

/* Writes a part; takes it. */
static int put_part(struct copy *c, struct fx_block *part, struct fx_error *err)
{
	int result = FX_OK;

	if (part->dtype != c->to->spec.dtype && c->from->rounded)
		result = fx_error_set(err, FX_ETYPE,
				      "has voxels of float64 that f32 does not hold, so that it "
				      "cannot be told whether %s holds them",
				      fx_dtype_name(c->to->spec.dtype));
	else if (part->dtype != c->to->spec.dtype)
		result = fx_volume_cast(&part, c->to->spec.dtype, err);
	if (result == FX_OK)
		result = fx_volume_write_put(c->to, part, err);
	if (result == FX_OK)
		result = tell(c, part->shape[0], part->shape[1], err);
	fx_block_free(part);
	return result;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Rows of a part of @p depth sections: as many times @p step as fit in memory. */
static int64_t part_rows(const struct copy *c, size_t depth, size_t step)
{
	const size_t *shape = c->from->shape;
	const size_t row = depth * shape[2] * fx_dtype_size(c->from->dtype);
	const size_t rows = c->to->spec.memory / row / step * step;

	return (int64_t)(rows > shape[1] ? shape[1] : rows ? rows : step);
}

/* Sections from z on, to be read part by part and written so. */
static int copy_direct(struct copy *c, int64_t z, int64_t depth, struct fx_error *err)
{
	const int64_t height = (int64_t)c->from->shape[1];
	const int64_t rows = part_rows(c, (size_t)depth, c->to->step[1]);
	struct fx_region r = { { z, 0, 0 }, { z + depth, 0, (int64_t)c->from->shape[2] } };
	int result = FX_OK;

	for (; result == FX_OK && r.lo[1] < height; r.lo[1] = r.hi[1]) {
		struct fx_block *part = NULL;

		r.hi[1] = least(r.lo[1] + rows, height);
		result = fx_volume_read(c->from, r, &part, err);
		if (result == FX_OK)
			result = put_part(c, part, err);
	}
	return result;
}

/* Rows of the slab (sections from `z` on in it) to a part, or the other way round. */
static void move_rows(struct copy *c, int64_t z, struct fx_block *part, bool to_slab)
{
	const size_t row = part->shape[2] * fx_dtype_size(part->dtype);

	for (size_t i = 0; i < part->shape[0]; i++) {
		const size_t section = (size_t)(part->origin[0] - z) + i;
		char *slab = (char *)c->slab.data +
			     (section * c->from->shape[1] + (size_t)part->origin[1]) * row;
		char *rows = (char *)part->data + i * part->shape[1] * row;

		if (to_slab)
			memcpy(slab, rows, part->shape[1] * row);
		else
			memcpy(rows, slab, part->shape[1] * row);
	}
}

static int fill_slab(struct copy *c, int64_t z, int64_t depth, struct fx_error *err)
{
	const int64_t height = (int64_t)c->from->shape[1];
	const int64_t chunk = (int64_t)c->from->chunk[0];
	int result = FX_OK;

	for (int64_t from = z, to; from < z + depth; from = to) {
		int64_t rows;

		to = least((from / chunk + 1) * chunk, z + depth);
		rows = part_rows(c, (size_t)(to - from), c->from->chunk[1]);
		for (int64_t y = 0; y < height && result == FX_OK; y += rows) {
			const struct fx_region r = { { from, y, 0 },
						     { to, least(y + rows, height),
						       (int64_t)c->from->shape[2] } };
			struct fx_block *part = NULL;

			result = fx_volume_read(c->from, r, &part, err);
			if (result == FX_OK)
				move_rows(c, z, part, true);
			fx_block_free(part);
		}
	}
	return result;
}

static int empty_slab(struct copy *c, int64_t z, int64_t depth, struct fx_error *err)
{
	const int64_t height = (int64_t)c->from->shape[1], step = (int64_t)c->to->step[0];
	int result = FX_OK;

	for (int64_t from = z; from < z + depth; from += step) {
		const int64_t to = least(from + step, z + depth);
		const int64_t rows = part_rows(c, (size_t)(to - from), c->to->step[1]);

		for (int64_t y = 0; y < height && result == FX_OK; y += rows) {
			struct fx_block *part = fx_block_new(c->from->dtype, (size_t)(to - from),
							     (size_t)(least(y + rows, height) - y),
							     c->from->shape[2]);

			if (!part)
				return fx_error_set(err, FX_ENOMEM, "no memory for a part");
			part->origin[0] = from;
			part->origin[1] = y;
			move_rows(c, z, part, false);
			result = put_part(c, part, err);
		}
	}
	return result;
}

/* Sections are read or written at once, and the other side has chunks that do not fit in memory:
 * then whole layers of chunks go through a file. 0 when it is not so. */
static size_t slab_depth(const struct copy *c)
{
	const size_t *shape = c->from->shape, in = c->from->chunk[0], out = c->to->step[0];
	const size_t section = shape[1] * shape[2] * fx_dtype_size(c->from->dtype);
	const size_t memory = c->to->spec.memory;

	if (in == 1 && out > 1 && section > memory / out)
		return out;
	return out == 1 && in > 1 && section > memory / in ? in : 0;
}

int fx_volume_copy(struct fx_volume *from, struct fx_volume_write *to, const char *scratch,
		   struct fx_error *err)
{
	struct copy c = { .from = from, .to = to };
	const size_t staged = slab_depth(&c);
	const size_t section = from->shape[1] * from->shape[2] * fx_dtype_size(from->dtype);
	const int64_t end = (int64_t)from->shape[0];
	const int64_t step = (int64_t)(staged ? staged : to->step[0]);
	const bool thin = from->chunk[0] == 1 || section <= to->spec.memory / (size_t)step;
	int result = FX_OK;

	c.all = (double)from->shape[0] * (double)from->shape[1];
	fx_volume_keep(from, staged || !thin ? 1 : to->spec.memory);
	if (staged)
		result = fx_scratch_open(&c.slab, (size_t)least((int64_t)staged, end) * section,
					 scratch, err);
	for (int64_t z = 0; z < end && result == FX_OK; z += step) {
		const int64_t depth = least(step, end - z);

		if (!staged)
			result = copy_direct(&c, z, depth, err);
		else if ((result = fill_slab(&c, z, depth, err)) == FX_OK)
			result = empty_slab(&c, z, depth, err);
	}
	fx_scratch_close(&c.slab);
	return result;
}
