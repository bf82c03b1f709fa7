// SPDX-License-Identifier: Apache-2.0
/* docket.h: sections that were measured and wait for their verdict, with the marks between them. */
#ifndef FX_NODE_DOCKET_H
#define FX_NODE_DOCKET_H

#include <fornix/node.h>

#include "kernels/judge.h"

/** A mark that is passed on in its place, or a section. */
struct fx_case {
	struct fx_mark mark; /**< kind 0: it is a section */
	int64_t z;
	uint64_t version;
	struct fx_verdict *verdicts; /**< owned: of the section, and of its parts */
};

/** Zero-initialise and set parts; fx_docket_clear() when done. */
struct fx_docket {
	size_t parts; /**< of a section */
	size_t len, cap;
	struct fx_case *cases; /**< owned */
};

/** Appends a mark, NULL: a section whose verdicts are zeroed. NULL without memory. */
struct fx_case *fx_docket_add(struct fx_docket *d, const struct fx_mark *m);
/** Sections in it. */
size_t fx_docket_sections(const struct fx_docket *d);
/** Judges all of its sections: the first ones together, or each by those before. FX_ENOMEM. */
int fx_docket_judge(struct fx_docket *d, struct fx_judge *judge);
/** Empties it. */
void fx_docket_clear(struct fx_docket *d);
/** For save() and load(), the latter into an empty one of the same parts. FX_ETYPE, FX_ENOMEM. */
void fx_docket_pack(const struct fx_docket *d, struct fx_pack *to);
int fx_docket_unpack(struct fx_docket *d, struct fx_unpack *from);

#endif
