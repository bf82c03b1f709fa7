// SPDX-License-Identifier: Apache-2.0
/* swc_read.c: the tolerant SWC reader. */
#include "formats/swc.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/map64.h"

enum { COLUMNS = 7, FILE_MAX = 1 << 30, NO_ROW = -1 };

/* A row as read. */
struct row {
	int64_t id, parent; /* parent < 0 is a root */
	int64_t up;	    /* index of the parent's row, or NO_ROW */
	int32_t place;	    /* in the tree; -1 before it has one, -2 on the way to it */
	struct fx_tree_node node;
};

struct reader {
	struct row *rows; /* owned */
	size_t len, cap, line, repairs;
	struct fx_map64 ids; /* id -> index of its row + 1 */
	double scale[3];     /* nm in one unit, zyx */
	bool voxels;	     /* header: unit voxel */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == ',' || c == ';' || c == '\v' || c == '\f';
}

/* The next number of a line that ends at `end`; false when there is none. *bad: not a number. */
static bool next_number(const char **at, const char *end, double *value, bool *bad)
{
	char token[64], *stop;
	size_t len = 0;

	while (*at < end && is_blank(**at))
		(*at)++;
	while (*at + len < end && !is_blank((*at)[len]) && (*at)[len] != '#')
		len++;
	if (!len)
		return false;
	snprintf(token, sizeof token, "%.*s", (int)(len < 63 ? len : 63), *at);
	*value = strtod(token, &stop);
	*bad = len > 63 || stop == token || *stop || !isfinite(*value);
	*at += len;
	return true;
}

static bool whole(double v, double max)
{
	return v == floor(v) && fabs(v) <= max;
}

/* "unit nm" and "voxel_nm 40 8 8", as fx_swc_format() writes them. */
static void read_comment(struct reader *r, const char *at, const char *end)
{
	char text[128];
	double z, y, x;

	while (at < end && (*at == '#' || is_blank(*at)))
		at++;
	snprintf(text, sizeof text, "%.*s", (int)(end - at < 127 ? end - at : 127), at);
	if (strncmp(text, "unit nm", 7) == 0)
		r->scale[0] = r->scale[1] = r->scale[2] = 1;
	else if (strncmp(text, "unit um", 7) == 0)
		r->scale[0] = r->scale[1] = r->scale[2] = 1000;
	else if (strncmp(text, "unit voxel", 10) == 0)
		r->voxels = true;
	else if (r->voxels && sscanf(text, "voxel_nm %lf %lf %lf", &z, &y, &x) == 3 && z > 0 &&
		 y > 0 && x > 0 && z < 1e12 && y < 1e12 && x < 1e12) {
		r->scale[0] = z;
		r->scale[1] = y;
		r->scale[2] = x;
	}
}

static int row_fill(struct reader *r, const double v[COLUMNS], const bool bad[COLUMNS],
		    size_t columns, struct row *row, struct fx_error *err)
{
	const double id_max = 9007199254740992; /* 2^53 */

	if (columns < 6 || bad[0] || bad[2] || bad[3] || bad[4])
		return fx_error_set(err, FX_EINVAL, "line %zu: not \"id type x y z radius parent\"",
				    r->line);
	if (v[0] < 0 || !whole(v[0], id_max))
		return fx_error_set(err, FX_EINVAL, "line %zu: %g is not an id", r->line, v[0]);
	if (columns > 6 && (bad[6] || !whole(v[6], id_max)))
		return fx_error_set(err, FX_EINVAL, "line %zu: the parent is not an id", r->line);
	if (columns < COLUMNS || bad[1] || bad[5] || !whole(v[1], INT32_MAX))
		r->repairs++;
	*row = (struct row){ .id = (int64_t)v[0], .up = NO_ROW, .place = -1 };
	row->parent = columns > 6 ? (int64_t)v[6] : -1;
	row->node.type = bad[1] || !whole(v[1], INT32_MAX) ? 0 : (int32_t)v[1];
	row->node.radius_nm = bad[5] ? 0 : v[5];
	for (int a = 0; a < 3; a++)
		row->node.pos_nm[a] = v[4 - a];
	return FX_OK;
}

static int read_row(struct reader *r, const char *at, const char *end, struct fx_error *err)
{
	double v[COLUMNS] = { 0 };
	bool bad[COLUMNS] = { 0 };
	size_t columns = 0;
	struct row row;
	uint64_t *known;
	int result;

	while (columns < COLUMNS && next_number(&at, end, &v[columns], &bad[columns]))
		columns++;
	if (columns == 0)
		return FX_OK;
	result = row_fill(r, v, bad, columns, &row, err);
	if (result < 0)
		return result;
	known = fx_map64_at(&r->ids, (uint64_t)row.id);
	if (known && *known) {
		r->repairs++;
		return FX_OK;
	}
	if (!known || r->len >= INT32_MAX ||
	    !fx_grow(&r->rows, &r->cap, r->len + 1, sizeof *r->rows))
		return fx_error_set(err, FX_ENOMEM, "no memory for %zu rows", r->len);
	r->rows[r->len++] = row;
	*known = r->len;
	return FX_OK;
}

