// SPDX-License-Identifier: Apache-2.0
/* writer/swc: write each skeleton as an SWC file. */
#include <fornix/node.h>

#include <stdlib.h>

#include "base/file.h"
#include "formats/outdir.h"
#include "formats/swc.h"

enum { TREES }; /* index into ports[] */

static const char *const units[] = { "nm", "um", "voxel", NULL }; /* as enum fx_swc_unit */

struct swc {
	const char *path; /* options: set before init() */
	int unit;

	struct fx_outdir out; /* owned, from init() to finish() */
};

static const struct fx_port ports[] = {
	[TREES] = { "trees", FX_IN, FX_TREE, 0, 0, false, "one skeleton per segment" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct swc, path), .path = FX_PATH_WRITE,
	  .help = "folder to write, new or an earlier output; one file ID.swc per segment" },
	{ FX_FIELD(struct swc, unit), .def = FX_SWC_NM, .choices = units,
	  .help = "unit of positions and radii, which each file states; um is the habit of "
		  "light microscopy" },
	{ 0 },
};

static bool swc_own(const char *name)
{
	return fx_path_ends(name, ".swc");
}

static int swc_init(struct fx_node *node, void *state)
{
	struct swc *s = state;
	struct fx_error err = { 0 };

	if (fx_returns(node) ? fx_outdir_resume(&s->out, s->path, "swc", &err) < 0 :
			       fx_outdir_begin(&s->out, s->path, "swc", swc_own, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

static int swc_write(struct fx_node *node, struct swc *s, const struct fx_tree *t,
		     struct fx_error *err)
{
	const struct fx_mark *open = fx_opened(node, TREES);
	const double *voxel_nm =
		open && open->voxel_nm[0] > 0 && open->voxel_nm[1] > 0 && open->voxel_nm[2] > 0 ?
			open->voxel_nm :
			NULL;
	char *text;
	size_t size;
	int result;

	if (s->unit == FX_SWC_VOXEL && !voxel_nm)
		return fx_error_set(err, FX_EINVAL,
				    "unit voxel needs a voxel size, which the stream of trees does "
				    "not tell: use nm or um");
	result = fx_swc_format(t, (enum fx_swc_unit)s->unit, voxel_nm, &text, &size, err);
	if (result < 0)
		return result;
	result = fx_outdir_write_number(&s->out, t->segment, ".swc", text, size, err);
	free(text);
	return result;
}

static int swc_process(struct fx_node *node, void *state)
{
	struct swc *s = state;
	struct fx_error err = { 0 };
	struct fx_tree *t = fx_take_tree(node, TREES);
	const int result = swc_write(node, s, t, &err);

	fx_tree_free(t);
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int swc_drain(struct fx_node *node, void *state)
{
	struct swc *s = state;
	struct fx_error err = { 0 };

	return fx_outdir_commit(&s->out, &err) < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int swc_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	struct swc *s = state;
	struct fx_error err = { 0 };

	return fx_outdir_pack(&s->out, to, &err) < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int swc_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct swc *s = state;

	(void)node;
	return fx_outdir_unpack(&s->out, from);
}

static void swc_finish(void *state)
{
	struct swc *s = state;

	fx_outdir_fini(&s->out);
}

FX_NODE(writer_swc) = {
	.abi = FX_NODE_ABI,
	.name = "writer/swc",
	.summary = "write each skeleton as an SWC file",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct swc),
	.init = swc_init,
	.process = swc_process,
	.drain = swc_drain,
	.finish = swc_finish,
	.save = swc_save,
	.load = swc_load,
};
