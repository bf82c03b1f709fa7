// SPDX-License-Identifier: Apache-2.0
/* verdicts.h: what inspector/quality said of sections, until their images have come. */
#ifndef FX_NODE_VERDICTS_H
#define FX_NODE_VERDICTS_H

#include <fornix/node.h>

/** Of an image of a section, or that it does not come. */
struct fx_verdict_of {
	int64_t z;
	bool missing, good;
	double badness;
	struct fx_region region; /**< what is bad of it; lo[0] is z */
	char reason[24];
};

/** Zero-initialise; fx_verdicts_fini(). */
struct fx_verdicts {
	size_t len, cap;
	struct fx_verdict_of *all; /**< owned; in order */
};

void fx_verdicts_fini(struct fx_verdicts *v);
/** Appends what record @p r, of kind "quality", says of a section; those of its tiles and other
 * kinds are left out. FX_ETYPE without a verdict, FX_ENOMEM. */
int fx_verdicts_add(struct fx_verdicts *v, const struct fx_record *r);
/** Appends that section @p z does not come. FX_ENOMEM. */
int fx_verdicts_miss(struct fx_verdicts *v, int64_t z);
/** Drops the first. */
void fx_verdicts_shift(struct fx_verdicts *v);
/** For save() and load(). FX_ETYPE, FX_ENOMEM. */
void fx_verdicts_pack(const struct fx_verdicts *v, struct fx_pack *to);
int fx_verdicts_unpack(struct fx_verdicts *v, struct fx_unpack *from);

#endif
