// SPDX-License-Identifier: Apache-2.0
/* record.c: named numbers and texts about a region. */
#include <fornix/block.h>

#include <fornix/error.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct fx_record *fx_record_new(const char *kind)
{
	struct fx_record *r = calloc(1, sizeof *r);

	if (r && !(r->kind = fx_strdup(kind))) {
		free(r);
		return NULL;
	}
	return r;
}

void fx_record_free(struct fx_record *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->fields_len; i++) {
		free(r->fields[i].name);
		free(r->fields[i].text);
	}
	free(r->fields);
	free(r->table);
	free(r->kind);
	free(r);
}

static int record_add(struct fx_record *r, const char *name, double number, const char *text)
{
	struct fx_field f = { fx_strdup(name), number, fx_strdup(text) };
	struct fx_field *grown = NULL;

	if (f.name && (f.text || !text))
		grown = realloc(r->fields, (r->fields_len + 1) * sizeof *grown);
	if (!grown) {
		free(f.name);
		free(f.text);
		return FX_ENOMEM;
	}
	r->fields = grown;
	r->fields[r->fields_len++] = f;
	return FX_OK;
}

int fx_record_add_number(struct fx_record *r, const char *name, double number)
{
	return record_add(r, name, number, NULL);
}

int fx_record_add_text(struct fx_record *r, const char *name, const char *text)
{
	return record_add(r, name, 0, text ? text : "");
}

static const struct fx_field *record_find(const struct fx_record *r, const char *name)
{
	for (size_t i = 0; i < r->fields_len; i++)
		if (strcmp(r->fields[i].name, name) == 0)
			return &r->fields[i];
	return NULL;
}

double fx_record_number(const struct fx_record *r, const char *name, double otherwise)
{
	const struct fx_field *f = record_find(r, name);

	return f && !f->text ? f->number : otherwise;
}

const char *fx_record_text(const struct fx_record *r, const char *name)
{
	const struct fx_field *f = record_find(r, name);

	return f ? f->text : NULL;
}

int fx_record_table(struct fx_record *r, size_t rows, uint32_t columns)
{
	size_t len;
	uint64_t *table;

	if (!fx_mul_size(rows, columns, &len) || !(table = fx_calloc(len, sizeof *table)))
		return FX_ENOMEM;
	free(r->table);
	r->table = table;
	r->rows = rows;
	r->columns = columns;
	return FX_OK;
}
