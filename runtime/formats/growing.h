// SPDX-License-Identifier: Apache-2.0
/* growing.h: a volume by its path, also while it is being written. */
#ifndef FX_FORMATS_GROWING_H
#define FX_FORMATS_GROWING_H

#include "formats/volume.h"

/** The first members are set by the caller, texts borrowed; the rest is zero at first. */
struct fx_growing {
	const char *path;
	const char *marker;    /**< file in its folder that says that no more will come, or "" */
	const char *attribute; /**< number of complete sections, told by the volume, or "" */
	double settle, late, silence; /**< s, as in watch.h */
	int64_t count;		      /**< sections; 0: all that there will be */
	bool grows;		      /**< else all of it is there */
	bool fill;		      /**< parts that did not come have the fill value */

	struct fx_volume file; /**< owned; shape[0] grows */
	bool open;	       /**< file is open */
	bool was_open;
	size_t shape[3]; /**< as it was first */
	enum fx_dtype dtype;
	bool ending; /**< no more will come */
	int64_t start_ns, changed_ns, rescan_ns;
	uint64_t seen;	     /**< what was looked at when it last changed */
	uint64_t state;	     /**< of the section that is waited for */
	int64_t since_ns;    /**< state is so since then */
	int64_t late_ns;     /**< a later section is there since then; 0: it is not */
	double complete;     /**< sections, by attribute */
	struct fx_error why; /**< why it cannot be opened yet */
};

/** Opens it; while it grows, one that is not there yet is fine. */
int fx_growing_start(struct fx_growing *g, struct fx_error *err);
/** What is known of section @p z: FX_OK: it can be read; FX_ENOENT: it will not come, and *reason
 * says why; FX_END: it is behind the last; FX_IDLE: not known yet. Looks at the files at most a
 * tenth of the time. Errors: FX_ETYPE when the volume is another one by now. */
int fx_growing_look(struct fx_growing *g, int64_t z, struct fx_error *reason);
/** Takes a zeroed one too. */
void fx_growing_fini(struct fx_growing *g);

#endif
