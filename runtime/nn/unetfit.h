// SPDX-License-Identifier: Apache-2.0
/* unetfit.h: trains 3-D U-Nets that find the boundaries of bodies. */
#ifndef FX_NN_UNETFIT_H
#define FX_NN_UNETFIT_H

#include "nn/cropvolume.h"
#include "nn/unetmodel.h"

enum {
	FX_UNETFIT_SOURCES_MAX = 2,
	FX_UNETFIT_BATCH_MAX = 64,
	FX_UNETFIT_POINTS_MAX = 64,
};

/** How to train. */
struct fx_unetfit_spec {
	struct fx_crop_source sources[FX_UNETFIT_SOURCES_MAX];
	size_t sources_len;
	/** What is kept aside: labels of sections aside_lo to below aside_hi only, 0 elsewhere. */
	struct fx_crop_source aside;
	size_t aside_lo, aside_hi; /**< equal: nothing is */
	struct fx_crop_spec crop;  /**< mean and sd are measured on the first source */
	size_t width[FX_ARCH_LEVELS_MAX], levels, flat; /**< of the network, see fx_arch */
	size_t batch; /**< crops of a step; so many threads work, whatever their number the
			weights come out the same */
	uint64_t steps, warmup, seed;
	double rate; /**< the highest; half a cosine to 0 follows the warm-up */
};

/** A point of the curves; not a number where nothing was kept aside. */
struct fx_unetfit_point {
	double step, loss; /**< steps made, mean loss since the point before */
	double aside_loss; /**< on what was kept aside */
	double aside_voi,
		threshold; /**< VOI (bits) after agglomeration, at the threshold best there */
};

struct fx_unetfit_lane;

/** Training under way. Zero-initialise; fx_unetfit_fini() when done. */
struct fx_unetfit {
	struct fx_unetfit_spec spec;
	struct fx_arch arch;
	struct fx_unetfit_lane *lanes; /**< owned: one crop each, all with the same weights */
	struct fx_optim optim;
	struct fx_unetfit_point points[FX_UNETFIT_POINTS_MAX];
	size_t points_len;
	double loss_sum;     /**< of the steps since the last point */
	uint64_t loss_steps; /**< how many these are */
	uint64_t digest;     /**< of settings, data, and weights that were given */
	char run[96];	     /**< tells this training from all others */
};

/** Reads the channels of the levels from text such as "16 32 64 64"; flat is cut to their number.
 * FX_EINVAL. */
int fx_unetfit_width(struct fx_unetfit_spec *spec, const char *text, struct fx_error *err);
/** Sources, voxel size and what is kept aside from @p len (1 or 2) closed volumes, which must
 * live as long; the second gives a share @p more of the crops. Thick sections (or flat levels)
 * keep z apart. */
void fx_unetfit_data(struct fx_unetfit_spec *spec, const struct fx_cropvolume *volumes, size_t len,
		     double more);

/** Starts. FX_EINVAL for sides that the network cannot halve or without labels to learn from,
 * FX_ENOMEM. */
int fx_unetfit_init(struct fx_unetfit *f, const struct fx_unetfit_spec *spec, struct fx_error *err);
void fx_unetfit_fini(struct fx_unetfit *f);
/** Begins with the weights of a model file of the same architecture instead of random ones; before
 * the first step. FX_ENOENT, FX_EIO, FX_ETYPE, FX_EINVAL: not such a file; FX_ENOMEM. */
int fx_unetfit_start(struct fx_unetfit *f, const char *path, struct fx_error *err);
/** Makes one step. FX_ENOMEM. */
int fx_unetfit_step(struct fx_unetfit *f, struct fx_error *err);
/** Rates the network on what is kept aside and adds a point to the curves, unless there are too
 * many. FX_ENOMEM. */
int fx_unetfit_rate(struct fx_unetfit *f, struct fx_error *err);
/** A point as a record "training" of numbers curve.STEP.loss, .aside_loss, .aside_voi and
 * .threshold. NULL without memory. */
struct fx_record *fx_unetfit_record(const struct fx_unetfit_point *p);
/** Draws the curves, losses above VOI, as a PNG file. Errors as fx_png_write(). */
int fx_unetfit_draw(const struct fx_unetfit *f, const char *path, struct fx_error *err);
/** Writes the model, with @p going_on also what it takes to go on. It appears complete or not at
 * all. @p note (may be empty): free text, such as the source of the data. */
int fx_unetfit_save(const struct fx_unetfit *f, const char *path, bool going_on, const char *note,
		    struct fx_error *err);
/** Goes on from what fx_unetfit_save() wrote, to the same bits as without the break. FX_ENOENT when
 * the file is not there, FX_ETYPE when it is no checkpoint or of another training; @p f must not be
 * used after another error. */
int fx_unetfit_resume(struct fx_unetfit *f, const char *path, struct fx_error *err);

#endif
