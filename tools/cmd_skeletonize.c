// SPDX-License-Identifier: Apache-2.0
/* cmd_skeletonize.c: fornix skeletonize: a small graph around skeletonizer/teasar. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "conduct/run.h"
#include "show.h"

static const char graph_text[] = "version: 1\n"
				 "params:\n"
				 "  labels: { help: label volume }\n"
				 "  out: { help: folder to write }\n"
				 "  voxel: { help: voxel size }\n"
				 "  dust: { help: voxels, default: 1000 }\n"
				 "nodes:\n"
				 "  read:\n"
				 "    type: acquire/volume\n"
				 "    set: { path: $labels, voxel: $voxel, role: labels }\n"
				 "  tiles:\n"
				 "    type: tiler/blocks\n"
				 "    from: { image: read.out }\n"
				 "    set: { halo: 0 0 0 }\n"
				 "  trace:\n"
				 "    type: skeletonizer/teasar\n"
				 "    from: { labels: tiles.blocks }\n"
				 "    set: { dust: $dust }\n"
				 "  swc:\n"
				 "    type: writer/swc\n"
				 "    from: { trees: trace.trees }\n"
				 "    set: { path: $out/swc }\n"
				 "  precomputed:\n"
				 "    type: writer/precomputed\n"
				 "    from: { trees: trace.trees }\n"
				 "    set: { path: $out/precomputed }\n";

static int run_it(const struct fx_param *params, const char *out, bool quiet)
{
	const struct fx_run_options o = { .out = out, .quiet = quiet, .http_port = FX_HTTP_OFF };
	struct fx_graph_errors errors = { 0 };
	struct fx_error err = { 0 };
	struct fx_registry *r = cmd_registry();
	struct fx_graph *g = r ? fx_graph_parse("skeletonize", graph_text, strlen(graph_text), r,
						params, 4, 0, &errors) :
				 NULL;
	int result = g ? fx_run_graph(g, &o, NULL, &err) : FX_EINVAL;

	if (result < 0 && err.text[0])
		cmd_wrong("%s", err.text);
	cmd_print_errors(&errors);
	if (result == FX_OK && !quiet)
		show_made(out);
	fx_graph_free(g);
	fx_registry_free(r);
	if (result < 0)
		return CMD_WRONG;
	return result == FX_OK ? CMD_DONE : CMD_FAILED;
}

int cmd_skeletonize(int argc, char **argv)
{
	const char *voxel = NULL, *dust = "1000";
	bool quiet = false;
	const struct cmd_option options[] = {
		{ "voxel", NULL, &voxel, "Z,Y,X", "voxel size in nm, e.g. 40,16,16 (required)" },
		{ "dust", NULL, &dust, "N",
		  "pieces with fewer voxels get no skeleton (default 1000)" },
		{ "quiet", &quiet, NULL, NULL, "no progress and no summary" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix skeletonize LABELS OUT --voxel Z,Y,X",
		.about = "Skeletons of a label volume (multi-page TIFF, .npy or precomputed "
			 "folder) by\n"
			 "TEASAR: OUT/swc (one file a label, nm) and OUT/precomputed "
			 "(Neuroglancer).\n\n"
			 "  fornix skeletonize truth.tif skeletons --voxel 8,8,8\n",
		.options = options,
		.min_words = 2,
		.max_words = 2,
	};
	int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	if (!voxel)
		return cmd_wrong("skeletonize needs --voxel Z,Y,X in nm, e.g. --voxel 8,8,8");
	const struct fx_param params[] = { { "labels", line.words[0] },
					   { "out", line.words[1] },
					   { "voxel", voxel },
					   { "dust", dust } };
	return run_it(params, line.words[1], quiet);
}
