// SPDX-License-Identifier: Apache-2.0
/* volume_npy.c: a .npy file as a volume. */
#include "formats/volume_ops.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/real.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "voxels are read as they lie");

enum { HEADER_MAX = 1 << 16 };

struct volume_npy {
	int fd;
	off_t data; /* of the first voxel */
	char *path; /* owned */
	enum fx_real real;
	void *row; /* owned, when real: as it is in the file */
};

static const struct {
	const char *descr;
	enum fx_dtype dtype;
} descrs[] = {
	{ "|u1", FX_U8 },  { "<u1", FX_U8 },  { "|b1", FX_U8 },
	{ "<u2", FX_U16 }, { "<u4", FX_U32 }, { "<u8", FX_U64 },
	{ "<f4", FX_F32 }, { "<f8", FX_F32 }, { "<f2", FX_F32 },
};

/* What follows "'key':" in the header, a Python literal; NULL when it is not there. */
static const char *value_of(const char *header, const char *key)
{
	char quoted[32];
	const char *at;

	snprintf(quoted, sizeof quoted, "'%s':", key);
	at = strstr(header, quoted);
	if (!at)
		return NULL;
	at += strlen(quoted);
	return at + strspn(at, " ");
}

/* "(a, b, c)" or "(b, c)", which has one section. */
static bool parse_shape(const char *at, size_t shape[3])
{
	size_t axes[3] = { 0 }, n = 0;

	if (!at || *at++ != '(')
		return false;
	while (*at != ')') {
		char *end;
		unsigned long long v;

		if (n == 3 || *at < '0' || *at > '9')
			return false;
		v = strtoull(at, &end, 10);
		axes[n++] = v > SIZE_MAX >> 1 ? 0 : (size_t)v;
		at = end + strspn(end, ", ");
	}
	if (n < 2)
		return false;
	shape[0] = n == 3 ? axes[0] : 1;
	shape[1] = axes[n - 2];
	shape[2] = axes[n - 1];
	return true;
}

static int parse_header(struct volume_npy *n, const char *header, struct fx_volume *v,
			struct fx_error *err)
{
	const char *path = n->path;
	const char *descr = value_of(header, "descr"), *order = value_of(header, "fortran_order");

	for (size_t i = 0; descr && i < sizeof descrs / sizeof descrs[0]; i++)
		if ((*descr == '\'' || *descr == '"') &&
		    strncmp(descr + 1, descrs[i].descr, 3) == 0) {
			v->dtype = descrs[i].dtype;
			if (v->dtype == FX_F32 && descrs[i].descr[2] != '4')
				n->real = (enum fx_real)(descrs[i].descr[2] - '0');
		}
	if (!v->dtype)
		return fx_error_set(err, FX_ETYPE,
				    "%s: dtype %.8s is not one of |u1 |b1 <u2 <u4 <u8 <f2 <f4 <f8",
				    path, descr ? descr : "(none)");
	if (!order || strncmp(order, "False", 5) != 0)
		return fx_error_set(err, FX_ETYPE, "%s: is in Fortran order; save it in C order",
				    path);
	if (!parse_shape(value_of(header, "shape"), v->shape))
		return fx_error_set(err, FX_ETYPE, "%s: shape is not z y x or y x", path);
	return fx_volume_check(path, v, err);
}

/* Reads the header into `header`, NUL-terminated; tells where the voxels begin. */
static int read_header(const struct volume_npy *n, char *header, off_t *data, struct fx_error *err)
{
	unsigned char fixed[12] = { 0 };
	size_t len, at;

	if (fx_pread_all(n->fd, fixed, 10, 0) != 0)
		return fx_error_set(err, FX_EINVAL, "%s: truncated header", n->path);
	at = fixed[6] == 1 ? 10 : 12;
	if (fixed[6] < 1 || fixed[6] > 3)
		return fx_error_set(err, FX_ETYPE, "%s: .npy version %d is not 1, 2 or 3", n->path,
				    fixed[6]);
	if (at == 12 && fx_pread_all(n->fd, fixed + 10, 2, 10) != 0)
		return fx_error_set(err, FX_EINVAL, "%s: truncated header", n->path);
	len = (size_t)fixed[8] | (size_t)fixed[9] << 8 | (size_t)fixed[10] << 16 |
	      (size_t)fixed[11] << 24;
	if (len >= HEADER_MAX || fx_pread_all(n->fd, header, len, (off_t)at) != 0)
		return fx_error_set(err, FX_EINVAL, "%s: truncated header", n->path);
	header[len] = 0;
	*data = (off_t)(at + len);
	return FX_OK;
}

