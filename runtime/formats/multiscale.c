// SPDX-License-Identifier: Apache-2.0
/* multiscale.c: attributes of groups: OME multiscales, voxel sizes, single numbers. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "formats/chunkjson.h"

double fx__chunk_unit(const char *unit)
{
	static const struct {
		const char *name;
		double nm;
	} units[] = {
		{ "nanometer", 1 },   { "nm", 1 },	     { "micrometer", 1e3 }, { "um", 1e3 },
		{ "\xc2\xb5m", 1e3 }, { "micron", 1e3 },     { "millimeter", 1e6 }, { "mm", 1e6 },
		{ "angstrom", 0.1 },  { "picometer", 1e-3 }, { "meter", 1e9 },	    { "m", 1e9 },
	};

	if (!unit)
		return 1;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(units[i].name, unit) == 0)
			return units[i].nm;
	return 0;
}

/* Three lengths of the last three axes in nm, from @p array that has one number an axis; false when
 * it has not, or when an axis has no unit of length. */
static bool ome_lengths(const json_t *scales, const json_t *array, double nm[3])
{
	const json_t *axes = json_object_get(scales, "axes");
	const size_t len = json_array_size(array);

	for (size_t a = 0; a < 3; a++) {
		const json_t *axis = len < 3 ? NULL : json_array_get(axes, len - 3 + a);
		const char *unit = json_string_value(json_object_get(axis, "unit"));
		const double one = unit ? fx__chunk_unit(unit) : 0;

		nm[a] = len < 3 ? 0 : json_number_value(json_array_get(array, len - 3 + a)) * one;
		if (!(one > 0 && nm[a] > -1e15 && nm[a] < 1e15))
			return false;
	}
	return true;
}

/* The scale of the last three axes and a translation behind it, where they are given. */
static void ome_voxel(const json_t *scales, const json_t *dataset, struct fx_multiscale *m)
{
	const json_t *transforms = json_object_get(dataset, "coordinateTransformations");
	double v[3];

	if (!ome_lengths(scales, json_object_get(json_array_get(transforms, 0), "scale"), v))
		return;
	for (size_t a = 0; a < 3; a++)
		if (!(v[a] > 0 && v[a] < 1e12))
			return;
	memcpy(m->voxel_nm, v, sizeof v);
	if (ome_lengths(scales, json_object_get(json_array_get(transforms, 1), "translation"), v))
		memcpy(m->translation_nm, v, sizeof v);
}

static void plain_voxel(const json_t *root, double voxel_nm[3])
{
	const json_t *array = json_object_get(root, "resolution");
	double v[3];

	if (!json_is_array(array))
		array = json_object_get(root, "voxel_size");
	if (json_array_size(array) != 3)
		return;
	for (size_t a = 0; a < 3; a++) {
		v[a] = json_number_value(json_array_get(array, a));
		if (!(v[a] > 0 && v[a] < 1e12))
			return;
	}
	memcpy(voxel_nm, v, sizeof v);
}

/* No way out of the folder. */
static bool path_is_safe(const char *path)
{
	return path && path[0] && path[0] != '/' && strlen(path) < 256 && !strstr(path, "..");
}

static int multiscale_root(const json_t *root, struct fx_multiscale *m, struct fx_error *err)
{
	const json_t *attributes = json_object_get(root, "attributes");
	const json_t *from = attributes ? attributes : root;
	const json_t *ome = json_object_get(from, "ome");
	const json_t *scales = json_array_get(json_object_get(ome ? ome : from, "multiscales"), 0);
	const json_t *dataset = json_array_get(json_object_get(scales, "datasets"), 0);
	const char *path = json_string_value(json_object_get(dataset, "path"));

	plain_voxel(from, m->voxel_nm);
	m->labels = json_is_object(json_object_get(ome ? ome : from, "image-label"));
	if (!scales)
		return FX_OK;
	if (!path_is_safe(path))
		return fx_error_set(err, FX_EINVAL,
				    "\"multiscales\" has no usable path of a first data set");
	snprintf(m->path, sizeof m->path, "%s", path);
	ome_voxel(scales, dataset, m);
	return FX_OK;
}

int fx_multiscale_parse(const char *text, size_t size, struct fx_multiscale *m,
			struct fx_error *err)
{
	json_error_t where;
	json_t *json = size <= FX_CHUNK_META_MAX ? json_loadb(text, size, 0, &where) : NULL;
	int result;

	memset(m, 0, sizeof *m);
	result = json_is_object(json) ?
			 multiscale_root(json, m, err) :
			 fx_error_set(err, FX_EINVAL, "its attributes are not a JSON object");
	json_decref(json);
	return result;
}

int fx_attribute_parse(const char *text, size_t size, const char *name, double *number,
		       struct fx_error *err)
{
	json_error_t where;
	json_t *json = size <= FX_CHUNK_META_MAX ? json_loadb(text, size, 0, &where) : NULL;
	const json_t *attributes = json_object_get(json, "attributes");
	const json_t *value = json_object_get(attributes ? attributes : json, name);
	int result = FX_OK;

	if (json_is_number(value))
		*number = json_number_value(value);
	else
		result = fx_error_set(err, FX_ENOENT, "has no number called %.64s", name);
	json_decref(json);
	return result;
}
