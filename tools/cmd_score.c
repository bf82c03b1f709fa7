// SPDX-License-Identifier: Apache-2.0
/* cmd_score.c: fornix score. */
#include <stdio.h>

#include "base/file.h"
#include "cmd.h"
#include "score.h"

static const char about[] =
	"Scores a label volume against the truth: VOI in bits, Rand and adapted Rand,\n"
	"by two rules: truth_nonzero (truth 0 ignored, segment 0 kept as a label) and\n"
	"both_nonzero. Volumes are TIFF, .npy, HDF5, Zarr, N5 or precomputed. The truth\n"
	"may have fewer sections.\n\n"
	"  fornix score OUT/labels truth.tif\n"
	"  fornix score OUT/labels truth.tif --sections 104:125\n\n"
	"Of two SWC files it scores the first as a tracing of the second: ESA, DSA and PDS\n"
	"as Vaa3D's neuron_distance, recall and precision of nodes, length and critical\n"
	"nodes, the DIADEM score, PyNeval's ssd and length, and the shape of both; of one\n"
	"SWC file its shape. Lengths are in the unit of the files (nm where they tell).\n\n"
	"  fornix score traced.swc gold.swc\n"
	"  fornix score traced.swc gold.swc --text\n"
	"  fornix score traced.swc\n";

bool score_is_swc(const char *path)
{
	return fx_path_ends(path, ".swc") || fx_path_ends(path, ".SWC") ||
	       fx_path_ends(path, ".eswc");
}

int cmd_score(int argc, char **argv)
{
	struct score_options o = { 0 };
	const struct cmd_option options[] = {
		{ "sections", NULL, &o.sections, "A:B", "count sections A to B - 1 alone" },
		{ "voxel", NULL, &o.voxel, "Z,Y,X",
		  "trees: voxel size in their unit; lengths are then in voxels" },
		{ "far", NULL, &o.far, "D", "trees: from there on a point differs (default 2)" },
		{ "tolerance", NULL, &o.tolerance, "D",
		  "trees: within it nodes and length are found (default 2)" },
		{ "text", &o.text, NULL, NULL,
		  "trees: print the nine lines of Vaa3D's neuron_distance" },
		{ "json", &o.json, NULL, NULL, "print the scores on stdout as one JSON object" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix score LABELS TRUTH [--sections A:B] [--json]\n"
			 "       fornix score TREE.swc [TRUTH.swc] [--text] [--json]",
		.about = about,
		.options = options,
		.min_words = 1,
		.max_words = 2,
	};
	const int result = cmd_parse(&line, argc, argv);
	bool trees;

	if (result != CMD_GO)
		return result;
	o.paths[0] = line.words[0];
	o.paths[1] = line.words_len > 1 ? line.words[1] : NULL;
	trees = score_is_swc(o.paths[0]);
	if (o.paths[1] && trees != score_is_swc(o.paths[1]))
		return cmd_wrong("%s and %s: two volumes or two SWC files can be compared",
				 o.paths[0], o.paths[1]);
	if (trees && o.sections)
		return cmd_wrong("--sections is for volumes");
	if (!trees && (o.voxel || o.far || o.tolerance || o.text))
		return cmd_wrong("--voxel, --far, --tolerance and --text are for SWC files");
	if (!trees && !o.paths[1])
		return cmd_wrong("fornix score LABELS TRUTH: the truth is missing");
	return trees ? score_trees(&o) : score_volumes(&o);
}
