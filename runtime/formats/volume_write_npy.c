// SPDX-License-Identifier: Apache-2.0
/* volume_write_npy.c: writes a volume as a .npy file. */
#include <string.h>

#include "base/file.h"
#include "formats/npywrite.h"
#include "formats/volume_write_ops.h"

static const char *const codecs[] = { "none", NULL };

static int npy_open(struct fx_volume_write *w, struct fx_error *err)
{
	char head[FX_NPY_HEAD];
	int failed;

	if (!fx_npy_head(head, w->spec.dtype, 1, w->spec.shape))
		return fx_error_set(err, FX_ETYPE, "%s: no voxels of NumPy", w->spec.path);
	failed = fx_pwrite_all(w->place.lock, head, FX_NPY_HEAD, 0);
	return failed ? fx_error_set(err, FX_EIO, "%s: cannot write: %s", w->spec.path,
				     strerror(-failed)) :
			FX_OK;
}

/* Rows of one section, or whole sections: both lie behind each other. */
static int npy_put(struct fx_volume_write *w, size_t level, const struct fx_block *part,
		   struct fx_error *err)
{
	const size_t voxel = fx_dtype_size(w->spec.dtype), row = w->spec.shape[2] * voxel;
	const size_t section = w->spec.shape[1] * row;
	int failed = 0;

	(void)level;
	for (size_t z = 0; z < part->shape[0] && !failed; z++)
		failed = fx_pwrite_all(
			w->place.lock, (const char *)part->data + z * part->shape[1] * row,
			part->shape[1] * row,
			(off_t)(FX_NPY_HEAD + ((size_t)part->origin[0] + z) * section +
				(size_t)part->origin[1] * row));
	return failed ? fx_error_set(err, FX_EIO, "%s: cannot write: %s", w->spec.path,
				     strerror(-failed)) :
			FX_OK;
}

static int npy_finish(struct fx_volume_write *w, struct fx_error *err)
{
	(void)w;
	(void)err;
	return FX_OK;
}

const struct fx_volume_write_ops fx_volume_write_npy = {
	.dtypes = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F32,
	.codecs = codecs,
	.open = npy_open,
	.put = npy_put,
	.finish = npy_finish,
};
