// SPDX-License-Identifier: Apache-2.0
/* csv.h: small tables in text: a line of names, then a line a row, commas between (RFC 4180 without
 * line breaks in quotes). */
#ifndef FX_FORMATS_CSV_H
#define FX_FORMATS_CSV_H

#include <stddef.h>

#include <fornix/error.h>

enum { FX_CSV_COLUMNS = 32 };

/** Goes through a text line by line. */
struct fx_csv {
	char *next; /**< private */
	size_t line;
	size_t len;		      /**< fields of this line */
	char *fields[FX_CSV_COLUMNS]; /**< borrowed from the text, without quotes and spaces around
				       */
};

/** Begins with @p text, which is cut up meanwhile; the line of names is the first. FX_EINVAL when
 * there is none. */
int fx_csv_begin(struct fx_csv *c, char *text, struct fx_error *err);
/** Moves to the next line that is not empty. FX_OK, FX_END, FX_EINVAL (more fields than 32, or a
 * quote that does not end). */
int fx_csv_next(struct fx_csv *c, struct fx_error *err);
/** The field of this line called @p name: its number, or -1. */
int fx_csv_find(const struct fx_csv *c, const char *name);

#endif
