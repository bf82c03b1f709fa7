// SPDX-License-Identifier: Apache-2.0
/* simulate_source.c: the sections that are imaged: of a volume, a folder, or a phantom. */
#include "simulate.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/image.h"
#include "formats/sequence.h"
#include "formats/volume.h"
#include "kernels/phantom.h"

enum { SLOTS_MAX = 64, SLOTS_SIZE = 256 << 20 };

/* A section that is kept, as it may be imaged again. */
struct slot {
	int64_t z;
	uint64_t used;		/* 0: empty */
	struct fx_block *block; /* owned; of a volume, else NULL */
	void *voxels;		/* owned; of the others, else NULL */
	struct fx_specimen specimen;
};

struct sim_source {
	size_t shape[3];
	enum fx_dtype dtype;
	double voxel_nm[3];
	struct fx_volume volume;
	struct fx_sequence sequence;
	char *folder; /* owned; of the sequence */
	struct fx_phantom_spec spec;
	struct fx_phantom *phantom; /* owned */
	struct slot slots[SLOTS_MAX];
	size_t slots_len;
	uint64_t uses;
};

const size_t *sim_source_shape(const struct sim_source *s)
{
	return s->shape;
}

enum fx_dtype sim_source_dtype(const struct sim_source *s)
{
	return s->dtype;
}

const double *sim_source_voxel(const struct sim_source *s)
{
	return s->voxel_nm;
}

/* "phantom" or "phantom:ZxYxX". */
static int parse_phantom(const char *text, size_t shape[3], struct fx_error *err)
{
	unsigned z, y, x;
	int end = 0;

	shape[0] = 64;
	shape[1] = shape[2] = 512;
	if (!*text)
		return FX_OK;
	if (sscanf(text, ":%7ux%7ux%7u%n", &z, &y, &x, &end) != 3 || text[end] || z < 1 || y < 1 ||
	    x < 1)
		return fx_error_set(err, FX_EINVAL,
				    "phantom%.40s: must be phantom:ZxYxX, such as "
				    "phantom:64x512x512",
				    text);
	shape[0] = z;
	shape[1] = y;
	shape[2] = x;
	return FX_OK;
}

/* The tissue of acquire/phantom with its defaults. */
static int open_phantom(struct sim_source *s, const struct sim_options *o, struct fx_error *err)
{
	const int result = parse_phantom(o->volume + strlen("phantom"), s->shape, err);

	if (result < 0)
		return result;
	s->dtype = FX_U8;
	memcpy(s->voxel_nm, o->voxel, sizeof s->voxel_nm);
	s->spec = (struct fx_phantom_spec){ .height = s->shape[1],
					    .width = s->shape[2],
					    .spacing_nm = 280,
					    .slope = 1,
					    .branch_nm = 1500,
					    .end_nm = 4000,
					    .mitochondria = 1,
					    .vesicles = 1,
					    .noise = 7,
					    .jitter = 2,
					    .node_nm = 80,
					    .piece_len = 4096,
					    .seed = o->tissue };
	memcpy(s->spec.voxel_nm, s->voxel_nm, sizeof s->spec.voxel_nm);
	return fx_phantom_new(&s->spec, &s->phantom, err);
}

/* The first image says how large all are. */
static int open_sequence(struct sim_source *s, const struct sim_options *o, struct fx_error *err)
{
	char *path = fx_path_join(o->volume, s->sequence.files[0].name);
	struct fx_image image = { 0 };
	const int result =
		path ? fx_image_open(path, &image, err) : fx_error_set(err, FX_ENOMEM, "no memory");

	free(path);
	if (result < 0)
		return result;
	s->shape[0] = s->sequence.len;
	s->shape[1] = image.height;
	s->shape[2] = image.width;
	s->dtype = image.dtype;
	fx_image_close(&image);
	s->folder = fx_strdup(o->volume);
	return s->folder ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory");
}

static int open_volume(struct sim_source *s, const struct sim_options *o, struct fx_error *err)
{
	const int result = fx_volume_open(o->volume, &s->volume, err);

	if (result < 0)
		return result;
	memcpy(s->shape, s->volume.shape, sizeof s->shape);
	s->dtype = s->volume.dtype;
	return FX_OK;
}

static int open_any(struct sim_source *s, const struct sim_options *o, struct fx_error *err)
{
	int result = FX_OK;

	memcpy(s->voxel_nm, o->voxel, sizeof s->voxel_nm);
	if (strcmp(o->volume, "phantom") == 0 || strncmp(o->volume, "phantom:", 8) == 0)
		return open_phantom(s, o, err);
	if (fx_is_dir(o->volume))
		result = fx_sequence_scan(&s->sequence, o->volume, "*", err);
	if (result < 0)
		return result;
	result = s->sequence.len ? open_sequence(s, o, err) : open_volume(s, o, err);
	for (int a = 0; a < 3; a++)
		if (s->volume.voxel_nm[a] > 0)
			s->voxel_nm[a] = s->volume.voxel_nm[a];
	if (result == FX_OK && s->dtype != FX_U8 && s->dtype != FX_U16)
		return fx_error_set(err, FX_ETYPE, "%s has %s voxels: u8 and u16 can be imaged",
				    o->volume, fx_dtype_name(s->dtype));
	return result;
}

