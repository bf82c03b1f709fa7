// SPDX-License-Identifier: Apache-2.0
/* show.c: what a run made, for people. */
#include "show.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

/* One line of the table: the path of up to three names in scores.json, and what it is. */
struct row {
	const char *group, *sub, *name, *label, *unit;
	double factor;
};

static const struct row rows[] = {
	{ NULL, NULL, "segments", "segments", "", 1 },
	{ NULL, NULL, "truth_segments", "true segments", "", 1 },
	{ NULL, NULL, "assigned_fraction", "voxels assigned", "%", 100 },
	{ "truth_nonzero", NULL, "voi", "VOI (truth 0 ignored, segment 0 kept)", "bit", 1 },
	{ "truth_nonzero", NULL, "voi_split", "  split", "bit", 1 },
	{ "truth_nonzero", NULL, "voi_merge", "  merge", "bit", 1 },
	{ "truth_nonzero", NULL, "arand", "adapted Rand error", "", 1 },
	{ "truth_nonzero", NULL, "cremi", "CREMI score", "", 1 },
	{ "truth_nonzero", "objects", "f1_50", "matched objects, F1 at IoU 0.5", "", 1 },
	{ "truth_nonzero", "objects", "f1_75", "  at IoU 0.75", "", 1 },
	{ "both_nonzero", NULL, "voi", "VOI (both non-zero)", "bit", 1 },
	{ "both_nonzero", NULL, "arand", "adapted Rand error (both non-zero)", "", 1 },
	{ "erl", NULL, "strict_nm", "expected run length, strict", "nm", 1 },
	{ "erl", NULL, "tolerant_nm", "expected run length, tolerant", "nm", 1 },
	{ "erl", NULL, "ceiling_nm", "  with perfect labels", "nm", 1 },
};

static void show_row(const json_t *scores, const struct row *row)
{
	const json_t *group = row->group ? json_object_get(scores, row->group) : scores;
	const json_t *v =
		json_object_get(row->sub ? json_object_get(group, row->sub) : group, row->name);

	if (json_is_number(v))
		fprintf(stderr, "  %-40s %10.6g%s%s\n", row->label,
			json_number_value(v) * row->factor, *row->unit ? " " : "", row->unit);
}

void show_score_table(const json_t *scores)
{
	fprintf(stderr, "\nscores\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		show_row(scores, &rows[i]);
}

void show_scores(const char *out)
{
	char *path = fx_path_join(out, "scores.json");
	json_t *scores = path ? json_load_file(path, 0, NULL) : NULL;

	if (scores)
		show_score_table(scores);
	json_decref(scores);
	free(path);
}

void show_made(const char *out)
{
	struct dirent **names = NULL;
	const int n = scandir(out, &names, NULL, alphasort);

	fprintf(stderr, "\nmade\n");
	for (int i = 0; i < n; i++) {
		char *path =
			names[i]->d_name[0] == '.' ? NULL : fx_path_join(out, names[i]->d_name);

		if (path)
			fprintf(stderr, "  %s%s\n", path, fx_is_dir(path) ? "/" : "");
		free(path);
		free(names[i]);
	}
	free(names);
}
