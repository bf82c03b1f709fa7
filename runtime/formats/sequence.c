// SPDX-License-Identifier: Apache-2.0
/* sequence.c: a folder of numbered files. */
#include "formats/sequence.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

enum { DIGITS_MAX = 15, NOT_NUMBERED = -1, NOT_OURS = -2 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int64_t number_of(const char *digits, size_t len)
{
	int64_t n = 0;

	if (len > DIGITS_MAX)
		return NOT_NUMBERED;
	for (size_t i = 0; i < len; i++)
		n = n * 10 + (digits[i] - '0');
	return n;
}

/* The last group of digits that begins before *end; its length, *end moved to its start; 0 when
 * there is none. */
static size_t last_digits(const char *name, size_t *end)
{
	size_t len = 0;

	while (*end && !is_digit(name[*end - 1]))
		(*end)--;
	while (*end && is_digit(name[*end - 1])) {
		(*end)--;
		len++;
	}
	return len;
}

static bool matches(const char *pattern, size_t pattern_len, const char *name, size_t name_len)
{
	char p[256], n[256];

	if (pattern_len >= sizeof p || name_len >= sizeof n)
		return false;
	snprintf(p, sizeof p, "%.*s", (int)pattern_len, pattern);
	snprintf(n, sizeof n, "%.*s", (int)name_len, name);
	return fnmatch(p, n, FNM_PERIOD) == 0;
}

/* The digits that stand where `hash` stands in `pattern`. */
static int64_t number_at_hash(const char *name, const char *pattern, const char *hash)
{
	size_t end = strlen(name), len;

	while ((len = last_digits(name, &end)) != 0)
		if (matches(pattern, (size_t)(hash - pattern), name, end) &&
		    matches(hash + 1, strlen(hash + 1), name + end + len, strlen(name + end + len)))
			return number_of(name + end, len);
	return NOT_OURS;
}

int64_t fx_sequence_number(const char *name, const char *pattern)
{
	const char *const hash = strchr(pattern, '#');
	const char *const dot = strrchr(name, '.');
	size_t end, len;

	if (name[0] == '.' || !dot ||
	    !(fx_path_ends(name, ".png") || fx_path_ends(name, ".tif") ||
	      fx_path_ends(name, ".tiff")))
		return NOT_OURS;
	if (hash)
		return number_at_hash(name, pattern, hash);
	if (fnmatch(pattern, name, FNM_PERIOD) != 0)
		return NOT_OURS;
	end = (size_t)(dot - name);
	len = last_digits(name, &end);
	return len ? number_of(name + end, len) : NOT_NUMBERED;
}

const struct fx_sequence_file *fx_sequence_find(const struct fx_sequence *s, int64_t number)
{
	size_t lo = 0, hi = s->len;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (s->files[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->len && s->files[lo].number == number ? &s->files[lo] : NULL;
}

static int sequence_add(struct fx_sequence *s, int64_t number, const char *name)
{
	struct fx_sequence_file f = { .number = number };

	if (!fx_grow(&s->files, &s->cap, s->len + 1, sizeof *s->files) ||
	    !(f.name = fx_strdup(name)))
		return FX_ENOMEM;
	s->files[s->len++] = f;
	return FX_OK;
}

static int by_number(const void *a, const void *b)
{
	const struct fx_sequence_file *const fa = a, *const fb = b;

	if (fa->number != fb->number)
		return fa->number < fb->number ? -1 : 1;
	return strcmp(fa->name, fb->name);
}

static int sequence_list(struct fx_sequence *s, DIR *dir, const char *pattern)
{
	const struct dirent *entry;
	struct stat st;

	while ((entry = readdir(dir))) {
		const int64_t number = fx_sequence_number(entry->d_name, pattern);

		if (number == NOT_OURS || fstatat(dirfd(dir), entry->d_name, &st, 0) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (number == NOT_NUMBERED)
			snprintf(s->unnumbered, sizeof s->unnumbered, "%.63s", entry->d_name);
		else if (sequence_add(s, number, entry->d_name) < 0)
			return FX_ENOMEM;
	}
	return FX_OK;
}

/* Sorts, and refuses two files of one number. */
static int sequence_order(struct fx_sequence *s, const char *folder, struct fx_error *err)
{
	if (s->len)
		qsort(s->files, s->len, sizeof *s->files, by_number);
	for (size_t i = 1; i < s->len; i++) {
		const struct fx_sequence_file *const f = &s->files[i];

		if (f[-1].number == f->number)
			return fx_error_set(
				err, FX_EINVAL,
				"%s: %s and %s both have number %lld; give a pattern with # "
				"where the number stands, or remove one",
				folder, f[-1].name, f->name, (long long)f->number);
	}
	return FX_OK;
}

int fx_sequence_scan(struct fx_sequence *s, const char *folder, const char *pattern,
		     struct fx_error *err)
{
	struct fx_sequence fresh = { 0 };
	DIR *dir = opendir(folder);
	int result;

	if (!dir)
		return fx_error_set(err, FX_ENOENT, "%s: cannot open folder: %s", folder,
				    strerror(errno));
	result = sequence_list(&fresh, dir, pattern);
	closedir(dir);
	if (result < 0)
		fx_error_set(err, result, "%s: no memory for its list of files", folder);
	else
		result = sequence_order(&fresh, folder, err);
	if (result < 0) {
		fx_sequence_fini(&fresh);
		return result;
	}
	fx_sequence_fini(s);
	*s = fresh;
	return FX_OK;
}

int fx_sequence_range(const struct fx_sequence *s, const char *folder, const char *pattern,
		      int64_t first, int64_t count, int64_t *low, int64_t *end,
		      struct fx_error *err)
{
	int64_t from, to;

	if (!s->len)
		return fx_error_set(
			err, FX_ENOENT,
			"%s holds no numbered .png, .tif or .tiff file that matches \"%s\"", folder,
			pattern);
	from = first >= 0 ? first : s->files[0].number;
	to = s->files[s->len - 1].number + 1;
	if (count && from + count < to)
		to = from + count;
	if (to <= from)
		return fx_error_set(err, FX_ENOENT, "%s holds no section from number %lld on",
				    folder, (long long)from);
	if (to - from > FX_SEQUENCE_MAX)
		return fx_error_set(err, FX_EINVAL,
				    "%s: numbers run from %lld to %lld, more than %d sections",
				    folder, (long long)from, (long long)to - 1, FX_SEQUENCE_MAX);
	*low = from;
	*end = to;
	return FX_OK;
}

void fx_sequence_fini(struct fx_sequence *s)
{
	for (size_t i = 0; i < s->len; i++)
		free(s->files[i].name);
	free(s->files);
	memset(s, 0, sizeof *s);
}
