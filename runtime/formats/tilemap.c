// SPDX-License-Identifier: Apache-2.0
/* tilemap.c: tables that a microscope writes beside its images. */
#include "formats/tilemap.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/csv.h"

enum { TABLE_MAX = 256 << 20, PLACE_MAX = 1 << 30, SIDE_MAX = 1 << 20 };

#define NUMBER_MAX 1e15

/* The columns of a tile map; those behind X may be missing. */
enum { TILE, Y, X, SECTION, HEIGHT, WIDTH, COLUMNS };

static const char *const names[COLUMNS] = { "tile", "y", "x", "section", "height", "width" };

static bool whole_within(double v, double lo, double hi)
{
	return v >= lo && v <= hi && v == floor(v);
}

/* One row: v[] is NaN where nothing stands. */
static int tilemap_add(struct fx_tilemap *m, const double v[COLUMNS], struct fx_error *err)
{
	struct fx_tilemap_tile t = { .section = -1 };

	if (!whole_within(v[TILE], 0, NUMBER_MAX))
		return fx_error_set(err, FX_EINVAL, "tile must be a whole number from 0 on");
	if (!(fabs(v[Y]) <= PLACE_MAX) || !(fabs(v[X]) <= PLACE_MAX))
		return fx_error_set(err, FX_EINVAL, "y and x must be numbers up to 2^30");
	if (!isnan(v[SECTION]) && !whole_within(v[SECTION], 0, NUMBER_MAX))
		return fx_error_set(err, FX_EINVAL, "section must be a whole number from 0 on");
	for (int i = HEIGHT; i <= WIDTH; i++)
		if (!isnan(v[i]) && !whole_within(v[i], 1, SIDE_MAX))
			return fx_error_set(err, FX_EINVAL, "%s must be from 1 to 2^20", names[i]);
	if (isnan(v[HEIGHT]) != isnan(v[WIDTH]))
		return fx_error_set(err, FX_EINVAL, "height and width come together");
	if (m->len == FX_TILEMAP_MAX)
		return fx_error_set(err, FX_EINVAL, "more than 2^20 tiles");
	if (!isnan(v[SECTION]))
		t.section = (int64_t)v[SECTION];
	t.tile = (int64_t)v[TILE];
	t.y = v[Y];
	t.x = v[X];
	t.height = isnan(v[HEIGHT]) ? 0 : (size_t)v[HEIGHT];
	t.width = isnan(v[WIDTH]) ? 0 : (size_t)v[WIDTH];
	if (!fx_grow(&m->tiles, &m->cap, m->len + 1, sizeof *m->tiles))
		return fx_error_set(err, FX_ENOMEM, "no memory for a tile map");
	m->tiles[m->len++] = t;
	return FX_OK;
}

/* The number in a field; NaN when it is empty. */
static bool parse_number(const char *field, double *v)
{
	char *end;

	*v = (double)NAN;
	if (!*field)
		return true;
	*v = strtod(field, &end);
	return !*end && isfinite(*v);
}

static int csv_value(const struct fx_csv *c, int column, double *v, struct fx_error *err)
{
	*v = (double)NAN;
	if (column < 0 || (size_t)column >= c->len || parse_number(c->fields[column], v))
		return FX_OK;
	return fx_error_set(err, FX_EINVAL, "line %zu: \"%.40s\" is not a number", c->line,
			    c->fields[column]);
}

static int tilemap_csv(struct fx_tilemap *m, char *text, struct fx_error *err)
{
	int columns[COLUMNS], result;
	struct fx_csv c;

	result = fx_csv_begin(&c, text, err);
	if (result < 0)
		return result;
	for (int i = 0; i < COLUMNS; i++) {
		columns[i] = fx_csv_find(&c, names[i]);
		if (columns[i] < 0 && i <= X)
			return fx_error_set(err, FX_EINVAL,
					    "line %zu: no column \"%s\"; needed are tile, y, x",
					    c.line, names[i]);
	}
	while ((result = fx_csv_next(&c, err)) == FX_OK) {
		double v[COLUMNS];

		for (int i = 0; i < COLUMNS && result == FX_OK; i++)
			result = csv_value(&c, columns[i], &v[i], err);
		if (result == FX_OK && tilemap_add(m, v, err) < 0)
			result = fx_error_prefix(err, "line %zu", c.line);
		if (result < 0)
			break;
	}
	return result == FX_END ? FX_OK : result;
}