struct sim_source *sim_source_open(const struct sim_options *o, struct fx_error *err)
{
	struct sim_source *s = fx_calloc(1, sizeof *s);
	size_t size;

	if (!s) {
		fx_error_set(err, FX_ENOMEM, "no memory");
		return NULL;
	}
	if (open_any(s, o, err) < 0) {
		sim_source_close(s);
		return NULL;
	}
	if (s->shape[1] > FX_MICROSCOPE_VOXELS_MAX / s->shape[2] ||
	    s->shape[0] > SIM_SECTIONS_MAX) {
		fx_error_set(err, FX_EINVAL, "%s: %zu sections of %zu x %zu voxels are too many",
			     o->volume, s->shape[0], s->shape[1], s->shape[2]);
		sim_source_close(s);
		return NULL;
	}
	size = s->shape[1] * s->shape[2] * fx_dtype_size(s->dtype);
	s->slots_len = SLOTS_SIZE / size;
	if (s->slots_len < 2 || (!o->requests && o->late <= 0 && o->disorder <= 0))
		s->slots_len = 2; /* nothing further back is asked for */
	s->slots_len = s->slots_len > SLOTS_MAX ? SLOTS_MAX : s->slots_len;
	return s;
}

static void slot_clear(struct slot *slot)
{
	fx_specimen_fini(&slot->specimen);
	fx_block_free(slot->block);
	free(slot->voxels);
	memset(slot, 0, sizeof *slot);
}

/* Grows to section @p z; from the beginning when it lies behind. */
static int grow(struct sim_source *s, int64_t z, struct fx_error *err)
{
	int result = FX_OK;
	struct fx_tree *t;

	if (fx_phantom_sections(s->phantom) > (size_t)z + 1) {
		fx_phantom_free(s->phantom);
		s->phantom = NULL;
		result = fx_phantom_new(&s->spec, &s->phantom, err);
	}
	while (result == FX_OK && fx_phantom_sections(s->phantom) <= (size_t)z) {
		result = fx_phantom_next(s->phantom, err);
		while (result == FX_OK && (t = fx_phantom_take_tree(s->phantom)))
			fx_tree_free(t);
	}
	return result;
}

static int load_image(struct sim_source *s, int64_t z, void *voxels, struct fx_error *err)
{
	char *path = fx_path_join(s->folder, s->sequence.files[z].name);
	struct fx_image image = { 0 };
	int result =
		path ? fx_image_open(path, &image, err) : fx_error_set(err, FX_ENOMEM, "no memory");

	if (result == FX_OK &&
	    (image.height != s->shape[1] || image.width != s->shape[2] || image.dtype != s->dtype))
		result =
			fx_error_set(err, FX_ETYPE, "%s is not %zu x %zu %s, as the first image is",
				     path, s->shape[1], s->shape[2], fx_dtype_name(s->dtype));
	if (result == FX_OK)
		result = fx_image_read_all(&image, voxels, err);
	fx_image_close(&image);
	free(path);
	return result;
}

static int slot_fill(struct sim_source *s, struct slot *slot, int64_t z, struct fx_error *err)
{
	const size_t h = s->shape[1], w = s->shape[2];
	const struct fx_region r = { { z, 0, 0 }, { z + 1, (int64_t)h, (int64_t)w } };
	int result;

	slot->z = z;
	if (s->volume.ops) {
		result = fx_volume_read(&s->volume, r, &slot->block, err);
		slot->specimen.voxels = result == FX_OK ? slot->block->data : NULL;
		return result;
	}
	slot->voxels = fx_alloc_aligned(h * w * fx_dtype_size(s->dtype));
	slot->specimen.voxels = slot->voxels;
	if (!slot->voxels)
		return fx_error_set(err, FX_ENOMEM, "no memory for a section");
	if (!s->spec.height)
		return load_image(s, z, slot->voxels, err);
	result = grow(s, z, err);
	if (result == FX_OK)
		result = fx_phantom_render(s->phantom, 0, 0, h, w, slot->voxels, NULL, err);
	return result;
}

int sim_source_get(struct sim_source *s, int64_t z, struct fx_specimen **out, struct fx_error *err)
{
	struct slot *found = NULL, *oldest = s->slots;
	int result = FX_OK;

	for (struct slot *slot = s->slots; slot < s->slots + s->slots_len; slot++) {
		if (slot->used && slot->z == z)
			found = slot;
		else
			fx_specimen_fini(&slot->specimen); /* splines are large */
		if (slot->used < oldest->used)
			oldest = slot;
	}
	if (!found) {
		slot_clear(oldest);
		found = oldest;
		found->specimen.dtype = s->dtype;
		found->specimen.height = s->shape[1];
		found->specimen.width = s->shape[2];
		result = slot_fill(s, found, z, err);
	}
	if (result < 0) {
		slot_clear(found);
		return result;
	}
	found->used = ++s->uses;
	*out = &found->specimen;
	return FX_OK;
}

void sim_source_close(struct sim_source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SLOTS_MAX; i++)
		slot_clear(s->slots + i);
	fx_volume_close(&s->volume);
	fx_sequence_fini(&s->sequence);
	fx_phantom_free(s->phantom);
	free(s->folder);
	free(s);
}
