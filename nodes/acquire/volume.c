// SPDX-License-Identifier: Apache-2.0
/* acquire/volume: read a volume as a stream of sections, also while it is being written. */
#include <fornix/node.h>

#include <string.h>

#include "base/pack.h"
#include "formats/growing.h"
#include "node/bands.h"
#include "node/decided.h"

enum { OUT };							 /* index into ports[] */
enum { IMAGE = FX_IMAGE, PROBABILITY = FX_PROBABILITY, LABELS }; /* index into roles[] */
enum { WHOLE_MAX = 256 << 20, COUNT_MAX = 1 << 20 };

static const char *const roles[] = { "image", "probability", "labels", NULL };

struct volume {
	const char *path, *marker, *complete; /* options: set before init() */
	struct fx_vec voxel;
	double tile, settle, late, silence;
	int role, count;
	bool grows, fill;

	struct fx_growing volume;  /* owned, from init() to finish() */
	struct fx_decided decided; /* owned, with grows: OPEN, MISSING, END */
	struct fx_mark open;	   /* as it was sent; the region's z ends at 0 when not known */
	int64_t z;
	bool opened, waits, rounds; /* the latter: has told that it does */
};

static const struct fx_port ports[] = {
	[OUT] = { "out", FX_OUT, FX_BLOCK, FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F32,
		  1 << FX_IMAGE | 1 << FX_LABELS | 1 << FX_PROBABILITY, false,
		  "sections as tiles, in order" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct volume, path), .path = FX_PATH_READ,
	  .help = "TIFF, .npy, MRC, FILE.h5:/PATH, folder of images, precomputed, Zarr or N5" },
	{ FX_FIELD(struct volume, voxel), .def_str = "8 8 8", .unit = "nm", .min = 1e-3, .max = 1e9,
	  .help = "voxel size z y x, where the file does not tell" },
	{ FX_FIELD(struct volume, role), .choices = roles, .help = "what the voxels mean" },
	{ FX_FIELD(struct volume, tile), .def = 4, .min = 0.001, .max = 64, .unit = "MiB",
	  .help = "most that is sent at once" },
	{ FX_FIELD(struct volume, count), .max = COUNT_MAX, .help = "number of sections; 0: all" },
	{ FX_FIELD(struct volume, grows), .help = "the volume is still being written" },
	{ FX_FIELD(struct volume, settle), .def = 1, .max = 3600, .unit = "s",
	  .help = "with grows: chunks count when they have not changed for this long" },
	{ FX_FIELD(struct volume, late), .def = 60, .max = 1e6, .unit = "s",
	  .help = "with grows: a section is missing when the next chunks have waited this long" },
	{ FX_FIELD(struct volume, silence), .max = 1e7, .unit = "s",
	  .help = "with grows: end when nothing has changed for this long; 0 is never" },
	{ FX_FIELD(struct volume, marker), .path = FX_PATH_NAME, .def_str = "",
	  .help = "with grows: end when a file of this name appears in the folder" },
	{ FX_FIELD(struct volume, complete), .def_str = "",
	  .help = "with grows: attribute of the volume that counts its complete sections" },
	{ FX_FIELD(struct volume, fill), .help = "with grows: no chunk is missing, but empty" },
	{ 0 },
};

/* The stream as the volume has it, once that is open. */
static int volume_describe(struct fx_node *node, struct volume *s)
{
	const struct fx_volume *v = &s->volume.file;

	if (s->role == LABELS && v->dtype == FX_F32)
		return fx_fail(node, FX_ETYPE, "%s has f32 voxels, not labels", s->path);
	s->open = (struct fx_mark){ .kind = FX_MARK_OPEN, .dtype = v->dtype };
	for (int a = 0; a < 3; a++) {
		s->open.voxel_nm[a] = v->voxel_nm[a] > 0 ? v->voxel_nm[a] : s->voxel.v[a];
		s->open.region.hi[a] = (int64_t)v->shape[a];
	}
	if (s->grows || (s->count && s->count < s->open.region.hi[0]))
		s->open.region.hi[0] = s->count;
	return FX_OK;
}

