// SPDX-License-Identifier: Apache-2.0
/* volume_hdf5.c: a data set of an HDF5 file as a volume. */
#include "formats/volume_ops.h"

#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "formats/chunkmeta.h"
#include "formats/hdf5super.h"
#include "formats/slab.h"

/* Of reading what a writer may just be writing, the next one after twice as long: 2^25 ns in all.
 * The library would take minutes of a damaged file that says that it is being written. */
enum { ATTEMPTS = 25 };
enum { RANK_MAX = FX_CHUNK_AXES, BAND = 64 << 20 };

/* Filters that the library mostly lacks, and which we undo. */
static const struct {
	H5Z_filter_t id;
	enum fx_codec codec;
} filters[] = {
	{ 32001, FX_CODEC_BLOSC },
	{ 32004, FX_CODEC_LZ4_HDF5 },
	{ 32008, FX_CODEC_BSLZ4 },
	{ 32015, FX_CODEC_ZSTD },
};

struct volume_hdf5 {
	char *name;		/* owned; of the file */
	hid_t file, data, type; /* owned; type: of voxels in memory */
	struct fx_chunkmeta meta;
	bool chunked, own; /* own: chunks are decoded here */
	bool rounded;	   /* a voxel of what was read */
	bool half;	   /* its voxels are float16 */
	struct fx_slab slab;
};

static void volume_hdf5_close(struct fx_volume *v)
{
	struct volume_hdf5 *h = v->impl;

	if (h) {
		fx_slab_fini(&h->slab);
		if (h->data > 0)
			H5Dclose(h->data);
		if (h->file > 0)
			H5Fclose(h->file);
		free(h->name);
	}
	free(h);
}

struct found {
	char name[256];
	size_t len;
};

/* Counts the data sets of 3 axes or more, and keeps the name of the first. */
static herr_t find_volume(hid_t group, const char *name, const H5O_info_t *info, void *context)
{
	struct found *f = context;
	hid_t data, space;
	int rank;

	if (info->type != H5O_TYPE_DATASET || strlen(name) >= sizeof f->name)
		return 0;
	data = H5Dopen2(group, name, H5P_DEFAULT);
	space = data < 0 ? -1 : H5Dget_space(data);
	rank = space < 0 ? 0 : H5Sget_simple_extent_ndims(space);
	if (space >= 0)
		H5Sclose(space);
	if (data >= 0)
		H5Dclose(data);
	if (rank >= 3 && f->len++ == 0)
		memcpy(f->name, name, strlen(name) + 1);
	return f->len > 1;
}

/* A file that is being written may only be opened as such. */
static hid_t open_file(const char *file)
{
	const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
	hid_t id;

	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	H5Pset_file_locking(access, false, true);
	H5Pset_metadata_read_attempts(access, ATTEMPTS);
	id = H5Fopen(file, H5F_ACC_RDONLY, access);
	if (id < 0)
		id = H5Fopen(file, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access);
	H5Pclose(access);
	return id;
}

static int open_data(struct volume_hdf5 *h, const char *inside, struct fx_error *err)
{
	struct found f = { .len = 0 };
	hid_t access;

	if (!inside) {
		H5Ovisit2(h->file, H5_INDEX_NAME, H5_ITER_INC, find_volume, &f, H5O_INFO_BASIC);
		if (f.len != 1)
			return fx_error_set(err, f.len ? FX_EINVAL : FX_ENOENT,
					    f.len ? "holds several data sets of 3 axes: name one, "
						    "as FILE:/PATH" :
						    "holds no data set of 3 axes");
		inside = f.name;
	}
	access = H5Pcreate(H5P_DATASET_ACCESS); /* chunks are kept here */
	H5Pset_chunk_cache(access, H5D_CHUNK_CACHE_NSLOTS_DEFAULT, 0, 1);
	h->data = H5Dopen2(h->file, inside, access);
	H5Pclose(access);
	return h->data < 0 ? fx_error_set(err, FX_ENOENT, "holds no data set %.200s", inside) :
			     FX_OK;
}

/* IEEE 754 binary16: others have 2 bytes as well. */
static bool is_half(hid_t type)
{
	size_t sign, exponent, exponent_bits, fraction, fraction_bits;

	return H5Tget_size(type) == 2 &&
	       H5Tget_fields(type, &sign, &exponent, &exponent_bits, &fraction, &fraction_bits) >=
		       0 &&
	       sign == 15 && exponent == 10 && exponent_bits == 5 && fraction == 0 &&
	       H5Tget_ebias(type) == 15;
}

