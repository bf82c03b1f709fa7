// SPDX-License-Identifier: Apache-2.0
/* nml_read.c: reads NML. Source: reference of wk's NML, KNOSSOS's task files. */
#include <expat.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/map64.h"
#include "formats/chunkjson.h"
#include "formats/forest.h"
#include "formats/nml.h"

enum { DEPTH_MAX = 16, FILE_MAX = 1 << 30, PIECE = 1 << 20 };

/* A note, before it is known where its node is. */
struct at_node {
	uint64_t id;   /* of the node; later its place, 0: it is not there */
	size_t number; /* in the file */
	char *text;
};

/* A place among all nodes, + 1. */
static uint64_t place_of(size_t tree, size_t node)
{
	return (uint64_t)tree << 32 | (node + 1);
}

/* A parser at work. */
struct reader {
	XML_Parser parser;
	struct fx_nml *nml;
	struct fx_error *err;
	struct fx_map64 ids;	    /* of nodes: place in the open thing, + 1, later place_of() */
	struct fx_tree_node *nodes; /* owned: of the thing that is open */
	uint64_t *names;	    /* owned: ids of these */
	uint32_t *pairs;	    /* owned: edges between these */
	size_t len, nodes_cap, names_cap, edges, pairs_cap;
	uint64_t thing;
	struct at_node *notes; /* owned: as they come, their text too */
	size_t notes_len, notes_cap;
	unsigned depth;
	bool scaled, open;
	int failed;
};

static void fail(struct reader *r, int code, const char *what)
{
	if (r->failed)
		return;
	r->failed = fx_error_set(r->err, code, "line %lu: %s",
				 (unsigned long)XML_GetCurrentLineNumber(r->parser), what);
	XML_StopParser(r->parser, XML_FALSE);
}

static const char *attribute(const XML_Char **list, const char *name)
{
	for (size_t i = 0; list[i]; i += 2)
		if (strcmp(list[i], name) == 0)
			return list[i + 1];
	return NULL;
}

static bool number(const XML_Char **list, const char *name, double *v)
{
	const char *text = attribute(list, name);
	char *end;

	if (!text)
		return false;
	*v = strtod(text, &end);
	return end != text && !*end && isfinite(*v) && fabs(*v) < 1e15;
}

static bool id_of(const XML_Char **list, const char *name, uint64_t *id)
{
	const char *text = attribute(list, name);
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	*id = strtoull(text, &end, 10);
	return !*end;
}

static void on_scale(struct reader *r, const XML_Char **list)
{
	const char *text = attribute(list, "unit");
	const double unit = fx__chunk_unit(text);
	double *v = r->nml->voxel_nm;

	if (!number(list, "x", &v[2]) || !number(list, "y", &v[1]) || !number(list, "z", &v[0]) ||
	    !(v[0] > 0) || !(v[1] > 0) || !(v[2] > 0))
		fail(r, FX_EINVAL, "the scale is not three lengths x y z");
	else if (!(unit > 0))
		fail(r, FX_ETYPE, "the unit of the scale is none of length");
	for (int a = 0; a < 3; a++)
		v[a] *= unit;
	r->scaled = true;
}

static void on_thing(struct reader *r, const XML_Char **list)
{
	r->open = true;
	r->len = r->edges = 0;
	if (!id_of(list, "id", &r->thing))
		fail(r, FX_EINVAL, "a thing has no id");
	else if (!r->scaled)
		fail(r, FX_EINVAL, "a thing comes before the scale");
}

static void on_node(struct reader *r, const XML_Char **list)
{
	struct fx_tree_node n = { .parent = -1 };
	double p[3], radius = 0;
	uint64_t id = 0, *known;

	if (!r->open || !id_of(list, "id", &id) || !number(list, "x", &p[2]) ||
	    !number(list, "y", &p[1]) || !number(list, "z", &p[0])) {
		fail(r, FX_EINVAL, "a node is in no thing, or has no id, x, y and z");
		return;
	}
	number(list, "radius", &radius);
	n.radius_nm = isfinite(radius) && radius > 0 ? radius : 0;
	for (int a = 0; a < 3; a++)
		n.pos_nm[a] = p[a] * r->nml->voxel_nm[a];
	known = fx_map64_at(&r->ids, id);
	if (known && *known) {
		fail(r, FX_EINVAL, "a node has the id of another");
		return;
	}
	if (!known || r->len >= INT32_MAX ||
	    !fx_grow(&r->nodes, &r->nodes_cap, r->len + 1, sizeof n) ||
	    !fx_grow(&r->names, &r->names_cap, r->len + 1, sizeof id)) {
		fail(r, FX_ENOMEM, "no memory for so many nodes");
		return;
	}
	r->nodes[r->len] = n;
	r->names[r->len++] = id;
	*known = r->len;
}