static int volume_init(struct fx_node *node, void *state)
{
	struct volume *s = state;
	struct fx_error err = { 0 };

	s->volume = (struct fx_growing){ .path = s->path,
					 .marker = s->marker,
					 .attribute = s->complete,
					 .settle = s->settle,
					 .late = s->late,
					 .silence = s->silence,
					 .count = s->count,
					 .grows = s->grows,
					 .fill = s->fill };
	if (fx_growing_start(&s->volume, &err) < 0)
		return fx_fail_error(node, &err);
	return s->grows ? fx_decided_open(&s->decided, node) : volume_describe(node, s);
}

static int volume_mark(struct fx_node *node, const struct volume *s, enum fx_mark_kind kind,
		       const char *reason)
{
	struct fx_mark m = s->open;

	m.kind = kind;
	if (kind != FX_MARK_OPEN) {
		m.region.lo[0] = s->z;
		m.region.hi[0] = s->z + 1;
	}
	strncpy(m.reason, reason, sizeof m.reason - 1);
	return fx_send_mark(node, OUT, &m);
}

/* A section that will not come; while it grows, that is written down first. */
static int volume_missing(struct fx_node *node, struct volume *s, const char *reason)
{
	struct fx_mark m = { .kind = FX_MARK_MISSING, .region.lo[0] = s->z };

	strncpy(m.reason, reason, sizeof m.reason - 1);
	if (s->grows && fx_decided_add(&s->decided, node, &m) < 0)
		return FX_EIO;
	return volume_mark(node, s, FX_MARK_MISSING, m.reason);
}

static int volume_band(struct fx_node *node, const struct volume *s, const struct fx_block *band)
{
	struct fx_bands b = { .role = s->role == LABELS ? FX_LABELS : (enum fx_role)s->role,
			      .dtype = s->open.dtype,
			      .z = s->z,
			      .y = band->origin[1],
			      .height = band->shape[1],
			      .width = band->shape[2],
			      .voxels = band->data };

	memcpy(b.voxel_nm, s->open.voxel_nm, sizeof b.voxel_nm);
	return fx_bands_send(node, OUT, &b, s->tile);
}

/* In bands, mostly one. If that cannot be read, the section is missing; later ones end the run. */
static int volume_section(struct fx_node *node, struct volume *s)
{
	struct fx_volume *v = &s->volume.file;
	const size_t row_size = v->shape[2] * fx_dtype_size(v->dtype);
	const int64_t rows = (int64_t)(WHOLE_MAX / row_size ? WHOLE_MAX / row_size : 1);
	const int64_t height = (int64_t)v->shape[1];
	struct fx_region r = { { s->z, 0, 0 }, { s->z + 1, 0, (int64_t)v->shape[2] } };
	struct fx_error err = { 0 };
	struct fx_block *band = NULL;
	int result = FX_OK;

	for (; result == FX_OK && r.lo[1] < height; r.lo[1] = r.hi[1]) {
		r.hi[1] = r.lo[1] + rows < height ? r.lo[1] + rows : height;
		result = fx_volume_read(v, r, &band, &err);
		if (result < 0 && r.lo[1] == 0 && result != FX_ENOMEM)
			return volume_missing(node, s, err.text);
		if (result < 0)
			return fx_fail_error(node, &err);
		if (v->rounded && !s->rounds)
			fx_warn(node, "%s: voxels of float64 become the nearest f32", s->path);
		s->rounds = v->rounded;
		result = volume_band(node, s, band);
		fx_block_free(band);
	}
	return result == FX_OK ? volume_mark(node, s, FX_MARK_DONE, "") : result;
}

