// SPDX-License-Identifier: Apache-2.0
/* aligner_keep.c: what an aligner saves: sections that wait, references, and where they lie. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pack.h"
#include "node/aligner.h"
#include "node/sectionwise.h"

enum { LIST_MOST = 65536, MATCHES_MOST = 1 << 16, TILES_MOST = 1 << 24 };

static void keep_edge(const struct fx_aligner_edge *e, struct fx_pack *to)
{
	fx_pack_put(to, &e->z, sizeof e->z);
	fx_pack_put(to, &e->map, sizeof e->map);
	fx_pack_put(to, &e->confidence, sizeof e->confidence);
	fx_pack_array(to, e->matches, e->len, sizeof *e->matches);
}

static void keep_voxels(const struct fx_aligner *a, const struct fx_aligner_section *s,
			struct fx_pack *to)
{
	const bool waits = s->section != NULL, serves = s->image.levels > 0;
	int32_t role;

	fx_pack_bool(to, waits);
	if (waits) {
		role = (int32_t)s->section->role;
		fx_pack_put(to, &role, sizeof role);
		fx_pack_put(to, &s->section->level, sizeof s->section->level);
		fx_pack_array(to, s->section->tiles, s->section->tiles_len,
			      sizeof *s->section->tiles);
		fx_pack_put(to, s->section->voxels.data, a->held.size);
	}
	fx_pack_bool(to, serves);
	if (serves)
		fx_pack_put(to, s->memory.data, s->memory.size);
}

static void keep_section(const struct fx_aligner *a, const struct fx_aligner_section *s,
			 struct fx_pack *to)
{
	fx_pack_put(to, &s->z, sizeof s->z);
	fx_pack_bool(to, s->missing);
	fx_pack_bool(to, s->good);
	fx_pack_bool(to, s->sent);
	fx_pack_put(to, s->reason, sizeof s->reason);
	fx_pack_put(to, &s->rank, sizeof s->rank);
	fx_pack_put(to, &s->confidence, sizeof s->confidence);
	fx_pack_put(to, &s->map, sizeof s->map);
	keep_voxels(a, s, to);
	fx_pack_array(to, s->mesh.by, s->mesh.height * s->mesh.width * 2, sizeof *s->mesh.by);
	fx_pack_put(to, &s->edges_len, sizeof s->edges_len);
	for (size_t k = 0; k < s->edges_len; k++)
		keep_edge(&s->edges[k], to);
}

int fx_aligner_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct fx_aligner *a = state;

	fx_sectionwise_save(node, &a->held, to);
	fx_pack_put(to, &a->good, sizeof a->good);
	fx_pack_put(to, &a->failed, sizeof a->failed);
	fx_pack_put(to, &a->usual, sizeof a->usual);
	fx_pack_put(to, a->moves, sizeof a->moves);
	fx_pack_put(to, &a->len, sizeof a->len);
	for (size_t i = 0; i < a->len; i++)
		keep_section(a, a->list[i], to);
	return FX_OK;
}

static bool finite_map(const struct fx_affine2 *map)
{
	for (int i = 0; i < 6; i++)
		if (!(fabs(map->m[i / 3][i % 3]) < 1e9))
			return false;
	return true;
}

static int load_edge(struct fx_aligner_edge *e, struct fx_unpack *from)
{
	void *matches;
	int failed = fx_unpack_get(from, &e->z, sizeof e->z);

	if (failed >= 0)
		failed = fx_unpack_get(from, &e->map, sizeof e->map);
	if (failed >= 0)
		failed = fx_unpack_get(from, &e->confidence, sizeof e->confidence);
	if (failed < 0)
		return failed;
	failed = fx_unpack_array(from, &matches, &e->len, sizeof *e->matches);
	if (failed < 0) {
		e->len = 0;
		return failed;
	}
	e->matches = matches;
	return e->len <= MATCHES_MOST && finite_map(&e->map) &&
			       (e->confidence >= 0 && e->confidence <= 1) ?
		       FX_OK :
		       FX_ETYPE;
}

static bool tiles_fit(const struct fx_aligner *a, const struct fx_section *s)
{
	for (size_t i = 0; i < s->tiles_len; i++) {
		const struct fx_tile *t = &s->tiles[i];

		if (!t->height || !t->width || t->height > a->held.height ||
		    t->width > a->held.width || t->y > a->held.height - t->height ||
		    t->x > a->held.width - t->width)
			return false;
	}
	return s->tiles_len > 0 && s->tiles_len <= TILES_MOST;
}

/* The voxels that wait to be sent. */
static int load_waiting(struct fx_node *node, struct fx_aligner *a, struct fx_aligner_section *s,
			struct fx_unpack *from)
{
	struct fx_section *section = fx_calloc(1, sizeof *section);
	struct fx_error err = { 0 };
	int32_t role = 0;
	void *tiles;
	int failed;

