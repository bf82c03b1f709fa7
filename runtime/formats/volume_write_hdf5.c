// SPDX-License-Identifier: Apache-2.0
/* volume_write_hdf5.c: writes a volume as a data set of an HDF5 file. */
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "formats/volume_write_ops.h"

enum { GZIP_LEVEL = 4 };

static const char *const codecs[] = { "gzip", "none", NULL };

struct hdf5 {
	hid_t file, data; /* owned; 0 or below: none */
};

static hid_t type_of(enum fx_dtype dtype, bool memory)
{
	switch (dtype) {
	case FX_U8:
		return memory ? H5T_NATIVE_UINT8 : H5T_STD_U8LE;
	case FX_U16:
		return memory ? H5T_NATIVE_UINT16 : H5T_STD_U16LE;
	case FX_U32:
		return memory ? H5T_NATIVE_UINT32 : H5T_STD_U32LE;
	case FX_U64:
		return memory ? H5T_NATIVE_UINT64 : H5T_STD_U64LE;
	default:
		return memory ? H5T_NATIVE_FLOAT : H5T_IEEE_F32LE;
	}
}

/* Chunks must not be larger than the data set. */
static hid_t make_data(const struct fx_volume_write *w, hid_t file)
{
	const struct fx_volume_spec *s = &w->spec;
	const hid_t create = H5Pcreate(H5P_DATASET_CREATE), link = H5Pcreate(H5P_LINK_CREATE);
	const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
	hsize_t shape[3], chunk[3];
	hid_t space, data;

	for (int a = 0; a < 3; a++) {
		shape[a] = s->shape[a];
		chunk[a] = s->chunk[a] < s->shape[a] ? s->chunk[a] : s->shape[a];
	}
	H5Pset_chunk(create, 3, chunk);
	H5Pset_obj_track_times(create, false); /* equal volumes are equal bytes */
	if (fx_volume_codec_index(w) == 0) {
		H5Pset_shuffle(create);
		H5Pset_deflate(create, GZIP_LEVEL);
	}
	H5Pset_create_intermediate_group(link, 1);
	H5Pset_chunk_cache(access, H5D_CHUNK_CACHE_NSLOTS_DEFAULT, 0, 1); /* chunks come whole */
	space = H5Screate_simple(3, shape, NULL);
	data = H5Dcreate2(file, s->inside ? s->inside : "data", type_of(s->dtype, false), space,
			  link, create, access);
	H5Sclose(space);
	H5Pclose(access);
	H5Pclose(link);
	H5Pclose(create);
	return data;
}

static bool put_numbers(hid_t data, const char *name, const double v[3])
{
	const hsize_t len = 3;
	const hid_t space = H5Screate_simple(1, &len, NULL);
	const hid_t a = H5Acreate2(data, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT);
	const bool good = a >= 0 && H5Awrite(a, H5T_NATIVE_DOUBLE, v) >= 0;

	if (a >= 0)
		H5Aclose(a);
	H5Sclose(space);
	return good;
}

static bool put_text(hid_t data, const char *name, const char *text)
{
	const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
	hid_t a;
	bool good;

	H5Tset_size(type, strlen(text) + 1);
	a = H5Acreate2(data, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
	good = a >= 0 && H5Awrite(a, type, text) >= 0;
	if (a >= 0)
		H5Aclose(a);
	H5Sclose(space);
	H5Tclose(type);
	return good;
}

/* As CREMI has them (resolution, offset), chunkflow (voxel_size) and ilastik (element_size_um). */
static bool describe(const struct fx_volume_spec *s, hid_t data)
{
	double offset[3], um[3];
	bool good = put_text(data, "axes", "zyx") &&
		    put_text(data, "role", s->labels ? "labels" : "image");

	if (good && s->source)
		good = put_text(data, "source", s->source);
	for (int a = 0; a < 3; a++) {
		offset[a] = (double)s->offset[a] * (s->voxel_nm[a] > 0 ? s->voxel_nm[a] : 1);
		um[a] = s->voxel_nm[a] / 1e3;
	}
	if (good && (offset[0] != 0 || offset[1] != 0 || offset[2] != 0))
		good = put_numbers(data, "offset", offset);
	if (good && s->voxel_nm[0] > 0)
		good = put_text(data, "unit", "nm") &&
		       put_numbers(data, "resolution", s->voxel_nm) &&
		       put_numbers(data, "voxel_size", s->voxel_nm) &&
		       put_numbers(data, "element_size_um", um);
	return good;
}

static int hdf5_broken(const struct fx_volume_write *w, const char *what, struct fx_error *err)
{
	return fx_error_set(err, FX_EIO, "%s: %s", w->spec.path, what);
}

static int hdf5_open(struct fx_volume_write *w, struct fx_error *err)
{
	struct hdf5 *h = calloc(1, sizeof *h);
	hid_t access;

	if (!h)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", w->spec.path);
	w->impl = h;
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	access = H5Pcreate(H5P_FILE_ACCESS);
	H5Pset_file_locking(access, false, true); /* it is locked by us */
	h->file = H5Fcreate(w->place.partial, H5F_ACC_TRUNC, H5P_DEFAULT, access);
	H5Pclose(access);
	if (h->file < 0)
		return hdf5_broken(w, "cannot be made", err);
	h->data = make_data(w, h->file);
	if (h->data < 0)
		return fx_error_set(err, FX_EINVAL, "%s: no data set can be called %s",
				    w->spec.path, w->spec.inside ? w->spec.inside : "data");
	return describe(&w->spec, h->data) ?
		       FX_OK :
		       hdf5_broken(w, "its attributes cannot be written", err);
}

static int hdf5_put(struct fx_volume_write *w, size_t level, const struct fx_block *part,
		    struct fx_error *err)
{
	const struct hdf5 *h = w->impl;
	hsize_t from[3], count[3];
	hid_t memory, file = H5Dget_space(h->data);
	bool good;

	(void)level;
	for (int a = 0; a < 3; a++) {
		from[a] = (hsize_t)part->origin[a];
		count[a] = part->shape[a];
	}
	memory = H5Screate_simple(3, count, NULL);
	good = H5Sselect_hyperslab(file, H5S_SELECT_SET, from, NULL, count, NULL) >= 0 &&
	       H5Dwrite(h->data, type_of(part->dtype, true), memory, file, H5P_DEFAULT,
			part->data) >= 0;
	H5Sclose(memory);
	H5Sclose(file);
	return good ? FX_OK : hdf5_broken(w, "voxels cannot be written: is the disk full?", err);
}

static int hdf5_finish(struct fx_volume_write *w, struct fx_error *err)
{
	struct hdf5 *h = w->impl;
	const bool good = H5Dclose(h->data) >= 0 && H5Fclose(h->file) >= 0;

	h->data = h->file = 0;
	return good ? FX_OK : hdf5_broken(w, "cannot be finished: is the disk full?", err);
}

static void hdf5_free(struct fx_volume_write *w)
{
	struct hdf5 *h = w->impl;

	if (h->data > 0)
		H5Dclose(h->data);
	if (h->file > 0)
		H5Fclose(h->file);
	free(h);
}

const struct fx_volume_write_ops fx_volume_write_hdf5 = {
	.in_chunks = true,
	.dtypes = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F32,
	.codecs = codecs,
	.open = hdf5_open,
	.put = hdf5_put,
	.finish = hdf5_finish,
	.free_impl = hdf5_free,
};
