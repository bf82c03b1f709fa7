// SPDX-License-Identifier: Apache-2.0
/* fib25.h: the FIB-25 volume with its published flood-filling result, for tests. */
#ifndef FX_TESTS_FIB25_H
#define FX_TESTS_FIB25_H

#include <stddef.h>

#include "formats/ffnmodel.h"
#include "kernels/ffn.h"
#include "kernels/ffn_net.h"
#include "kernels/ffn_seeds.h"

enum { FIB25_SIDE = 250, FIB25_LEN = FIB25_SIDE * FIB25_SIDE * FIB25_SIDE };

/** A published object. */
struct fib25_object {
	int id;
	struct fx_ffn_pos origin;
	size_t evaluations, voxels;
};

extern const size_t fib25_shape[3];
/** The published constants. */
extern const struct fx_ffn_config fib25_config;
extern const struct fx_ffn_seeding fib25_seeding;

/* All fail the cmocka test when the file in the folder @p data cannot be read. Owned by the
 * caller: free(). */

/** Grey values. */
uint8_t *fib25_grey(const char *data);
/** (grey - 128) / 33. */
float *fib25_image(const char *data);
/** The published ids. */
int32_t *fib25_published(const char *data);
struct fx_ffn_pos *fib25_seeds(const char *data, size_t *len);
struct fib25_object *fib25_objects(const char *data, size_t *len);
/** fx_ffn_net_free(). */
struct fx_ffn_net *fib25_net(const char *data, enum fx_conv3d_path path);
/** The network of a model; fails the test when there is none. */
struct fx_ffn_net *fib25_net_of(const struct fx_ffn_model *m, enum fx_conv3d_path path);

/** Floods @p o again on a canvas that holds the published objects before it. Returns the number of
 * voxels that differ from the published object; gives the evaluations. */
size_t fib25_replay(const struct fib25_object *o, struct fx_ffn_net *net, const float *image,
		    const int32_t *published, size_t *evaluations);

#endif