/* The node of the open thing with the id, or UINT32_MAX. */
static uint32_t node_with(const struct reader *r, uint64_t id)
{
	const uint64_t *place = fx_map64_find(&r->ids, id);

	return place && *place && *place <= r->len && r->names[*place - 1] == id ?
		       (uint32_t)(*place - 1) :
		       UINT32_MAX;
}

static void on_edge(struct reader *r, const XML_Char **list)
{
	uint64_t source = 0, target = 0;
	uint32_t ends[2];

	if (!r->open || !id_of(list, "source", &source) || !id_of(list, "target", &target)) {
		fail(r, FX_EINVAL, "an edge is in no thing, or has no source and target");
		return;
	}
	ends[0] = node_with(r, source);
	ends[1] = node_with(r, target);
	if (ends[0] == UINT32_MAX || ends[1] == UINT32_MAX) {
		fail(r, FX_EINVAL, "an edge ends at no node of its thing");
		return;
	}
	if (!fx_grow(&r->pairs, &r->pairs_cap, 2 * r->edges + 2, sizeof *r->pairs)) {
		fail(r, FX_ENOMEM, "no memory for so many edges");
		return;
	}
	memcpy(r->pairs + 2 * r->edges++, ends, sizeof ends);
}

static void on_note(struct reader *r, const char *id, const char *text, const XML_Char **list)
{
	struct at_node n = { .number = r->notes_len };

	if (!id_of(list, id, &n.id)) {
		fail(r, FX_EINVAL, "a comment or branch point names no node");
		return;
	}
	n.text = text ? fx_strdup(text) : NULL;
	if ((text && !n.text) ||
	    !fx_grow(&r->notes, &r->notes_cap, r->notes_len + 1, sizeof *r->notes)) {
		free(n.text);
		fail(r, FX_ENOMEM, "no memory for so many comments");
		return;
	}
	r->notes[r->notes_len++] = n;
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **list)
{
	struct reader *r = user;
	const char *text;

	if (r->failed)
		return;
	if (++r->depth > DEPTH_MAX)
		fail(r, FX_EINVAL, "elements lie in each other more than 16 deep");
	else if (r->depth == 1 && strcmp(name, "things") != 0)
		fail(r, FX_ETYPE, "is no NML: it does not begin with <things>");
	else if (strcmp(name, "scale") == 0 && r->depth == 3)
		on_scale(r, list);
	else if (strcmp(name, "experiment") == 0 && (text = attribute(list, "name")))
		snprintf(r->nml->experiment, sizeof r->nml->experiment, "%s", text);
	else if (strcmp(name, "thing") == 0 && r->depth == 2)
		on_thing(r, list);
	else if (strcmp(name, "node") == 0 && r->depth == 4)
		on_node(r, list);
	else if (strcmp(name, "edge") == 0 && r->depth == 4)
		on_edge(r, list);
	else if (strcmp(name, "branchpoint") == 0 && r->depth == 3)
		on_note(r, "id", NULL, list);
	else if (strcmp(name, "comment") == 0 && r->depth == 3)
		on_note(r, "node", (text = attribute(list, "content")) ? text : "", list);
}

/* The nodes of the thing, in the order of the walk. */
static int make_tree(struct reader *r, struct fx_tree *t, struct fx_error *err)
{
	uint32_t *order = fx_calloc(r->len, sizeof *order);
	int32_t *parent = fx_calloc(r->len, sizeof *parent);
	int result = order && parent ?
			     fx_forest_walk(r->len, r->pairs, r->edges, order, parent, err) :
			     fx_error_set(err, FX_ENOMEM, "no memory for a thing");

	for (size_t i = 0; i < r->len && result == FX_OK; i++) {
		t->nodes[i] = r->nodes[order[i]];
		t->nodes[i].parent = parent[i];
		*fx_map64_at(&r->ids, r->names[order[i]]) = place_of(r->nml->len, i);
	}
	free(order);
	free(parent);
	return result;
}

