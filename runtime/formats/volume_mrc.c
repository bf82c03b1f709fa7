// SPDX-License-Identifier: Apache-2.0
/* volume_mrc.c: an MRC file as a volume. Source: Cheng et al. 2015, MRC2014; IMOD's notes on bytes.
 */
#include "formats/volume_ops.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

enum {
	HEAD = 1024,
	MODE = 12, /* places of what is in the head */
	START = 16,
	SAMPLING = 28,
	CELL = 40,
	AXES = 64,
	EXTENDED = 92,
	IMOD_STAMP = 152,
	IMOD_FLAGS = 156,
	MAP = 208,
	MACHINE = 212,
	IMOD = 1146047817,
	COLUMNS = 1 << 20, /* most of a file without a stamp */
};

struct volume_mrc {
	int fd;
	off_t data; /* of the first voxel */
	bool big, is_signed;
	char *path; /* owned */
};

static uint32_t word(const unsigned char *b, bool big)
{
	return big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] :
		     (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static double real(const unsigned char *b, bool big)
{
	const uint32_t bits = word(b, big);
	float v;

	memcpy(&v, &bits, sizeof v);
	return (double)v;
}

/* The order of bytes, by the machine stamp or, as old files have none, by which one makes the
 * columns few. */
static bool is_big(const unsigned char *head)
{
	if (head[MACHINE] == 0x11)
		return true;
	return head[MACHINE] != 0x44 && word(head, false) > COLUMNS && word(head, true) <= COLUMNS;
}

bool fx__volume_is_mrc(const char *head)
{
	const unsigned char *h = (const unsigned char *)head;
	const bool big = is_big(h);

	if (memcmp(head + MAP, "MAP", 3) == 0)
		return true;
	for (int a = 0; a < 3; a++)
		if (!word(h + 4 * a, big) || word(h + 4 * a, big) > COLUMNS ||
		    word(h + AXES + 4 * a, big) != (uint32_t)a + 1)
			return false;
	return word(h + MODE, big) <= 6;
}

static int parse_mode(struct volume_mrc *m, const unsigned char *head, struct fx_volume *v,
		      struct fx_error *err)
{
	const uint32_t mode = word(head + MODE, m->big);
	const bool imod = word(head + IMOD_STAMP, m->big) == IMOD;

	m->is_signed = mode == 1 || (mode == 0 && (!imod || word(head + IMOD_FLAGS, m->big) & 1));
	v->dtype = mode == 0 ? FX_U8 : mode == 1 || mode == 6 ? FX_U16 : mode == 2 ? FX_F32 : 0;
	return v->dtype ? FX_OK :
			  fx_error_set(err, FX_ETYPE,
				       "%s: voxels of mode %u are not accepted; modes 0, 1, 2 and "
				       "6 (8 and 16 bit, float32) are",
				       m->path, mode);
}

/* Numbers of x, y, z to zyx. */
static void parse_place(const struct volume_mrc *m, const unsigned char *head, struct fx_volume *v)
{
	for (int a = 0; a < 3; a++) {
		const unsigned char *h = head + 4 * (2 - a);
		const double cell = real(h + CELL, m->big) / 10; /* from Angstrom */
		const uint32_t len = word(h + SAMPLING, m->big);

		v->shape[a] = word(h, m->big);
		v->offset[a] = (int32_t)word(h + START, m->big);
		v->voxel_nm[a] = len && cell > 0 && cell < 1e12 ? cell / len : 0;
	}
	if (!(v->voxel_nm[0] > 0 && v->voxel_nm[1] > 0 && v->voxel_nm[2] > 0))
		memset(v->voxel_nm, 0, sizeof v->voxel_nm);
}

static int parse_head(struct volume_mrc *m, const unsigned char *head, struct fx_volume *v,
		      struct fx_error *err)
{
	const uint32_t extended = word(head + EXTENDED, m->big);
	int result = parse_mode(m, head, v, err);

	if (result < 0)
		return result;
	for (int a = 0; a < 3; a++) {
		const uint32_t axis = word(head + AXES + 4 * a, m->big);

		if (axis && axis != (uint32_t)a + 1)
			return fx_error_set(err, FX_ETYPE,
					    "%s: its axes are in another order than columns x, "
					    "rows y, sections z",
					    m->path);
	}
	if (extended > INT32_MAX)
		return fx_error_set(err, FX_EINVAL, "%s: its extended header has no size", m->path);
	parse_place(m, head, v);
	m->data = HEAD + (off_t)extended;
	return fx_volume_check(m->path, v, err);
}

static int mrc_start(struct volume_mrc *m, struct fx_volume *v, struct fx_error *err)
{
	unsigned char head[HEAD];
	struct stat st;
	int result;

	if (fx_pread_all(m->fd, head, HEAD, 0) != 0 || fstat(m->fd, &st) != 0)
		return fx_error_set(err, FX_EINVAL, "%s: truncated header", m->path);
	m->big = is_big(head);
	result = parse_head(m, head, v, err);
	if (result == FX_OK &&
	    (uint64_t)st.st_size < (uint64_t)m->data + v->shape[0] * v->shape[1] * v->shape[2] *
							       fx_dtype_size(v->dtype))
		result = fx_error_set(err, FX_EINVAL, "%s: is shorter than its header says",
				      m->path);
	return result;
}

static void volume_mrc_close(struct fx_volume *v)
{
	struct volume_mrc *m = v->impl;

	if (m) {
		if (m->fd >= 0)
			close(m->fd);
		free(m->path);
	}
	free(m);
}

static int volume_mrc_open(const char *path, struct fx_volume *v, struct fx_error *err)
{
	struct volume_mrc *m = calloc(1, sizeof *m);
	int result = FX_ENOMEM;

	v->impl = m;
	if (m)
		m->fd = -1;
	if (!m || !(m->path = fx_strdup(path)))
		fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	else if ((m->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		result = fx_error_set(err, FX_EIO, "%s: cannot open", path);
	else
		result = mrc_start(m, v, err);
	if (result < 0)
		volume_mrc_close(v);
	return result;
}

static void turn(unsigned char *v, size_t len, size_t bytes)
{
	for (size_t i = 0; i < len; i++, v += bytes)
		for (size_t k = 0; k < bytes / 2; k++) {
			const unsigned char b = v[k];

			v[k] = v[bytes - 1 - k];
			v[bytes - 1 - k] = b;
		}
}

static int volume_mrc_read(struct fx_volume *v, struct fx_block *b, struct fx_error *err)
{
	const struct volume_mrc *m = v->impl;
	const size_t bytes = fx_dtype_size(v->dtype), row = b->shape[2] * bytes;
	unsigned char *to = b->data;

	for (size_t z = 0; z < b->shape[0]; z++)
		for (size_t y = 0; y < b->shape[1]; y++, to += row) {
			const size_t line =
				((size_t)b->origin[0] + z) * v->shape[1] + (size_t)b->origin[1] + y;
			const size_t voxel = line * v->shape[2] + (size_t)b->origin[2];
			unsigned char sign = 0;

			if (fx_pread_all(m->fd, to, row, m->data + (off_t)(voxel * bytes)) != 0)
				return fx_error_set(err, FX_EIO,
						    "%s: cannot read voxels of section %zu",
						    m->path, (size_t)b->origin[0] + z);
			if (m->big)
				turn(to, b->shape[2], bytes);
			for (size_t i = bytes - 1; m->is_signed && i < row; i += bytes)
				sign |= to[i];
			if (sign & 0x80)
				return fx_error_set(err, FX_ETYPE,
						    "%s: has negative voxels, which are not "
						    "accepted",
						    m->path);
		}
	return FX_OK;
}

const struct fx_volume_ops fx_volume_mrc = {
	.open = volume_mrc_open,
	.read = volume_mrc_read,
	.close = volume_mrc_close,
	.sets_all = true,
};