static int read_lines(struct reader *r, const char *text, size_t len, struct fx_error *err)
{
	const char *const stop = text + len;
	int result = FX_OK;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (text < stop && result == FX_OK) {
		const char *end = memchr(text, '\n', (size_t)(stop - text));
		const char *at = text;

		end = end ? end : stop;
		r->line++;
		while (at < end && is_blank(*at))
			at++;
		if (at < end && *at == '#')
			read_comment(r, at, end);
		else
			result = read_row(r, at, end, err);
		text = end < stop ? end + 1 : stop;
	}
	if (result == FX_OK && r->len == 0)
		return fx_error_set(err, FX_EINVAL, "holds no row \"id type x y z radius parent\"");
	return result;
}

static void find_parents(struct reader *r)
{
	for (size_t i = 0; i < r->len; i++) {
		struct row *const row = &r->rows[i];
		const uint64_t *up = row->parent < 0 || row->parent == row->id ?
					     NULL :
					     fx_map64_find(&r->ids, (uint64_t)row->parent);

		if (up)
			row->up = (int64_t)*up - 1;
		else if (row->parent != -1)
			r->repairs++;
	}
}

/* Puts row i behind its ancestors; false when they form a loop. `path` has room for all rows. */
static bool place_row(struct reader *r, size_t i, struct fx_tree *t, int32_t *next, size_t *path)
{
	size_t depth = 0;
	int64_t at = (int64_t)i;

	for (; at != NO_ROW && r->rows[at].place == -1; at = r->rows[at].up) {
		r->rows[at].place = -2;
		path[depth++] = (size_t)at;
	}
	if (at != NO_ROW && r->rows[at].place == -2)
		return false;
	while (depth--) {
		struct row *const row = &r->rows[path[depth]];
		struct fx_tree_node *const n = &t->nodes[*next];

		*n = row->node;
		n->parent = row->up == NO_ROW ? -1 : r->rows[row->up].place;
		n->radius_nm *= r->scale[2];
		for (int a = 0; a < 3; a++)
			n->pos_nm[a] *= r->scale[a];
		row->place = (*next)++;
	}
	return true;
}

static int make_tree(struct reader *r, struct fx_tree **out, struct fx_error *err)
{
	struct fx_tree *t = fx_tree_new(0, r->len);
	size_t *path = fx_calloc(r->len, sizeof *path);
	int32_t next = 0;
	int result = FX_OK;

	if (!t || !path)
		result = fx_error_set(err, FX_ENOMEM, "no memory for %zu rows", r->len);
	for (size_t i = 0; i < r->len && result == FX_OK; i++)
		if (!place_row(r, i, t, &next, path))
			result = fx_error_set(err, FX_EINVAL, "the parents of id %lld form a loop",
					      (long long)r->rows[i].id);
	free(path);
	if (result == FX_OK)
		*out = t;
	else
		fx_tree_free(t);
	return result;
}

static int parse_scaled(const char *text, size_t len, const double unit_nm[3], struct fx_tree **out,
			size_t *repairs, struct fx_error *err)
{
	struct reader r = { .scale = { unit_nm[0], unit_nm[1], unit_nm[2] } };
	int result = read_lines(&r, text, len, err);

	if (result == FX_OK) {
		find_parents(&r);
		result = make_tree(&r, out, err);
	}
	if (result == FX_OK && repairs)
		*repairs = r.repairs;
	fx_map64_fini(&r.ids);
	free(r.rows);
	return result;
}

int fx_swc_parse(const char *text, size_t len, double unit_nm, struct fx_tree **out,
		 size_t *repairs, struct fx_error *err)
{
	const double nm[3] = { unit_nm, unit_nm, unit_nm };

	return parse_scaled(text, len, nm, out, repairs, err);
}

int fx_swc_read_scaled(const char *path, const double unit_nm[3], struct fx_tree **out,
		       size_t *repairs, struct fx_error *err)
{
	void *text;
	size_t len;
	int result = fx_file_read(path, FILE_MAX, &text, &len, err);

	if (result < 0)
		return result;
	result = parse_scaled(text, len, unit_nm, out, repairs, err);
	free(text);
	return result < 0 ? fx_error_prefix(err, "%s", path) : FX_OK;
}

int fx_swc_read(const char *path, double unit_nm, struct fx_tree **out, size_t *repairs,
		struct fx_error *err)
{
	const double nm[3] = { unit_nm, unit_nm, unit_nm };

	return fx_swc_read_scaled(path, nm, out, repairs, err);
}