/* Bytes of a voxel in the file. */
static size_t npy_voxel(const struct volume_npy *n, const struct fx_volume *v)
{
	return n->real ? (size_t)n->real : fx_dtype_size(v->dtype);
}

static int npy_start(struct volume_npy *n, struct fx_volume *v, struct fx_error *err)
{
	struct stat st;
	char *header = malloc(HEADER_MAX);
	int result;

	if (!header)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", n->path);
	result = read_header(n, header, &n->data, err);
	if (result == FX_OK)
		result = parse_header(n, header, v, err);
	free(header);
	if (result < 0)
		return result;
	if (fstat(n->fd, &st) != 0 ||
	    (uint64_t)st.st_size <
		    (uint64_t)n->data + v->shape[0] * v->shape[1] * v->shape[2] * npy_voxel(n, v))
		return fx_error_set(err, FX_EINVAL, "%s: is shorter than its shape says", n->path);
	if (n->real && !(n->row = malloc(v->shape[2] * npy_voxel(n, v))))
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", n->path);
	return FX_OK;
}

static void volume_npy_close(struct fx_volume *v)
{
	struct volume_npy *n = v->impl;

	if (n && n->fd >= 0)
		close(n->fd);
	if (n)
		free(n->path);
	if (n)
		free(n->row);
	free(n);
}

static int volume_npy_open(const char *path, struct fx_volume *v, struct fx_error *err)
{
	struct volume_npy *n = calloc(1, sizeof *n);
	int result;

	if (!n || !(n->path = fx_strdup(path))) {
		free(n);
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	}
	v->impl = n;
	n->fd = open(path, O_RDONLY | O_CLOEXEC);
	result = n->fd < 0 ? fx_error_set(err, FX_EIO, "%s: cannot open", path) :
			     npy_start(n, v, err);
	if (result < 0)
		volume_npy_close(v);
	return result;
}

static int volume_npy_read(struct fx_volume *v, struct fx_block *b, struct fx_error *err)
{
	const struct volume_npy *n = v->impl;
	const size_t bytes = npy_voxel(n, v);
	const bool rows = b->shape[2] == v->shape[2] && !n->real; /* whole rows lie together */
	const size_t len = b->shape[2] * (rows ? b->shape[1] : 1);
	char *to = b->data;

	for (size_t z = 0; z < b->shape[0]; z++)
		for (size_t y = 0; y < (rows ? 1 : b->shape[1]); y++) {
			const size_t row =
				((size_t)b->origin[0] + z) * v->shape[1] + (size_t)b->origin[1] + y;
			const size_t voxel = row * v->shape[2] + (size_t)b->origin[2];

			if (fx_pread_all(n->fd, n->real ? n->row : to, len * bytes,
					 n->data + (off_t)(voxel * bytes)) != 0)
				return fx_error_set(err, FX_EIO,
						    "%s: cannot read voxels of "
						    "section %zu",
						    n->path, (size_t)b->origin[0] + z);
			if (n->real &&
			    fx_real_read(n->real, n->row, len, 1, false, (float *)(void *)to))
				v->rounded = true;
			to += len * fx_dtype_size(v->dtype);
		}
	return FX_OK;
}

const struct fx_volume_ops fx_volume_npy = {
	.open = volume_npy_open,
	.read = volume_npy_read,
	.close = volume_npy_close,
	.sets_all = true,
};