static int read_type(struct volume_hdf5 *h, struct fx_error *err)
{
	const hid_t type = H5Dget_type(h->data);
	const H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
	const size_t size = type < 0 ? 0 : H5Tget_size(type);
	const bool whole = class == H5T_INTEGER || (class == H5T_ENUM && size == 1);
	const struct {
		size_t size;
		enum fx_dtype dtype;
		hid_t unsigned_type, signed_type;
	} types[] = {
		{ 1, FX_U8, H5T_NATIVE_UINT8, H5T_NATIVE_INT8 },
		{ 2, FX_U16, H5T_NATIVE_UINT16, H5T_NATIVE_INT16 },
		{ 4, FX_U32, H5T_NATIVE_UINT32, H5T_NATIVE_INT32 },
		{ 8, FX_U64, H5T_NATIVE_UINT64, H5T_NATIVE_INT64 },
	};

	h->meta.is_signed = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
	h->meta.big = type >= 0 && H5Tget_order(type) == H5T_ORDER_BE;
	for (size_t i = 0; whole && i < 4; i++)
		if (types[i].size == size) {
			h->meta.dtype = types[i].dtype;
			h->type = h->meta.is_signed || class == H5T_ENUM ? types[i].signed_type :
									   types[i].unsigned_type;
		}
	h->half = class == H5T_FLOAT && is_half(type);
	if (class == H5T_FLOAT && (size == 4 || size == 8 || h->half)) {
		h->meta.dtype = FX_F32;
		h->meta.real = size == 8 ? FX_REAL_F64 : FX_REAL_NOT;
		h->type = size == 8 ? H5T_NATIVE_DOUBLE : H5T_NATIVE_FLOAT;
	}
	if (type >= 0)
		H5Tclose(type);
	return h->meta.dtype ?
		       FX_OK :
		       fx_error_set(err, FX_ETYPE,
				    "its voxels are not integers of 8 to 64 bit or floats of 16 to "
				    "64 bit");
}

static int read_shape(struct volume_hdf5 *h, struct fx_error *err)
{
	const hid_t space = H5Dget_space(h->data);
	const int rank = space < 0 ? 0 : H5Sget_simple_extent_ndims(space);
	hsize_t dims[RANK_MAX] = { 0 };

	if (rank >= 2 && rank <= RANK_MAX)
		H5Sget_simple_extent_dims(space, dims, NULL);
	if (space >= 0)
		H5Sclose(space);
	h->meta.rank = rank > 0 ? (size_t)rank : 0;
	for (size_t a = 0; a < RANK_MAX; a++) {
		h->meta.shape[a] = dims[a] > (hsize_t)1 << 40 ? 0 : (size_t)dims[a];
		h->meta.order[a] = a;
	}
	return rank >= 2 && rank <= RANK_MAX ?
		       FX_OK :
		       fx_error_set(err, FX_ETYPE, "has %d axes; 2 to %d are accepted", rank,
				    RANK_MAX);
}

/* What is not in chunks is read in bands of rows. */
static void plain_chunks(struct fx_chunkmeta *m)
{
	const size_t row = m->shape[m->rank - 1] * fx_chunkmeta_voxel(m);
	const size_t rows = row && BAND / row ? BAND / row : 1, height = m->shape[m->rank - 2];

	for (size_t a = 0; a < m->rank; a++)
		m->chunk[a] = 1;
	m->chunk[m->rank - 1] = m->shape[m->rank - 1];
	m->chunk[m->rank - 2] = rows < height ? rows : height;
}

/* How chunks are compressed: by what the library has, or by one filter that is undone here. */
static int read_filters(struct volume_hdf5 *h, hid_t plist, struct fx_error *err)
{
	const int len = H5Pget_nfilters(plist);

	for (int i = 0; i < len; i++) {
		unsigned flags = 0, values[8] = { 0 }, config = 0;
		size_t values_len = 8;
		char name[32] = "";
		const H5Z_filter_t id = H5Pget_filter2(plist, (unsigned)i, &flags, &values_len,
						       values, sizeof name, name, &config);

		for (size_t k = 0; len == 1 && k < sizeof filters / sizeof filters[0]; k++)
			if (filters[k].id == id && (id != 32008 || values[4] == 2)) {
				h->own = true;
				h->meta.codecs.list[0] = filters[k].codec;
				h->meta.codecs.len = 1;
			}
		if (!h->own && H5Zfilter_avail(id) <= 0)
			return fx_error_set(
				err, FX_ETYPE,
				"its filter %d (%.31s) is not there, nor what undoes it "
				"here (bitshuffle with LZ4, LZ4, Blosc, Zstandard, each "
				"alone); HDF5_PLUGIN_PATH names folders with filters",
				(int)id, name);
	}
	return FX_OK;
}

