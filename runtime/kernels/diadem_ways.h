// SPDX-License-Identifier: Apache-2.0
/* diadem_ways.h: the steps of DIADEM: which nodes are near, and which ways are equally long. */
#ifndef FX_KERNELS_DIADEM_WAYS_H
#define FX_KERNELS_DIADEM_WAYS_H

#include "kernels/bintree.h"
#include "kernels/diadem.h"
#include "kernels/edgetree.h"

enum { FX_DIADEM_GOLD, FX_DIADEM_TEST };

/** Some bins. */
struct fx_binids {
	int32_t *at; /**< owned by whom it was made for: free() */
	size_t len, cap;
};

/** The forks and ends of one tree, parents before children, to be asked by place. */
struct fx_binlist {
	int32_t *bins; /**< owned */
	size_t len;
	struct fx_edge *points; /**< owned */
	struct fx_edgetree near;
	bool *gone; /**< owned: no longer in it */
};

/** One tree of gold and one of the test. Zero-initialise with the options; fx_diadem_close(). */
struct fx_diadem {
	struct fx_diadem_options options;
	struct fx_bintree bins; /**< of both */
	int32_t roots[2];
	struct fx_binlist lists[2];
	/** All owned, one for each bin. */
	int32_t *match; /**< its partner in the other tree, -1 */
	double *weight;
	uint32_t *seen;	    /**< last question in which it was met */
	uint32_t *reach_of; /**< last question in which reach[] was set */
	struct fx_reach *reach;
	uint32_t question;
};

/** Makes the bins of one side; a root of -1 gives an empty list. FX_EINVAL, FX_ENOMEM. */
int fx_diadem_side(struct fx_diadem *d, int side, struct fx_reroot *tree, int32_t root);
/** Makes what is known of each bin: no match. FX_ENOMEM. */
int fx_diadem_ready(struct fx_diadem *d);
/** Frees all but the options. */
void fx_diadem_close(struct fx_diadem *d);
/** Takes a bin out of a list. */
void fx_binlist_drop(struct fx_binlist *list, int32_t bin);
/** The bins of @p list near bin @p of, in its order; with @p free_only those without a match.
 * FX_ENOMEM. */
int fx_diadem_near(const struct fx_diadem *d, const struct fx_binlist *list, int32_t of,
		   bool free_only, struct fx_binids *out);
/** True when the ways from both up to ancestors that are near each other are equally long.
 * FX_ENOMEM.
 */
int fx_diadem_ways_fit(struct fx_diadem *d, int32_t gold, int32_t test, bool *fit);
/** Of several candidates for a fork keeps those from which a way down fits one of gold; when there
 * are none, all. FX_ENOMEM. */
int fx_diadem_confirm(struct fx_diadem *d, int32_t gold, struct fx_binids *candidates);
/** True when a way through fork @p node, from its nearest ancestor with a match down to something
 * in @p list, is there in the other tree. When that is so on both sides and they part near by,
 * *place is where. FX_ENOMEM. */
int fx_diadem_goes_on(struct fx_diadem *d, int32_t node, const struct fx_binlist *list,
		      bool *goes_on, int32_t *place);

#endif
