// SPDX-License-Identifier: Apache-2.0
/* sectionname.c: which section, tile and version an image is, by its name. */
#include "formats/sectionname.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/file.h"

#include <fornix/error.h>

enum { DIGITS_MAX = 15 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_image(const char *path)
{
	return fx_path_ends(path, ".png") || fx_path_ends(path, ".tif") ||
	       fx_path_ends(path, ".tiff");
}

/* A name, or a folder on its way, that begins with a dot. */
static bool is_hidden(const char *path)
{
	return path[0] == '.' || strstr(path, "/.");
}

static bool number_of(const char *digits, size_t len, int64_t *number)
{
	int64_t n = 0;

	if (!len || len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		n = n * 10 + (digits[i] - '0');
	*number = n;
	return true;
}

/* The digits that end at *end, which moves to their start. */
static bool number_before(const char *base, size_t *end, int64_t *number)
{
	const size_t last = *end;

	while (*end && is_digit(base[*end - 1]))
		(*end)--;
	return number_of(base + *end, last - *end, number);
}

/* A number at *end with "-WORD" or "_WORD" before it: both are taken off. */
static bool take_part(const char *base, size_t *end, const char *word, int64_t *number)
{
	const size_t len = strlen(word);
	size_t at = *end;
	int64_t found;

	if (!number_before(base, &at, &found) || at < len + 2 ||
	    strncmp(base + at - len, word, len) != 0 ||
	    (base[at - len - 1] != '-' && base[at - len - 1] != '_'))
		return false;
	*number = found;
	*end = at - len - 1;
	return true;
}

/* The last number before `end`. */
static bool last_number(const char *base, size_t end, int64_t *number)
{
	while (end && !is_digit(base[end - 1]))
		end--;
	return number_before(base, &end, number);
}

static int usual_name(const char *base, struct fx_section_name *name)
{
	const size_t all = (size_t)(strrchr(base, '.') - base);
	size_t end = all;

	take_part(base, &end, "v", &name->version);
	if (!take_part(base, &end, "tile-", &name->tile))
		take_part(base, &end, "tile_", &name->tile);
	if (last_number(base, end, &name->section))
		return FX_OK;
	*name = (struct fx_section_name){ 0, 0, 1 };
	return last_number(base, all, &name->section) ? FX_OK : FX_NAME_NONE;
}

/* One character, or one whole group of digits, of `pattern` at *s, which moves behind it. */
static bool match_one(char pattern, const char *start, const char **s, struct fx_section_name *name)
{
	int64_t *const number = pattern == '#' ? &name->section :
				pattern == '%' ? &name->tile :
				pattern == '@' ? &name->version :
						 NULL;
	const char *const at = *s;

	if (!number) {
		if (!*at || (pattern == '?' ? *at == '/' : *at != pattern))
			return false;
		(*s)++;
		return true;
	}
	if (at > start && is_digit(at[-1]))
		return false;
	while (is_digit(**s))
		(*s)++;
	return number_of(at, (size_t)(*s - at), number);
}

/* Shell matching with one point to go back to: what follows the last star is tried at each place.
 */
static bool match(const char *pattern, const char *start, struct fx_section_name *name)
{
	const char *s = start, *star = NULL, *star_s = NULL;

	while (*pattern || *s) {
		if (*pattern == '*') {
			star = pattern++;
			star_s = s;
		} else if (*pattern && match_one(*pattern, start, &s, name)) {
			pattern++;
		} else if (star && *star_s && *star_s != '/') {
			s = ++star_s;
			pattern = star + 1;
		} else {
			return false;
		}
	}
	return true;
}

int fx_section_name(const char *path, const char *pattern, struct fx_section_name *name)
{
	const char *const slash = strrchr(path, '/'), *const base = slash ? slash + 1 : path;

	*name = (struct fx_section_name){ 0, 0, 1 };
	if (is_hidden(path) || !is_image(base))
		return FX_NAME_OTHER;
	if (!*pattern)
		return usual_name(base, name);
	if (!match(pattern, strchr(pattern, '/') ? path : base, name))
		return FX_NAME_OTHER;
	return strchr(pattern, '#') ? FX_OK : usual_name(base, name);
}
