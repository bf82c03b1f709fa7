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

/** Appends an object for each row of the table of @p r to @p array: the fields, then the numbers of
 * the row. The text field "columns" (not written itself) has their names, words in order; columns
 * beyond them are named column1, ... by their place. Numbers from 2^63 on become texts. Errors as
 * above. */
int fx_record_rows_to_json(const struct fx_record *r, json_t *array, struct fx_error *err);

#endif
