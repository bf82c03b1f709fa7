// SPDX-License-Identifier: Apache-2.0
/* ffn.h: flood-filling: grows one object after another in a volume by a network that looks at a
 * field of view and is moved to where the object goes on.
 * Method: Januszewski et al., Nat. Methods 15:605 (2018), and the inference of google/ffn. Order of
 * operations, ties and floor divisions are those of the published program: with the published
 * network and constants the result is the published one, voxel for voxel. */
#ifndef FX_KERNELS_FFN_H
#define FX_KERNELS_FFN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

/** A voxel z, y, x of the volume, or a step between two. */
struct fx_ffn_pos {
	int32_t at[3];
};

/** Probabilities of the published configuration and what is counted in voxels. */
struct fx_ffn_config {
	size_t fov[3], deltas[3]; /**< field of view (odd) and how far it moves (at most half) */
	double init;		  /**< probability that a seed begins with, 0.95 */
	double pad;		  /**< what the network is shown where nothing is known, 0.05 */
	double move;		  /**< it moves to where the object is at least this sure, 0.9 */
	double segment;		  /**< voxels at least this sure are the object's, 0.6 */
	/** In a field where more than this part of the voxels has at least the move probability,
	 * voxels that were once below 0.5 do not rise again; below 0 they may. Published: 0. */
	double disconnect;
	size_t min_voxels;	/**< smaller objects are dropped, 1000 */
	size_t min_distance[3]; /**< no seed within this of another object, 1,1,1 */
};

/** Image as the network sees it: (v - mean) / stddev of grey values of 0 to 255 (u8; u16 / 257; f32
 * * 255), in float32. Voxels that are no finite number become 0. @p in is u8, u16 or f32. */
void fx_ffn_normalise(float *out, const void *in, enum fx_dtype dtype, size_t len, double mean,
		      double stddev);

/** The network: logits of the field of view from the normalised image and the logits so far, all
 * dense, zyx, of the shape of the field. @p logits overlaps neither. */
struct fx_ffn_eval {
	void (*run)(void *arg, float *logits, const float *image, const float *seed);
	void *arg;
};

/** What happened so far. */
struct fx_ffn_counts {
	uint64_t seeds;		      /**< looked at */
	uint64_t floods, accepted;    /**< floods begun, objects kept */
	uint64_t evaluations;	      /**< of the network */
	uint64_t weak, small;	      /**< floods rejected: seed lost, too few voxels */
	uint64_t stopped;	      /**< floods ended early because the seed got too weak */
	uint64_t skipped_threshold;   /**< queued moves to voxels that became unsure */
	uint64_t skipped_position;    /**< seeds and moves at the rim or in other objects */
	uint64_t voxels, overlapping; /**< assigned; sure as well but another object's */
};

/** The flood in progress, or the last one. */
struct fx_ffn_object {
	int32_t id;			    /**< 0 while it floods and when it was rejected */
	struct fx_ffn_pos start, low, high; /**< seed; box of the centres that were evaluated */
	uint64_t evaluations, voxels;
};

/** Thresholds as logits: of the float32 probability, computed in double, rounded to float32. */
struct fx_ffn_logits {
	float init, pad, move, segment;
	double move_exact; /**< not rounded: faces are compared with this */
};

/** A volume being segmented. Zero-initialise; fx_ffn_fini() when done. Fields are read only. */
struct fx_ffn {
	struct fx_ffn_config config;
	struct fx_ffn_logits logits;
	struct fx_ffn_eval eval;
	size_t shape[3], len, fov_len;
	size_t margin[3];   /**< half the field */
	const float *image; /**< borrowed: normalised, shape zyx */
	int32_t *segments;  /**< borrowed: 0 none, ids from 1; -1 inside a run: no seed here */
	float *pom;	    /**< owned: predicted object map, logits; NaN where never evaluated */
	uint8_t *done;	    /**< owned: of every cell of moves, whether it was evaluated */
	size_t cells[3], cells_len;
	const struct fx_ffn_pos *seeds; /**< borrowed */
	size_t seeds_len, seed;		/**< how many, and the next one */
	int32_t next_id;
	bool flooding;
	struct fx_ffn_object object;
	struct fx_ffn_pos *queue; /**< owned: places to look at, from head to len */
	size_t queue_len, queue_head, queue_cap;
	float *patch; /**< owned: image, seed and logits of the field */
	struct fx_ffn_counts counts;
};

/** Logits of the probabilities of @p c. */
struct fx_ffn_logits fx_ffn_logits(const struct fx_ffn_config *c);

/** Begins. @p image (normalised), @p segments (ids to grow around, mostly zeros; written) and
 * @p seeds outlive @p f. A volume smaller than the field has no place for it: nothing is found.
 * FX_EINVAL with a text for a field that is even or larger than 255, deltas beyond half of it, a
 * probability not between 0 and 1, or a volume that is empty or of 2^31 voxels or more along an
 * axis or in all; FX_ENOMEM. */
int fx_ffn_init(struct fx_ffn *f, const struct fx_ffn_config *c, const struct fx_ffn_eval *eval,
		const float *image, int32_t *segments, const size_t shape[3],
		const struct fx_ffn_pos *seeds, size_t seeds_len, struct fx_error *err);
/** Takes a zeroed one too. */
void fx_ffn_fini(struct fx_ffn *f);

/** What a step did. */
enum fx_ffn_did {
	FX_FFN_EVALUATED = 1, /**< ran the network once */
	FX_FFN_ENDED,	      /**< ended a flood: f->object tells which and how */
	FX_FFN_FINISHED,      /**< no seed is left; marks -1 in segments became 0 */
};
/** Goes on until the network ran once, a flood ended or all is done. FX_ENOMEM when the queue
 * cannot grow; the step may be repeated. */
int fx_ffn_step(struct fx_ffn *f);
/** Voxels of @p f that are settled, as progress for people: those of objects, those that the flood
 * in progress holds now, and of the others the part that the seeds looked at are of all seeds. From
 * 0 to f->len when all is done. Looks at all voxels of the flood in progress: not for every step.
 */
double fx_ffn_settled(struct fx_ffn *f);
/** Begins a flood at @p pos, whatever the seeds are. FX_EINVAL when the field does not fit there,
 * an object is there, or another flood is in progress. */
int fx_ffn_begin(struct fx_ffn *f, struct fx_ffn_pos pos);

/** Cell of moves of @p pos in a flood from @p start: floor((pos - start + delta / 2) / delta). */
int32_t fx_ffn_cell(int32_t pos, int32_t start, size_t delta);

/** A place that the object goes on at. */
struct fx_ffn_move {
	float score;
	struct fx_ffn_pos step; /**< from the centre */
};
/** The surest voxel of each face of the box of @p deltas around the centre (first in C order among
 * equals; an axis of delta 0 has no faces), those of at least @p threshold, without duplicates,
 * ordered by score and then step, both descending. Returns how many. */
size_t fx_ffn_moves(struct fx_ffn_move moves[6], const float *logits, const size_t fov[3],
		    const size_t deltas[3], double threshold);

#endif