/* Opens the stream as a former life did, or as the volume is, once it can be opened. */
static int volume_start(struct fx_node *node, struct volume *s)
{
	struct fx_error err = { 0 };
	int result = s->grows ? fx_decided_peek(&s->decided, node, &s->open) : FX_OK;

	if (result == FX_END) {
		result = fx_growing_look(&s->volume, 0, &err);
		if (result < 0 && result != FX_ENOENT)
			return fx_fail_error(node, &err);
		if (!s->volume.open && !s->waits)
			fx_warn(node, "waits for a volume; now: %s", s->volume.why.text);
		s->waits = true;
		if (!s->volume.open)
			return FX_IDLE;
		result = volume_describe(node, s);
		if (result == FX_OK)
			result = fx_decided_add(&s->decided, node, &s->open);
		s->decided.next--;
	}
	if (result < 0)
		return result;
	s->decided.next += s->grows;
	s->opened = true;
	return volume_mark(node, s, FX_MARK_OPEN, "");
}

/* What a former life decided of section z; FX_END: it ended here, FX_IDLE: it did not say. */
static int volume_former(struct fx_node *node, struct volume *s)
{
	struct fx_mark m;
	int result = s->grows ? fx_decided_peek(&s->decided, node, &m) : FX_END;

	if (result == FX_END || (result == FX_OK && m.region.lo[0] != s->z))
		return FX_IDLE;
	if (result < 0 || m.kind == FX_MARK_END)
		return result < 0 ? result : FX_END;
	s->decided.next++;
	result = volume_mark(node, s, FX_MARK_MISSING, m.reason);
	s->z++;
	return result;
}

static int volume_process(struct fx_node *node, void *state)
{
	struct volume *s = state;
	const struct fx_volume *v = &s->volume.file;
	const int64_t *hi = s->open.region.hi;
	struct fx_error err = { 0 };
	int result;

	if (fx_stopping(node))
		return FX_END;
	if (!s->opened)
		return volume_start(node, s);
	result = volume_former(node, s);
	if (result != FX_IDLE)
		return result;
	result = fx_growing_look(&s->volume, s->z, &err);
	if (result == FX_IDLE || result == FX_END)
		return result;
	if (result == FX_OK && (v->dtype != s->open.dtype || (int64_t)v->shape[1] != hi[1] ||
				(int64_t)v->shape[2] != hi[2]))
		return fx_fail(node, FX_ETYPE, "%s has become another volume", s->path);
	if (result == FX_OK)
		result = volume_section(node, s);
	else if (result == FX_ENOENT)
		result = volume_missing(node, s, err.text);
	else
		result = fx_fail_error(node, &err);
	s->z++;
	return result;
}

/* Where the stream ended: what comes later does not count. */
static int volume_drain(struct fx_node *node, void *state)
{
	struct volume *s = state;
	const struct fx_mark end = { .kind = FX_MARK_END, .region.lo[0] = s->z };
	struct fx_mark m;
	const int result = s->grows && s->opened ? fx_decided_peek(&s->decided, node, &m) : FX_OK;

	return result == FX_END ? fx_decided_add(&s->decided, node, &end) : result;
}

static int volume_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct volume *s = state;

	(void)node;
	fx_pack_bool(to, s->opened);
	fx_pack_put(to, &s->z, sizeof s->z);
	return FX_OK;
}

static int volume_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct volume *s = state;
	struct fx_mark m;

	if (fx_unpack_bool(from, &s->opened) < 0 || fx_unpack_get(from, &s->z, sizeof s->z) < 0 ||
	    s->z < 0 || (!s->grows && s->z > s->open.region.hi[0]))
		return FX_ETYPE;
	if (!s->grows || !s->opened)
		return FX_OK;
	if (fx_decided_peek(&s->decided, node, &s->open) != FX_OK)
		return FX_ETYPE;
	s->decided.next++;
	while (fx_decided_peek(&s->decided, node, &m) == FX_OK && m.region.lo[0] < s->z)
		s->decided.next++;
	return FX_OK;
}

static void volume_finish(void *state)
{
	struct volume *s = state;

	fx_growing_fini(&s->volume);
	fx_decided_close(&s->decided);
}

FX_NODE(acquire_volume) = {
	.abi = FX_NODE_ABI,
	.name = "acquire/volume",
	.summary = "read a volume (TIFF, npy, HDF5, precomputed, Zarr, N5), also while it grows",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct volume),
	.init = volume_init,
	.process = volume_process,
	.drain = volume_drain,
	.finish = volume_finish,
	.save = volume_save,
	.load = volume_load,
};
