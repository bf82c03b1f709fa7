// SPDX-License-Identifier: Apache-2.0
/* watch.h: a folder of numbered images, one a section, also while it fills. */
#ifndef FX_FORMATS_WATCH_H
#define FX_FORMATS_WATCH_H

#include <fornix/block.h>

#include "formats/sequence.h"

enum { FX_WATCH_MAX = 1 << 20 }; /**< sections */

/** The first members are set by the caller, texts borrowed; the rest is zero at first. */
struct fx_watch {
	const char *path, *pattern, *marker; /**< as in sequence.h */
	double settle, late, silence;	     /**< s: see the functions; silence 0 is never */
	int64_t first, count;		     /**< -1 is the lowest there is; 0 is all there are */
	bool grows;			     /**< else all files are there, and settled */

	struct fx_sequence files;	      /**< owned, to fx_watch_fini() */
	int64_t start_ns, scan_ns, rescan_ns; /**< first scan, last one, and none before */
	int64_t low, end; /**< first number, and behind the last as far as known */
	bool ending;	  /**< no more files will come */
	bool opened;	  /**< low stays */
};

/** Lists the folder. From then on it is ending when the marker is there, or when nothing has
 * changed for silence. FX_EIO when the folder is gone, FX_EINVAL, FX_ENOMEM. */
int fx_watch_scan(struct fx_watch *w, struct fx_error *err);
/** FX_ENOENT unless there is a file to read, or may be. */
int fx_watch_check(const struct fx_watch *w, struct fx_error *err);
/** True when enough time is over since the last scan: scans take at most a tenth of the time. */
bool fx_watch_due(const struct fx_watch *w);
/** True when it is known whether there is a file of @p number: it has not changed for settle; or
 * it is not there and no more will come, or a later one has waited for late. */
bool fx_watch_ready(const struct fx_watch *w, int64_t number);
/** Size and dtype of the first image that can be read, to @p m; the region's z are numbers, its end
 * INT64_MAX when not known. FX_IDLE when it has yet to come; FX_EINVAL when none will. */
int fx_watch_first(const struct fx_watch *w, struct fx_mark *m, struct fx_error *err);
/** The numbers are from @p low to @p end - 1, as fx_watch_first() gave them. */
void fx_watch_restrict(struct fx_watch *w, int64_t low, int64_t end);
/** The text of an error without the folder, which would fill a mark's reason. */
const char *fx_watch_reason(const struct fx_watch *w, const char *text);
/** Takes a zeroed one too. */
void fx_watch_fini(struct fx_watch *w);

#endif
