// SPDX-License-Identifier: Apache-2.0
/* convert_model.c: fornix convert, a checkpoint to a model. */
#include "convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "formats/ffnimport.h"

static bool read_sizes(const char *name, const char *text, size_t out[3])
{
	double v[3];

	if (!convert_numbers(name, text, 0, 1e6, v, 3))
		return false;
	for (int i = 0; i < 3; i++)
		out[i] = (size_t)v[i];
	return true;
}

/* Writes the model, and reads it again as a node will, which checks its constants. */
static int write_model(const struct fx_ffn_model *m, const char *path, const char *source)
{
	struct fx_ffn_model back = { 0 };
	struct fx_error err = { 0 };

	if (fx_ffn_model_write(m, path, source, &err) != FX_OK)
		return cmd_failed("%s", err.text);
	if (fx_ffn_model_read(&back, path, &err) != FX_OK) {
		remove(path);
		return cmd_failed("%s", err.text);
	}
	printf("%s: %zu modules of %zu features, field of view %zu,%zu,%zu, moves %zu,%zu,%zu\n",
	       path, back.depth, back.features, back.fov[0], back.fov[1], back.fov[2],
	       back.deltas[0], back.deltas[1], back.deltas[2]);
	fx_ffn_model_fini(&back);
	return CMD_DONE;
}

static int convert(struct fx_ffn_model *m, const char *from, const char *to)
{
	struct fx_tf_checkpoint c = { 0 };
	struct fx_error err = { 0 };
	int result = fx_tf_open(&c, from, &err);

	if (result == FX_OK)
		result = fx_ffn_import(m, &c, &err);
	fx_tf_fini(&c);
	return result == FX_OK ? write_model(m, to, from) : cmd_wrong("%s", err.text);
}

int convert_model(int argc, char **argv)
{
	const char *arch = NULL, *fov = "33,33,33", *deltas = "8,8,8", *mean = "128",
		   *stddev = "33", *voxel = "0,0,0";
	const struct cmd_option options[] = {
		{ "arch", NULL, &arch, "ARCH", "architecture; there is ffn" },
		{ "fov", NULL, &fov, "Z,Y,X", "field of view (33,33,33)" },
		{ "deltas", NULL, &deltas, "Z,Y,X", "how far it moves (8,8,8)" },
		{ "mean", NULL, &mean, "V", "grey value that is 0 to the network (128)" },
		{ "stddev", NULL, &stddev, "V", "grey values that are 1 to it (33)" },
		{ "voxel", NULL, &voxel, "Z,Y,X", "nm of the voxels it was trained on" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage =
			"fornix convert CHECKPOINT OUT.safetensors --arch ffn [--fov 33,33,33] ...",
		.about = "Converts the weights of a TensorFlow V2 checkpoint (CHECKPOINT.index, "
			 "CHECKPOINT.data-*)\n"
			 "into a model file. What a checkpoint does not tell are options; triples "
			 "are z,y,x,\n"
			 "while the settings of google/ffn are x,y,z.\n\n"
			 "  fornix convert model.ckpt-27465036 fib25.safetensors --arch ffn "
			 "--voxel 8,8,8\n",
		.options = options,
		.min_words = 2,
		.max_words = 2,
	};
	struct fx_ffn_model m = { 0 };
	int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	if (!arch || strcmp(arch, "ffn") != 0)
		return cmd_wrong("--arch is %s: there is ffn", arch ? arch : "missing");
	if (!read_sizes("fov", fov, m.fov) || !read_sizes("deltas", deltas, m.deltas) ||
	    !convert_numbers("mean", mean, 0, 1e6, &m.mean, 1) ||
	    !convert_numbers("stddev", stddev, 0, 1e6, &m.stddev, 1) ||
	    !convert_numbers("voxel", voxel, 0, 1e6, m.voxel_nm, 3))
		return CMD_WRONG;
	result = convert(&m, line.words[0], line.words[1]);
	fx_ffn_model_fini(&m);
	return result;
}