static int tilemap_objects(struct fx_tilemap *m, const json_t *root, struct fx_error *err)
{
	int result = FX_OK;

	if (!json_is_array(root))
		return fx_error_set(err, FX_EINVAL, "is not an array of objects");
	for (size_t i = 0; i < json_array_size(root) && result == FX_OK; i++) {
		const json_t *const o = json_array_get(root, i);
		double v[COLUMNS];

		for (int k = 0; k < COLUMNS; k++) {
			const json_t *const value = json_object_get(o, names[k]);

			v[k] = json_is_number(value) ? json_number_value(value) : (double)NAN;
			if (value && !json_is_number(value))
				return fx_error_set(err, FX_EINVAL, "object %zu: %s is no number",
						    i, names[k]);
		}
		if (tilemap_add(m, v, err) < 0)
			result = fx_error_prefix(err, "object %zu", i);
	}
	return result;
}

static int tilemap_json(struct fx_tilemap *m, const char *text, size_t size, struct fx_error *err)
{
	json_error_t why;
	json_t *root = json_loadb(text, size, 0, &why);
	int result;

	if (!root)
		return fx_error_set(err, FX_EINVAL, "line %d: %s", why.line, why.text);
	result = tilemap_objects(m, root, err);
	json_decref(root);
	return result;
}

static int by_section(const void *a, const void *b)
{
	const struct fx_tilemap_tile *const ta = a, *const tb = b;

	if (ta->section != tb->section)
		return ta->section < tb->section ? -1 : 1;
	return ta->tile < tb->tile ? -1 : ta->tile > tb->tile;
}

static int tilemap_order(struct fx_tilemap *m, struct fx_error *err)
{
	if (!m->len)
		return fx_error_set(err, FX_EINVAL, "has no tiles");
	qsort(m->tiles, m->len, sizeof *m->tiles, by_section);
	for (size_t i = 1; i < m->len; i++)
		if (by_section(&m->tiles[i - 1], &m->tiles[i]) == 0)
			return fx_error_set(err, FX_EINVAL, "tile %lld of section %lld twice",
					    (long long)m->tiles[i].tile,
					    (long long)m->tiles[i].section);
	return FX_OK;
}

int fx_tilemap_read(struct fx_tilemap *m, const char *path, struct fx_error *err)
{
	void *text;
	size_t size;
	int result = fx_file_read(path, TABLE_MAX, &text, &size, err);

	if (result < 0)
		return result;
	result = fx_path_ends(path, ".json") ? tilemap_json(m, text, size, err) :
					       tilemap_csv(m, text, err);
	free(text);
	if (result == FX_OK)
		result = tilemap_order(m, err);
	return result < 0 ? fx_error_prefix(err, "%s", path) : FX_OK;
}

