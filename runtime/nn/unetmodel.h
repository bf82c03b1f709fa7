// SPDX-License-Identifier: Apache-2.0
/* unetmodel.h: model files of U-Nets that judge the faces between voxels, and running them. */
#ifndef FX_NN_UNETMODEL_H
#define FX_NN_UNETMODEL_H

#include <fornix/block.h>

#include "nn/arch.h"
#include "nn/checkpoint.h"

enum { FX_UNETMODEL_SIZE_MAX = 256 << 20, FX_UNETMODEL_OUT_MAX = 7 };

/** The metadata "features": what the network takes. */
#define FX_UNETMODEL_FEATURES "brightness"

/** A model file has the metadata arch "unet", arch_args, features, input_norm ({"mean": m, "sd":
 * s}: the network sees (brightness - mean) / sd, brightness 0 to 1) and voxel_nm, and these heads:
 */
enum fx_unet_head {
	FX_UNET_AFFINITY, /**< 3 channels z y x: logits that a voxel and its lower neighbour along
			     that axis are in one body; required */
	FX_UNET_DISTANCE, /**< 1: its tanh is tanh(distance from other bodies / 6 finest voxels);
			     required */
	FX_UNET_ERODED,	  /**< 3: as affinity, of bodies eroded by one voxel; optional */
	FX_UNET_LONG,	  /**< 6: affinities at distance 4, then 10: only learning uses them */
	FX_UNET_HEADS
};

/** How what the network says becomes segments, unless options of segmenter/unet say otherwise:
 * see fx_fragments_depths (voxels) and fx_agglomerate_params. Training rates a network by the same.
 */
#define FX_UNET_SEED_DEPTH    1.5
#define FX_UNET_SEED_SMOOTH   1
#define FX_UNET_SEED_RADIUS   3
#define FX_UNET_QUANTILE      0.4
#define FX_UNET_PRIOR_FACES   10
#define FX_UNET_LARGE_VOXELS  20000
#define FX_UNET_LARGE_CONTACT 0.6
#define FX_UNET_DUST_VOXELS   500
/** The head "distance" is tanh(voxels / this). */
#define FX_UNET_DISTANCE_UNIT 6

/** A model ready to run. Zero-initialise; fx_unetmodel_fini() when done. */
struct fx_unetmodel {
	struct fx_arch arch; /**< of what is run: one head with all the channels that are used */
	double voxel_nm[3];  /**< of what it was trained on */
	double mean, sd;     /**< of the brightness there */
	bool eroded;	     /**< it has that head */
	NN_REAL *weights;    /**< owned: of a planned net, in its order */
	size_t weights_len;
	struct fx_nn *net; /**< owned: planned for the last shape */
	struct fx_arch_values values;
};

/** Reads a model file, or a checkpoint of one. FX_ENOENT, FX_EIO: no such file, or a tensor is
 * missing; FX_ETYPE, FX_EINVAL: another architecture, features or heads than above, tensors of
 * other shape or not finite; FX_ENOMEM. Errors name the file, what is wrong and what is wanted. */
int fx_unetmodel_read(struct fx_unetmodel *m, const char *path, struct fx_error *err);
/** A model of architecture @p a (a U-Net of one channel with the heads above) as training starts
 * it, from @p seed, for 8 nm: to measure speed. FX_ETYPE, FX_EINVAL, FX_ENOMEM as above. */
int fx_unetmodel_start(struct fx_unetmodel *m, const struct fx_arch *a, uint64_t seed,
		       struct fx_error *err);
void fx_unetmodel_fini(struct fx_unetmodel *m);

/** How a block is cut for the network. */
struct fx_unet_tiles {
	size_t most[3];	   /**< voxels of a tile, z y x; rounded to what the network wants */
	size_t overlap[3]; /**< at least these many voxels are in two tiles, up to a third */
};

/** A block of brightness that is run; the voxels are u8 or u16 (the whole range is 0 to 1) or f32
 * (cut to -1 to 2, NaN counts as 0), zyx, C order. */
struct fx_unet_image {
	const void *data;
	enum fx_dtype dtype;
	size_t shape[3];
};

/** What the network says of a block, as logits: 3 affinities, the distance, 3 eroded affinities;
 * each of the size of the block. NULL: not wanted. Eroded ones only when the model has them. */
struct fx_unet_logits {
	float *out[FX_UNETMODEL_OUT_MAX];
};

/** Runs the network on a block of any shape: as one tile when it fits, else in tiles of one size
 * that overlap, blended by ramps whose outer quarters do not count. Beyond the block it is mirrored
 * up to what the network wants. The tiles begin at multiples of that, so that they agree. The plan
 * of the last tile's shape is kept. FX_EINVAL for an empty shape or another dtype, FX_ENOMEM. Same
 * bits for any thread count. */
int fx_unetmodel_run(struct fx_unetmodel *m, const struct fx_unet_image *image,
		     const struct fx_unet_tiles *tiles, const struct fx_unet_logits *logits,
		     struct fx_error *err);

/** Multiplications and additions for one voxel of the input, as direct convolutions. */
double fx_unetmodel_flop(const struct fx_arch *a);

#endif
