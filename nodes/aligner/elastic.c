// SPDX-License-Identifier: Apache-2.0
/* aligner/elastic: bends sections onto each other. */
#include <fornix/node.h>

#include "node/aligner.h"

struct elastic {
	struct fx_aligner all; /* first: see aligner.h; owned, from OPEN to finish() */
	double confidence, limit, pull, pull_shape, within, memory, mesh, stiffness,
		rest; /* options: set before init() */
	int patch, grid, reach, references, ahead, patience, hold;
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct elastic, references), .def = 5, .min = 1, .max = 11,
	  .help = "good sections, ever farther away, that a section is registered to" },
	{ FX_FIELD(struct elastic, ahead), .def = 4, .min = 0, .max = 64,
	  .help = "sections that must come before a section is sent" },
	{ FX_FIELD(struct elastic, patience), .def = 3, .min = 2, .max = 1000,
	  .help = "sections in a row that fit nothing before them until they begin anew" },
	{ FX_FIELD(struct elastic, confidence), .def = 0.3, .min = 0, .max = 1,
	  .help = "a section that fits others with less is bad: no reference, placed by others" },
	{ FX_FIELD(struct elastic, limit), .unit = "voxel", .def = 0, .min = 0, .max = 1e6,
	  .help = "a section is at most this far from another on each axis, 0: any" },
	{ FX_FIELD(struct elastic, pull), .def = 0.01, .min = 0, .max = 1,
	  .help = "part of its shift that a section is pulled back by, at most 0.5 voxel" },
	{ FX_FIELD(struct elastic, pull_shape), .def = 0.1, .min = 0, .max = 1,
	  .help = "the same for turn, scale and shear" },
	{ FX_FIELD(struct elastic, patch), .unit = "voxel", .def = 48, .min = 16, .max = 512,
	  .help = "side of the patches that are looked for" },
	{ FX_FIELD(struct elastic, grid), .def = 14, .min = 3, .max = 64,
	  .help = "patches on each axis" },
	{ FX_FIELD(struct elastic, within), .unit = "voxel", .def = 4, .min = 0.1, .max = 100,
	  .help = "a patch this near to the common motion agrees with it" },
	{ FX_FIELD(struct elastic, reach), .unit = "voxel", .def = 8, .min = 4, .max = 64,
	  .help = "a patch is looked for up to this far from where the affine map has it" },
	{ FX_FIELD(struct elastic, mesh), .unit = "voxel", .def = 32, .min = 4, .max = 4096,
	  .help = "distance of the nodes that bend the section" },
	{ FX_FIELD(struct elastic, stiffness), .def = 1, .min = 0, .max = 1e6,
	  .help = "weight of smoothness against one match of a patch" },
	{ FX_FIELD(struct elastic, rest), .def = 0.01, .min = 0, .max = 1e6,
	  .help = "weight of not bending at all, against drift" },
	{ FX_FIELD(struct elastic, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "sections beyond this lie in scratch files" },
	{ FX_FIELD(struct elastic, hold), .def = 64, .min = 1, .max = 4096,
	  .help = "sections that may be incomplete at a time" },
	{ 0 },
};

static int elastic_init(struct fx_node *node, void *state)
{
	struct elastic *s = state;

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
		.elastic = true,
		.reach = s->reach,
		.mesh = s->mesh,
		.stiffness = s->stiffness,
		.rest = s->rest,
		.memory = s->memory * 1048576,
		.hold = s->hold,
	};
	return FX_OK;
}

FX_NODE(aligner_elastic) = {
	.abi = FX_NODE_ABI,
	.name = "aligner/elastic",
	.summary = "bend sections onto each other, each by several before it",
	.ports = fx_aligner_ports,
	.options = options,
	.state_size = sizeof(struct elastic),
	.init = elastic_init,
	.process = fx_aligner_process,
	.mark = fx_aligner_mark,
	.drain = fx_aligner_drain,
	.finish = fx_aligner_finish,
	.save = fx_aligner_save,
	.load = fx_aligner_load,
};
