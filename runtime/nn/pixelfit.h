// SPDX-License-Identifier: Apache-2.0
/* pixelfit.h: trains networks that judge every voxel by its features. */
#ifndef FX_NN_PIXELFIT_H
#define FX_NN_PIXELFIT_H

#include "nn/pixelmodel.h"

/** Rows of FX_FEATURES numbers of voxels inside of bodies [0], and at their boundary [1]. */
struct fx_pixelfit_data {
	const float *rows[2]; /**< borrowed */
	size_t len[2];
};

/** How to train. */
struct fx_pixelfit_spec {
	struct fx_pixelfit_data data; /**< both of at least one row */
	size_t hidden;		      /**< width of both hidden layers */
	size_t batch;		      /**< rows of a step, half of them of each kind */
	uint64_t steps, seed;
	double rate;	 /**< the highest; a warm-up, then half a cosine to 0 */
	double contrast; /**< grey values of a row times 1/(1 + c) to 1 + c */
	double offset;	 /**< plus -o to o */
};

/** How good the network is on rows, both kinds counting the same. */
struct fx_pixelfit_score {
	double loss; /**< mean binary cross-entropy in nats */
	double auc;  /**< chance that a boundary voxel is rated above another */
};

enum { FX_PIXELFIT_POINTS_MAX = 64 };

/** A point of the curves. */
struct fx_pixelfit_point {
	double step, loss;		/**< steps made, mean loss since the point before */
	struct fx_pixelfit_score aside; /**< not a number when nothing was kept aside */
};

/** Training under way. Zero-initialise; fx_pixelfit_fini() when done. */
struct fx_pixelfit {
	struct fx_pixelfit_spec spec;
	struct fx_pixelmodel_norm norm;
	struct fx_arch arch;
	struct fx_nn *net; /**< owned, as what follows */
	struct fx_optim optim;
	struct fx_pcg rng;
	int in, target, logit;
	NN_REAL *rows, *targets; /**< of one batch */
	struct fx_pixelfit_point points[FX_PIXELFIT_POINTS_MAX];
	size_t points_len;
	char run[96]; /**< tells this training from all others */
};

/** Starts. FX_EINVAL without rows of both kinds, FX_ENOMEM. */
int fx_pixelfit_init(struct fx_pixelfit *f, const struct fx_pixelfit_spec *spec,
		     struct fx_error *err);
void fx_pixelfit_fini(struct fx_pixelfit *f);
/** Trains up to @p steps steps more, not beyond the last of the training; gives the mean loss. */
double fx_pixelfit_run(struct fx_pixelfit *f, uint64_t steps);
/** Trains up to @p steps steps more, rates the network on the rows kept @p aside (may be empty),
 * and adds a point to the curves, unless there are too many. FX_ENOMEM. */
int fx_pixelfit_go(struct fx_pixelfit *f, uint64_t steps, const struct fx_pixelfit_data *aside,
		   struct fx_error *err);
/** Draws the losses over the steps as a PNG file. Errors as fx_png_write(). */
int fx_pixelfit_draw(const struct fx_pixelfit *f, const char *path, struct fx_error *err);
/** Rates all rows of @p data, at least one of each kind. FX_ENOMEM. */
int fx_pixelfit_rate(struct fx_pixelfit *f, const struct fx_pixelfit_data *data,
		     struct fx_pixelfit_score *score, struct fx_error *err);
/** Writes the model, with @p going_on also what it takes to go on. It appears complete or not at
 * all. @p note (may be empty): free text, such as the source of the data. */
int fx_pixelfit_save(const struct fx_pixelfit *f, const char *path, bool going_on,
		     const double voxel_nm[3], const char *note, struct fx_error *err);
/** Goes on from what fx_pixelfit_save() wrote, to the same bits as without the break. FX_ENOENT
 * when the file is not there, FX_ETYPE when it is no checkpoint or of another training. Nothing is
 * changed then. */
int fx_pixelfit_resume(struct fx_pixelfit *f, const char *path, struct fx_error *err);

#endif
