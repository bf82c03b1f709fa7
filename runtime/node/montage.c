// SPDX-License-Identifier: Apache-2.0
/* montage.c: holds the tiles of a section until all are there, and makes the section of them. */
#include "node/montage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { SIDE_MAX = 1 << 20 };

int fx_montage_open(struct fx_montage *m, const struct fx_mark *open, struct fx_error *err)
{
	if (m->open.kind)
		return fx_error_set(err, FX_EINVAL, "the stream of tiles is opened twice");
	for (int a = 1; a < 3; a++)
		if (open->region.lo[a] != 0 || open->region.hi[a] < 1 ||
		    open->region.hi[a] > SIDE_MAX)
			return fx_error_set(err, FX_EINVAL,
					    "a section of %lld x %lld voxels; accepted are 1 to "
					    "2^20 on a side",
					    (long long)open->region.hi[1],
					    (long long)open->region.hi[2]);
	if (open->dtype != FX_U8 && open->dtype != FX_U16)
		return fx_error_set(err, FX_ETYPE, "tiles are %s, not u8 or u16",
				    fx_dtype_name(open->dtype));
	m->open = *open;
	return FX_OK;
}

static bool whole_within(double v, double lo, double hi)
{
	return v >= lo && v <= hi && v == floor(v);
}

/* What a record says of a tile; false when that cannot be. */
static bool read_tile(const struct fx_record *r, struct fx_montage_tile *t)
{
	const double tile = fx_record_number(r, "tile", -1),
		     version = fx_record_number(r, "version", 1),
		     height = fx_record_number(r, "height", 0),
		     width = fx_record_number(r, "width", 0);
	const char *missing = fx_record_text(r, "missing");

	t->nominal[0] = fx_record_number(r, "y", (double)NAN);
	t->nominal[1] = fx_record_number(r, "x", (double)NAN);
	if (strcmp(r->kind, "tile") != 0 || !whole_within(tile, 0, 1e15) ||
	    !(fabs(t->nominal[0]) <= SIDE_MAX) || !(fabs(t->nominal[1]) <= SIDE_MAX))
		return false;
	t->tile = (int64_t)tile;
	t->version = isfinite(version) && fabs(version) < 1e15 ? (int64_t)version : 1;
	if (missing) {
		strncpy(t->missing, missing, sizeof t->missing - 1);
		return true;
	}
	if (!whole_within(height, 1, SIDE_MAX) || !whole_within(width, 1, SIDE_MAX))
		return false;
	t->height = (size_t)height;
	t->width = (size_t)width;
	return true;
}

static struct fx_montage_tile *find_tile(struct fx_montage *m, int64_t tile)
{
	for (size_t i = 0; i < m->len; i++)
		if (m->tiles[i].tile == tile)
			return &m->tiles[i];
	return NULL;
}

static size_t tile_size(const struct fx_montage *m, const struct fx_montage_tile *t)
{
	return t->height * t->width * fx_dtype_size(m->open.dtype);
}

static void tile_drop(struct fx_montage *m, struct fx_montage_tile *t)
{
	if (t->voxels.data && !t->voxels.mapped)
		m->size -= (double)t->voxels.size;
	fx_scratch_close(&t->voxels);
}

int fx_montage_expect(struct fx_montage *m, const struct fx_record *r, uint64_t number,
		      struct fx_error *err)
{
	struct fx_montage_tile fresh = { 0 }, *t;
	const int64_t z = r->region.lo[0];

	if (!read_tile(r, &fresh))
		return fx_error_set(err, FX_EINVAL,
				    "a record %s of section %lld that is not of a "
				    "tile",
				    r->kind, (long long)z);
	if (m->len && z != m->z)
		return fx_error_set(err, FX_EINVAL,
				    "a tile of section %lld before section %lld is done",
				    (long long)z, (long long)m->z);
	if (m->next && m->next->rows != m->next->height)
		return fx_error_set(err, FX_EINVAL, "tile %lld of section %lld is not whole",
				    (long long)m->next->tile, (long long)z);
	t = find_tile(m, fresh.tile);
	if (t)
		tile_drop(m, t);
	else if (m->len == FX_MONTAGE_TILES ||
		 !fx_grow(&m->tiles, &m->cap, m->len + 1, sizeof *m->tiles))
		return fx_error_set(err, FX_ENOMEM, "no room for tile %lld of section %lld",
				    (long long)fresh.tile, (long long)z);
	if (!m->len) {
		m->z = z;
		m->number = (int64_t)fx_record_number(r, "number", (double)z);
		m->first = number;
	}
	if (!t)
		t = &m->tiles[m->len++];
	*t = fresh;
	m->next = t->height ? t : NULL;
	return FX_OK;
}

