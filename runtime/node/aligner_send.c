// SPDX-License-Identifier: Apache-2.0
/* aligner_send.c: a section at its place: tiles, mask, record; and the mesh that bends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/resample.h"
#include "node/aligner.h"

/* How the result is filled: from the aligned place to the voxel. */
struct way {
	struct fx_affine2 back;
	struct fx_mesh bend; /* owned */
};

static struct fx_mark send_mark(const struct fx_aligner *a, const struct fx_aligner_section *s)
{
	struct fx_mark m = { .kind = s->missing ? FX_MARK_MISSING : FX_MARK_DONE };

	m.region.lo[0] = s->z;
	m.region.lo[1] = a->held.y;
	m.region.lo[2] = a->held.x;
	m.region.hi[0] = s->z + 1;
	m.region.hi[1] = a->held.y + (int64_t)a->held.height;
	m.region.hi[2] = a->held.x + (int64_t)a->held.width;
	snprintf(m.reason, sizeof m.reason, "%s", s->reason);
	return m;
}

static int send_marks(struct fx_node *node, const struct fx_aligner *a,
		      const struct fx_aligner_section *s)
{
	const struct fx_mark m = send_mark(a, s);
	int failed = FX_OK;

	for (unsigned port = FX_ALIGNER_OUT; port <= FX_ALIGNER_MASK && failed >= 0; port++)
		failed = fx_send_mark(node, port, &m);
	return failed;
}

static struct fx_block *send_block(struct fx_node *node, const struct fx_aligner *a,
				   const struct fx_section *section, const struct fx_tile *tile,
				   unsigned port)
{
	const size_t shape[3] = { 1, tile->height, tile->width };
	const bool mask = port == FX_ALIGNER_MASK;
	struct fx_block *b = fx_new_block(node, port, mask ? FX_U8 : a->held.dtype, 1, shape);

	if (!b)
		return NULL;
	b->role = mask ? FX_MASK : section->role;
	b->level = section->level;
	b->origin[0] = section->z;
	b->origin[1] = a->held.y + (int64_t)tile->y;
	b->origin[2] = a->held.x + (int64_t)tile->x;
	memcpy(b->voxel_nm, a->held.voxel_nm, sizeof b->voxel_nm);
	return b;
}

static int send_tile(struct fx_node *node, const struct fx_aligner *a,
		     const struct fx_section *section, const struct way *way,
		     const struct fx_tile *tile)
{
	const struct fx_plane from =
		fx_plane_of(section->voxels.data, a->held.dtype, a->held.height, a->held.width);
	const bool masked = fx_connected(node, FX_ALIGNER_MASK);
	struct fx_block *image = send_block(node, a, section, tile, FX_ALIGNER_OUT), *mask = NULL;
	int failed;

	if (image && masked)
		mask = send_block(node, a, section, tile, FX_ALIGNER_MASK);
	if (!image || (masked && !mask)) {
		fx_block_free(image);
		return fx_fail(node, FX_ENOMEM, "no memory for a tile of %zu x %zu", tile->height,
			       tile->width);
	}
	fx_resample(&from, &way->back, way->bend.by ? &way->bend : NULL, tile->y, tile->x,
		    tile->height, tile->width, image->data, mask ? mask->data : NULL);
	failed = fx_send(node, FX_ALIGNER_OUT, image);
	if (mask && failed >= 0)
		return fx_send(node, FX_ALIGNER_MASK, mask);
	fx_block_free(mask);
	return failed;
}

/* The displacements that the matches with earlier sections ask for. */
static int send_bends(const struct fx_aligner *a, const struct fx_aligner_section *s,
		      struct fx_bend **bends, size_t *len)
{
	size_t cap = 0;

	*bends = NULL;
	*len = 0;
	for (size_t k = 0; k < s->edges_len; k++) {
		const struct fx_aligner_section *other = fx_aligner_get(a, s->edges[k].z);
		const double c = s->edges[k].confidence;

		if (!other || !other->mesh.by)
			continue;
		if (!fx_grow(bends, &cap, *len + s->edges[k].len, sizeof **bends))
			return FX_ENOMEM;
		for (size_t i = 0; i < s->edges[k].len; i++) {
			const struct fx_patch_match *m = &s->edges[k].matches[i];
			struct fx_bend *b = &(*bends)[*len];
			double to[2], by[2];

			fx_affine2_apply(&s->map, m->from, b->at);
			fx_affine2_apply(&other->map, m->to, to);
			fx_mesh_at(&other->mesh, to, by);
			b->by[0] = to[0] + by[0] - b->at[0];
			b->by[1] = to[1] + by[1] - b->at[1];
			b->weight = m->r > 0 ? m->r * m->r * c * c : 0;
			*len += b->weight > 0;
		}
	}
	return FX_OK;
}

