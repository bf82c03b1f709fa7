// SPDX-License-Identifier: Apache-2.0
/* slab.c: some sections of a volume in chunks, decoded. */
#include "formats/slab.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void fx_slab_fini(struct fx_slab *s)
{
	fx_block_free(s->kept);
	free(s->filled);
	s->kept = NULL;
	s->filled = NULL;
}

/* Chunks along an axis. */
static size_t chunks(const struct fx_slab *s, int axis)
{
	return (s->shape[axis] - 1) / s->chunk[axis] + 1;
}

/* Sections from @p z on that are to be kept; 0 when not even one fits. */
static size_t slab_height(const struct fx_slab *s, size_t z)
{
	const size_t max = s->max ? s->max : FX_SLAB_MAX;
	const size_t section = s->shape[1] * s->shape[2] * fx_dtype_size(s->dtype);
	const size_t left = s->shape[0] - z, layer = s->chunk[0] - z % s->chunk[0];
	const size_t most = left < layer ? left : layer;

	return max / section < most ? max / section : most;
}

static bool slab_holds(const struct fx_slab *s, size_t z)
{
	return s->kept && (int64_t)z >= s->kept->origin[0] &&
	       (int64_t)z < s->kept->origin[0] + (int64_t)s->kept->shape[0];
}

static int slab_move(struct fx_slab *s, size_t z, size_t height, struct fx_error *err)
{
	if (!s->kept || s->kept->shape[0] != height) {
		fx_slab_fini(s);
		s->kept = fx_block_new(s->dtype, height, s->shape[1], s->shape[2]);
		s->filled = fx_calloc(chunks(s, 1), chunks(s, 2));
	}
	if (!s->kept || !s->filled) {
		fx_slab_fini(s);
		return fx_error_set(err, FX_ENOMEM, "no memory for %zu sections of a volume",
				    height);
	}
	s->kept->origin[0] = (int64_t)z;
	memset(s->filled, 0, chunks(s, 1) * chunks(s, 2));
	return FX_OK;
}

/* Loads the chunks of layer @p gz that @p b touches in y and x into @p into. */
static int slab_load(struct fx_slab *s, size_t gz, const struct fx_block *b, struct fx_block *into,
		     struct fx_error *err)
{
	size_t lo[3], hi[3], g[3] = { gz, 0, 0 };
	int result = FX_OK;

	for (int a = 1; a < 3; a++) {
		lo[a] = (size_t)b->origin[a] / s->chunk[a];
		hi[a] = ((size_t)b->origin[a] + b->shape[a] - 1) / s->chunk[a];
	}
	for (g[1] = lo[1]; g[1] <= hi[1]; g[1]++)
		for (g[2] = lo[2]; g[2] <= hi[2] && result == FX_OK; g[2]++) {
			uint8_t *filled =
				into == s->kept ? &s->filled[g[1] * chunks(s, 2) + g[2]] : NULL;
			bool there = false;

			if (filled && *filled)
				continue;
			s->loads++;
			result = s->load(s->context, g, into, &there, err);
			if (filled && result == FX_OK)
				*filled = there;
		}
	return result;
}

static int slab_section(struct fx_slab *s, size_t z, struct fx_block *b, struct fx_error *err)
{
	const size_t height = slab_holds(s, z) ? s->kept->shape[0] : slab_height(s, z);
	int result = FX_OK;

	if (!slab_holds(s, z) && height)
		result = slab_move(s, z, height, err);
	if (result == FX_OK)
		result = slab_load(s, z / s->chunk[0], b, s->kept, err);
	if (result == FX_OK)
		fx_block_paste(b, s->kept);
	return result;
}

int fx_slab_read(struct fx_slab *s, struct fx_block *b, struct fx_error *err)
{
	const size_t lo = (size_t)b->origin[0], hi = lo + b->shape[0];
	int result = FX_OK;

	for (size_t z = lo; z < hi && result == FX_OK;) {
		if (slab_height(s, z)) {
			result = slab_section(s, z, b, err);
			z = s->kept ? (size_t)s->kept->origin[0] + s->kept->shape[0] : hi;
		} else {
			result = slab_load(s, z / s->chunk[0], b, b, err);
			z = (z / s->chunk[0] + 1) * s->chunk[0];
		}
	}
	return result;
}
