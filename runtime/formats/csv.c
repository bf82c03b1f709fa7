// SPDX-License-Identifier: Apache-2.0
/* csv.c: small tables in text. */
#include "formats/csv.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Takes the quotes off a field that begins with one: *s moves behind the last. */
static bool unquote(char **s)
{
	char *from = *s + 1, *to = *s;

	while (*from && (from[0] != '"' || from[1] == '"')) {
		from += from[0] == '"';
		*to++ = *from++;
	}
	if (!*from)
		return false;
	*to = 0;
	*s = from + 1;
	return true;
}

static void trim_end(char *field, char *end)
{
	while (end > field && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		*--end = 0;
}

static int csv_split(struct fx_csv *c, char *line, struct fx_error *err)
{
	char *s = line;

	c->len = 0;
	for (;;) {
		char *field, *comma;

		s += strspn(s, " \t");
		field = s;
		if (c->len == FX_CSV_COLUMNS)
			return fx_error_set(err, FX_EINVAL, "line %zu: more than %d fields",
					    c->line, FX_CSV_COLUMNS);
		if (*s == '"' && !unquote(&s))
			return fx_error_set(err, FX_EINVAL, "line %zu: a quote does not end",
					    c->line);
		comma = strchr(s, ',');
		c->fields[c->len++] = field;
		if (s == field)
			trim_end(field, comma ? comma : s + strlen(s));
		if (!comma)
			return FX_OK;
		*comma = 0;
		s = comma + 1;
	}
}

int fx_csv_next(struct fx_csv *c, struct fx_error *err)
{
	while (c->next && *c->next) {
		char *const line = c->next, *const end = strchr(line, '\n');

		c->next = end ? end + 1 : NULL;
		if (end)
			*end = 0;
		c->line++;
		if (line[strspn(line, " \t\r")])
			return csv_split(c, line, err);
	}
	return FX_END;
}

int fx_csv_begin(struct fx_csv *c, char *text, struct fx_error *err)
{
	int result;

	*c = (struct fx_csv){ .next = strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text };
	result = fx_csv_next(c, err);
	return result == FX_END ? fx_error_set(err, FX_EINVAL, "the table is empty") : result;
}

int fx_csv_find(const struct fx_csv *c, const char *name)
{
	for (size_t i = 0; i < c->len; i++)
		if (strcasecmp(c->fields[i], name) == 0)
			return (int)i;
	return -1;
}