static int read_layout(struct volume_hdf5 *h, struct fx_error *err)
{
	const hid_t plist = H5Dget_create_plist(h->data);
	hsize_t dims[RANK_MAX] = { 0 };
	int result = FX_OK;

	h->chunked = plist >= 0 && H5Pget_layout(plist) == H5D_CHUNKED;
	if (h->chunked && H5Pget_chunk(plist, (int)h->meta.rank, dims) == (int)h->meta.rank) {
		for (size_t a = 0; a < h->meta.rank; a++)
			h->meta.chunk[a] = (size_t)dims[a];
		result = read_filters(h, plist, err);
	} else {
		plain_chunks(&h->meta);
	}
	if (plist >= 0) {
		H5Pget_fill_value(plist, h->meta.real ? H5T_NATIVE_FLOAT : h->type, h->meta.fill);
		H5Pclose(plist);
	}
	if (h->own && h->half) /* else the library makes it f32 */
		h->meta.real = FX_REAL_F16;
	return result;
}

/* Three numbers of an attribute of the data set; false when it has not exactly that. */
static bool read_numbers(const struct volume_hdf5 *h, const char *name, hssize_t len, double *to)
{
	const hid_t a = H5Aexists(h->data, name) > 0 ? H5Aopen(h->data, name, H5P_DEFAULT) : -1;
	const hid_t space = a < 0 ? -1 : H5Aget_space(a), type = a < 0 ? -1 : H5Aget_type(a);
	const H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
	const bool right = space >= 0 && H5Sget_simple_extent_npoints(space) == len &&
			   (class == H5T_FLOAT || class == H5T_INTEGER) &&
			   H5Aread(a, H5T_NATIVE_DOUBLE, to) >= 0;

	if (type >= 0)
		H5Tclose(type);
	if (space >= 0)
		H5Sclose(space);
	if (a >= 0)
		H5Aclose(a);
	return right;
}

static void read_voxel(const struct volume_hdf5 *h, double voxel_nm[3])
{
	static const struct {
		const char *name;
		double nm;
	} names[] = { { "resolution", 1 }, { "voxel_size", 1 }, { "element_size_um", 1e3 } };

	for (size_t i = 0; i < 3; i++) {
		double v[3] = { 0 };

		if (!read_numbers(h, names[i].name, 3, v))
			continue;
		for (int a = 0; a < 3; a++)
			v[a] = v[a] * names[i].nm < 1e12 ? v[a] * names[i].nm : 0;
		if (v[0] > 0 && v[1] > 0 && v[2] > 0) {
			memcpy(voxel_nm, v, sizeof v);
			return;
		}
	}
}

/* A place in nm, as CREMI has it, and whether they are labels. */
static void read_place(const struct volume_hdf5 *h, struct fx_volume *v)
{
	double nm[3] = { 0 };
	const hid_t a = H5Aexists(h->data, "role") > 0 ? H5Aopen(h->data, "role", H5P_DEFAULT) : -1;
	const hid_t type = a < 0 ? -1 : H5Aget_type(a);
	char text[16] = "";

	if (read_numbers(h, "offset", 3, nm))
		for (int i = 0; i < 3; i++)
			v->offset[i] =
				fx_volume_offset(nm[i], v->voxel_nm[i] > 0 ? v->voxel_nm[i] : 1);
	if (type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
	    H5Tget_size(type) < sizeof text)
		H5Aread(a, type, text);
	v->labels = strcmp(text, "labels") == 0;
	if (type >= 0)
		H5Tclose(type);
	if (a >= 0)
		H5Aclose(a);
}

static void chunk_offset(const struct volume_hdf5 *h, const size_t grid[3], hsize_t at[RANK_MAX])
{
	for (size_t a = 0; a < RANK_MAX; a++)
		at[a] = a < h->meta.rank && a + 3 >= h->meta.rank ?
				grid[a + 3 - h->meta.rank] * h->meta.chunk[a] :
				0;
}

/* Chunk @p grid lies in the file; *where and *size say where. */
static bool chunk_there(const struct volume_hdf5 *h, const size_t grid[3], haddr_t *where,
			hsize_t *size)
{
	hsize_t at[RANK_MAX];
	unsigned mask = 0;

	chunk_offset(h, grid, at);
	*where = HADDR_UNDEF;
	return H5Dget_chunk_info_by_coord(h->data, at, &mask, where, size) >= 0 &&
	       *where != HADDR_UNDEF && *size > 0;
}