bool fx_montage_spills(const struct fx_montage *m)
{
	return m->next && m->size + (double)tile_size(m, m->next) > m->memory;
}

static int put_room(struct fx_montage *m, struct fx_montage_tile *t, struct fx_error *err)
{
	const size_t size = tile_size(m, t);
	const bool spills = m->size + (double)size > m->memory;

	if (t->voxels.data)
		return FX_OK;
	if (fx_scratch_open(&t->voxels, size, spills ? m->folder : NULL, err) < 0)
		return err->code;
	if (!t->voxels.mapped)
		m->size += (double)size;
	return FX_OK;
}

int fx_montage_put(struct fx_montage *m, const struct fx_block *b, struct fx_error *err)
{
	struct fx_montage_tile *const t = m->next;
	size_t row;

	if (!t || b->origin[0] != m->z)
		return fx_error_set(err, FX_EINVAL,
				    "voxels of section %lld without a record of "
				    "their tile",
				    (long long)b->origin[0]);
	if (b->shape[0] != 1 || b->channels != 1 || b->dtype != m->open.dtype ||
	    b->shape[2] != t->width || b->shape[1] > t->height - t->rows)
		return fx_error_set(err, FX_ETYPE,
				    "tile %lld of section %lld: %zu x %zu %s do not fit to %zu x "
				    "%zu %s",
				    (long long)t->tile, (long long)m->z, b->shape[1], b->shape[2],
				    fx_dtype_name(b->dtype), t->height, t->width,
				    fx_dtype_name(m->open.dtype));
	if (put_room(m, t, err) < 0)
		return err->code;
	row = t->width * fx_dtype_size(b->dtype);
	memcpy((char *)t->voxels.data + t->rows * row, b->data, b->shape[1] * row);
	t->rows += b->shape[1];
	return FX_OK;
}

static int by_tile(const void *va, const void *vb)
{
	const struct fx_montage_tile *const a = va, *const b = vb;

	return a->tile < b->tile ? -1 : a->tile > b->tile;
}

/* The tiles that came, for the kernel. */
static int solve_tiles(struct fx_montage *m, struct fx_error *err)
{
	m->solved = fx_calloc(m->len, sizeof *m->solved);
	if (!m->solved)
		return fx_error_set(err, FX_ENOMEM, "no memory for the tiles of a section");
	m->next = NULL;
	qsort(m->tiles, m->len, sizeof *m->tiles, by_tile);
	for (size_t i = 0; i < m->len; i++) {
		struct fx_montage_tile *const t = &m->tiles[i];

		if (t->rows != t->height)
			return fx_error_set(err, FX_EINVAL,
					    "tile %lld of section %lld is not whole",
					    (long long)t->tile, (long long)m->z);
		if (!t->height)
			continue;
		t->at = m->solved_len++;
		m->solved[t->at] = (struct fx_mosaic_tile){
			.image = fx_plane_of(t->voxels.data, m->open.dtype, t->height, t->width),
			.nominal = { t->nominal[0], t->nominal[1] },
		};
	}
	return FX_OK;
}

int fx_montage_solve(struct fx_montage *m, struct fx_error *err)
{
	int failed = solve_tiles(m, err);

	if (failed < 0)
		return failed;
	failed = fx_mosaic_pairs(m->solved, m->solved_len, &m->how, &m->links, &m->links_len);
	if (failed == FX_OK)
		failed = fx_mosaic_measure(m->solved, &m->how, m->links, m->links_len);
	if (failed == FX_OK)
		failed = fx_mosaic_solve(m->solved, m->solved_len, &m->how, m->links, m->links_len);
	return failed < 0 ? fx_error_set(err, failed, "section %lld: no memory for its mosaic",
					 (long long)m->number) :
			    FX_OK;
}

int fx_montage_rows(const struct fx_montage *m, size_t y, size_t rows, void *to,
		    struct fx_error *err)
{
	const size_t width = (size_t)m->open.region.hi[2];

