// SPDX-License-Identifier: Apache-2.0
/* microscope.h: an electron microscope that images sections, with all that goes wrong: what happens
 * to a section (by chance, from seed, section and version alone), and the image that comes of it.
 *
 * The model (own). Geometry: each section lies turned, scaled and sheared on its holder, and a walk
 * by chance moves it from section to section; a fold hides a strip of tissue, shows a dark band
 * in its place and pulls the tissue on both sides towards it. Optics: defocus is a Gaussian over
 * the whole image or up to a soft edge. Beam: a charged place makes a bright streak along its row
 * that decays, and lifts all rows behind it for a while. Detector: gain, offset, shot noise. A
 * section is resampled once, by interpolation with cubic B-splines (Unser, IEEE Signal Processing
 * Magazine 1999); beyond its rim it is mirrored. The same bytes for any number of threads. */
#ifndef FX_KERNELS_MICROSCOPE_H
#define FX_KERNELS_MICROSCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

enum { FX_MICROSCOPE_VOXELS_MAX = 1 << 28 }; /* of a section */

/** What a microscope does. Deviations are those of normal numbers, rates parts of all sections. */
struct fx_microscope_spec {
	uint64_t seed;
	size_t height, width; /**< voxels of a section, 1 to 2^28 in all */
	double drift;	      /**< deviation of a step of the walk, voxels, along y and x */
	double rotation;      /**< deviation of the rotation about the middle, degrees, up to 15 */
	double affine;	      /**< deviation of scale and shear, a part, up to 0.1 */
	double brightness;    /**< deviation of gain and offset, a part, up to 0.5 */
	double noise;	      /**< deviation of the shot noise at medium grey, of 255 grey levels */
	double defocus, charging, folds, blank, missing, duplicate; /**< rates, 0 to 1 */
};

/** A fold: a line through a place, bent; voxels of the image. */
struct fx_microscope_fold {
	double through[2], normal[2]; /**< y x; the normal has length 1 */
	double width;		      /**< half of the dark band */
	double shift;		      /**< how far tissue at the fold is pulled, each side */
	double reach;		      /**< distance at which it is not pulled any more */
	double bend, bend_length;     /**< how far and how fast the line leaves a straight one */
	uint64_t key;		      /**< of the bend */
};

/** What happens when a section is imaged once. */
struct fx_microscope_shot {
	int64_t section, version; /**< version 1 is the first image */
	int64_t imaged;		  /**< the section under the beam: another in a duplicate */
	bool missing, blank, folded;
	double affine[2][3];	    /**< image voxel (y, x, 1) to the place (y, x) in the section */
	double gain, offset;	    /**< seen = gain * grey + offset, of 255 grey levels */
	double defocus;		    /**< sigma of the blur in voxels, 0 is sharp */
	bool partly;		    /**< the blur covers only one side of an edge */
	double edge[2], outward[2]; /**< a place on the edge, and the direction of the blur */
	double noise;		    /**< as in the spec; more in a blank image is more */
	double charging;	    /**< grey levels of the streaks, 0 is none */
	struct fx_microscope_fold fold;
	uint64_t key; /**< of noise and streaks */
};

/** A microscope. Zero-initialise but for the spec. */
struct fx_microscope {
	struct fx_microscope_spec spec;
	int64_t walked; /**< private: the section that the walk is at */
	double at[2];	/**< private: and where that is, from section 0 */
};

/** Refuses what is out of range: FX_EINVAL. */
int fx_microscope_check(const struct fx_microscope_spec *spec, struct fx_error *err);
/** What happens to @p section (from 0) at @p version (from 1). What is of the section stays in
 * every version: its place and shape, its fold, that it is missing. A duplicate is a first version,
 * and is the first version of the section before, in all. Constant time when sections come in
 * order. */
void fx_microscope_shoot(struct fx_microscope *m, int64_t section, int64_t version,
			 struct fx_microscope_shot *shot);

/** A section under the microscope. Zero-initialise but for the first four. */
struct fx_specimen {
	const void *voxels;   /**< borrowed; dense rows */
	enum fx_dtype dtype;  /**< FX_U8 or FX_U16 */
	size_t height, width; /**< voxels, as in the spec */
	float *spline;	      /**< private, owned: its coefficients, when they were needed */
};

/** Takes a zeroed one too. */
void fx_specimen_fini(struct fx_specimen *s);
/** Images the rectangle of @p size voxels whose first voxel is at @p at (y x, may lie between
 * voxels and beyond the rim) of the image: dense rows of the specimen's dtype into @p out. @p tile
 * tells exposures of one section apart: each has a noise of its own. FX_ENOMEM, FX_EINVAL for an
 * empty size or specimen. */
int fx_microscope_expose(const struct fx_microscope_shot *shot, struct fx_specimen *s,
			 const double at[2], const size_t size[2], unsigned tile, void *out,
			 struct fx_error *err);

#endif
