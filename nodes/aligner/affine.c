// SPDX-License-Identifier: Apache-2.0
/* aligner/affine: shifts, turns, scales and shears sections onto each other. */
#include <fornix/node.h>

#include "node/aligner.h"

struct affine {
	struct fx_aligner all; /* first: see aligner.h; owned, from OPEN to finish() */
	double confidence, limit, pull, pull_shape, within, memory; /* options: set before init() */
	int patch, grid, references, ahead, patience, hold;
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct affine, references), .def = 5, .min = 1, .max = 11,
	  .help = "good sections, ever farther away, that a section is registered to" },
	{ FX_FIELD(struct affine, ahead), .def = 4, .min = 0, .max = 64,
	  .help = "sections that must come before a section is sent" },
	{ FX_FIELD(struct affine, patience), .def = 3, .min = 2, .max = 1000,
	  .help = "sections in a row that fit nothing before them until they begin anew" },
	{ FX_FIELD(struct affine, confidence), .def = 0.3, .min = 0, .max = 1,
	  .help = "a section that fits others with less is bad: no reference, placed by others" },
	{ FX_FIELD(struct affine, limit), .unit = "voxel", .def = 0, .min = 0, .max = 1e6,
	  .help = "a section is at most this far from another on each axis, 0: any" },
	{ FX_FIELD(struct affine, pull), .def = 0.01, .min = 0, .max = 1,
	  .help = "part of its shift that a section is pulled back by, at most 0.5 voxel" },
	{ FX_FIELD(struct affine, pull_shape), .def = 0.1, .min = 0, .max = 1,
	  .help = "the same for turn, scale and shear" },
	{ FX_FIELD(struct affine, patch), .unit = "voxel", .def = 64, .min = 16, .max = 512,
	  .help = "side of the patches that are looked for" },
	{ FX_FIELD(struct affine, grid), .def = 12, .min = 3, .max = 64,
	  .help = "patches on each axis" },
	{ FX_FIELD(struct affine, within), .unit = "voxel", .def = 1.5, .min = 0.1, .max = 100,
	  .help = "a patch this near to the common motion agrees with it" },
	{ FX_FIELD(struct affine, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "sections beyond this lie in scratch files" },
	{ FX_FIELD(struct affine, hold), .def = 64, .min = 1, .max = 4096,
	  .help = "sections that may be incomplete at a time" },
	{ 0 },
};

static int affine_init(struct fx_node *node, void *state)
{
	struct affine *s = state;

	(void)node;
	s->all.how = (struct fx_aligner_how){
		.motion = FX_MOTION_AFFINE,
		.references = s->references,
		.ahead = s->ahead,
		.patience = s->patience,
		.confidence = s->confidence,
		.limit = s->limit,
		.pull = { s->pull_shape, s->pull },
		.patch = s->patch,
		.grid = s->grid,
		.within = s->within,
		.memory = s->memory * 1048576,
		.hold = s->hold,
	};
	return FX_OK;
}

FX_NODE(aligner_affine) = {
	.abi = FX_NODE_ABI,
	.name = "aligner/affine",
	.summary =
		"shift, turn, scale and shear sections onto each other, each by several before it",
	.ports = fx_aligner_ports,
	.options = options,
	.state_size = sizeof(struct affine),
	.init = affine_init,
	.process = fx_aligner_process,
	.mark = fx_aligner_mark,
	.drain = fx_aligner_drain,
	.finish = fx_aligner_finish,
	.save = fx_aligner_save,
	.load = fx_aligner_load,
};
