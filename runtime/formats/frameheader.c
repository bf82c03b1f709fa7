// SPDX-License-Identifier: Apache-2.0
/* frameheader.c: what a message of a detector says about its voxels. */
#include "formats/frameheader.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MAX = 1 << 20 };

static const int64_t number_max = INT64_C(1) << 40;

/* A number that is told under one of two names, or as a text of digits; *to stays when it is not
 * there. */
static bool number_of(const json_t *root, const char *name, const char *other, int64_t *to)
{
	const json_t *v = json_object_get(root, name);
	const char *text;

	if (!v && other)
		v = json_object_get(root, other);
	if (!v || json_is_null(v))
		return true;
	text = json_string_value(v);
	if (text && *text >= '0' && *text <= '9' && strlen(text) < 16)
		*to = strtoll(text, NULL, 10);
	else if (json_is_integer(v))
		*to = json_integer_value(v);
	else
		return false;
	return *to >= 0 && *to <= number_max;
}

static void series_of(const json_t *root, struct fx_frameheader *h)
{
	const json_t *v = json_object_get(root, "series");

	if (!v)
		v = json_object_get(root, "acquisition_id");
	if (json_is_integer(v))
		snprintf(h->series, sizeof h->series, "%lld", (long long)json_integer_value(v));
	else if (json_is_string(v))
		snprintf(h->series, sizeof h->series, "%s", json_string_value(v));
}

/* @p across: the width comes first. */
static int shape_of(const json_t *root, bool across, struct fx_frameheader *h, struct fx_error *err)
{
	const json_t *shape = json_object_get(root, "shape");
	size_t sides[3] = { 0, 0, 1 };
	const size_t len = json_array_size(shape);

	for (size_t a = 0; a < len && a < 3; a++) {
		const json_t *v = json_array_get(shape, a);
		const char *text = json_string_value(v);
		const long long n = text ? strtoll(text, NULL, 10) : json_integer_value(v);

		if (n < 1 || n > SIDE_MAX)
			return fx_error_set(err, FX_EINVAL, "\"shape\" is not of 1 to %d pixels",
					    SIDE_MAX);
		sides[a] = (size_t)n;
	}
	if (len < 2 || len > 3 || sides[2] != 1)
		return fx_error_set(err, FX_EINVAL, "\"shape\" is not height and width");
	h->height = sides[across ? 1 : 0];
	h->width = sides[across ? 0 : 1];
	return FX_OK;
}

static int dtype_of(const json_t *root, struct fx_frameheader *h, struct fx_error *err)
{
	static const struct {
		const char *name;
		enum fx_dtype dtype;
	} types[] = { { "uint8", FX_U8 },   { "u8", FX_U8 },	  { "uint16", FX_U16 },
		      { "u16", FX_U16 },    { "uint32", FX_U32 }, { "u32", FX_U32 },
		      { "float32", FX_F32 } };
	const char *name = json_string_value(json_object_get(root, "dtype"));

	if (!name)
		name = json_string_value(json_object_get(root, "type"));
	for (size_t i = 0; name && i < sizeof types / sizeof types[0]; i++)
		if (strcmp(types[i].name, name) == 0)
			h->dtype = types[i].dtype;
	return h->dtype ? FX_OK :
			  fx_error_set(err, FX_ETYPE,
				       "dtype \"%.32s\" is not one of uint8, uint16, uint32, "
				       "float32",
				       name ? name : "(none)");
}

/* "none", "lz4", "bslz4"; DECTRIS: "<", "lz4<", "bs16-lz4<". */
static int codec_of(const char *name, struct fx_frameheader *h, struct fx_error *err)
{
	const size_t len = name ? strlen(name) : 0;
	const size_t cut = len && name[len - 1] == '<' ? len - 1 : len;

	if (!cut || strcmp(name, "none") == 0)
		h->codec = FX_CODEC_NONE;
	else if (cut == 3 && strncmp(name, "lz4", 3) == 0)
		h->codec = FX_CODEC_LZ4_RAW;
	else if (strncmp(name, "bslz4", 5) == 0 || (strncmp(name, "bs", 2) == 0 && cut >= 6 &&
						    strncmp(name + cut - 4, "-lz4", 4) == 0))
		h->codec = FX_CODEC_BSLZ4;
	else
		return fx_error_set(err, FX_ETYPE,
				    "compression \"%.32s\" is not one of none, lz4, bslz4", name);
	return FX_OK;
}

