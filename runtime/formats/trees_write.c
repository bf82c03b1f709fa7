// SPDX-License-Identifier: Apache-2.0
/* trees_write.c: writes skeletons. */
#include "formats/trees.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/outdir.h"
#include "formats/skeleton.h"

static bool voxel_known(const struct fx_trees_writer *w)
{
	return w->voxel_nm[0] > 0 && w->voxel_nm[1] > 0 && w->voxel_nm[2] > 0;
}

static int write_file(const struct fx_trees_writer *w, const char *name, const void *bytes,
		      size_t size, struct fx_error *err)
{
	char *path = fx_path_join(w->place.partial, name);
	FILE *to = path ? fopen(path, "wxe") : NULL;
	int failed = to ? 0 : errno;

	if (to && fwrite(bytes, 1, size, to) != size)
		failed = errno;
	if (to && fclose(to) != 0 && !failed)
		failed = errno;
	free(path);
	if (!failed)
		return FX_OK;
	return failed == EEXIST ?
		       fx_error_set(err, FX_EINVAL, "%s: two trees are called %s", w->path, name) :
		       fx_error_set(err, FX_EIO, "%s: cannot write %s: %s", w->path, name,
				    strerror(failed));
}

int fx_trees_write_open(struct fx_trees_writer *w, struct fx_error *err)
{
	const bool folder = w->format == FX_TREES_SWC_FOLDER || w->format == FX_TREES_SKELETONS;
	int result;

	if (!voxel_known(w) && (w->format == FX_TREES_NML ||
				(w->format != FX_TREES_SKELETONS && w->unit == FX_SWC_VOXEL)))
		return fx_error_set(err, FX_EINVAL,
				    "%s: is to count voxels, whose size is not known: --voxel "
				    "Z,Y,X tells it",
				    w->path);
	result = fx_outplace_begin(&w->place, w->path, folder, w->replace, err);
	if (result < 0 || w->format != FX_TREES_NML)
		return result;
	w->nml.to = fopen(w->place.partial, "we");
	if (!w->nml.to)
		return fx_error_set(err, FX_EIO, "%s: cannot write: %s", w->path, strerror(errno));
	memcpy(w->nml.voxel_nm, w->voxel_nm, sizeof w->voxel_nm);
	fx_nml_begin(&w->nml, w->experiment ? w->experiment : "");
	return FX_OK;
}

static int put_skeleton(struct fx_trees_writer *w, const struct fx_tree *t, struct fx_error *err)
{
	char name[24];
	void *bytes;
	size_t size;
	int result = fx_skeleton_encode(t, &bytes, &size, err);

	if (result < 0)
		return result;
	snprintf(name, sizeof name, "%" PRIu64, t->segment);
	result = write_file(w, name, bytes, size, err);
	free(bytes);
	return result;
}

/* Notes as lines of a header, for nodes that are called from @p first on. */
static int add_notes(struct fx_trees_writer *w, const struct fx_trees_item *t, size_t first,
		     struct fx_error *err)
{
	int failed = 0;

	for (size_t i = 0; i < t->notes_len && !failed; i++) {
		const struct fx_note *n = &t->notes[i];
		const size_t node = first + n->node;
		char *line = n->text ? fx_asprintf("# comment %zu %s", node, n->text) :
				       fx_asprintf("# branchpoint %zu", node);
		const size_t len = line ? strlen(line) : 0;

		failed = !line || !fx_grow(&w->notes.at, &w->notes.cap, w->notes.len + len + 1, 1);
		for (size_t k = 0; k < len && !failed; k++) /* on one line */
			w->notes.at[w->notes.len++] =
				line[k] == '\n' || line[k] == '\r' ? ' ' : line[k];
		if (!failed)
			w->notes.at[w->notes.len++] = '\n';
		free(line);
	}
	return failed ? fx_error_set(err, FX_ENOMEM, "%s: no memory", w->path) : FX_OK;
}

/* SWC, with the notes that were added at its head; free(). NULL after an error. */
static char *swc_text(struct fx_trees_writer *w, const struct fx_tree *t, size_t *size,
		      struct fx_error *err)
{
	const size_t head = w->notes.len;
	char *text, *all;

	if (fx_swc_format(t, w->unit, w->voxel_nm, &text, size, err) < 0)
		return NULL;
	all = realloc(text, head + *size + 1);
	if (!all) {
		free(text);
		fx_error_set(err, FX_ENOMEM, "%s: no memory", w->path);
		return NULL;
	}
	memmove(all + head, all, *size);
	if (head)
		memcpy(all, w->notes.at, head);
	w->notes.len = 0;
	*size += head;
	return all;
}

