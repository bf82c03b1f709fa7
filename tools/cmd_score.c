// SPDX-License-Identifier: Apache-2.0
/* cmd_score.c: fornix score. */
#include <stdio.h>

#include "base/file.h"
#include "cmd.h"
#include "score.h"

static const char about[] =
	"Labels against the truth: VOI in bits, Rand, adapted Rand and CREMI score, matched\n"
	"objects, by two rules: truth_nonzero (truth 0 ignored, segment 0 kept as a label)\n"
	"and both_nonzero; the worst splits and mergers, with places; with skeletons of the\n"
	"true bodies the expected run length. Volumes are TIFF, .npy, HDF5, Zarr, N5 or\n"
	"precomputed. The truth may have fewer sections.\n\n"
	"  fornix score OUT/labels truth.tif\n"
	"  fornix score seg.zarr truth.tif --sections 104:125 --json\n"
	"  fornix score seg.h5:/labels truth.tif --skeletons swc --voxel 8,8,8\n\n"
	"With --mask probabilities or masks against a true mask: IoU, Dice, precision and\n"
	"recall, pooled and by section. Values count above the threshold (f32: 0.5); without\n"
	"one, integers that are not 0 do.\n\n"
	"  fornix score --mask mitochondria.tif truth.tif\n"
	"  fornix score --mask probability.npy truth.tif --threshold 0.4\n\n"
	"An SWC file as a tracing of a second one: ESA, DSA and PDS as Vaa3D's\n"
	"neuron_distance, recall and precision of nodes, length and critical nodes, the\n"
	"DIADEM score, PyNeval's ssd and length, and the shape of both; of one SWC file its\n"
	"shape. Lengths are in the unit of the files (nm where they tell).\n\n"
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
		{ "json", &o.json, NULL, NULL, "print the scores on stdout as one JSON object" },
		{ "sections", NULL, &o.sections, "A:B", "count sections A to B - 1 alone" },
		{ "mask", &o.mask, NULL, NULL, "score masks or probabilities, not labels" },
		{ "threshold", NULL, &o.threshold, "T", "masks: values above it count, 0 to 1" },
		{ "worst", NULL, &o.worst, "N", "labels: list so many mistakes (default 10)" },
		{ "skeletons", NULL, &o.skeletons, "PATH",
		  "labels: folder with true skeletons ID.swc, or one" },
		{ "voxel", NULL, &o.voxel, "Z,Y,X",
		  "voxel size: nm, for --skeletons and links; of trees in their unit" },
		{ "tolerance", NULL, &o.tolerance, "D",
		  "skeletons: nodes that make a contact (10); trees: distance (2)" },
		{ "link-labels", NULL, &o.link_labels, "URL",
		  "labels: source for links to the worst mistakes" },
		{ "link-truth", NULL, &o.link_truth, "URL", "the same of the truth" },
		{ "link-image", NULL, &o.link_image, "URL", "the same of the image" },
		{ "viewer", NULL, &o.viewer, "URL", "Neuroglancer that links open" },
		{ "far", NULL, &o.far, "D", "trees: from there on a point differs (2)" },
		{ "text", &o.text, NULL, NULL,
		  "trees: print the nine lines of Vaa3D's neuron_distance" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix score LABELS TRUTH [--sections A:B] [--json] ...\n"
			 "       fornix score --mask PREDICTION TRUTH [--threshold T] [--json]\n"
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
	if (trees && (o.sections || o.mask || o.skeletons || o.worst || o.threshold))
		return cmd_wrong("--sections, --mask, --threshold, --skeletons and --worst are for "
				 "volumes");
	if (!trees && (o.far || o.text))
		return cmd_wrong("--far and --text are for SWC files");
	if (o.threshold && !o.mask)
		return cmd_wrong("--threshold is for --mask");
	if (!trees && !o.paths[1])
		return cmd_wrong("fornix score LABELS TRUTH: the truth is missing");
	if (trees)
		return score_trees(&o);
	return o.mask ? score_masks(&o) : score_volumes(&o);
}
