// SPDX-License-Identifier: Apache-2.0
/* writer/volume: write an image or labels as OME-Zarr, HDF5, TIFF, PNG, .npy or precomputed. */
#include <fornix/node.h>

#include <string.h>

#include "formats/volume_copy.h"
#include "formats/voxelstore.h"

enum { IMAGE, LABELS, INPUTS }; /* index into ports[] */

struct volume {
	const char *path, *dataset, *codec; /* options: set before init() */
	int format, dtype, levels;
	struct fx_vec chunk, shard;
	double memory;
	bool sharded, replace;

	unsigned input;		      /* the connected one */
	struct fx_volume_write write; /* owned, from init() to finish() */
	struct fx_voxelstore voxels;  /* owned: what came */
	struct fx_final_ids final;    /* owned */
	bool checked;		      /* that the format holds voxels of this type */
};

/* What drain() tells of. */
struct volume_drain {
	struct fx_node *node;
	const char *unit;
	double all;
};

static const char *const formats[] = { "auto", "zarr", "zarr3", "precomputed", "hdf5",
				       "tiff", "png",  "npy",	NULL };
static const char *const dtypes[] = { "same", "u8", "u16", "u32", "u64", "f32", NULL };

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_F32,
		    1 << FX_IMAGE | 1 << FX_PROBABILITY | 1 << FX_MASK, true,
		    "an image, in blocks or tiles of one size" },
	[LABELS] = { "labels", FX_IN, FX_BLOCK | FX_RECORD, FX_U8 | FX_U16 | FX_U32 | FX_U64,
		     1 << FX_LABELS, true, "labels, and the records with their final ids" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct volume, path), .path = FX_PATH_WRITE,
	  .help = "file or folder to write; its ending tells the format: .zarr .h5 .tif .npy" },
	{ FX_FIELD(struct volume, format), .choices = formats,
	  .help = "where the ending does not tell: zarr is OME-Zarr 0.4, zarr3 0.5" },
	{ FX_FIELD(struct volume, dtype), .choices = dtypes,
	  .help = "type of the voxels, where none changes by it" },
	{ FX_FIELD(struct volume, dataset), .def_str = "data",
	  .help = "HDF5: name of the dataset" },
	{ FX_FIELD(struct volume, chunk), .def_str = "64 64 64", .unit = "voxel", .min = 1,
	  .max = 1024, .help = "size z y x of chunks" },
	{ FX_FIELD(struct volume, levels), .def = 0, .min = 0, .max = FX_LEVELS_MAX,
	  .help = "of a pyramid; 1 is none, 0 until a level fits in one chunk" },
	{ FX_FIELD(struct volume, codec), .def_str = "",
	  .help = "how voxels are compressed, as for fornix convert" },
	{ FX_FIELD(struct volume, sharded), .help = "zarr3, precomputed: many chunks in a file" },
	{ FX_FIELD(struct volume, shard), .def_str = "0 0 0", .unit = "voxel", .min = 0,
	  .max = 65536, .help = "zarr3: size z y x of such a file; 0 is 8 chunks" },
	{ FX_FIELD(struct volume, memory), .def = 256, .min = 1, .max = 1048576, .unit = "MiB",
	  .help = "voxels held at once while the volume is written" },
	{ FX_FIELD(struct volume, replace), .help = "replace a volume that is there" },
	{ 0 },
};

static enum fx_dtype volume_dtype(const struct volume *s, enum fx_dtype same)
{
	static const enum fx_dtype all[] = { 0, FX_U8, FX_U16, FX_U32, FX_U64, FX_F32 };

	return s->dtype ? all[s->dtype] : same;
}

/* All but the shape, the place, and what only drain() needs. */
static struct fx_volume_spec volume_spec(const struct volume *s, enum fx_dtype same)
{
	struct fx_volume_spec spec = { .path = s->path,
				       .inside = s->dataset,
				       .dtype = volume_dtype(s, same),
				       .labels = s->input == LABELS,
				       .levels = (size_t)s->levels,
				       .codec = s->codec[0] ? s->codec : NULL,
				       .sharded = s->sharded || s->shard.v[0] > 0,
				       .replace = s->replace,
				       .memory = (size_t)(s->memory * (1 << 20)) };

	spec.format = fx_volume_format_of(s->format ? formats[s->format] : NULL, s->path);
	for (int a = 0; a < 3; a++) {
		spec.chunk[a] = (size_t)s->chunk.v[a];
		spec.shard[a] = (size_t)s->shard.v[a];
	}
	return spec;
}

