// SPDX-License-Identifier: Apache-2.0
/* arrivals.h: the images that a microscope writes to a folder, by section, tile and version: which
 * are complete, which are late, and when no more will come. */
#ifndef FX_FORMATS_ARRIVALS_H
#define FX_FORMATS_ARRIVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

#include "base/map64.h"
#include "formats/folder.h"
#include "formats/tilemap.h"

enum {
	FX_ARRIVALS_MAX = 1 << 20, /**< sections between the first and the last */
	FX_ARRIVALS_PATH_MAX = 255 /**< bytes of a path; longer ones are not read */
};

/** An image that lies there. */
struct fx_arrival {
	int64_t section, tile, version;
	char *path; /**< owned; relative to the folder */
	int64_t size, mtime_ns;
	int64_t since_ns; /**< when it was first seen so, or closed */
	uint64_t scan;	  /**< of the last whole look that saw it */
	uint64_t look;	  /**< that saw it first */
	bool closed;	  /**< after writing, as the kernel says */
	bool taken;	  /**< was sent */
	char *broken;	  /**< owned; why it cannot be read, NULL: not known to be so */
};

/** What was told once only. */
struct fx_arrivals_counts {
	uint64_t late;	/**< came when their section was closed */
	uint64_t twice; /**< of a section, tile and version that there is already */
	uint64_t other; /**< without a number, too far ahead, or a path that is too long */
	char last[300]; /**< one of the newest of them, and which */
};

/** The first members are set by the caller, texts borrowed; the rest is zero at first. */
struct fx_arrivals {
	const char *path, *pattern;   /**< as of sectionname.h */
	const char *manifest;	      /**< name in the folder of a list instead of a pattern; "" */
	const char *sidecar;	      /**< ending of a file that tells that the one before it is
					 complete; "": none is needed */
	const char *marker;	      /**< name in the folder; "": none */
	double settle, late, silence; /**< s; silence 0 is never */
	int64_t first, count;	      /**< -1 is the lowest there is; 0 is all there are */
	int64_t keep; /**< sections that stay behind the one that is next: newer versions count */

	struct fx_folder folder;
	struct fx_manifest list;
	struct fx_arrival *files; /**< by section, tile, version; in base */
	size_t len, all;	  /**< those behind len are new in this look, in no order */
	struct fx_arrival *base;  /**< private; owned */
	size_t cap;
	bool lost;	       /**< private: some have gone */
	struct fx_map64 known; /**< private; checksums of paths */
	uint64_t looks;
	struct fx_arrivals_counts counts;
	int64_t low, next; /**< first section, and the first that is not closed; once opened */
	int64_t changed_ns, now_ns; /**< last change; of this look */
	int64_t list_size, list_mtime_ns;
	bool opened; /**< low stays */
	bool ending; /**< no more will come */
	/** Whether @p section, @p tile, @p version was sent by a former life. May be NULL. */
	bool (*was_taken)(const void *context, const struct fx_arrival *a);
	const void *context;
};

/** Sees what is new. FX_IDLE while the manifest is not there. FX_EIO when the folder is gone,
 * FX_EINVAL when the manifest is wrong, FX_ENOMEM. */
int fx_arrivals_look(struct fx_arrivals *a, struct fx_error *err);
/** Sections begin with @p low: set once, before fx_arrivals_close(). */
void fx_arrivals_open(struct fx_arrivals *a, int64_t low);
/** Section a->next is done with; files of sections that are not kept are forgotten. */
void fx_arrivals_close(struct fx_arrivals *a);
/** Number behind the last section, as far as that is known, else INT64_MAX. */
int64_t fx_arrivals_end(const struct fx_arrivals *a);
/** Index of the first file of @p section or behind. */
size_t fx_arrivals_find(const struct fx_arrivals *a, int64_t section);
/** True when the file is complete, as far as that can be told without reading it. */
bool fx_arrivals_ready(const struct fx_arrivals *a, const struct fx_arrival *f);
/** True when @p section will not be waited for any more. */
bool fx_arrivals_overdue(const struct fx_arrivals *a, int64_t section);
/** Notes that the file cannot be read; that ends when it changes. FX_ENOMEM. */
int fx_arrivals_broken(struct fx_arrivals *a, struct fx_arrival *f, const char *why);
/** Why there is nothing of @p section, tile @p tile (-1: any), to @p text. */
void fx_arrivals_why(const struct fx_arrivals *a, int64_t section, int64_t tile, char *text,
		     size_t size);
/** Takes a zeroed one too. */
void fx_arrivals_fini(struct fx_arrivals *a);

#endif
