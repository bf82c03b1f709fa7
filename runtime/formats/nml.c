// SPDX-License-Identifier: Apache-2.0
/* nml.c: writes NML. */
#include "formats/nml.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BRANCHES, COMMENTS }; /* index into late[] */

/* Text as the value of an attribute; what XML does not know becomes a question mark. */
static void put_text(FILE *to, const char *text)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '&')
			fputs("&amp;", to);
		else if (c == '<')
			fputs("&lt;", to);
		else if (c == '"')
			fputs("&quot;", to);
		else if (c == '\n' || c == '\r' || c == '\t')
			fprintf(to, "&#%d;", c);
		else
			fputc(c < 32 ? '?' : c, to);
	}
}

void fx_nml_begin(struct fx_nml_writer *w, const char *experiment)
{
	fprintf(w->to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<things>\n  <parameters>\n"
		       "    <experiment name=\"");
	put_text(w->to, experiment);
	fprintf(w->to,
		"\"/>\n    <scale x=\"%.17g\" y=\"%.17g\" z=\"%.17g\" unit=\"nanometer\"/>\n"
		"  </parameters>\n",
		w->voxel_nm[2], w->voxel_nm[1], w->voxel_nm[0]);
}

static void put_place(const struct fx_nml_writer *w, const char *name, double nm, int axis)
{
	const double v = nm / w->voxel_nm[axis];

	fprintf(w->to, fabs(v - round(v)) < 1e-3 ? " %s=\"%.0f\"" : " %s=\"%.3f\"", name,
		round(v) == 0 && fabs(v) < 1e-3 ? 0.0 : v);
}

static int check_node(const struct fx_tree *t, size_t i, struct fx_error *err)
{
	const struct fx_tree_node *n = &t->nodes[i];

	if (n->parent >= 0 && (size_t)n->parent >= i)
		return fx_error_set(err, FX_EINVAL,
				    "tree of segment %" PRIu64 ": node %zu comes before its parent",
				    t->segment, i);
	if (!isfinite(n->pos_nm[0]) || !isfinite(n->pos_nm[1]) || !isfinite(n->pos_nm[2]) ||
	    !isfinite(n->radius_nm))
		return fx_error_set(err, FX_EINVAL,
				    "tree of segment %" PRIu64 ": node %zu has no finite numbers",
				    t->segment, i);
	return FX_OK;
}

static int put_note(struct fx_nml_writer *w, const struct fx_note *n, struct fx_error *err)
{
	struct fx_nml_late *l = &w->late[n->text ? COMMENTS : BRANCHES];

	if (!l->to)
		l->to = open_memstream(&l->text, &l->size);
	if (!l->to)
		return fx_error_set(err, FX_ENOMEM, "no memory for comments");
	fprintf(l->to,
		n->text ? "    <comment node=\"%" PRIu64 "\" content=\"" :
			  "    <branchpoint id=\"%" PRIu64,
		w->nodes + n->node + 1);
	if (n->text)
		put_text(l->to, n->text);
	fputs("\"/>\n", l->to);
	return ferror(l->to) ? fx_error_set(err, FX_ENOMEM, "no memory for comments") : FX_OK;
}

int fx_nml_tree(struct fx_nml_writer *w, const struct fx_tree *t, const struct fx_note *notes,
		size_t len, struct fx_error *err)
{
	static const char *const names[3] = { "z", "y", "x" };
	int result = FX_OK;

	for (size_t i = 0; i < t->len && result == FX_OK; i++)
		result = check_node(t, i, err);
	for (size_t i = 0; i < len && result == FX_OK; i++)
		result = put_note(w, &notes[i], err);
	if (result < 0)
		return result;
	fprintf(w->to,
		"  <thing id=\"%" PRIu64 "\" name=\"%" PRIu64 "\" color.r=\"1\" color.g=\"0\" "
		"color.b=\"0\" color.a=\"1\">\n    <nodes>\n",
		t->segment, t->segment);
	for (size_t i = 0; i < t->len; i++) {
		fprintf(w->to, "      <node id=\"%" PRIu64 "\" radius=\"%.9g\"", w->nodes + i + 1,
			t->nodes[i].radius_nm);
		for (int a = 2; a >= 0; a--)
			put_place(w, names[a], t->nodes[i].pos_nm[a], a);
		fputs("/>\n", w->to);
	}
	fputs("    </nodes>\n    <edges>\n", w->to);
	for (size_t i = 0; i < t->len; i++)
		if (t->nodes[i].parent >= 0)
			fprintf(w->to,
				"      <edge source=\"%" PRIu64 "\" target=\"%" PRIu64 "\"/>\n",
				w->nodes + (uint64_t)t->nodes[i].parent + 1, w->nodes + i + 1);
	fputs("    </edges>\n  </thing>\n", w->to);
	w->nodes += t->len;
	return FX_OK;
}

static void put_late(struct fx_nml_writer *w, int which, const char *name)
{
	struct fx_nml_late *l = &w->late[which];

	if (l->to)
		fclose(l->to);
	l->to = NULL;
	fprintf(w->to, l->text ? "  <%s>\n%s  </%s>\n" : "  <%s/>\n", name, l->text, name);
	free(l->text);
	l->text = NULL;
}

void fx_nml_end(struct fx_nml_writer *w)
{
	put_late(w, BRANCHES, "branchpoints");
	put_late(w, COMMENTS, "comments");
	fputs("</things>\n", w->to);
}

void fx_nml_writer_fini(struct fx_nml_writer *w)
{
	for (int i = 0; i < 2; i++) {
		if (w->late[i].to)
			fclose(w->late[i].to);
		free(w->late[i].text);
	}
	memset(w, 0, sizeof *w);
}
