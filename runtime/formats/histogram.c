// SPDX-License-Identifier: Apache-2.0
/* histogram.c: a histogram of 8-bit grey values in a JSON file. */
#include "formats/histogram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"

enum { FILE_MAX = 1 << 16 };

static int histogram_keys(const char *path, json_t *root, struct fx_error *err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(root))
		return fx_error_set(err, FX_EINVAL, "%s: not an object with \"counts\"", path);
	json_object_foreach(root, key, value)
	{
		if (strcmp(key, "counts") != 0 && strcmp(key, "comment") != 0)
			return fx_error_set(err, FX_EINVAL,
					    "%s: unknown key \"%.64s\"; valid are counts, comment",
					    path, key);
		if (strcmp(key, "comment") == 0 && !json_is_string(value))
			return fx_error_set(err, FX_EINVAL, "%s: comment is not a text", path);
	}
	return FX_OK;
}

static int histogram_counts(const char *path, const json_t *list, double *counts,
			    struct fx_error *err)
{
	double sum = 0;

	if (!json_is_array(list) || json_array_size(list) != FX_HISTOGRAM_FILE_BINS)
		return fx_error_set(err, FX_EINVAL, "%s: counts is not a list of %d numbers", path,
				    FX_HISTOGRAM_FILE_BINS);
	for (size_t i = 0; i < FX_HISTOGRAM_FILE_BINS; i++) {
		const json_t *item = json_array_get(list, i);

		counts[i] = json_number_value(item);
		if (!json_is_number(item) || !(counts[i] >= 0) || !(counts[i] <= 1e18))
			return fx_error_set(err, FX_EINVAL,
					    "%s: counts[%zu] is not a number within 0..1e18", path,
					    i);
		sum += counts[i];
	}
	if (sum <= 0)
		return fx_error_set(err, FX_EINVAL, "%s: all counts are 0", path);
	return FX_OK;
}

int fx_histogram_load(const char *path, double counts[FX_HISTOGRAM_FILE_BINS], struct fx_error *err)
{
	json_error_t where;
	void *text = NULL;
	size_t size;
	json_t *root;
	int failed = fx_file_read(path, FILE_MAX, &text, &size, err);

	if (failed < 0)
		return failed;
	root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	free(text);
	if (!root)
		return fx_error_set(err, FX_EINVAL, "%s:%d:%d: %s", path, where.line, where.column,
				    where.text);
	failed = histogram_keys(path, root, err);
	if (failed >= 0)
		failed = histogram_counts(path, json_object_get(root, "counts"), counts, err);
	json_decref(root);
	return failed;
}