static int volume_init(struct fx_node *node, void *state)
{
	struct volume *s = state;
	struct fx_error err = { 0 };
	struct fx_volume_spec spec;

	if (fx_connected(node, IMAGE) == fx_connected(node, LABELS))
		return fx_fail(node, FX_EINVAL,
			       "each writer/volume takes exactly one of the inputs image, labels");
	s->input = fx_connected(node, IMAGE) ? IMAGE : LABELS;
	spec = volume_spec(s, FX_U16); /* which every format holds */
	if (!spec.format)
		return fx_fail(node, FX_EINVAL,
			       "%s tells no format: set path to a name that ends in .zarr, .h5, "
			       ".tif or .npy, or set format",
			       s->path);
	spec.replace = s->replace || fx_returns(node); /* what the former life wrote */
	if (fx_volume_write_check(&spec, &err) < 0 ||
	    fx_volume_write_reserve(&s->write, &spec, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

static int volume_block(struct fx_node *node, struct volume *s, struct fx_error *err)
{
	const struct fx_mark *open = fx_opened(node, s->input);
	struct fx_block *b = fx_take(node, s->input);
	const struct fx_volume_spec spec = volume_spec(s, b->dtype);
	int result = s->checked ? FX_OK : fx_volume_write_check(&spec, err);

	s->checked = true;
	if (result == FX_OK)
		result = fx_voxelstore_put(&s->voxels, b,
					   open ? open->region : (struct fx_region){ 0 },
					   fx_state_dir(node), err);
	fx_block_free(b);
	return result;
}

static int volume_process(struct fx_node *node, void *state)
{
	struct volume *s = state;
	struct fx_error err = { 0 };
	int result;

	if (fx_waiting(node, s->input) == FX_RECORD) {
		struct fx_record *r = fx_take_record(node, s->input);

		result = fx_final_ids_take(&s->final, r, &err);
		fx_record_free(r);
	} else {
		result = volume_block(node, s, &err);
	}
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int volume_tell(void *context, double part)
{
	const struct volume_drain *d = context;

	fx_progress(d->node, part * d->all, d->all, d->unit);
	return 0;
}

static int volume_write(struct fx_node *node, struct volume *s, struct fx_volume *from,
			struct fx_error *err)
{
	struct volume_drain d = { node, "voxels written", 1 };
	struct fx_volume_spec spec = volume_spec(s, from->dtype);
	int result;

	memcpy(spec.shape, from->shape, sizeof spec.shape);
	memcpy(spec.voxel_nm, from->voxel_nm, sizeof spec.voxel_nm);
	memcpy(spec.offset, from->offset, sizeof spec.offset);
	spec.progress = volume_tell;
	spec.context = &d;
	for (int a = 0; a < 3; a++)
		d.all *= (double)spec.shape[a];
	result = fx_volume_write_open(&s->write, &spec, err);
	if (result == FX_OK)
		result = fx_volume_copy(from, &s->write, fx_scratch_dir(node), err);
	d.unit = "% of the levels";
	d.all = 100;
	return result == FX_OK ? fx_volume_write_close(&s->write, err) : result;
}

static int volume_drain(struct fx_node *node, void *state)
{
	struct volume *s = state;
	struct fx_volume from;
	struct fx_error err = { 0 };
	int result;

	if (!s->voxels.blobs) {
		fx_warn(node, "no block came: %s is not written", s->path);
		return FX_OK;
	}
	result = fx_voxelstore_volume(&s->voxels, &s->final, &from, &err);
	if (result == FX_OK)
		result = volume_write(node, s, &from, &err);
	fx_volume_close(&from);
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int volume_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	struct volume *s = state;
	struct fx_error err = { 0 };

	if (fx_final_ids_pack(&s->final, to) < 0)
		return fx_fail(node, FX_ENOMEM, "no memory to save final ids");
	return fx_voxelstore_pack(&s->voxels, to, &err) < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int volume_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct volume *s = state;
	struct fx_error err = { 0 };

	if (fx_final_ids_unpack(&s->final, from) < 0)
		return FX_ETYPE;
	if (fx_voxelstore_unpack(&s->voxels, fx_state_dir(node), from, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

static void volume_finish(void *state)
{
	struct volume *s = state;

	fx_volume_write_fini(&s->write);
	fx_voxelstore_fini(&s->voxels);
	fx_final_ids_fini(&s->final);
}

FX_NODE(writer_volume) = {
	.abi = FX_NODE_ABI,
	.name = "writer/volume",
	.summary = "write an image or labels as OME-Zarr, HDF5, TIFF, PNG, .npy or precomputed",
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
