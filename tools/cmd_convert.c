// SPDX-License-Identifier: Apache-2.0
/* cmd_convert.c: fornix convert. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cmd.h"
#include "convert.h"

bool convert_numbers(const char *name, const char *text, double lo, double hi, double *out, int len)
{
	const char *at = text;

	for (int i = 0; i < len; i++) {
		char *end;

		out[i] = strtod(at, &end);
		if (end == at || *end != (i + 1 < len ? ',' : '\0') || !(out[i] >= lo) ||
		    !(out[i] <= hi)) {
			cmd_wrong("--%s is %s: %s from %g to %g expected", name, text,
				  len == 1 ? "a number" : "three numbers z,y,x", lo, hi);
			return false;
		}
		at = end + 1;
	}
	return true;
}

static const char about[] =
	"Converts a volume. IN is a TIFF, a folder of PNG or TIFF sections, .npy, MRC, "
	"FILE.h5:/PATH,\n"
	"or a folder that is precomputed, Zarr or N5. What OUT is, its ending tells (.zarr .h5 "
	".tif\n"
	".npy) or --to: zarr (OME-Zarr 0.4), zarr3 (0.5), precomputed, hdf5, tiff, png, npy. "
	"Voxels\n"
	"pass through in parts, so that a volume larger than memory converts; OUT appears when it "
	"is\n"
	"whole. Triples are z,y,x.\n\n"
	"  fornix convert sections.tif volume.zarr --voxel 40,8,8\n"
	"  fornix convert volume.zarr labels --to precomputed --role labels --sharded\n\n"
	"Converts skeletons: IN is .swc, a folder of them, .nml, or a folder of precomputed "
	"skeletons;\n"
	"OUT is .swc (all in one), .nml, or with --to a folder: swc, skeletons (precomputed).\n\n"
	"  fornix convert traced.nml skeletons --to swc --unit um\n\n"
	"Makes a model of a TensorFlow checkpoint with --arch; fornix convert --arch ffn --help.\n";

/* With --arch, or to a model file, it is about models, whose options are others. */
static bool is_model(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (fx_path_ends(argv[i], ".safetensors") ||
		    (strncmp(argv[i], "--arch", 6) == 0 && (!argv[i][6] || argv[i][6] == '=')))
			return true;
	return false;
}

int cmd_convert(int argc, char **argv)
{
	struct convert c = { 0 };
	const struct cmd_option options[] = {
		{ "to", NULL, &c.kind, "FORMAT", "what OUT is, where its name does not tell" },
		{ "voxel", NULL, &c.voxel, "Z,Y,X", "voxel size in nm, in place of the input's" },
		{ "offset", NULL, &c.offset, "Z,Y,X", "place of the first voxel, in voxels" },
		{ "role", NULL, &c.role, "ROLE",
		  "image or labels (labels where IN says so, or "
		  "for u32 and u64)" },
		{ "dtype", NULL, &c.dtype, "TYPE", "u8 u16 u32 u64 f32, where no voxel changes" },
		{ "levels", NULL, &c.levels, "N", "of a pyramid; 1 is none (until one chunk)" },
		{ "chunk", NULL, &c.chunk, "Z,Y,X", "voxels of a chunk (64,64,64)" },
		{ "codec", NULL, &c.codec, "NAME", "how voxels are compressed" },
		{ "sharded", &c.sharded, NULL, NULL, "zarr3, precomputed: many chunks in a file" },
		{ "shard", NULL, &c.shard, "Z,Y,X", "zarr3: voxels of such a file (8 chunks)" },
		{ "memory", NULL, &c.memory, "MIB", "voxels held at once (1024)" },
		{ "unit", NULL, &c.unit, "UNIT",
		  "SWC: nm, um or voxel, which the file states (nm)" },
		{ "from-unit", NULL, &c.from_unit, "UNIT",
		  "SWC that does not state its unit: nm, um or voxel (um)" },
		{ "name", NULL, &c.name, "NAME", "NML: the data set that the trees lie in" },
		{ "force", &c.force, NULL, NULL, "replace OUT when it is there" },
		{ "quiet", &c.quiet, NULL, NULL, "say nothing but errors" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix convert IN OUT [--to FORMAT] [--voxel Z,Y,X] ...",
		.about = about,
		.options = options,
		.min_words = 2,
		.max_words = 2,
	};
	int result;

	if (is_model(argc, argv))
		return convert_model(argc, argv);
	result = cmd_parse(&line, argc, argv);
	if (result != CMD_GO)
		return result;
	c.from = line.words[0];
	c.to = line.words[1];
	return convert_is_trees(&c) ? convert_trees(&c) : convert_volume(&c);
}
