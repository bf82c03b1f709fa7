// SPDX-License-Identifier: Apache-2.0
/* tiffmeta.c: what the description of a TIFF tells of its volume. */
#include "formats/tiffmeta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/chunkjson.h"

/* What follows "key" at the begin of a line; NULL when there is no such line. */
static const char *line_of(const char *text, const char *key)
{
	const size_t len = strlen(key);

	while (text) {
		if (strncmp(text, key, len) == 0)
			return text + len;
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NULL;
}

static bool is_length(double nm)
{
	return nm > 0 && nm < 1e12;
}

static bool all_lengths(const double nm[3])
{
	return is_length(nm[0]) && is_length(nm[1]) && is_length(nm[2]);
}

/* Nanometres of a unit that ends at one of @p ends; 0 when it is none. */
static double unit_of(const char *at, const char *ends)
{
	const size_t len = strcspn(at, ends);
	char unit[24];

	snprintf(unit, sizeof unit, "%.*s", (int)(len < 23 ? len : 23), at);
	if (strcmp(unit, "\\u00B5m") == 0 || strcmp(unit, "microns") == 0) /* of ImageJ */
		return 1e3;
	return fx__chunk_unit(unit);
}

static void read_imagej(const char *text, const double resolution[2], double nm[3])
{
	const char *unit = line_of(text, "unit="), *spacing = line_of(text, "spacing=");
	const double one = unit ? unit_of(unit, "\r\n") : 0;

	if (!line_of(text, "ImageJ=") || !spacing || !(resolution[0] > 0) || !(resolution[1] > 0))
		return;
	nm[0] = strtod(spacing, NULL) * one;
	nm[1] = one / resolution[0];
	nm[2] = one / resolution[1];
}

static void read_ome(const char *text, double nm[3])
{
	static const char *const names[3] = { "PhysicalSizeZ", "PhysicalSizeY", "PhysicalSizeX" };

	for (int a = 0; a < 3; a++) {
		char size[32], unit[32];
		const char *at, *of;

		snprintf(size, sizeof size, " %s=\"", names[a]);
		snprintf(unit, sizeof unit, " %sUnit=\"", names[a]);
		at = strstr(text, size);
		of = strstr(text, unit);
		if (at)
			nm[a] = strtod(at + strlen(size), NULL) *
				(of ? unit_of(of + strlen(unit), "\"") : 1e3);
	}
}

void fx_tiffmeta_parse(const char *text, const double resolution[2], struct fx_tiffmeta *m)
{
	const char *voxel = line_of(text, "voxel_nm="), *offset = line_of(text, "offset=");
	double nm[3] = { 0 };
	long long at[3];

	memset(m, 0, sizeof *m);
	if (!text)
		return;
	if (voxel && sscanf(voxel, "%lf %lf %lf", &nm[0], &nm[1], &nm[2]) != 3)
		nm[0] = 0;
	if (!voxel && strstr(text, "<OME"))
		read_ome(text, nm);
	else if (!voxel)
		read_imagej(text, resolution, nm);
	if (all_lengths(nm))
		memcpy(m->voxel_nm, nm, sizeof nm);
	if (offset && sscanf(offset, "%lld %lld %lld", &at[0], &at[1], &at[2]) == 3)
		for (int a = 0; a < 3; a++)
			m->offset[a] = llabs(at[a] / 2) < (long long)1 << 40 ? at[a] : 0;
	m->labels = line_of(text, "labels=true") != NULL;
}