/* Reads chunk @p grid by the library to new memory, cut at the end of the volume. */
static int read_by_library(const struct volume_hdf5 *h, const size_t grid[3], struct fx_chunk *c,
			   struct fx_error *err)
{
	const size_t rank = h->meta.rank;
	hsize_t from[RANK_MAX], count[RANK_MAX], all = 1;
	hid_t memory = -1, file = H5Dget_space(h->data);
	bool right = false;

	chunk_offset(h, grid, from);
	for (size_t a = 0; a < rank; a++) {
		const size_t left = h->meta.shape[a] - (size_t)from[a];

		count[a] = left < h->meta.chunk[a] ? left : h->meta.chunk[a];
		all *= count[a];
	}
	for (size_t a = 0; a < 3; a++)
		c->shape[a] = a + rank >= 3 ? (size_t)count[a + rank - 3] : 1;
	c->stride[0] = c->shape[1] * c->shape[2];
	c->stride[1] = c->shape[2];
	c->owned = malloc((size_t)all * fx_chunkmeta_voxel(&h->meta));
	c->voxels = c->owned;
	if (c->owned && file >= 0)
		memory = H5Screate_simple((int)rank, count, NULL);
	if (memory >= 0 && H5Sselect_hyperslab(file, H5S_SELECT_SET, from, NULL, count, NULL) >= 0)
		right = H5Dread(h->data, h->type, memory, file, H5P_DEFAULT, c->owned) >= 0;
	if (memory >= 0)
		H5Sclose(memory);
	if (file >= 0)
		H5Sclose(file);
	if (!c->owned)
		return fx_error_set(err, FX_ENOMEM, "no memory for a chunk");
	return right ? FX_OK : fx_error_set(err, FX_EIO, "its voxels cannot be read or decoded");
}

/* Reads the bytes of chunk @p grid and decodes them here; all fill when it is not there. */
static int read_here(const struct volume_hdf5 *h, const size_t grid[3], struct fx_chunk *c,
		     bool *there, struct fx_error *err)
{
	hsize_t offset[RANK_MAX], size = 0;
	haddr_t where;
	uint32_t mask = 0;
	void *bytes = NULL;
	int result = FX_OK;

	chunk_offset(h, grid, offset);
	*there = chunk_there(h, grid, &where, &size);
	if (!*there)
		return FX_OK;
	if (size > 2 * fx_chunkmeta_bytes(&h->meta) + FX_CODEC_EXPAND)
		return fx_error_set(err, FX_EINVAL, "is larger than it can be");
	if (!(bytes = malloc((size_t)size)))
		return fx_error_set(err, FX_ENOMEM, "no memory for a chunk");
	if (H5Dread_chunk(h->data, H5P_DEFAULT, offset, &mask, bytes) < 0 || mask)
		result = fx_error_set(err, FX_EIO, "its bytes cannot be read");
	if (result == FX_OK)
		result = fx_chunk_decode(&h->meta, bytes, (size_t)size, c, err);
	if (result == FX_OK && c->owned == NULL)
		result = fx_error_set(err, FX_EINVAL, "is not compressed");
	free(bytes);
	return result;
}

static int load_chunk(void *context, const size_t grid[3], struct fx_block *into, bool *there,
		      struct fx_error *err)
{
	struct volume_hdf5 *h = context;
	struct fx_chunkmeta meta = h->meta;
	struct fx_chunk chunk = { .stride = { 0, 0, 1 } };
	int64_t at[3];
	int result;

	*there = true;
	meta.big = h->own && h->meta.big;
	memcpy(chunk.shape, h->slab.chunk, sizeof chunk.shape);
	for (int a = 0; a < 3; a++)
		at[a] = (int64_t)(grid[a] * h->slab.chunk[a]);
	result = h->own ? read_here(h, grid, &chunk, there, err) :
			  read_by_library(h, grid, &chunk, err);
	if (result == FX_OK)
		result = fx_chunk_paste(&meta, &chunk, at, into, err);
	h->rounded = h->rounded || chunk.rounded;
	free(chunk.owned);
	return result < 0 ? fx_error_prefix(err, "chunk %zu %zu %zu", grid[0], grid[1], grid[2]) :
			    FX_OK;
}

static int hdf5_start(struct volume_hdf5 *h, const char *inside, struct fx_volume *v,
		      struct fx_error *err)
{
	int result = fx_hdf5_check(h->name, err);

