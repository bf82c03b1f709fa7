// SPDX-License-Identifier: Apache-2.0
/* writer/precomputed: write an image, labels or skeletons for Neuroglancer. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "formats/chunkwriter.h"
#include "formats/outdir.h"
#include "formats/skeleton.h"

enum { IMAGE, LABELS, TREES, INPUTS }; /* index into ports[] */

/* What the provenance file calls the output of each input. */
static const char *const kinds[INPUTS] = { "image", "segmentation", "skeletons" };

struct precomputed {
	const char *path, *skeletons; /* options: set before init() */
	struct fx_vec chunk;

	unsigned input;		      /* the connected one */
	struct fx_outdir out;	      /* owned, from init() to finish() */
	struct fx_chunkwriter writer; /* owned, from the first block to finish() */
	struct fx_final_ids final;    /* owned */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_F32,
		    1 << FX_IMAGE | 1 << FX_PROBABILITY | 1 << FX_MASK, true,
		    "an image, in blocks of one size" },
	[LABELS] = { "labels", FX_IN, FX_BLOCK | FX_RECORD, FX_U16 | FX_U32 | FX_U64,
		     1 << FX_LABELS, true, "labels, and the records with their final ids" },
	[TREES] = { "trees", FX_IN, FX_TREE, 0, 0, true, "one skeleton per segment" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct precomputed, path), .path = FX_PATH_WRITE,
	  .help = "folder to write, new or an earlier output" },
	{ FX_FIELD(struct precomputed, chunk), .def_str = "64 64 64", .unit = "voxel", .min = 1,
	  .max = 1024,
	  .help = "size z y x of the files of a volume; that of the blocks where it does not "
		  "divide them" },
	{ FX_FIELD(struct precomputed, skeletons), .def_str = "",
	  .help = "with labels: folder of their skeletons, relative to path, to be named in info" },
	{ 0 },
};

/* Names in an output folder: folders of chunks as 8_8_8, skeletons as 17. */
static bool precomputed_own(const char *name)
{
	return name[strspn(name, "0123456789._e+-")] == 0;
}

