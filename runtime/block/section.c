// SPDX-License-Identifier: Apache-2.0
/* section.c: whole sections put together from their tiles. */
#include "block/section.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

int fx_sections_init(struct fx_sections *s, const struct fx_mark *open, double memory, size_t max,
		     struct fx_error *err)
{
	const struct fx_region *r = &open->region;
	const int64_t side_max = (int64_t)1 << 40;

	*s = (struct fx_sections){ .dtype = open->dtype, .memory = memory, .max = max };
	memcpy(s->voxel_nm, open->voxel_nm, sizeof s->voxel_nm);
	for (int a = 1; a < 3; a++)
		if (r->lo[a] < 0 || r->hi[a] <= r->lo[a] || r->hi[a] > side_max)
			return fx_error_set(err, FX_EINVAL,
					    "the volume's extent on axis %c, %" PRId64 "..%" PRId64
					    ", is not within 0..2^40 or empty",
					    "zyx"[a], r -> lo[a], r -> hi[a]);
	s->y = r->lo[1];
	s->x = r->lo[2];
	s->height = (size_t)(r->hi[1] - r->lo[1]);
	s->width = (size_t)(r->hi[2] - r->lo[2]);
	s->size = fx_dtype_size(open->dtype);
	if (!s->size || !fx_mul_size(s->size, s->height, &s->size) ||
	    !fx_mul_size(s->size, s->width, &s->size))
		return fx_error_set(err, FX_EINVAL,
				    "sections of %zu x %zu voxels of type %s cannot be held",
				    s->height, s->width, fx_dtype_name(open->dtype));
	return FX_OK;
}

static void section_free(struct fx_section *section)
{
	if (!section)
		return;
	fx_scratch_close(&section->voxels);
	free(section->tiles);
	free(section);
}

void fx_sections_fini(struct fx_sections *s)
{
	for (size_t i = 0; i < s->len; i++)
		section_free(s->held[i]);
	section_free(s->spare);
	free(s->held);
	free(s->again);
	*s = (struct fx_sections){ 0 };
}

bool fx_sections_spill(const struct fx_sections *s)
{
	size_t heap = s->size;

	for (size_t i = 0; i < s->len; i++)
		heap += s->held[i]->voxels.mapped ? 0 : s->size;
	return !s->spare && (double)heap > s->memory;
}

static struct fx_section *sections_find(const struct fx_sections *s, int64_t z)
{
	for (size_t i = s->len; i-- > 0;)
		if (s->held[i]->z == z)
			return s->held[i];
	return NULL;
}

/* Moves the i-th section out. */
static struct fx_section *sections_take(struct fx_sections *s, size_t i)
{
	struct fx_section *section = s->held[i];

	s->len--;
	memmove(s->held + i, s->held + i + 1, (s->len - i) * sizeof(struct fx_section *));
	return section;
}

/* A section without tiles, in new or used memory. */
static struct fx_section *sections_new(struct fx_sections *s, struct fx_error *err)
{
	struct fx_section *section = s->spare;

	if (section) {
		s->spare = NULL;
		section->filled = 0;
		section->tiles_len = 0;
		return section;
	}
	section = fx_calloc(1, sizeof *section);
	if (!section) {
		fx_error_set(err, FX_ENOMEM, "no memory for a section");
		return NULL;
	}
	if (fx_scratch_open(&section->voxels, s->size, fx_sections_spill(s) ? s->folder : NULL,
			    err) < 0) {
		free(section);
		return NULL;
	}
	return section;
}

static struct fx_section *sections_at(struct fx_sections *s, int64_t z, struct fx_error *err)
{
	struct fx_section *section = sections_find(s, z);

	if (section)
		return section;
	if (s->len >= s->max) {
		fx_error_set(err, FX_ENOMEM,
			     "section %" PRId64
			     " comes while %zu sections are held, the most there "
			     "may be; section %" PRId64 " came first",
			     z, s->len, s->held[0]->z);
		return NULL;
	}
	if (!fx_grow(&s->held, &s->cap, s->len + 1, sizeof *s->held)) {
		fx_error_set(err, FX_ENOMEM, "no memory for section %" PRId64, z);
		return NULL;
	}
	section = sections_new(s, err);
	if (section) {
		section->z = z;
		s->held[s->len++] = section;
	}
	return section;
}

static int sections_check(const struct fx_sections *s, const struct fx_block *t,
			  struct fx_error *err)
{
	const uint32_t *lo = t->halo_lo, *hi = t->halo_hi;
	const int64_t y = t->origin[1] - s->y, x = t->origin[2] - s->x;

	if (t->shape[0] != 1 || t->channels != 1 || lo[0] || lo[1] || lo[2] || hi[0] || hi[1] ||
	    hi[2])
		return fx_error_set(err, FX_ETYPE,
				    "a block of %zu sections and %u channels at section %" PRId64
				    ": a tile has one section, one channel and no halo",
				    t->shape[0], t->channels, t->origin[0]);
	if (t->dtype != s->dtype)
		return fx_error_set(err, FX_ETYPE, "a tile of %s in a stream of %s",
				    fx_dtype_name(t->dtype), fx_dtype_name(s->dtype));
	if (y < 0 || x < 0 || t->shape[1] > s->height || t->shape[2] > s->width ||
	    (size_t)y > s->height - t->shape[1] || (size_t)x > s->width - t->shape[2])
		return fx_error_set(err, FX_EINVAL,
				    "a tile of %zu x %zu at y %" PRId64 " x %" PRId64
				    " of section %" PRId64 " is outside of the volume",
				    t->shape[1], t->shape[2], t->origin[1], t->origin[2],
				    t->origin[0]);
	return FX_OK;
}

