// SPDX-License-Identifier: Apache-2.0
/* recordjson.c: the fields of records as a JSON object. */
#include "formats/recordjson.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A whole number without a point, one that JSON cannot say as null. */
static json_t *field_value(const struct fx_field *f)
{
	const double exact = 9007199254740992; /* 2^53 */

	if (f->text)
		return json_string(f->text);
	if (!isfinite(f->number))
		return json_null();
	if (f->number == floor(f->number) && fabs(f->number) <= exact)
		return json_integer((json_int_t)f->number);
	return json_real(f->number);
}

/* The object in `at` that `name` (up to a dot) stands for, made when it is not there; NULL when
 * something else has this name. */
static json_t *json_step(json_t *at, const char *name)
{
	json_t *next = json_object_get(at, name);

	if (!next && json_object_set_new(at, name, json_object()) == 0)
		next = json_object_get(at, name);
	return json_is_object(next) ? next : NULL;
}

static int field_to_json(const struct fx_field *f, json_t *at, struct fx_error *err)
{
	char *copy = fx_strdup(f->name), *name = copy;
	json_t *value = field_value(f);
	int result = FX_OK;

	for (char *dot; copy && at && (dot = strchr(name, '.')); name = dot + 1) {
		*dot = 0;
		at = json_step(at, name);
	}
	if (!copy)
		result = fx_error_set(err, FX_ENOMEM, "no memory for %s", f->name);
	else if (!value)
		result = fx_error_set(err, FX_EINVAL, "%s: a text that is not UTF-8", f->name);
	else if (!at || json_is_object(json_object_get(at, name)) ||
		 json_object_set(at, name, value) != 0)
		result = fx_error_set(err, FX_EINVAL, "%s names a value and also an object",
				      f->name);
	json_decref(value);
	free(copy);
	return result;
}

int fx_record_to_json(const struct fx_record *r, json_t *root, struct fx_error *err)
{
	int result = FX_OK;

	for (size_t i = 0; i < r->fields_len && result == FX_OK; i++)
		result = field_to_json(&r->fields[i], root, err);
	return result;
}

/* The name of column @p i: word i of @p names, which is moved behind it. */
static void column_name(char *name, size_t size, const char **names, uint32_t i)
{
	const char *word = *names + strspn(*names, " ");
	const size_t len = strcspn(word, " ");

	if (len && len < size)
		snprintf(name, size, "%.*s", (int)len, word);
	else
		snprintf(name, size, "column%" PRIu32, i + 1);
	*names = word + len;
}

static json_t *cell_value(uint64_t number)
{
	char text[24];

	if (number <= INT64_MAX)
		return json_integer((json_int_t)number);
	snprintf(text, sizeof text, "%" PRIu64, number);
	return json_string(text);
}

static int row_to_json(const struct fx_record *r, size_t row, json_t *to, struct fx_error *err)
{
	const char *names = fx_record_text(r, "columns");
	int result = FX_OK;

	for (size_t i = 0; i < r->fields_len && result == FX_OK; i++)
		if (strcmp(r->fields[i].name, "columns") != 0)
			result = field_to_json(&r->fields[i], to, err);
	names = names ? names : "";
	for (uint32_t i = 0; i < r->columns && result == FX_OK; i++) {
		char name[64];

		column_name(name, sizeof name, &names, i);
		if (json_object_set_new(to, name, cell_value(r->table[row * r->columns + i])) < 0)
			result = fx_error_set(err, FX_EINVAL, "column %s cannot be written", name);
	}
	return result;
}

int fx_record_rows_to_json(const struct fx_record *r, json_t *array, struct fx_error *err)
{
	int result = FX_OK;

	for (size_t row = 0; row < r->rows && result == FX_OK; row++) {
		json_t *to = json_object();

		result = row_to_json(r, row, to, err);
		if (json_array_append_new(array, to) < 0 && result == FX_OK)
			result = fx_error_set(err, FX_ENOMEM, "no memory for %zu rows", r->rows);
	}
	return result;
}
