// SPDX-License-Identifier: Apache-2.0
/* chunkjson.h: parts of the metadata that Zarr and N5 have alike. Private to chunkmeta.h. */
#ifndef FX_FORMATS_CHUNKJSON_H
#define FX_FORMATS_CHUNKJSON_H

#include <jansson.h>

#include "formats/chunkmeta.h"

/** Parses @p text as an object and gives it to @p root, then checks what came of it. */
int fx__chunk_parse(const char *text, size_t size, struct fx_chunkmeta *m,
		    int (*root)(const json_t *json, struct fx_chunkmeta *m, struct fx_error *err),
		    struct fx_error *err);
/** The type called @p old (u1, without byte order) or @p name (uint8); the other one NULL. */
int fx__chunk_dtype(struct fx_chunkmeta *m, const char *old, const char *name,
		    struct fx_error *err);
/** An array of *rank numbers (0: any, and *rank is set) from 0 to 2^40. */
int fx__chunk_sizes(const json_t *array, size_t *sizes, size_t *rank, struct fx_error *err);
/** Appends a codec; FX_ETYPE for FX_CODEC_NONE, called @p name. */
int fx__chunk_codec(struct fx_codecs *c, enum fx_codec codec, const char *name,
		    struct fx_error *err);
/** Nanometres of @p unit, as OME and N5 name it; 0 when it is none of length. NULL is nanometre. */
double fx__chunk_unit(const char *unit);

#endif