	if (!section)
		return FX_ENOMEM;
	s->section = section;
	section->z = s->z;
	failed = fx_unpack_get(from, &role, sizeof role);
	if (failed >= 0)
		failed = fx_unpack_get(from, &section->level, sizeof section->level);
	if (failed >= 0)
		failed = fx_unpack_array(from, &tiles, &section->tiles_len, sizeof *section->tiles);
	if (failed < 0) {
		section->tiles_len = 0;
		return failed;
	}
	section->tiles = tiles;
	section->tiles_cap = section->tiles_len;
	section->role = (enum fx_role)role;
	if (role < FX_IMAGE || role > FX_MASK || !tiles_fit(a, section))
		return FX_ETYPE;
	fx_aligner_budget(a);
	failed = fx_scratch_open(
		&section->voxels, a->held.size,
		(double)a->held.size > a->held.memory ? fx_scratch_dir(node) : NULL, &err);
	return failed < 0 ? failed : fx_unpack_get(from, section->voxels.data, a->held.size);
}

static int load_voxels(struct fx_node *node, struct fx_aligner *a, struct fx_aligner_section *s,
		       struct fx_unpack *from)
{
	bool waits = false, serves = false;
	int failed = fx_unpack_bool(from, &waits);

	if (failed >= 0 && waits != (!s->missing && !s->sent))
		return FX_ETYPE;
	if (failed >= 0 && waits)
		failed = load_waiting(node, a, s, from);
	if (failed >= 0)
		failed = fx_unpack_bool(from, &serves);
	if (failed >= 0 && serves)
		failed = fx_aligner_room(node, a, s);
	if (failed >= 0 && serves)
		failed = fx_unpack_get(from, s->memory.data, s->memory.size);
	return failed;
}

/* The mesh of a section that was sent. */
static int load_mesh(const struct fx_aligner *a, struct fx_aligner_section *s,
		     struct fx_unpack *from)
{
	size_t len;
	void *by;
	int failed = fx_unpack_array(from, &by, &len, sizeof *s->mesh.by);

	if (failed < 0)
		return failed;
	if (len) {
		failed = fx_mesh_init(&s->mesh, a->held.height, a->held.width, a->how.mesh);
		if (failed >= 0 && len != s->mesh.height * s->mesh.width * 2)
			failed = FX_ETYPE;
		for (size_t i = 0; i < len && failed >= 0; i++)
			failed = fabs(((double *)by)[i]) < 1e9 ? FX_OK : FX_ETYPE;
		if (failed >= 0)
			memcpy(s->mesh.by, by, len * sizeof *s->mesh.by);
	}
	free(by);
	return failed;
}

static int load_facts(struct fx_aligner_section *s, struct fx_unpack *from)
{
	int failed = fx_unpack_bool(from, &s->missing);

	if (failed >= 0)
		failed = fx_unpack_bool(from, &s->good);
	if (failed >= 0)
		failed = fx_unpack_bool(from, &s->sent);
	if (failed >= 0)
		failed = fx_unpack_get(from, s->reason, sizeof s->reason);
	if (failed >= 0)
		failed = fx_unpack_get(from, &s->rank, sizeof s->rank);
	if (failed >= 0)
		failed = fx_unpack_get(from, &s->confidence, sizeof s->confidence);
	if (failed >= 0)
		failed = fx_unpack_get(from, &s->map, sizeof s->map);
	s->reason[sizeof s->reason - 1] = '\0';
	return failed < 0 || finite_map(&s->map) ? failed : FX_ETYPE;
}

static int load_section(struct fx_node *node, struct fx_aligner *a, struct fx_unpack *from)
{
	struct fx_aligner_section *s;
	int64_t z;
	size_t edges = 0;
	int failed = fx_unpack_get(from, &z, sizeof z);

	if (failed < 0)
		return failed;
	s = fx_aligner_append(a, z);
	if (!s)
		return FX_ENOMEM;
	failed = load_facts(s, from);
	if (failed >= 0)
		failed = load_voxels(node, a, s, from);
	if (failed >= 0)
		failed = load_mesh(a, s, from);
	if (failed >= 0)
		failed = fx_unpack_get(from, &edges, sizeof edges);
	if (failed >= 0 && edges > FX_ALIGNER_REFERENCES)
		failed = FX_ETYPE;
	while (failed >= 0 && s->edges_len < edges)
		failed = load_edge(&s->edges[s->edges_len++], from);
	return failed;
}

int fx_aligner_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct fx_aligner *a = state;
	size_t len = 0;
	int failed = fx_sectionwise_load(node, FX_ALIGNER_IMAGE, &a->held, a->how.memory / 1048576,
					 (size_t)a->how.hold, from);

	if (failed >= 0)
		failed = fx_unpack_get(from, &a->good, sizeof a->good);
	if (failed >= 0)
		failed = fx_unpack_get(from, &a->failed, sizeof a->failed);
	if (failed >= 0)
		failed = fx_unpack_get(from, &a->usual, sizeof a->usual);
	if (failed >= 0)
		failed = fx_unpack_get(from, a->moves, sizeof a->moves);
	for (int i = 0; i < 6 && failed >= 0; i++)
		failed = fabs(a->moves[i / 3][i % 3]) < 1e9 ? FX_OK : FX_ETYPE;
	if (failed >= 0)
		failed = fx_unpack_get(from, &len, sizeof len);
	if (failed >= 0 && (len > LIST_MOST || (len && !a->held.size)))
		failed = FX_ETYPE;
	for (size_t i = 0; i < len && failed >= 0; i++)
		failed = load_section(node, a, from);
	return failed;
}