static int put_swc(struct fx_trees_writer *w, const struct fx_trees_item *t, struct fx_error *err)
{
	char *file = *t->name ? fx_asprintf("%s.swc", t->name) :
				fx_asprintf("%" PRIu64 ".swc", t->tree->segment);
	char *text = NULL;
	size_t size = 0;
	int result = file ? add_notes(w, t, 1, err) :
			    fx_error_set(err, FX_ENOMEM, "%s: no memory", w->path);

	if (result == FX_OK)
		text = swc_text(w, t->tree, &size, err);
	if (result == FX_OK)
		result = text ? write_file(w, file, text, size, err) : FX_EINVAL;
	free(text);
	free(file);
	return result;
}

/* Behind the trees that wait for the one file. */
static int put_forest(struct fx_trees_writer *w, const struct fx_trees_item *item,
		      struct fx_error *err)
{
	const struct fx_tree *t = item->tree;
	const size_t before = w->len;

	if (before + t->len > INT32_MAX ||
	    !fx_grow(&w->nodes, &w->cap, before + t->len, sizeof *w->nodes))
		return fx_error_set(err, FX_ENOMEM, "%s: no memory for %zu nodes", w->path,
				    before + t->len);
	for (size_t i = 0; i < t->len; i++) {
		w->nodes[before + i] = t->nodes[i];
		if (t->nodes[i].parent >= 0)
			w->nodes[before + i].parent += (int32_t)before;
	}
	w->len += t->len;
	return add_notes(w, item, before + 1, err);
}

int fx_trees_write_put(struct fx_trees_writer *w, const struct fx_trees_item *t,
		       struct fx_error *err)
{
	const uint64_t segment = t->tree->segment;
	uint64_t *known = fx_map64_at(&w->segments, segment);
	const bool twice = known && *known && w->format != FX_TREES_SWC &&
			   !(w->format == FX_TREES_SWC_FOLDER && *t->name);

	if (!known)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", w->path);
	if (twice)
		return fx_error_set(err, FX_EINVAL, "%s: two trees have the id %" PRIu64, w->path,
				    segment);
	*known = 1;
	w->count++;
	switch (w->format) {
	case FX_TREES_SWC:
		return put_forest(w, t, err);
	case FX_TREES_SWC_FOLDER:
		return put_swc(w, t, err);
	case FX_TREES_NML:
		return fx_nml_tree(&w->nml, t->tree, t->notes, t->notes_len, err);
	case FX_TREES_SKELETONS:
		return put_skeleton(w, t->tree, err);
	case FX_TREES_UNKNOWN:
		break;
	}
	return fx_error_set(err, FX_EINVAL, "no such format");
}

static int close_swc(struct fx_trees_writer *w, struct fx_error *err)
{
	const struct fx_tree all = { .confidence = 1, .len = w->len, .nodes = w->nodes };
	size_t size = 0;
	char *text = swc_text(w, &all, &size, err);
	int failed;

	if (!text)
		return FX_EINVAL;
	failed = fx_pwrite_all(w->place.lock, text, size, 0);
	free(text);
	return failed ? fx_error_set(err, FX_EIO, "%s: cannot write: %s", w->path,
				     strerror(-failed)) :
			FX_OK;
}

static int close_nml(struct fx_trees_writer *w, struct fx_error *err)
{
	bool failed;

	fx_nml_end(&w->nml);
	failed = ferror(w->nml.to);
	failed = fclose(w->nml.to) != 0 || failed;
	w->nml.to = NULL;
	return failed ? fx_error_set(err, FX_EIO, "%s: cannot write: is the disk full?", w->path) :
			FX_OK;
}

static int close_skeletons(struct fx_trees_writer *w, struct fx_error *err)
{
	char *info = fx_skeleton_info(), *from = fx_provenance("skeletons", w->source);
	int result = FX_ENOMEM;

	if (info && from)
		result = write_file(w, "info", info, strlen(info), err);
	else
		fx_error_set(err, FX_ENOMEM, "%s: no memory", w->path);
	if (result == FX_OK)
		result = write_file(w, "provenance", from, strlen(from), err);
	free(info);
	free(from);
	return result;
}

int fx_trees_write_close(struct fx_trees_writer *w, struct fx_error *err)
{
	int result = FX_OK;

	if (!w->count)
		return fx_error_set(err, FX_EINVAL, "%s: there is no tree to be written", w->path);
	if (w->format == FX_TREES_SWC)
		result = close_swc(w, err);
	else if (w->format == FX_TREES_NML)
		result = close_nml(w, err);
	else if (w->format == FX_TREES_SKELETONS)
		result = close_skeletons(w, err);
	return result == FX_OK ? fx_outplace_commit(&w->place, err) : result;
}

void fx_trees_writer_fini(struct fx_trees_writer *w)
{
	if (w->nml.to)
		fclose(w->nml.to);
	fx_nml_writer_fini(&w->nml);
	free(w->notes.at);
	free(w->nodes);
	w->notes = (struct fx_trees_text){ 0 };
	w->nodes = NULL;
	fx_map64_fini(&w->segments);
	fx_outplace_fini(&w->place);
}