	if (!m->solved_len) {
		memset(to, 0, rows * width * fx_dtype_size(m->open.dtype));
		return FX_OK;
	}
	if (fx_mosaic_rows(m->solved, m->solved_len, &m->how, y, rows, width, to) < 0)
		return fx_error_set(err, FX_ENOMEM, "no memory for rows of a mosaic");
	return FX_OK;
}

static int by_value(const void *va, const void *vb)
{
	const double a = *(const double *)va, b = *(const double *)vb;

	return a < b ? -1 : a > b;
}

/* Median and greatest of values, which are sorted; 0 when there are none. */
static int add_spread(struct fx_record *r, const char *median, const char *most, double *values,
		      size_t len)
{
	if (len)
		qsort(values, len, sizeof *values, by_value);
	if (fx_record_add_number(r, median, len ? values[len / 2] : 0) < 0)
		return FX_ENOMEM;
	return fx_record_add_number(r, most, len ? values[len - 1] : 0);
}

static struct fx_record *record_of(const struct fx_montage *m, const char *kind)
{
	struct fx_record *r = fx_record_new(kind);

	if (!r || fx_record_add_number(r, "section", (double)m->z) < 0 ||
	    fx_record_add_number(r, "number", (double)m->number) < 0) {
		fx_record_free(r);
		return NULL;
	}
	r->region = m->open.region;
	r->region.lo[0] = m->z;
	r->region.hi[0] = m->z + 1;
	return r;
}

static int add_sums(const struct fx_montage *m, struct fx_record *r, double *values)
{
	size_t found = 0, used = 0;

	for (size_t i = 0; i < m->links_len; i++) {
		found += m->links[i].weight > 0;
		if (m->links[i].used)
			values[used++] = m->links[i].residual;
	}
	if (fx_record_add_number(r, "tiles", (double)m->len) < 0 ||
	    fx_record_add_number(r, "missing", (double)(m->len - m->solved_len)) < 0 ||
	    fx_record_add_number(r, "pairs", (double)m->links_len) < 0 ||
	    fx_record_add_number(r, "links", (double)found) < 0 ||
	    fx_record_add_number(r, "used", (double)used) < 0 ||
	    add_spread(r, "residual_median", "residual_max", values, used) < 0)
		return FX_ENOMEM;
	for (size_t i = 0; i < m->solved_len; i++)
		values[i] = hypot(m->solved[i].place[0] - m->solved[i].nominal[0],
				  m->solved[i].place[1] - m->solved[i].nominal[1]);
	return add_spread(r, "off_median", "off_max", values, m->solved_len);
}

struct fx_record *fx_montage_record(const struct fx_montage *m)
{
	struct fx_record *r = record_of(m, "mosaic");
	double *values = fx_calloc(m->links_len + m->solved_len, sizeof *values);

	if (!r || !values || add_sums(m, r, values) < 0) {
		fx_record_free(r);
		r = NULL;
	}
	free(values);
	return r;
}

struct fx_record *fx_montage_tile_record(const struct fx_montage *m, size_t i)
{
	static const char *const names[] = { "tile", "version", "nominal_y", "nominal_x",
					     "y",    "x",	"links",     "residual" };
	const struct fx_montage_tile *const t = &m->tiles[i];
	const struct fx_mosaic_tile *const p = t->height ? &m->solved[t->at] : NULL;
	const double values[] = { (double)t->tile,
				  (double)t->version,
				  t->nominal[0],
				  t->nominal[1],
				  p ? p->place[0] : 0,
				  p ? p->place[1] : 0,
				  p ? (double)p->links : 0,
				  p ? p->residual : 0 };
	struct fx_record *r = record_of(m, "mosaic-tile");
	int failed = r ? FX_OK : FX_ENOMEM;

	for (size_t k = 0; k < (p ? 8 : 4) && failed == FX_OK; k++)
		failed = fx_record_add_number(r, names[k], values[k]);
	if (!p && failed == FX_OK)
		failed = fx_record_add_text(r, "missing", t->missing);
	if (failed == FX_OK)
		return r;
	fx_record_free(r);
	return NULL;
}

void fx_montage_drop(struct fx_montage *m)
{
	for (size_t i = 0; i < m->len; i++)
		tile_drop(m, &m->tiles[i]);
	free(m->tiles);
	free(m->solved);
	free(m->links);
	m->tiles = m->next = NULL;
	m->solved = NULL;
	m->links = NULL;
	m->len = m->cap = m->solved_len = m->links_len = 0;
	m->size = 0;
}
