// SPDX-License-Identifier: Apache-2.0
/* arrivals.c: the images that a microscope writes to a folder. */
#include "formats/arrivals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "base/clock.h"
#include "base/file.h"
#include "formats/image.h"
#include "formats/sectionname.h"

static int64_t nanoseconds(double seconds)
{
	return (int64_t)(seconds * 1e9);
}

static int64_t order(const struct fx_arrival *a, const struct fx_arrival *b)
{
	if (a->section != b->section)
		return a->section < b->section ? -1 : 1;
	if (a->tile != b->tile)
		return a->tile < b->tile ? -1 : 1;
	return a->version < b->version ? -1 : a->version > b->version;
}

/* The first file not before `key`. */
static size_t arrivals_at(const struct fx_arrivals *a, const struct fx_arrival *key)
{
	size_t lo = 0, hi = a->len;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (order(&a->files[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t fx_arrivals_find(const struct fx_arrivals *a, int64_t section)
{
	const struct fx_arrival key = { .section = section, .version = -1, .tile = -1 };

	return arrivals_at(a, &key);
}

/* What is known of a path: nothing; that it is done with; or, plus NEW, which of the new files it
 * is.
 */
enum { UNKNOWN, DONE_WITH, NEW };

static uint64_t *known_at(struct fx_arrivals *a, const char *path)
{
	char *copy = fx_strdup(path);
	const struct iovec part = { copy, copy ? strlen(copy) : 0 };
	uint64_t *const known = copy ? fx_map64_at(&a->known, fx_checksum(&part, 1)) : NULL;

	free(copy);
	return known;
}

static void know(struct fx_arrivals *a, const char *path, uint64_t what)
{
	uint64_t *const known = known_at(a, path);

	if (known) /* it was there before, so that this takes no memory */
		*known = what;
}

static void file_fini(struct fx_arrival *f)
{
	free(f->path);
	free(f->broken);
}

/* Told once for every file, and not of what lay there before this life. */
static int count_once(struct fx_arrivals *a, uint64_t *counter, const char *path, const char *what)
{
	know(a, path, DONE_WITH);
	if (!(a->opened && !a->folder.scans)) {
		(*counter)++;
		snprintf(a->counts.last, sizeof a->counts.last, "%s %s", path, what);
	}
	return FX_OK;
}

/* Which section, tile and version: FX_OK, or one of sectionname.h. */
static int file_name(const struct fx_arrivals *a, const char *path, struct fx_section_name *name)
{
	const struct fx_manifest_file *listed;

	if (!*a->manifest)
		return fx_section_name(path, a->pattern, name);
	listed = fx_manifest_find(&a->list, path);
	if (!listed)
		return FX_NAME_OTHER;
	*name = (struct fx_section_name){ listed->section, listed->tile, listed->version };
	return FX_OK;
}

static void file_change(struct fx_arrivals *a, struct fx_arrival *f,
			const struct fx_folder_file *file)
{
	const bool same = f->size == file->size && f->mtime_ns == file->mtime_ns;

	f->scan = a->folder.scans + 1;
	if (same && (file->news != FX_FOLDER_CLOSED || f->closed))
		return;
	if (!same && f->taken) {
		a->counts.twice++;
		snprintf(a->counts.last, sizeof a->counts.last,
			 "%s was written again after it was read", f->path);
	}
	f->size = file->size;
	f->mtime_ns = file->mtime_ns;
	f->since_ns = a->now_ns;
	f->closed = file->news == FX_FOLDER_CLOSED;
	a->changed_ns = a->now_ns;
	if (!same) {
		free(f->broken);
		f->broken = NULL;
	}
}

/* Room for one more; those that were dropped at the start give theirs. */
static bool files_room(struct fx_arrivals *a)
{
	if (a->files != a->base)
		memmove(a->base, a->files, a->all * sizeof *a->files);
	a->files = a->base;
	if (!fx_grow(&a->base, &a->cap, a->all + 1, sizeof *a->base))
		return false;
	a->files = a->base;
	return true;
}

static int file_add(struct fx_arrivals *a, const struct fx_section_name *name,
		    const struct fx_folder_file *file)
{
	struct fx_arrival f = { .section = name->section,
				.tile = name->tile,
				.version = name->version,
				.size = -1,
				.look = a->looks };

	if (!files_room(a) || !(f.path = fx_strdup(file->path)))
		return FX_ENOMEM;
	file_change(a, &f, file);
	f.taken = a->was_taken && a->was_taken(a->context, &f);
	know(a, f.path, NEW + a->all - a->len);
	a->files[a->all++] = f;
	return FX_OK;
}

/* A file that is not among the new ones. */
static int file_place(struct fx_arrivals *a, const struct fx_section_name *name,
		      const struct fx_folder_file *file)
{
	const struct fx_arrival key = { .section = name->section,
					.tile = name->tile,
					.version = name->version };
	const size_t at = arrivals_at(a, &key);

	if (at == a->len || order(&a->files[at], &key) != 0)
		return file_add(a, name, file);
	if (strcmp(a->files[at].path, file->path) != 0)
		return count_once(a, &a->counts.twice, file->path,
				  "is of a section and version that there is");
	file_change(a, &a->files[at], file);
	return FX_OK;
}

static int file_there(struct fx_arrivals *a, const struct fx_folder_file *file)
{
	struct fx_section_name name;
	const int named = file_name(a, file->path, &name);
	const uint64_t *known;

	if (named == FX_NAME_OTHER)
		return FX_OK;
	known = known_at(a, file->path);
	if (!known)
		return FX_ENOMEM;
	if (*known >= NEW)
		file_change(a, &a->files[a->len + *known - NEW], file);
	if (*known != UNKNOWN)
		return FX_OK;
	if (named != FX_OK)
		return count_once(a, &a->counts.other, file->path, "has no number in its name");
	if (strlen(file->path) > FX_ARRIVALS_PATH_MAX)
		return count_once(a, &a->counts.other, file->path, "has a path that is too long");
	if (name.section < (a->opened ? a->low : a->first))
		return FX_OK;
	if (a->opened && name.section < a->next - a->keep)
		return count_once(a, &a->counts.late, file->path, "came when its section was done");
	if (a->opened && name.section - a->low >= FX_ARRIVALS_MAX)
		return count_once(a, &a->counts.other, file->path, "has too large a number");
	return file_place(a, &name, file);
}

/* Its name now stands for nothing: arrivals_merge() removes it. */
static void file_gone(struct fx_arrivals *a, const char *path)
{
	for (size_t i = 0; i < a->all; i++)
		if (a->files[i].path && strcmp(a->files[i].path, path) == 0) {
			know(a, path, UNKNOWN);
			file_fini(&a->files[i]);
			a->files[i].path = a->files[i].broken = NULL;
			a->lost = true;
			return;
		}
}

static int arrivals_told(void *context, const struct fx_folder_file *file)
{
	struct fx_arrivals *const a = context;

	if (file->news != FX_FOLDER_GONE)
		return file_there(a, file);
	file_gone(a, file->path);
	return FX_OK;
}

static int by_order(const void *va, const void *vb)
{
	const struct fx_arrival *const a = va, *const b = vb;

	if (order(a, b) != 0)
		return order(a, b) < 0 ? -1 : 1;
	if (a->look != b->look)
		return a->look < b->look ? -1 : 1;
	return strcmp(a->path, b->path);
}

/* Removes what has gone: behind a whole look (@p whole) also what it did not see. */
static void arrivals_sweep(struct fx_arrivals *a, bool whole)
{
	size_t kept = 0, sorted = 0;

	if (!whole && !a->lost)
		return;
	a->lost = false;
	for (size_t i = 0; i < a->all; i++) {
		struct fx_arrival *const f = &a->files[i];

		if (f->path && (!whole || f->scan >= a->folder.scans)) {
			sorted += i < a->len;
			a->files[kept++] = *f;
		} else if (f->path) {
			know(a, f->path, UNKNOWN);
			file_fini(f);
		}
	}
	a->all = kept;
	a->len = sorted;
}

/* Puts the new files in their places; of two of one section, tile and version the first stays. */
static void arrivals_merge(struct fx_arrivals *a)
{
	size_t kept = 0;

	if (a->all == a->len)
		return;
	for (size_t i = a->len; i < a->all; i++)
		know(a, a->files[i].path, UNKNOWN);
	qsort(a->files, a->all, sizeof *a->files, by_order);
	for (size_t i = 0; i < a->all; i++) {
		struct fx_arrival *const f = &a->files[i];

		if (kept && order(&a->files[kept - 1], f) == 0) {
			count_once(a, &a->counts.twice, f->path,
				   "is of a section and version that there is");
			file_fini(f);
		} else {
			a->files[kept++] = *f;
		}
	}
	a->len = a->all = kept;
}

/* Reads the list again when it has changed. */
static int arrivals_list(struct fx_arrivals *a, struct fx_error *err)
{
	char *path = fx_path_join(a->path, a->manifest);
	struct fx_manifest fresh = { 0 };
	struct stat st;
	int result = FX_OK;

	if (!path)
		return fx_error_set(err, FX_ENOMEM, "no memory for a path");
	if (stat(path, &st) != 0) {
		result = a->list.len ? FX_OK : FX_IDLE;
	} else if (st.st_size != a->list_size ||
		   st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec !=
			   a->list_mtime_ns) {
		result = fx_manifest_read(&fresh, path, err);
		if (result == FX_OK) {
			fx_manifest_fini(&a->list);
			a->list = fresh;
			a->list_size = st.st_size;
			a->list_mtime_ns =
				st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
			fx_folder_rescan(&a->folder);
		} else {
			fx_manifest_fini(&fresh);
		}
	}
	free(path);
	return result;
}

static bool arrivals_marked(const struct fx_arrivals *a)
{
	char *path = *a->marker ? fx_path_join(a->path, a->marker) : NULL;
	const bool there = path && access(path, F_OK) == 0;

	free(path);
	return there;
}

static bool arrivals_silent(const struct fx_arrivals *a)
{
	return a->silence > 0 && a->now_ns - a->changed_ns >= nanoseconds(a->silence);
}

int fx_arrivals_look(struct fx_arrivals *a, struct fx_error *err)
{
	const struct fx_folder_reader reader = { arrivals_told, a };
	const bool marked = !a->ending && arrivals_marked(a); /* it is written last */
	const uint64_t scans = a->folder.scans;
	int result;

	a->now_ns = fx_now_ns();
	a->looks++;
	if (!a->changed_ns)
		a->changed_ns = a->now_ns;
	if (*a->manifest) {
		result = arrivals_list(a, err);
		if (result != FX_OK)
			return result;
	}
	if (marked || (!a->ending && arrivals_silent(a))) /* what came since the last look counts */
		fx_folder_rescan(&a->folder);
	result = fx_folder_look(&a->folder, &reader, err);
	arrivals_sweep(a, result == FX_OK && a->folder.scans != scans);
	arrivals_merge(a);
	if (result < 0)
		return result;
	if (marked || arrivals_silent(a))
		a->ending = true;
	return FX_OK;
}

void fx_arrivals_open(struct fx_arrivals *a, int64_t low)
{
	a->low = low;
	a->next = low;
	a->opened = true;
}

void fx_arrivals_close(struct fx_arrivals *a)
{
	size_t done;

	a->next++;
	done = fx_arrivals_find(a, a->next - a->keep);
	for (size_t i = 0; i < done; i++) {
		know(a, a->files[i].path, DONE_WITH);
		file_fini(&a->files[i]);
	}
	a->files += done;
	a->len -= done;
	a->all = a->len;
}

int64_t fx_arrivals_end(const struct fx_arrivals *a)
{
	if (a->count)
		return a->low + a->count;
	if (!a->ending)
		return INT64_MAX;
	if (a->list.len)
		return a->list.high + 1;
	return a->len && a->files[a->len - 1].section >= a->next ?
		       a->files[a->len - 1].section + 1 :
		       a->next;
}

static bool has_sidecar(const struct fx_arrivals *a, const struct fx_arrival *f)
{
	char *path = fx_asprintf("%s/%s%s", a->path, f->path, a->sidecar);
	const bool there = path && access(path, F_OK) == 0;

	free(path);
	return there;
}

bool fx_arrivals_ready(const struct fx_arrivals *a, const struct fx_arrival *f)
{
	if (f->broken)
		return false;
	if (*a->sidecar)
		return has_sidecar(a, f);
	return f->closed || a->now_ns - f->since_ns >= nanoseconds(a->settle);
}

bool fx_arrivals_overdue(const struct fx_arrivals *a, int64_t section)
{
	const int64_t waits_ns = a->now_ns - nanoseconds(a->late);
	size_t i = fx_arrivals_find(a, section);

	for (; i < a->len && a->files[i].section == section; i++)
		if (a->ending && !a->files[i].broken && !*a->sidecar &&
		    !fx_arrivals_ready(a, &a->files[i]))
			return false; /* it is about to be complete */
	if (a->ending)
		return true;
	for (; i < a->len; i++)
		if (a->files[i].since_ns <= waits_ns && fx_arrivals_ready(a, &a->files[i]))
			return true;
	return false;
}

int fx_arrivals_broken(struct fx_arrivals *a, struct fx_arrival *f, const char *why)
{
	free(f->broken);
	f->broken = fx_strdup(fx_image_reason(a->path, why));
	return f->broken ? FX_OK : FX_ENOMEM;
}

void fx_arrivals_why(const struct fx_arrivals *a, int64_t section, int64_t tile, char *text,
		     size_t size)
{
	for (size_t i = fx_arrivals_find(a, section); i < a->len && a->files[i].section == section;
	     i++) {
		const struct fx_arrival *const f = &a->files[i];

		if (tile >= 0 && f->tile != tile)
			continue;
		if (f->broken)
			snprintf(text, size, "%s", f->broken);
		else
			snprintf(text, size, "%s is not complete", f->path);
		return;
	}
	if (a->list.len)
		snprintf(text, size, "no file of section %lld that %s lists came",
			 (long long)section, a->manifest);
	else
		snprintf(text, size, "no file with number %lld in %s", (long long)section, a->path);
}

void fx_arrivals_fini(struct fx_arrivals *a)
{
	for (size_t i = 0; i < a->all; i++)
		file_fini(&a->files[i]);
	free(a->base);
	fx_map64_fini(&a->known);
	fx_manifest_fini(&a->list);
	fx_folder_close(&a->folder);
	a->files = a->base = NULL;
	a->len = a->all = a->cap = 0;
}
