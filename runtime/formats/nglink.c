// SPDX-License-Identifier: Apache-2.0
/* nglink.c: links that open Neuroglancer at a place. */
#include "formats/nglink.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

/* viewer#!text with all of the text but plain letters as %XX. */
static char *encode(const char *viewer, const char *text)
{
	const size_t head = strlen(viewer) + 2, len = strlen(text);
	char *out = len < (SIZE_MAX - head) / 3 ? malloc(head + 3 * len + 1) : NULL, *to;

	if (!out)
		return NULL;
	to = out + snprintf(out, head + 1, "%s#!", viewer);
	for (const char *c = text; *c; c++) {
		if (strchr(plain, *c))
			*to++ = *c;
		else
			to += snprintf(to, 4, "%%%02X", (unsigned)(unsigned char)*c);
	}
	*to = 0;
	return out;
}

static json_t *layer(const struct fx_nglink_layer *l)
{
	json_t *segments, *root;
	char id[24];

	if (!l->segments)
		return json_pack("{s:s, s:s, s:s}", "type", "image", "source", l->source, "name",
				 l->name);
	segments = json_array();
	for (size_t i = 0; i < l->len; i++) {
		snprintf(id, sizeof id, "%" PRIu64, l->segments[i]);
		json_array_append_new(segments, json_string(id));
	}
	root = json_pack("{s:s, s:s, s:s, s:o}", "type", "segmentation", "source", l->source,
			 "name", l->name, "segments", segments);
	return root;
}

char *fx_nglink(const char *viewer, const double voxel_nm[3], const int64_t at[3],
		const struct fx_nglink_layer *layers, size_t len)
{
	json_t *list = json_array(), *state;
	char *text, *link = NULL;

	for (size_t i = 0; i < len; i++)
		if (layers[i].source && layers[i].source[0])
			json_array_append_new(list, layer(&layers[i]));
	if (!json_array_size(list)) {
		json_decref(list);
		return NULL;
	}
	state = json_pack("{s:{s:[f,s], s:[f,s], s:[f,s]}, s:[f,f,f], s:o, s:s}", "dimensions", "x",
			  voxel_nm[2] * 1e-9, "m", "y", voxel_nm[1] * 1e-9, "m", "z",
			  voxel_nm[0] * 1e-9, "m", "position", (double)at[2] + 0.5,
			  (double)at[1] + 0.5, (double)at[0] + 0.5, "layers", list, "layout",
			  "4panel");
	text = state ? json_dumps(state, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
	if (text)
		link = encode(viewer, text);
	free(text);
	json_decref(state);
	return link;
}
