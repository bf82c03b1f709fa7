// SPDX-License-Identifier: Apache-2.0
/* score_trees.c: fornix score of SWC files. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "formats/recordjson.h"
#include "formats/swc.h"
#include "kernels/treescores.h"
#include "kernels/treewalk.h"
#include "score.h"

/* The lines that people read: path in the scores, and what it is. */
static const struct {
	const char *name, *label;
} rows[] = {
	{ "distance.esa", "entire structure average (ESA)" },
	{ "distance.dsa", "different structure average (DSA)" },
	{ "distance.pds", "percentage of different structure (PDS)" },
	{ "nodes.f1", "nodes, F1" },
	{ "nodes.recall", "  recall" },
	{ "nodes.precision", "  precision" },
	{ "length.f1", "length, F1" },
	{ "length.recall", "  recall" },
	{ "length.precision", "  precision" },
	{ "critical.f1", "critical nodes, F1" },
	{ "diadem.score", "DIADEM" },
	{ "pyneval.ssd.score", "ssd (PyNeval)" },
	{ "test.length", "length" },
	{ "truth.length", "  of the truth" },
	{ "test.branches", "branches" },
	{ "truth.branches", "  of the truth" },
	{ "test.tips", "tips" },
	{ "truth.tips", "  of the truth" },
	{ "test.tortuosity", "tortuosity" },
	{ "test.strahler", "Strahler number" },
	{ "test.sholl_max", "most crossings of a sphere (Sholl)" },
};

/* Reads a file, in units of voxel. */
static int read_tree(const char *path, const double voxel[3], struct fx_tree **out,
		     struct fx_error *err)
{
	struct fx_tree *t = NULL;
	int result = fx_swc_read(path, 1, &t, NULL, err);

	if (result < 0)
		return result;
	*out = fx_tree_in_units(t, voxel);
	fx_tree_free(t);
	return *out ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory for %s", path);
}

static void print_table(const struct fx_record *r)
{
	fprintf(stderr, "\nscores\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const double v = fx_record_number(r, rows[i].name, (double)NAN);

		if (!isnan(v))
			fprintf(stderr, "  %-40s %10.6g\n", rows[i].label, v);
	}
}

/* The file that Vaa3D's neuron_distance writes, its spelling included: scripts count its lines. */
static void print_text(const struct score_options *o, const struct fx_record *r)
{
	static const char *const lines[][2] = {
		{ "entire-structure-average (from neuron 1 to 2) = ", "distance.esa_12" },
		{ "entire-structure-average (from neuron 2 to 1) = ", "distance.esa_21" },
		{ "average of bi-directional entire-structure-averages = ", "distance.esa" },
		{ "differen-structure-average = ", "distance.dsa" },
		{ "percent of different-structure (from neuron 1 to 2) = ", "distance.pds_12" },
		{ "percent of different-structure (from neuron 2 to 1) = ", "distance.pds_21" },
		{ "percent of different-structure (average)= ", "distance.pds" },
	};

	printf("input1 = %s\nintput2 = %s\n", o->paths[0], o->paths[1]);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		printf("%s%g\n", lines[i][0], fx_record_number(r, lines[i][1], -1));
}

static int print_json(const struct fx_record *r, struct fx_error *err)
{
	json_t *root = json_object();
	int result = root ? fx_record_to_json(r, root, err) :
			    fx_error_set(err, FX_ENOMEM, "no memory for the scores");

	if (result == FX_OK)
		score_print_json(root);
	json_decref(root);
	return result;
}

static int score(const struct score_options *o, struct fx_record *r, struct fx_error *err)
{
	struct fx_treescore_options limits = { .far = 2, .tolerance = 2 };
	struct fx_tree *trees[2] = { 0 };
	double voxel[3] = { 1, 1, 1 };
	int result = score_vector(o->voxel, "voxel", voxel, err);

	if (result == FX_OK)
		result = score_number(o->far, "far", &limits.far, err);
	if (result == FX_OK)
		result = score_number(o->tolerance, "tolerance", &limits.tolerance, err);
	for (int i = 0; result == FX_OK && i < 2 && o->paths[i]; i++)
		result = read_tree(o->paths[i], voxel, &trees[i], err);
	if (result == FX_OK && trees[1])
		result = fx_treescores_add(r, trees[0], trees[1], &limits, err);
	for (int i = 0; result == FX_OK && i < 2 && trees[i]; i++)
		result = fx_treescores_add_shape(r, i ? "truth" : "test", trees[i], 0, err);
	fx_tree_free(trees[0]);
	fx_tree_free(trees[1]);
	return result;
}

int score_trees(const struct score_options *o)
{
	struct fx_record *r = fx_record_new("scores");
	struct fx_error err = { 0 };
	int result;

	if (o->text && !o->paths[1])
		result = fx_error_set(&err, FX_EINVAL, "--text needs two SWC files");
	else
		result = r ? score(o, r, &err) :
			     fx_error_set(&err, FX_ENOMEM, "no memory for the scores");
	if (result == FX_OK && o->text)
		print_text(o, r);
	else if (result == FX_OK)
		print_table(r);
	if (result == FX_OK && o->json)
		result = print_json(r, &err);
	fx_record_free(r);
	return result == FX_OK ? CMD_DONE : cmd_wrong("%s", err.text);
}