static void end_thing(struct reader *r)
{
	struct fx_tree *t;
	struct fx_error err = { 0 };
	struct fx_nml *n = r->nml;

	r->open = false;
	if (!r->len)
		return;
	t = fx_tree_new(r->thing, r->len);
	if (!t || !fx_grow(&n->trees, &n->cap, n->len + 1, sizeof(struct fx_tree *))) {
		fx_tree_free(t);
		fail(r, FX_ENOMEM, "no memory for a thing");
		return;
	}
	if (make_tree(r, t, &err) < 0) {
		fail(r, err.code, "the edges of the thing that ends here close a loop");
		fx_tree_free(t);
		return;
	}
	n->trees[n->len++] = t;
}

static int by_tree(const void *a, const void *b)
{
	const struct at_node *x = a, *y = b;
	const uint64_t tree[2] = { x->id >> 32, y->id >> 32 };

	if (tree[0] != tree[1])
		return tree[0] < tree[1] ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Notes go to their nodes, now that all are known. */
static void take_notes(struct reader *r)
{
	struct fx_nml *nml = r->nml;

	for (size_t i = 0; i < r->notes_len; i++) {
		const uint64_t *place = fx_map64_find(&r->ids, r->notes[i].id);

		r->notes[i].id = place ? *place : 0;
	}
	if (r->notes_len)
		qsort(r->notes, r->notes_len, sizeof *r->notes, by_tree);
	if (!fx_grow(&nml->notes, &nml->notes_cap, r->notes_len, sizeof *nml->notes)) {
		r->failed = fx_error_set(r->err, FX_ENOMEM, "no memory for so many comments");
		return;
	}
	for (size_t i = 0; i < r->notes_len; i++) {
		struct at_node *n = &r->notes[i];

		if (!n->id)
			continue;
		nml->notes[nml->notes_len++] = (struct fx_note){ .tree = n->id >> 32,
								 .node = (uint32_t)n->id - 1,
								 .text = n->text };
		n->text = NULL;
	}
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
	struct reader *r = user;

	if (!r->failed && r->depth == 2 && strcmp(name, "thing") == 0)
		end_thing(r);
	r->depth--;
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system,
			       const XML_Char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	fail(user, FX_ETYPE, "has a document type, which is not accepted");
}

/* In pieces, as expat counts in int. */
static void parse_all(struct reader *r, const char *text, size_t size)
{
	for (size_t at = 0; !r->failed; at += PIECE) {
		const bool last = size - at <= PIECE;
		const size_t len = last ? size - at : PIECE;

		if (XML_Parse(r->parser, text + at, (int)len, last) != XML_STATUS_OK)
			fail(r, FX_EINVAL, XML_ErrorString(XML_GetErrorCode(r->parser)));
		if (last)
			break;
	}
	if (!r->failed && !r->scaled)
		r->failed = fx_error_set(r->err, FX_EINVAL, "has no scale");
}

int fx_nml_parse(const char *text, size_t size, struct fx_nml *nml, struct fx_error *err)
{
	struct reader r = { .parser = XML_ParserCreate(NULL), .nml = nml, .err = err };

	memset(nml, 0, sizeof *nml);
	if (!r.parser)
		return fx_error_set(err, FX_ENOMEM, "no memory to read XML");
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	parse_all(&r, text, size);
	XML_ParserFree(r.parser);
	if (!r.failed)
		take_notes(&r);
	for (size_t i = 0; i < r.notes_len; i++)
		free(r.notes[i].text);
	free(r.notes);
	fx_map64_fini(&r.ids);
	free(r.nodes);
	free(r.names);
	free(r.pairs);
	if (r.failed)
		fx_nml_fini(nml);
	return r.failed;
}

int fx_nml_read(const char *path, struct fx_nml *nml, struct fx_error *err)
{
	void *text;
	size_t size;
	int result = fx_file_read(path, FILE_MAX, &text, &size, err);

	memset(nml, 0, sizeof *nml);
	if (result < 0)
		return result;
	result = fx_nml_parse(text, size, nml, err);
	free(text);
	return result < 0 ? fx_error_prefix(err, "%s", path) : FX_OK;
}

void fx_nml_fini(struct fx_nml *nml)
{
	for (size_t i = 0; i < nml->len; i++)
		fx_tree_free(nml->trees[i]);
	free(nml->trees);
	for (size_t i = 0; i < nml->notes_len; i++)
		free(nml->notes[i].text);
	free(nml->notes);
	memset(nml, 0, sizeof *nml);
}