	if (result < 0)
		return result;
	h->file = open_file(h->name);
	if (h->file < 0)
		return fx_error_set(err, FX_EIO, "cannot be opened as HDF5");
	result = open_data(h, inside, err);
	if (result == FX_OK)
		result = read_type(h, err);
	if (result == FX_OK)
		result = read_shape(h, err);
	if (result == FX_OK)
		result = read_layout(h, err);
	if (result == FX_OK)
		result = fx_chunkmeta_check(&h->meta, err);
	if (result < 0)
		return result;
	read_voxel(h, v->voxel_nm);
	read_place(h, v);
	fx_chunkmeta_shape(&h->meta, v->shape, h->slab.chunk);
	v->dtype = h->meta.dtype;
	memcpy(h->slab.shape, v->shape, sizeof v->shape);
	memcpy(v->chunk, h->slab.chunk, sizeof v->chunk);
	h->slab.dtype = v->dtype;
	h->slab.load = load_chunk;
	h->slab.context = h;
	return FX_OK;
}

static int volume_hdf5_open(const char *path, struct fx_volume *v, struct fx_error *err)
{
	struct volume_hdf5 *h = calloc(1, sizeof *h);
	const char *inside;
	int result = FX_ENOMEM;

	v->impl = h;
	if (h && (h->name = fx__volume_file(path, &inside)))
		result = hdf5_start(h, inside, v, err);
	else
		fx_error_set(err, FX_ENOMEM, "no memory");
	if (result < 0)
		fx_error_prefix(err, "%s", path);
	else
		result = fx_volume_check(path, v, err);
	if (result < 0)
		volume_hdf5_close(v);
	return result;
}

static int volume_hdf5_read(struct fx_volume *v, struct fx_block *b, struct fx_error *err)
{
	struct volume_hdf5 *h = v->impl;
	const int result = fx_slab_read(&h->slab, b, err);

	v->rounded = h->rounded;
	return result;
}

/* Size and age of the file, which change while it is written. */
static void mix_file(const struct volume_hdf5 *h, uint64_t *state)
{
	int64_t about[4] = { (int64_t)*state, 0, 0, 0 };
	const struct iovec part = { about, sizeof about };
	struct stat st;

	if (stat(h->name, &st) == 0) {
		about[1] = st.st_size;
		about[2] = st.st_mtim.tv_sec;
		about[3] = st.st_mtim.tv_nsec;
	}
	*state = fx_checksum(&part, 1);
}

/* A chunk that others follow is whole; the last ones may still be written in their places. */
static int volume_hdf5_there(struct fx_volume *v, size_t z, struct fx_volume_there *t,
			     struct fx_error *err)
{
	const struct volume_hdf5 *h = v->impl;
	size_t g[3] = { z / h->slab.chunk[0], 0, 0 };
	const size_t next[3] = { g[0] + 1, 0, 0 };
	hsize_t size = 0;
	haddr_t where = 0;

	if (!h->chunked)
		return fx_error_set(err, FX_ETYPE,
				    "is not in chunks, so that only an attribute can tell how far "
				    "it is written");
	t->end = next[0] * h->slab.chunk[0];
	for (g[1] = 0; g[1] * h->slab.chunk[1] < v->shape[1]; g[1]++)
		for (g[2] = 0; g[2] * h->slab.chunk[2] < v->shape[2]; g[2]++) {
			const bool there = chunk_there(h, g, &where, &size);
			uint64_t about[3] = { t->state, where, size };
			const struct iovec part = { about, sizeof about };

			if (there)
				t->state = fx_checksum(&part, 1);
			t->parts++;
			t->there += there;
		}
	if (t->end >= v->shape[0] || !chunk_there(h, next, &where, &size))
		mix_file(h, &t->state);
	return FX_OK;
}

static int volume_hdf5_attribute(struct fx_volume *v, const char *name, double *number,
				 struct fx_error *err)
{
	return read_numbers(v->impl, name, 1, number) ?
		       FX_OK :
		       fx_error_set(err, FX_ENOENT, "has no number called %.64s", name);
}

static void volume_hdf5_forget(struct fx_volume *v)
{
	struct volume_hdf5 *h = v->impl;

	fx_slab_fini(&h->slab);
}

static void volume_hdf5_keep(struct fx_volume *v, size_t bytes)
{
	struct volume_hdf5 *h = v->impl;

	fx_slab_fini(&h->slab);
	h->slab.max = bytes;
}

const struct fx_volume_ops fx_volume_hdf5 = {
	.open = volume_hdf5_open,
	.read = volume_hdf5_read,
	.close = volume_hdf5_close,
	.there = volume_hdf5_there,
	.attribute = volume_hdf5_attribute,
	.forget = volume_hdf5_forget,
	.keep = volume_hdf5_keep,
};
