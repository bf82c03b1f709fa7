// SPDX-License-Identifier: Apache-2.0
/* watch.c: a folder of numbered images, also while it fills. */
#include "formats/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "formats/image.h"

static int64_t nanoseconds(double seconds)
{
	return (int64_t)(seconds * 1e9);
}

/* Where the numbers begin and end, as far as that is known. */
static int watch_range(struct fx_watch *w, struct fx_error *err)
{
	const size_t len = w->files.len;
	const int64_t last = len ? w->files.files[len - 1].number + 1 : 0;

	if (!w->opened && len)
		w->low = w->first >= 0 ? w->first : w->files.files[0].number;
	w->end = w->grows && !w->ending ? INT64_MAX : last;
	if (w->count && (w->grows || w->low + w->count < last))
		w->end = w->low + w->count;
	if (w->end != INT64_MAX && w->end - w->low > FX_WATCH_MAX)
		return fx_error_set(
			err, FX_EINVAL, "%s: numbers run from %lld to %lld, more than %d sections",
			w->path, (long long)w->low, (long long)w->end - 1, FX_WATCH_MAX);
	return FX_OK;
}

int fx_watch_scan(struct fx_watch *w, struct fx_error *err)
{
	const bool marked = w->grows && fx_sequence_marked(w->path, w->marker);

	w->scan_ns = fx_now_ns();
	if (!w->start_ns)
		w->start_ns = w->scan_ns;
	if (fx_sequence_scan(&w->files, w->path, w->pattern, w->scan_ns, err) < 0)
		return fx_is_dir(w->path) ?
			       err->code :
			       fx_error_set(err, FX_EIO, "%s: the folder has vanished", w->path);
	if (marked || (w->silence > 0 && w->scan_ns - fx_sequence_changed(&w->files, w->start_ns) >=
						 nanoseconds(w->silence)))
		w->ending = true;
	w->rescan_ns = fx_now_ns() + 9 * (fx_now_ns() - w->scan_ns);
	return watch_range(w, err);
}

int fx_watch_check(const struct fx_watch *w, struct fx_error *err)
{
	if (w->grows)
		return FX_OK;
	if (w->files.len == 0)
		return fx_error_set(
			err, FX_ENOENT,
			"%s holds no numbered .png, .tif or .tiff file that matches \"%s\"",
			w->path, w->pattern);
	if (w->end <= w->low)
		return fx_error_set(err, FX_ENOENT, "%s holds no section from number %lld on",
				    w->path, (long long)w->first);
	return FX_OK;
}

bool fx_watch_due(const struct fx_watch *w)
{
	return fx_now_ns() >= w->rescan_ns;
}

static bool watch_settled(const struct fx_watch *w, const struct fx_sequence_file *f)
{
	return !w->grows || w->scan_ns - f->since_ns >= nanoseconds(w->settle);
}

bool fx_watch_ready(const struct fx_watch *w, int64_t number)
{
	const struct fx_sequence_file *f = fx_sequence_find(&w->files, number);

	if (f)
		return watch_settled(w, f);
	return w->ending ||
	       fx_sequence_waits(&w->files, number, w->scan_ns - nanoseconds(w->settle + w->late));
}

int fx_watch_first(const struct fx_watch *w, struct fx_mark *m, struct fx_error *err)
{
	struct fx_error first = { 0 };
	struct fx_image im = { 0 };
	bool found = false, unsettled = false;

	for (size_t i = 0; !found && !unsettled && i < w->files.len; i++) {
		const struct fx_sequence_file *f = &w->files.files[i];
		char *path = f->number >= w->low ? fx_path_join(w->path, f->name) : NULL;

		unsettled = !watch_settled(w, f);
		if (path && !unsettled)
			found = fx_image_open(path, &im, first.code ? NULL : &first) == FX_OK;
		free(path);
	}
	if (!found && w->grows && (!w->ending || unsettled))
		return FX_IDLE;
	if (!found)
		return fx_error_set(err, FX_EINVAL, "%s: no section can be read; %s", w->path,
				    first.code ? fx_watch_reason(w, first.text) : "none has come");
	m->dtype = im.dtype;
	m->region = (struct fx_region){ { w->low, 0, 0 },
					{ w->end, (int64_t)im.height, (int64_t)im.width } };
	fx_image_close(&im);
	return FX_OK;
}

/* What a former life said of the end counts where files do not come any more. */
void fx_watch_restrict(struct fx_watch *w, int64_t low, int64_t end)
{
	w->opened = true;
	w->low = low;
	if (!w->grows || watch_range(w, NULL) < 0)
		w->end = end;
}

const char *fx_watch_reason(const struct fx_watch *w, const char *text)
{
	const size_t len = strlen(w->path);

	if (strncmp(text, w->path, len) != 0)
		return text;
	return text[len] == '/' ? text + len + 1 : text + len;
}

void fx_watch_fini(struct fx_watch *w)
{
	fx_sequence_fini(&w->files);
}