/* What is far from the mesh counts less: biweight of twice the tolerance. */
static void send_doubt(const struct fx_mesh *mesh, struct fx_bend *bends, size_t len, double within)
{
	for (size_t i = 0; i < len; i++) {
		double by[2], e;

		fx_mesh_at(mesh, bends[i].at, by);
		e = hypot(by[0] - bends[i].by[0], by[1] - bends[i].by[1]) / (2 * within);
		bends[i].weight *= e < 1 ? (1 - e * e) * (1 - e * e) : 0;
	}
}

/* Fits the mesh of a section; without matches it does not bend. */
static int send_mesh(struct fx_aligner *a, struct fx_aligner_section *s, struct way *way)
{
	const size_t h = a->held.height, w = a->held.width;
	struct fx_bend *bends = NULL;
	size_t len = 0;
	int failed = fx_mesh_init(&s->mesh, h, w, a->how.mesh);

	if (failed >= 0)
		failed = fx_mesh_init(&way->bend, h, w, a->how.mesh / 4 < 4 ? 4 : a->how.mesh / 4);
	if (failed >= 0)
		failed = send_bends(a, s, &bends, &len);
	for (int i = 0; i < 2 && failed >= 0 && len; i++) {
		if (i > 0)
			send_doubt(&s->mesh, bends, len, a->how.within);
		failed = fx_mesh_fit(&s->mesh, bends, len, a->how.stiffness, a->how.rest);
	}
	if (failed >= 0)
		fx_mesh_invert(&s->mesh, &way->bend);
	free(bends);
	return failed;
}

static int record_references(struct fx_record *r, const struct fx_aligner_section *s)
{
	int failed = fx_record_add_number(r, "references", (double)s->edges_len);

	for (size_t k = 0; k < s->edges_len && failed >= 0; k++) {
		char name[48];

		snprintf(name, sizeof name, "reference%zu.section", k);
		failed = fx_record_add_number(r, name, (double)s->edges[k].z);
		snprintf(name, sizeof name, "reference%zu.confidence", k);
		if (failed >= 0)
			failed = fx_record_add_number(r, name, s->edges[k].confidence);
	}
	return failed;
}

/* The nodes of the mesh as a table of millionths of a voxel. */
static int record_mesh(struct fx_record *r, const struct fx_mesh *m)
{
	const size_t n = m->height * m->width;

	if (fx_record_add_number(r, "mesh.height", (double)m->height) < 0 ||
	    fx_record_add_number(r, "mesh.width", (double)m->width) < 0 ||
	    fx_record_add_number(r, "mesh.step", m->step) < 0 || fx_record_table(r, n, 2) < 0)
		return FX_ENOMEM;
	for (size_t i = 0; i < 2 * n; i++)
		r->table[i] = (uint64_t)(int64_t)(m->by[i] * 1e6);
	return FX_OK;
}

static struct fx_record *send_record(const struct fx_aligner *a, const struct fx_aligner_section *s)
{
	static const char *const names[6] = { "a", "b", "ty", "c", "d", "tx" };
	struct fx_record *r = fx_record_new("transform");
	int failed = r ? fx_record_add_number(r, "section", (double)s->z) : FX_ENOMEM;

	for (int i = 0; i < 6 && failed >= 0; i++)
		failed = fx_record_add_number(r, names[i], s->map.m[i / 3][i % 3]);
	if (failed >= 0)
		failed = fx_record_add_number(r, "confidence", s->confidence);
	if (failed >= 0)
		failed = fx_record_add_number(r, "good", s->good);
	if (failed >= 0)
		failed = record_references(r, s);
	if (failed >= 0 && s->mesh.by)
		failed = record_mesh(r, &s->mesh);
	if (failed < 0) {
		fx_record_free(r);
		return NULL;
	}
	r->region = send_mark(a, s).region;
	return r;
}

int fx_aligner_send(struct fx_node *node, struct fx_aligner *a, struct fx_aligner_section *s)
{
	struct way way = { 0 };
	int failed = FX_OK;

	if (s->missing)
		return send_marks(node, a, s);
	if (!fx_affine2_invert(&s->map, &way.back))
		return fx_fail(node, FX_EINVAL, "the map of section %lld has no inverse",
			       (long long)s->z);
	if (a->how.elastic && send_mesh(a, s, &way) < 0)
		failed = fx_fail(node, FX_ENOMEM, "no memory for the mesh of section %lld",
				 (long long)s->z);
	if (failed >= 0)
		failed = fx_send_record(node, FX_ALIGNER_TRANSFORMS, send_record(a, s));
	for (size_t i = 0; i < s->section->tiles_len && failed >= 0; i++)
		failed = send_tile(node, a, s->section, &way, &s->section->tiles[i]);
	fx_mesh_fini(&way.bend);
	fx_sections_drop(&a->held, s->section);
	s->section = NULL;
	return failed < 0 ? failed : send_marks(node, a, s);
}
