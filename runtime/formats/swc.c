// SPDX-License-Identifier: Apache-2.0
/* swc.c: the strict SWC writer. */
#include "formats/swc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROW_MAX = 256, HEADER_MAX = 512 };

static const char *const unit_names[] = { "nm", "um", "voxel" };

/* nm in one unit of the file, zyx. */
static void unit_scale(enum fx_swc_unit unit, const double voxel_nm[3], double scale[3])
{
	for (int a = 0; a < 3; a++)
		scale[a] = unit == FX_SWC_VOXEL ? voxel_nm[a] : unit == FX_SWC_UM ? 1000 : 1;
}

static int swc_check(const struct fx_tree *t, const double scale[3], struct fx_error *err)
{
	for (size_t i = 0; i < t->len; i++) {
		const struct fx_tree_node *n = &t->nodes[i];
		double size = fabs(n->radius_nm / scale[2]);

		for (int a = 0; a < 3; a++)
			size = fmax(size, fabs(n->pos_nm[a] / scale[a]));
		if (n->parent >= 0 && (size_t)n->parent >= i)
			return fx_error_set(
				err, FX_EINVAL,
				"tree of segment %llu: node %zu comes before its parent",
				(unsigned long long)t->segment, i);
		if (!(size < 1e15) || isnan(n->pos_nm[0] + n->pos_nm[1] + n->pos_nm[2]))
			return fx_error_set(err, FX_EINVAL,
					    "tree of segment %llu: node %zu has no usable position",
					    (unsigned long long)t->segment, i);
	}
	return FX_OK;
}

static size_t swc_header(const struct fx_tree *t, enum fx_swc_unit unit, const double scale[3],
			 char *to, size_t size)
{
	int used = snprintf(to, size, "# written by fornix\n# segment %llu\n# unit %s\n",
			    (unsigned long long)t->segment, unit_names[unit]);

	if (unit == FX_SWC_VOXEL)
		used += snprintf(to + used, size - (size_t)used, "# voxel_nm %.9g %.9g %.9g\n",
				 scale[0], scale[1], scale[2]);
	used += snprintf(to + used, size - (size_t)used, "# id type x y z radius parent\n");
	return (size_t)used;
}

int fx_swc_format(const struct fx_tree *t, enum fx_swc_unit unit, const double voxel_nm[3],
		  char **text, size_t *size, struct fx_error *err)
{
	double scale[3];
	char *to, *fit;
	size_t used;
	int result;

	unit_scale(unit, voxel_nm, scale);
	result = swc_check(t, scale, err);
	if (result < 0)
		return result;
	to = t->len < SIZE_MAX / ROW_MAX - HEADER_MAX ? malloc(HEADER_MAX + t->len * ROW_MAX) :
							NULL;
	if (!to)
		return fx_error_set(err, FX_ENOMEM, "no memory for the text of %zu nodes", t->len);
	used = swc_header(t, unit, scale, to, HEADER_MAX);
	for (size_t i = 0; i < t->len; i++) {
		const struct fx_tree_node *n = &t->nodes[i];

		/* + 0.0 turns -0 into 0 */
		used += (size_t)snprintf(
			to + used, ROW_MAX, "%zu %d %.6f %.6f %.6f %.6f %d\n", i + 1, n->type,
			n->pos_nm[2] / scale[2] + 0.0, n->pos_nm[1] / scale[1] + 0.0,
			n->pos_nm[0] / scale[0] + 0.0, n->radius_nm / scale[2] + 0.0,
			n->parent < 0 ? -1 : n->parent + 1);
	}
	fit = realloc(to, used + 1);
	*text = fit ? fit : to;
	*size = used;
	return FX_OK;
}