const void *fx_section_row(const struct fx_sections *s, const struct fx_section *section,
			   const struct fx_tile *tile, size_t y)
{
	const size_t at = (tile->y + y) * s->width + tile->x;

	return (const uint8_t *)section->voxels.data + at * fx_dtype_size(s->dtype);
}

static void sections_copy(const struct fx_sections *s, struct fx_section *section,
			  const struct fx_tile *tile, const void *data)
{
	const size_t bytes = fx_dtype_size(s->dtype), row = tile->width * bytes;
	uint8_t *to = (uint8_t *)section->voxels.data + (tile->y * s->width + tile->x) * bytes;

	for (size_t y = 0; y < tile->height; y++)
		memcpy(to + y * s->width * bytes, (const uint8_t *)data + y * row, row);
}

int fx_sections_put(struct fx_sections *s, const struct fx_block *tile, uint64_t number,
		    struct fx_error *err)
{
	struct fx_error why = { 0 };
	const int failed = sections_check(s, tile, err);
	struct fx_section *section;

	if (failed < 0)
		return failed;
	section = sections_at(s, tile->origin[0], &why);
	if (!section)
		return fx_error_set(err, why.code, "%s", why.text);
	if (!fx_grow(&section->tiles, &section->tiles_cap, section->tiles_len + 1,
		     sizeof *section->tiles))
		return fx_error_set(err, FX_ENOMEM, "no memory for a tile");
	if (!section->tiles_len)
		section->first = number;
	section->filled += fx_block_len(tile);
	if (section->filled > (uint64_t)s->height * s->width)
		return fx_error_set(err, FX_EINVAL,
				    "section %" PRId64 " got more voxels than its %zu x %zu: its "
				    "tiles overlap or come twice",
				    section->z, s->height, s->width);
	section->role = tile->role;
	section->level = tile->level;
	section->tiles[section->tiles_len++] = (struct fx_tile){
		.y = (size_t)(tile->origin[1] - s->y),
		.x = (size_t)(tile->origin[2] - s->x),
		.height = tile->shape[1],
		.width = tile->shape[2],
	};
	sections_copy(s, section, &section->tiles[section->tiles_len - 1], tile->data);
	return FX_OK;
}

static int tile_compare(const void *a, const void *b)
{
	const struct fx_tile *p = a, *q = b;

	if (p->y != q->y)
		return p->y < q->y ? -1 : 1;
	return p->x < q->x ? -1 : p->x > q->x;
}

struct fx_section *fx_sections_whole(struct fx_sections *s, int64_t z, struct fx_error *err)
{
	struct fx_section *section;
	size_t i = 0;

	while (i < s->len && s->held[i]->z != z)
		i++;
	if (i == s->len || s->held[i]->filled != (uint64_t)s->height * s->width) {
		fx_error_set(err, FX_EINVAL,
			     "section %" PRId64 " is called done with %" PRIu64
			     " of its %zu x %zu voxels",
			     z, i < s->len ? s->held[i]->filled : 0, s->height, s->width);
		return NULL;
	}
	section = sections_take(s, i);
	qsort(section->tiles, section->tiles_len, sizeof *section->tiles, tile_compare);
	return section;
}

void fx_sections_drop(struct fx_sections *s, struct fx_section *section)
{
	if (s->spare)
		section_free(section);
	else
		s->spare = section;
}

void fx_sections_lose(struct fx_sections *s, int64_t lo, int64_t hi)
{
	for (size_t i = s->len; i-- > 0;)
		if (s->held[i]->z >= lo && s->held[i]->z < hi)
			fx_sections_drop(s, sections_take(s, i));
}

uint64_t fx_sections_pack(const struct fx_sections *s, struct fx_pack *to)
{
	const uint64_t len = s->len;
	uint64_t needs = UINT64_MAX;

	fx_pack_bool(to, s->size != 0);
	fx_pack_put(to, &len, sizeof len);
	for (size_t i = 0; i < s->len; i++) {
		fx_pack_put(to, &s->held[i]->z, sizeof s->held[i]->z);
		needs = s->held[i]->first < needs ? s->held[i]->first : needs;
	}
	return needs;
}

int fx_sections_unpack(struct fx_sections *s, const struct fx_mark *open, double memory, size_t max,
		       struct fx_unpack *from)
{
	bool opened;
	void *again;
	int result;

	if (fx_unpack_bool(from, &opened) < 0 || (opened && !open) ||
	    (opened && fx_sections_init(s, open, memory, max, NULL) < 0))
		return FX_ETYPE;
	result = fx_unpack_array(from, &again, &s->again_len, sizeof *s->again);
	if (result == FX_OK && s->again_len > s->max)
		result = FX_ETYPE;
	if (result < 0 || !opened) {
		free(again);
		s->again_len = 0;
		return result;
	}
	s->again = again;
	return FX_OK;
}

bool fx_sections_wanted(const struct fx_sections *s, int64_t z)
{
	for (size_t i = 0; i < s->again_len; i++)
		if (s->again[i] == z)
			return true;
	return false;
}
