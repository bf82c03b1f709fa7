// SPDX-License-Identifier: Apache-2.0
/* acquire/volume: read a volume file (TIFF, npy, precomputed) as a stream of sections. */
#include <fornix/node.h>

#include <string.h>

#include "formats/volume.h"
#include "node/bands.h"

enum { OUT };		/* index into ports[] */
enum { IMAGE, LABELS }; /* index into roles[] */
enum { WHOLE_MAX = 256 << 20 };

static const char *const roles[] = { "image", "labels", NULL };

struct volume {
	const char *path; /* options: set before init() */
	struct fx_vec voxel;
	int role;
	double tile;

	struct fx_volume file; /* owned, from init() to finish() */
	double voxel_nm[3];
	int64_t z;
	bool opened;
};

static const struct fx_port ports[] = {
	[OUT] = { "out", FX_OUT, FX_BLOCK, FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F32,
		  1 << FX_IMAGE | 1 << FX_LABELS, false, "sections as tiles, in order" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct volume, path), .path = FX_PATH_READ,
	  .help = "multi-page TIFF, .npy file or folder with a precomputed volume" },
	{ FX_FIELD(struct volume, voxel), .def_str = "8 8 8", .unit = "nm", .min = 1e-3, .max = 1e9,
	  .help = "voxel size z y x, where the file does not tell" },
	{ FX_FIELD(struct volume, role), .def = IMAGE, .choices = roles,
	  .help = "what the voxels mean" },
	{ FX_FIELD(struct volume, tile), .def = 4, .min = 0.001, .max = 64, .unit = "MiB",
	  .help = "most that is sent at once" },
	{ 0 },
};

static int volume_init(struct fx_node *node, void *state)
{
	struct volume *s = state;
	struct fx_error err = { 0 };

	if (fx_volume_open(s->path, &s->file, &err) < 0)
		return fx_fail_error(node, &err);
	if (s->role == LABELS && s->file.dtype == FX_F32)
		return fx_fail(node, FX_ETYPE, "%s has f32 voxels, which cannot be labels",
			       s->path);
	for (int a = 0; a < 3; a++)
		s->voxel_nm[a] = s->file.voxel_nm[a] > 0 ? s->file.voxel_nm[a] : s->voxel.v[a];
	return FX_OK;
}

static int volume_mark(struct fx_node *node, const struct volume *s, enum fx_mark_kind kind,
		       const char *reason)
{
	struct fx_mark m = { .kind = kind, .dtype = s->file.dtype };

	for (int a = 0; a < 3; a++)
		m.region.hi[a] = (int64_t)s->file.shape[a];
	if (kind != FX_MARK_OPEN) {
		m.region.lo[0] = s->z;
		m.region.hi[0] = s->z + 1;
	}
	memcpy(m.voxel_nm, s->voxel_nm, sizeof m.voxel_nm);
	strncpy(m.reason, reason, sizeof m.reason - 1);
	return fx_send_mark(node, OUT, &m);
}

static int volume_band(struct fx_node *node, const struct volume *s, const struct fx_block *band)
{
	struct fx_bands b = { .role = s->role == LABELS ? FX_LABELS : FX_IMAGE,
			      .dtype = s->file.dtype,
			      .z = s->z,
			      .y = band->origin[1],
			      .height = band->shape[1],
			      .width = band->shape[2],
			      .voxels = band->data };

	memcpy(b.voxel_nm, s->voxel_nm, sizeof b.voxel_nm);
	return fx_bands_send(node, OUT, &b, s->tile);
}

/* A section is read in bands; one band mostly. A first band that fails is a missing section; a
 * later one, with part of the section already sent, ends the run. */
static int volume_section(struct fx_node *node, struct volume *s)
{
	const size_t row_size = s->file.shape[2] * fx_dtype_size(s->file.dtype);
	const int64_t rows = (int64_t)(WHOLE_MAX / row_size ? WHOLE_MAX / row_size : 1);
	const int64_t height = (int64_t)s->file.shape[1];
	struct fx_region r = { { s->z, 0, 0 }, { s->z + 1, 0, (int64_t)s->file.shape[2] } };
	struct fx_error err = { 0 };
	struct fx_block *band = NULL;
	int result = FX_OK;

	for (; result == FX_OK && r.lo[1] < height; r.lo[1] = r.hi[1]) {
		r.hi[1] = r.lo[1] + rows < height ? r.lo[1] + rows : height;
		result = fx_volume_read(&s->file, r, &band, &err);
		if (result < 0 && r.lo[1] == 0 && result != FX_ENOMEM)
			return volume_mark(node, s, FX_MARK_MISSING, err.text);
		if (result < 0)
			return fx_fail_error(node, &err);
		result = volume_band(node, s, band);
		fx_block_free(band);
	}
	return result == FX_OK ? volume_mark(node, s, FX_MARK_DONE, "") : result;
}

static int volume_process(struct fx_node *node, void *state)
{
	struct volume *s = state;
	int result = FX_OK;

	if (fx_stopping(node) || s->z >= (int64_t)s->file.shape[0])
		return FX_END;
	if (!s->opened)
		result = volume_mark(node, s, FX_MARK_OPEN, "");
	s->opened = true;
	if (result == FX_OK)
		result = volume_section(node, s);
	s->z++;
	return result;
}

static int volume_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct volume *s = state;

	(void)node;
	fx_pack_put(to, &s->z, sizeof s->z);
	return FX_OK;
}

static int volume_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct volume *s = state;

	(void)node;
	if (fx_unpack_get(from, &s->z, sizeof s->z) < 0 || s->z < 0 ||
	    s->z > (int64_t)s->file.shape[0])
		return FX_ETYPE;
	s->opened = s->z > 0;
	return FX_OK;
}

static void volume_finish(void *state)
{
	struct volume *s = state;

	fx_volume_close(&s->file);
}

FX_NODE(acquire_volume) = {
	.abi = FX_NODE_ABI,
	.name = "acquire/volume",
	.summary = "read a volume file (TIFF, npy, precomputed) as a stream of sections",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct volume),
	.init = volume_init,
	.process = volume_process,
	.finish = volume_finish,
	.save = volume_save,
	.load = volume_load,
};