static int precomputed_init(struct fx_node *node, void *state)
{
	struct precomputed *s = state;
	struct fx_error err = { 0 };
	unsigned connected = 0;

	for (unsigned i = 0; i < INPUTS; i++)
		if (fx_connected(node, i)) {
			s->input = i;
			connected++;
		}
	if (connected != 1)
		return fx_fail(node, FX_EINVAL,
			       "%u of the inputs image, labels, trees are connected; each "
			       "writer/precomputed takes exactly one",
			       connected);
	if (fx_returns(node) ?
		    fx_outdir_resume(&s->out, s->path, kinds[s->input], &err) < 0 :
		    fx_outdir_begin(&s->out, s->path, kinds[s->input], precomputed_own, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

/* What the writer of chunks is told at its start. */
static struct fx_region precomputed_where(const struct fx_node *node, const struct precomputed *s,
					  size_t chunk[3])
{
	const struct fx_mark *open = fx_opened(node, s->input);

	for (int a = 0; a < 3; a++)
		chunk[a] = (size_t)s->chunk.v[a];
	return open ? open->region : (struct fx_region){ 0 };
}

static int precomputed_start(struct fx_node *node, struct precomputed *s, const struct fx_block *b,
			     struct fx_error *err)
{
	const bool labels = s->input == LABELS;
	size_t chunk[3];
	const struct fx_region extent = precomputed_where(node, s, chunk);

	return fx_chunkwriter_start(&s->writer, labels ? FX_LABELS : FX_IMAGE, b, extent, chunk,
				    labels ? fx_state_dir(node) : NULL, &s->out, err);
}

static int precomputed_block(struct fx_node *node, struct precomputed *s, struct fx_error *err)
{
	struct fx_block *b = fx_take(node, s->input);
	int result = FX_OK;

	if (!s->writer.started)
		result = precomputed_start(node, s, b, err);
	if (result == FX_OK)
		result = fx_chunkwriter_add(&s->writer, b, &s->out, err);
	fx_block_free(b);
	return result;
}

static int precomputed_record(struct fx_node *node, struct precomputed *s, struct fx_error *err)
{
	struct fx_record *r = fx_take_record(node, LABELS);
	const int result = fx_final_ids_take(&s->final, r, err);

	fx_record_free(r);
	return result;
}

static int precomputed_tree(struct fx_node *node, struct precomputed *s, struct fx_error *err)
{
	struct fx_tree *t = fx_take_tree(node, TREES);
	void *bytes;
	size_t size;
	int result = fx_skeleton_encode(t, &bytes, &size, err);

	if (result == FX_OK) {
		result = fx_outdir_write_number(&s->out, t->segment, "", bytes, size, err);
		free(bytes);
	}
	fx_tree_free(t);
	return result;
}

static int precomputed_process(struct fx_node *node, void *state)
{
	struct precomputed *s = state;
	struct fx_error err = { 0 };
	int result = FX_OK;

	switch (fx_waiting(node, s->input)) {
	case FX_BLOCK:
		result = precomputed_block(node, s, &err);
		break;
	case FX_RECORD:
		result = precomputed_record(node, s, &err);
		break;
	case FX_TREE:
		result = precomputed_tree(node, s, &err);
		break;
	case FX_NOTHING:
		break;
	}
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int precomputed_info(struct precomputed *s, struct fx_error *err)
{
	char *text;
	int result;

	if (s->input != TREES)
		return fx_chunkwriter_finish(&s->writer, &s->final,
					     s->skeletons[0] ? s->skeletons : NULL, &s->out, err);
	text = fx_skeleton_info();
	if (!text)
		return fx_error_set(err, FX_ENOMEM, "no memory for the info file");
	result = fx_outdir_write(&s->out, "info", text, strlen(text), true, err);
	free(text);
	return result;
}

static int precomputed_drain(struct fx_node *node, void *state)
{
	struct precomputed *s = state;
	struct fx_error err = { 0 };

	if (s->input != TREES && !s->writer.started) {
		fx_warn(node, "no block came: %s is not written", s->path);
		return FX_OK;
	}
	if (precomputed_info(s, &err) < 0 || fx_outdir_commit(&s->out, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

static int precomputed_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	struct precomputed *s = state;
	struct fx_error err = { 0 };

	if (fx_final_ids_pack(&s->final, to) < 0)
		return fx_fail(node, FX_ENOMEM, "no memory to save final ids");
	if (fx_outdir_pack(&s->out, to, &err) < 0 || fx_chunkwriter_pack(&s->writer, to, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

static int precomputed_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct precomputed *s = state;
	struct fx_error err = { 0 };
	size_t chunk[3];
	const struct fx_region extent = precomputed_where(node, s, chunk);

	if (fx_final_ids_unpack(&s->final, from) < 0 || fx_outdir_unpack(&s->out, from) < 0)
		return FX_ETYPE;
	if (fx_chunkwriter_unpack(&s->writer, s->input == LABELS ? FX_LABELS : FX_IMAGE, extent,
				  chunk, fx_state_dir(node), &s->out, from, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

static void precomputed_finish(void *state)
{
	struct precomputed *s = state;

	fx_chunkwriter_fini(&s->writer);
	fx_outdir_fini(&s->out);
	fx_final_ids_fini(&s->final);
}

FX_NODE(writer_precomputed) = {
	.abi = FX_NODE_ABI,
	.name = "writer/precomputed",
	.summary = "write an image, labels or skeletons for Neuroglancer",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct precomputed),
	.init = precomputed_init,
	.process = precomputed_process,
	.drain = precomputed_drain,
	.finish = precomputed_finish,
	.save = precomputed_save,
	.load = precomputed_load,
};