/* The first tile of a section at or behind `section`. */
static size_t tilemap_at(const struct fx_tilemap *m, int64_t section)
{
	size_t lo = 0, hi = m->len;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (m->tiles[mid].section < section)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct fx_tilemap_tile *fx_tilemap_section(const struct fx_tilemap *m, int64_t section,
						 size_t *len)
{
	size_t at = tilemap_at(m, section), end = tilemap_at(m, section + 1);

	if (at == end) {
		at = 0;
		end = tilemap_at(m, 0);
	}
	*len = end - at;
	return *len ? &m->tiles[at] : NULL;
}

void fx_tilemap_fini(struct fx_tilemap *m)
{
	free(m->tiles);
	memset(m, 0, sizeof *m);
}

static int manifest_number(const struct fx_csv *c, int column, double otherwise, int64_t *number,
			   struct fx_error *err)
{
	double v;

	if (csv_value(c, column, &v, err) < 0)
		return FX_EINVAL;
	if (isnan(v))
		v = otherwise;
	if (!whole_within(v, 0, NUMBER_MAX))
		return fx_error_set(err, FX_EINVAL, "line %zu: %s must be a whole number from 0 on",
				    c->line, column < 0 ? "a number" : c->fields[column]);
	*number = (int64_t)v;
	return FX_OK;
}

/* The numbers of the columns section, tile, version, file; -1 where one may be missing. */
static int manifest_columns(const struct fx_csv *c, int columns[4], struct fx_error *err)
{
	static const char *const called[] = { "section", "tile", "version", "file" };

	for (int i = 0; i < 4; i++) {
		columns[i] = fx_csv_find(c, called[i]);
		if (columns[i] < 0 && (i == 0 || i == 3))
			return fx_error_set(err, FX_EINVAL,
					    "no column \"%s\"; needed are section and file",
					    called[i]);
	}
	return FX_OK;
}

static int manifest_add(struct fx_manifest *m, const struct fx_csv *c, const int columns[4],
			struct fx_error *err)
{
	struct fx_manifest_file f = { 0 };

	if (manifest_number(c, columns[0], -1, &f.section, err) < 0 ||
	    manifest_number(c, columns[1], 0, &f.tile, err) < 0 ||
	    manifest_number(c, columns[2], 1, &f.version, err) < 0)
		return FX_EINVAL;
	if ((size_t)columns[3] >= c->len || !*c->fields[columns[3]])
		return fx_error_set(err, FX_EINVAL, "line %zu: no file", c->line);
	if (m->len == FX_TILEMAP_MAX)
		return fx_error_set(err, FX_EINVAL, "more than 2^20 files");
	if (!fx_grow(&m->files, &m->cap, m->len + 1, sizeof *m->files) ||
	    !(f.file = fx_strdup(c->fields[columns[3]])))
		return fx_error_set(err, FX_ENOMEM, "no memory for a manifest");
	m->files[m->len++] = f;
	m->low = f.section < m->low ? f.section : m->low;
	m->high = f.section > m->high ? f.section : m->high;
	return FX_OK;
}

static int by_file(const void *a, const void *b)
{
	const struct fx_manifest_file *const fa = a, *const fb = b;

	return strcmp(fa->file, fb->file);
}

static int manifest_parse(struct fx_manifest *m, char *text, struct fx_error *err)
{
	int columns[4], result;
	struct fx_csv c;

	m->low = INT64_MAX;
	m->high = -1;
	result = fx_csv_begin(&c, text, err);
	if (result == FX_OK)
		result = manifest_columns(&c, columns, err);
	while (result == FX_OK) {
		result = fx_csv_next(&c, err);
		if (result == FX_OK)
			result = manifest_add(m, &c, columns, err);
	}
	if (result < 0)
		return result;
	if (m->len)
		qsort(m->files, m->len, sizeof *m->files, by_file);
	for (size_t i = 1; i < m->len; i++)
		if (strcmp(m->files[i - 1].file, m->files[i].file) == 0)
			return fx_error_set(err, FX_EINVAL, "%s twice", m->files[i].file);
	return FX_OK;
}

int fx_manifest_read(struct fx_manifest *m, const char *path, struct fx_error *err)
{
	void *text;
	char *end;
	size_t size;
	int result = fx_file_read(path, TABLE_MAX, &text, &size, err);

	if (result < 0)
		return result;
	end = strrchr(text, '\n'); /* a line that is being written does not count yet */
	if (end)
		end[1] = 0;
	result = manifest_parse(m, text, err);
	free(text);
	return result < 0 ? fx_error_prefix(err, "%s", path) : FX_OK;
}

const struct fx_manifest_file *fx_manifest_find(const struct fx_manifest *m, const char *file)
{
	size_t lo = 0, hi = m->len;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (strcmp(m->files[mid].file, file) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->len && strcmp(m->files[lo].file, file) == 0 ? &m->files[lo] : NULL;
}

void fx_manifest_fini(struct fx_manifest *m)
{
	for (size_t i = 0; i < m->len; i++)
		free(m->files[i].file);
	free(m->files);
	memset(m, 0, sizeof *m);
}