static int image_of(const json_t *root, const char *encoding, bool across, struct fx_frameheader *h,
		    struct fx_error *err)
{
	const char *compression = json_string_value(json_object_get(root, encoding));
	int result = shape_of(root, across, h, err);

	h->kind = FX_FRAME_IMAGE;
	if (result == FX_OK)
		result = dtype_of(root, h, err);
	if (result == FX_OK)
		result = codec_of(compression, h, err);
	if (result == FX_OK && h->frame < 0)
		result = fx_error_set(err, FX_EINVAL, "an image has no number of its frame");
	if (h->section < 0)
		h->section = h->frame;
	return result;
}

static int numbers_of(const json_t *root, struct fx_frameheader *h, struct fx_error *err)
{
	h->frame = h->section = h->frames = -1;
	h->version = 1;
	series_of(root, h);
	if (!number_of(root, "frame", "frame_num", &h->frame) ||
	    !number_of(root, "section", NULL, &h->section) ||
	    !number_of(root, "tile", NULL, &h->tile) ||
	    !number_of(root, "version", NULL, &h->version) ||
	    !number_of(root, "frames", NULL, &h->frames))
		return fx_error_set(
			err, FX_EINVAL,
			"frame, section, tile, version or frames is not a number from 0 "
			"to 2^40");
	return FX_OK;
}

static json_t *load(const struct iovec *part)
{
	json_error_t where;
	json_t *json = part->iov_len > FX_FRAME_HEADER_MAX ?
			       NULL :
			       json_loadb(part->iov_base, part->iov_len, 0, &where);

	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

/* DECTRIS has shape and type in a part of their own. */
static int dectris_image(const struct iovec *parts, size_t len, struct fx_frameheader *h,
			 struct fx_error *err)
{
	json_t *second = len > 2 ? load(&parts[1]) : NULL;
	int result;

	if (!second)
		return fx_error_set(err, FX_ETYPE,
				    "dimage-1.0 without a second part of JSON and a third of "
				    "voxels");
	result = image_of(second, "encoding", true, h, err);
	h->part = 2;
	json_decref(second);
	return result;
}

static int parse_root(const json_t *root, const struct iovec *parts, size_t len,
		      struct fx_frameheader *h, struct fx_error *err)
{
	const char *htype = json_string_value(json_object_get(root, "htype"));
	int result = numbers_of(root, h, err);

	if (result < 0)
		return result;
	h->kind = FX_FRAME_OTHER;
	if (json_is_true(json_object_get(root, "end")) ||
	    (htype && (strcmp(htype, "series_end") == 0 || strncmp(htype, "dseries_end", 11) == 0)))
		h->kind = FX_FRAME_END;
	else if (htype && strncmp(htype, "dimage", 6) == 0)
		return dectris_image(parts, len, h, err);
	else if (htype && strcmp(htype, "image") != 0)
		return FX_OK;
	else if (!json_object_get(root, "shape"))
		return fx_error_set(err, FX_ETYPE, "a message that is neither image nor end");
	else if (len < 2)
		return fx_error_set(err, FX_ETYPE, "an image without a part of voxels");
	else
		result = image_of(root, "compression", false, h, err);
	h->part = 1;
	return result;
}

int fx_frameheader_parse(const struct iovec *parts, size_t len, struct fx_frameheader *h,
			 struct fx_error *err)
{
	json_t *root = len ? load(parts) : NULL;
	const size_t topic = !root && len > 1;
	int result;

	memset(h, 0, sizeof *h);
	if (topic)
		root = load(parts + 1);
	if (!root)
		return fx_error_set(err, FX_ETYPE, "a message without JSON");
	result = parse_root(root, parts + topic, len - topic, h, err);
	h->part += topic;
	json_decref(root);
	return result;
}

size_t fx_frameheader_size(const struct fx_frameheader *h)
{
	return h->height * h->width * fx_dtype_size(h->dtype);
}

int fx_frame_decode(const struct fx_frameheader *h, const void *bytes, size_t size, void *to,
		    struct fx_error *err)
{
	const size_t want = fx_frameheader_size(h);
	size_t got = size;
	int result = FX_OK;

	if (h->codec != FX_CODEC_NONE)
		result = fx_codec_decode(h->codec, fx_dtype_size(h->dtype), bytes, size, to, want,
					 &got, err);
	if (result == FX_OK && got != want)
		result = fx_error_set(err, FX_EINVAL, "%zu bytes instead of %zu", got, want);
	if (result == FX_OK && h->codec == FX_CODEC_NONE)
		memcpy(to, bytes, want);
	return result;
}
