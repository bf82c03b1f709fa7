// SPDX-License-Identifier: Apache-2.0
/* fake_types.h: a few node types for tests of graphs: tables without code. */
#ifndef FX_TESTS_FAKE_TYPES_H
#define FX_TESTS_FAKE_TYPES_H

#include <fornix/node.h>

#include "graph/registry.h"

struct fake_state {
	int count, mode;
	double low, length;
	bool clip;
	const char *path;
	struct fx_vec block;
};

enum { FAKE_IMAGE = 1 << FX_IMAGE, FAKE_PROBABILITY = 1 << FX_PROBABILITY };

static const char *const fake_modes[] = { "volume", "slice", NULL };

static const struct fx_port fake_read_ports[] = {
	{ "image", FX_OUT, FX_BLOCK, FX_U8 | FX_U16, FAKE_IMAGE, false, "sections" },
	{ 0 },
};
static const struct fx_option fake_read_options[] = {
	{ FX_FIELD(struct fake_state, path), .help = "folder to read" },
	{ 0 },
};
static const struct fx_port fake_even_ports[] = {
	{ "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16, FAKE_IMAGE, false, "raw intensities" },
	{ "out", FX_OUT, FX_BLOCK, FX_U8, FAKE_IMAGE, false, "even intensities" },
	{ 0 },
};
static const struct fx_option fake_even_options[] = {
	{ FX_FIELD(struct fake_state, low), .def = 1, .max = 100, .unit = "%", .help = "black" },
	{ FX_FIELD(struct fake_state, mode), .choices = fake_modes, .help = "what is evened" },
	{ FX_FIELD(struct fake_state, block), .def_str = "8 8 8", .unit = "nm", .help = "size" },
	{ 0 },
};
static const struct fx_port fake_split_ports[] = {
	{ "image", FX_IN, FX_BLOCK, FX_U8, FAKE_IMAGE, false, "an image" },
	{ "labels", FX_OUT, FX_BLOCK, FX_U32, 1 << FX_LABELS, false, "segments" },
	{ 0 },
};
static const struct fx_option fake_split_options[] = {
	{ FX_FIELD(struct fake_state, length), .unit = "nm", .help = "least distance" },
	{ 0 },
};
static const struct fx_port fake_border_ports[] = {
	{ "boundary", FX_IN, FX_BLOCK, FX_F32, FAKE_PROBABILITY, false, "membranes" },
	{ "labels", FX_OUT, FX_BLOCK, FX_U32, 1 << FX_LABELS, false, "segments" },
	{ 0 },
};
static const struct fx_port fake_score_ports[] = {
	{ "labels", FX_IN, FX_BLOCK | FX_RECORD, FX_U32, 1 << FX_LABELS, false, "segments" },
	{ "truth", FX_IN, FX_BLOCK, FX_U32, 1 << FX_LABELS, true, "true segments" },
	{ "scores", FX_OUT, FX_RECORD, 0, 0, false, "scores" },
	{ 0 },
};
static const struct fx_port fake_write_ports[] = {
	{ "labels", FX_IN, FX_BLOCK, FX_U32, 0, true, "segments" },
	{ "scores", FX_IN, FX_RECORD, 0, 0, true, "scores" },
	{ 0 },
};
static const struct fx_port fake_truth_ports[] = {
	{ "labels", FX_OUT, FX_BLOCK, FX_U32, 1 << FX_LABELS, false, "true segments" },
	{ 0 },
};

static const struct fx_port fake_mask_ports[] = {
	{ "mask", FX_OUT, FX_BLOCK, FX_U32, 1 << FX_MASK, false, "a mask" },
	{ 0 },
};

static const struct fx_node_type fake_types[] = {
	{ .abi = FX_NODE_ABI,
	  .name = "acquire/fake",
	  .summary = "read sections",
	  .ports = fake_read_ports,
	  .options = fake_read_options,
	  .state_size = sizeof(struct fake_state) },
	{ .abi = FX_NODE_ABI,
	  .name = "normalizer/fake",
	  .summary = "make even",
	  .ports = fake_even_ports,
	  .options = fake_even_options,
	  .state_size = sizeof(struct fake_state),
	  .stateless = true },
	{ .abi = FX_NODE_ABI,
	  .name = "segmenter/fake",
	  .summary = "split",
	  .ports = fake_split_ports,
	  .options = fake_split_options,
	  .state_size = sizeof(struct fake_state),
	  .stateless = true },
	{ .abi = FX_NODE_ABI,
	  .name = "segmenter/border",
	  .summary = "split at borders",
	  .ports = fake_border_ports,
	  .stateless = true },
	{ .abi = FX_NODE_ABI,
	  .name = "scorer/fake",
	  .summary = "score",
	  .ports = fake_score_ports,
	  .keys = FX_KEY_REGION | FX_KEY_ID },
	{ .abi = FX_NODE_ABI,
	  .name = "writer/fake",
	  .summary = "write",
	  .ports = fake_write_ports,
	  .options = fake_read_options,
	  .state_size = sizeof(struct fake_state) },
	{ .abi = FX_NODE_ABI,
	  .name = "acquire/mask",
	  .summary = "read a mask",
	  .ports = fake_mask_ports },
	{ .abi = FX_NODE_ABI,
	  .name = "acquire/truth",
	  .summary = "read segments",
	  .ports = fake_truth_ports },
};

/** A registry of the types above. fx_registry_free(). */
static inline struct fx_registry *fake_registry(void)
{
	const struct fx_node_type *list[sizeof fake_types / sizeof *fake_types + 1] = { 0 };

	for (size_t i = 0; i < sizeof fake_types / sizeof *fake_types; i++)
		list[i] = &fake_types[i];
	return fx_registry_new(list, NULL);
}

#endif
