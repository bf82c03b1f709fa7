// SPDX-License-Identifier: Apache-2.0
/* tf_checkpoint.h: writes small TensorFlow V2 checkpoints for tests, by the format's description.
 */
#ifndef FX_TESTS_TF_CHECKPOINT_H
#define FX_TESTS_TF_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

/** A float32 tensor to write. */
struct tf_tensor {
	const char *name;
	int rank;
	size_t shape[5];
	const float *values;
};

/** The bytes of an index file of @p tensors (in the order of their names) and of their shard,
 * free() both. Keys share prefixes, blocks have @p per_block entries. */
void test_tf_encode(const struct tf_tensor *tensors, size_t len, size_t per_block, void **index,
		    size_t *index_size, void **data, size_t *data_size);
/** Writes PREFIX.index and PREFIX.data-00000-of-00001. */
void test_tf_write(const char *prefix, const struct tf_tensor *tensors, size_t len);
/** A flood-filling network of @p depth modules of @p features, weights random and small, in the
 * order of names, under "scope/"; free() *values at the end, and the tensors. */
struct tf_tensor *test_tf_ffn(size_t depth, size_t features, size_t *len, float **values,
			      char **names);

#endif
