// SPDX-License-Identifier: Apache-2.0
/* judge.h: which sections of a stream are bad, by what is usual in it. */
#ifndef FX_KERNELS_JUDGE_H
#define FX_KERNELS_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pack.h"
#include "kernels/quality.h"
#include "kernels/running.h"

/** What may be wrong with an image. One image has one verdict: the first of the plain faults that
 * it has, else the worst of the others. */
enum fx_fault {
	FX_FAULT_NONE,
	FX_FAULT_BLANK,	    /**< nothing but noise */
	FX_FAULT_SATURATED, /**< many voxels of the lowest or the highest grey value */
	FX_FAULT_DUPLICATE, /**< the same image as that of another section */
	FX_FAULT_FOLD,	    /**< a long dark band; the last of the plain ones */
	FX_FAULT_DEFOCUS,
	FX_FAULT_NOISE,
	FX_FAULT_CHARGING, /**< rows or columns of different brightness */
	FX_FAULTS,
};

/** "good", "blank", ... Static storage. */
const char *fx_fault_name(unsigned fault);

struct fx_judge_rules {
	double deviations;	/**< from what is usual, of a section */
	double tile_deviations; /**< the same of a tile */
	double saturated;	/**< share of voxels over what is usual */
	double fold;		/**< length of a dark band over what is usual */
	double bad_parts;	/**< share of its parts that make a section bad, if any is */
	size_t learn;		/**< sections that are judged together at the start */
	size_t window;		/**< good sections that tell what is usual */
	size_t relearn;		/**< so many bad ones in a row are usual from then on; 0: never */
};

/** What was measured in a section or in a part of it, and what it means. */
struct fx_verdict {
	struct fx_quality quality;
	double fold;	    /**< length of its longest dark band; of a section */
	unsigned duplicate; /**< 1: it equals another section */
	unsigned fault;	    /**< enum fx_fault */
	unsigned local;	    /**< of a section, 1: only by its parts */
	double badness;	    /**< 1 is just bad, below 1 is good; the larger the worse */
	double focus_off, noise_off, stripes_off; /**< in usual deviations, above 0 is worse */
};

enum { FX_JUDGE_FIGURES = 7 };

/** What is usual: in whole sections, and in the part at each place. Zero-initialise. */
struct fx_judge {
	struct fx_judge_rules rules;
	size_t parts;
	struct fx_running whole,
		part; /**< owned; series of FX_JUDGE_FIGURES figures, of each part */
	bool learned; /**< rules.learn sections were judged */
	size_t bad_in_row;
};

/** For sections of @p parts parts. FX_ENOMEM. */
int fx_judge_init(struct fx_judge *j, const struct fx_judge_rules *rules, size_t parts);
/** Takes a zeroed one. */
void fx_judge_fini(struct fx_judge *j);
/** The start: judges @p n sections (each a verdict of the whole, and behind it j->parts of its
 * parts) by what is usual among themselves; what is usual is then that of the good ones. */
void fx_judge_first(struct fx_judge *j, struct fx_verdict *const *sections, size_t n);
/** Judges one section more, and takes it up when it is good. */
void fx_judge_next(struct fx_judge *j, struct fx_verdict *section);
/** For save() and load(), the latter into one of the same rules and parts. FX_ETYPE, FX_ENOMEM. */
void fx_judge_pack(const struct fx_judge *j, struct fx_pack *to);
int fx_judge_unpack(struct fx_judge *j, struct fx_unpack *from);

#endif
