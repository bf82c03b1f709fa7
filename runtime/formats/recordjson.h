// SPDX-License-Identifier: Apache-2.0
/* recordjson.h: the fields of records as a JSON object. */
#ifndef FX_FORMATS_RECORDJSON_H
#define FX_FORMATS_RECORDJSON_H

#include <jansson.h>

#include <fornix/block.h>
#include <fornix/error.h>

/** Puts every field of @p r into @p root: dots in names make nested objects, a later value replaces
 * an earlier one, whole numbers stand without a point, what JSON cannot say is null. FX_EINVAL when
 * a name stands for a value and for an object, or a text is not UTF-8; FX_ENOMEM. */
int fx_record_to_json(const struct fx_record *r, json_t *root, struct fx_error *err);

#endif
