// SPDX-License-Identifier: Apache-2.0
/* tfcheckpoint.h: reads TensorFlow V2 checkpoints: PREFIX.index and PREFIX.data-NNNNN-of-NNNNN. */
#ifndef FX_FORMATS_TFCHECKPOINT_H
#define FX_FORMATS_TFCHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

enum {
	FX_TF_RANK_MAX = 8,
	FX_TF_TENSORS_MAX = 65536,
	FX_TF_NAME_MAX = 1024,
	FX_TF_INDEX_MAX = 64 << 20, /**< bytes of an index file */
	FX_TF_FLOAT = 1,	    /**< dtype of float32 */
};

/** One tensor of a checkpoint. */
struct fx_tf_tensor {
	char *name; /**< owned */
	uint64_t dtype;
	int rank;
	size_t shape[FX_TF_RANK_MAX];
	uint64_t shard, offset, size; /**< where its bytes are */
	uint32_t crc;		      /**< masked CRC32C of them */
};

/** What the index tells. Zero-initialise; fx_tf_fini() when done. */
struct fx_tf_checkpoint {
	struct fx_tf_tensor *tensors; /**< owned, in the order of their names */
	size_t len, cap;
	uint64_t shards;
	char *prefix; /**< owned; NULL when parsed from bytes */
};

/** Parses @p size bytes, any bytes, of an index file: an SSTable (LevelDB table format: 48-byte
 * footer, blocks with shared prefixes, CRC32C) of BundleEntryProto (tensorflow,
 * tensor_bundle.proto). FX_EINVAL with a text for what is damaged, compressed, big-endian, sliced,
 * of unknown rank, or over the limits above; FX_ENOMEM. */
int fx_tf_parse(struct fx_tf_checkpoint *c, const void *bytes, size_t size, struct fx_error *err);
/** The same of the file @p prefix .index. Errors name it. */
int fx_tf_open(struct fx_tf_checkpoint *c, const char *prefix, struct fx_error *err);
/** Takes a zeroed one too. */
void fx_tf_fini(struct fx_tf_checkpoint *c);
/** Tensor of that name, or NULL. */
const struct fx_tf_tensor *fx_tf_find(const struct fx_tf_checkpoint *c, const char *name);
/** Reads the values of a float32 tensor of an opened checkpoint: *values in C order (free()), *len
 * of them. FX_ETYPE for another type; FX_EINVAL when size and shape differ or the CRC is wrong;
 * FX_ENOENT, FX_EIO, FX_ENOMEM. */
int fx_tf_floats(const struct fx_tf_checkpoint *c, const struct fx_tf_tensor *t, float **values,
		 size_t *len, struct fx_error *err);
/** CRC32C (Castagnoli) of @p size bytes, masked as in these files. */
uint32_t fx_tf_crc(const void *data, size_t size);

#endif
