// SPDX-License-Identifier: Apache-2.0
/* aligner.c: what all aligners do: which sections serve as references, and where they all lie. */
#include "node/aligner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/alignchain.h"
#include "node/sectionwise.h"

const struct fx_port fx_aligner_ports[] = {
	[FX_ALIGNER_IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_F32, 0, false,
			       "sections as 2-D tiles" },
	[FX_ALIGNER_OUT] = { "image", FX_OUT, FX_BLOCK, FX_U8 | FX_U16 | FX_F32, 0, false,
			     "the same tiles of the aligned sections; 0 where nothing is" },
	[FX_ALIGNER_TRANSFORMS] = { "transforms", FX_OUT, FX_RECORD, 0, 0, false,
				    "where each section was put, how surely, and by which others" },
	[FX_ALIGNER_MASK] = { "mask", FX_OUT, FX_BLOCK, FX_U8, 1U << FX_MASK, false,
			      "the same tiles, 1 where no image is" },
	{ 0 },
};

static const double spring = 1e-5, edge_within = 2;
/* An edge over d sections weighs confidence^4 / (1 + lag (d - 1)): tissue itself moves on. */
static const double lag = 0.25;
static const double usual_part = 0.75;
static const double pull_most = 0.5; /* voxels that a section is pulled by at most */

static void section_free(struct fx_aligner *a, struct fx_aligner_section *s)
{
	if (!s)
		return;
	if (s->section)
		fx_sections_drop(&a->held, s->section);
	fx_scratch_close(&s->memory);
	fx_mesh_fini(&s->mesh);
	for (size_t i = 0; i < s->edges_len; i++)
		free(s->edges[i].matches);
	free(s);
}

void fx_aligner_finish(void *state)
{
	struct fx_aligner *a = state;

	for (size_t i = 0; i < a->len; i++)
		section_free(a, a->list[i]);
	free(a->list);
	fx_sections_fini(&a->held);
	a->list = NULL;
	a->len = a->cap = 0;
}

struct fx_aligner_section *fx_aligner_append(struct fx_aligner *a, int64_t z)
{
	struct fx_aligner_section *s = fx_calloc(1, sizeof *s);

	if (!s || !fx_grow(&a->list, &a->cap, a->len + 1, sizeof *a->list)) {
		free(s);
		return NULL;
	}
	s->z = z;
	a->list[a->len++] = s;
	return s;
}

struct fx_aligner_section *fx_aligner_get(const struct fx_aligner *a, int64_t z)
{
	for (size_t i = a->len; i-- > 0;)
		if (a->list[i]->z == z)
			return a->list[i];
	return NULL;
}

/* Bytes that sections and prepared images take of the heap. */
static double aligner_heap(const struct fx_aligner *a)
{
	double heap = 0;

	for (size_t i = 0; i < a->len; i++) {
		const struct fx_aligner_section *s = a->list[i];

		if (s->section && !s->section->voxels.mapped)
			heap += (double)s->section->voxels.size;
		if (s->memory.data && !s->memory.mapped)
			heap += (double)s->memory.size;
	}
	return heap;
}

void fx_aligner_budget(struct fx_aligner *a)
{
	a->held.memory = a->how.memory - aligner_heap(a);
}

int fx_aligner_room(struct fx_node *node, struct fx_aligner *a, struct fx_aligner_section *s)
{
	struct fx_error err = { 0 };
	const char *folder = NULL;
	size_t size;

	if (!fx_regimage_size(a->held.height, a->held.width, &size))
		return fx_fail(node, FX_EINVAL, "sections of %zu x %zu voxels are too large",
			       a->held.height, a->held.width);
	if (aligner_heap(a) + (double)size > a->how.memory) {
		folder = fx_scratch_dir(node);
		if (!folder)
			return fx_fail(node, FX_EIO, "no folder for a scratch file of %zu MiB",
				       size >> 20);
	}
	if (fx_scratch_open(&s->memory, size, folder, &err) < 0)
		return fx_fail_error(node, &err);
	fx_regimage_place(&s->image, a->held.height, a->held.width, s->memory.data);
	return FX_OK;
}

int fx_aligner_process(struct fx_node *node, void *state)
{
	struct fx_aligner *a = state;

	fx_aligner_budget(a);
	return fx_sectionwise_put(node, FX_ALIGNER_IMAGE, &a->held);
}

/* Where @p s lies in @p other by its surest edge, when that is sure enough; false: it is not known.
 */
static bool aligner_guess(const struct fx_aligner *a, const struct fx_aligner_section *s,
			  const struct fx_aligner_section *other, struct fx_affine2 *guess)
{
	const struct fx_aligner_section *via = NULL;
	double sure = fmax(a->how.confidence, usual_part * a->usual);
	struct fx_affine2 back, there;

	for (size_t i = 0; i < s->edges_len; i++)
		if (s->edges[i].confidence >= sure) {
			via = fx_aligner_get(a, s->edges[i].z);
			there = s->edges[i].map;
			sure = s->edges[i].confidence;
		}
	if (!via || !fx_affine2_invert(&other->map, &back))
		return false;
	there = fx_affine2_after(&via->map, &there);
	*guess = fx_affine2_after(&back, &there);
	return true;
}

/* The edge from @p s to @p other, if there is anything to it. */
static int aligner_edge(struct fx_node *node, struct fx_aligner *a, struct fx_aligner_section *s,
			const struct fx_aligner_section *other)
{
	struct fx_affine2 guess;
	const struct fx_pair_how how = {
		.motion = a->how.motion,
		.limit = a->how.limit,
		.half = a->how.patch / 2,
		.reach = a->how.reach,
		.grid = a->how.grid,
		.within = a->how.within,
		.seed = (uint64_t)s->z,
		.guess = aligner_guess(a, s, other, &guess) ? &guess : NULL,
	};
	struct fx_aligner_edge *edge = &s->edges[s->edges_len];
	struct fx_pair pair = { 0 };

	if (fx_pair_find(&other->image, &s->image, &how, &pair) < 0) {
		fx_pair_fini(&pair);
		return fx_fail(node, FX_ENOMEM, "no memory to register section %lld",
			       (long long)s->z);
	}
	if (other->good && pair.confidence > s->confidence)
		s->confidence = pair.confidence;
	if (pair.confidence >= a->how.confidence) {
		*edge = (struct fx_aligner_edge){ .z = other->z,
						  .map = pair.map,
						  .confidence = pair.confidence };
		if (a->how.elastic) {
			edge->len = pair.len;
			edge->matches = pair.matches;
			pair.matches = NULL;
		}
		s->edges_len++;
	}
	fx_pair_fini(&pair);
	return FX_OK;
}

/* Registers @p s, the last of the list, to all with an image: good ones, and the one before. The
 * nearest comes first: it tells where to look in the others. */
static int aligner_register(struct fx_node *node, struct fx_aligner *a,
			    struct fx_aligner_section *s)
{
	int failed = FX_OK;

	for (size_t i = a->len - 1; i-- > 0 && failed >= 0;)
		if (a->list[i]->image.levels)
			failed = aligner_edge(node, a, s, a->list[i]);
	for (size_t i = 0; 2 * i + 1 < s->edges_len; i++) { /* in the order of the sections */
		const struct fx_aligner_edge first = s->edges[i];

		s->edges[i] = s->edges[s->edges_len - 1 - i];
		s->edges[s->edges_len - 1 - i] = first;
	}
	return failed;
}

/* The number of the next reference: of good sections with ranks below @p below the last one that is
 * a multiple of 2^level. */
static uint64_t aligner_rank(uint64_t below, int level)
{
	return (below - 1) >> level << level;
}

/* Keeps the images of the last good one, of the last one before it whose rank is even, then a
 * multiple of 4, ... and of the last section in any case. */
static void aligner_thin(struct fx_aligner *a)
{
	uint64_t keep[FX_ALIGNER_REFERENCES], below = a->good;
	int n = 0;

	for (; n < a->how.references && below > 0; n++)
		below = keep[n] = aligner_rank(below, n);
	for (size_t i = 0; i + 1 < a->len; i++) {
		struct fx_aligner_section *s = a->list[i];
		bool kept = false;

		for (int k = 0; k < n; k++)
			kept |= s->good && s->rank == keep[k];
		if (!kept) {
			fx_scratch_close(&s->memory);
			s->image.levels = 0;
		}
	}
}

/* Decides whether @p s is good: it fits a good one, and not much worse than is usual (a fold); or
 * nothing came before; or too many in a row fitted no good one and it fits the one before. */
static void aligner_judge(struct fx_aligner *a, struct fx_aligner_section *s)
{
	const struct fx_aligner_edge *last = s->edges_len ? &s->edges[s->edges_len - 1] : NULL;

	s->good = !a->good ||
		  (s->confidence >= a->how.confidence && s->confidence >= usual_part * a->usual);
	if (!s->good && last && last->confidence >= a->how.confidence &&
	    a->failed + 1 >= (uint64_t)a->how.patience) {
		s->good = true;
		s->confidence = last->confidence;
		a->usual = s->confidence;
	}
	if (s->good && a->good)
		a->usual += (s->confidence - a->usual) / (a->good < 10 ? (double)a->good : 10);
	a->failed = s->good ? 0 : a->failed + 1;
	if (s->good)
		s->rank = a->good++;
}

/* By how much a map moves the middle of the section, and more the middle of its bottom edge and of
 * its right one. */
static void aligner_off(const struct fx_aligner *a, const struct fx_affine2 *map, double off[2][3])
{
	const double half[2] = { ((double)a->held.height - 1) / 2,
				 ((double)a->held.width - 1) / 2 };
	double to[2];

	fx_affine2_apply(map, half, to);
	for (int i = 0; i < 2; i++) {
		off[i][0] = to[i] - half[i];
		for (int k = 0; k < 2; k++)
			off[i][k + 1] = (map->m[i][k] - (i == k)) * half[k];
	}
}

/* How much to pull: as set, but so that it moves the section by no more than a little. */
static double aligner_pull(double pull, double off)
{
	return off * pull > pull_most ? pull_most / off : pull;
}

static void aligner_pulls(const struct fx_aligner *a, const struct fx_affine2 *map, double pull[2])
{
	double off[2][3], linear = 0;

	aligner_off(a, map, off);
	for (int i = 0; i < 2; i++)
		linear = fmax(linear, fabs(off[i][1]) + fabs(off[i][2]));
	pull[0] = aligner_pull(a->how.pull[0], linear);
	pull[1] = aligner_pull(a->how.pull[1], hypot(off[0][0], off[1][0]));
}

/* Learns how fast the tissue moves from where a section was put: what is always pulled back the
 * same way does not come from the stage. */
static void aligner_learn(struct fx_aligner *a, const struct fx_affine2 *map)
{
	double off[2][3];

	aligner_off(a, map, off);
	for (int i = 0; i < 2; i++)
		for (int k = 0; k < 3; k++) {
			const double pull = a->how.pull[k == 0],
				     by = fmax(-pull_most, fmin(pull_most, pull * off[i][k]));

			a->moves[i][k] += pull / 4 * by; /* critically damped */
		}
}

/* The part of the list that is placed. */
struct placing {
	struct fx_chain_node *nodes; /* owned */
	struct fx_chain_edge *edges; /* owned */
	size_t *at;		     /* owned: node of each of the list, SIZE_MAX: missing */
	struct fx_chain chain;
};

static void placing_edges(struct placing *p, const struct fx_aligner *a, size_t i)
{
	const struct fx_aligner_section *s = a->list[i];

	for (size_t k = 0; k < s->edges_len; k++)
		for (size_t j = 0; j < i; j++)
			if (a->list[j]->z == s->edges[k].z && !a->list[j]->missing) {
				const double c = s->edges[k].confidence,
					     far = fabs((double)(s->z - s->edges[k].z));

				p->edges[p->chain.edges_len++] = (struct fx_chain_edge){
					p->at[i], p->at[j], s->edges[k].map,
					c * c * c * c / (1 + lag * fmax(0, far - 1))
				};
			}
}

static int placing_init(struct placing *p, const struct fx_aligner *a)
{
	struct fx_affine2 map = fx_affine2_shift(0, 0);

	*p = (struct placing){ .chain = { .motion = a->how.motion,
					  .height = a->held.height,
					  .width = a->held.width,
					  .within = edge_within,
					  .spring = spring } };
	p->nodes = fx_calloc(a->len, sizeof *p->nodes);
	p->edges = fx_calloc(a->len * FX_ALIGNER_REFERENCES, sizeof *p->edges);
	p->at = fx_calloc(a->len, sizeof *p->at);
	if (!p->nodes || !p->edges || !p->at)
		return FX_ENOMEM;
	for (size_t i = 0; i < a->len; i++) {
		const struct fx_aligner_section *s = a->list[i];
		struct fx_chain_node *node = &p->nodes[p->chain.nodes_len];

		if (s->missing)
			continue;
		map = s->sent ? s->map : map;
		*node = (struct fx_chain_node){ s->map, s->sent, (double)s->z, { 0, 0 } };
		aligner_pulls(a, &map, node->pull);
		p->at[i] = p->chain.nodes_len++;
		if (!s->sent)
			placing_edges(p, a, i);
	}
	memcpy(p->chain.moves, a->moves, sizeof a->moves);
	p->chain.nodes = p->nodes;
	p->chain.edges = p->edges;
	return FX_OK;
}

/* Finds the maps of all that are not sent. */
static int aligner_place(struct fx_node *node, struct fx_aligner *a)
{
	struct placing p;
	int failed = placing_init(&p, a);

	if (failed >= 0)
		failed = fx_chain_solve(&p.chain);
	for (size_t i = 0; i < a->len && failed >= 0; i++)
		if (!a->list[i]->missing && !a->list[i]->sent)
			a->list[i]->map = p.nodes[p.at[i]].map;
	free(p.nodes);
	free(p.edges);
	free(p.at);
	return failed < 0 ? fx_fail(node, failed,
				    "sections cannot be placed: no memory, or "
				    "numbers that are not finite") :
			    FX_OK;
}

/* True when a section that is not sent was registered to @p s. */
static bool aligner_needed(const struct fx_aligner *a, const struct fx_aligner_section *s)
{
	for (size_t i = 0; i < a->len; i++)
		for (size_t k = 0; k < a->list[i]->edges_len && !a->list[i]->sent; k++)
			if (a->list[i]->edges[k].z == s->z)
				return true;
	return false;
}

/* Drops what is sent and needed no more; the last one that was sent holds those that come. */
static void aligner_prune(struct fx_aligner *a)
{
	size_t last = a->len, n = 0;

	for (size_t i = 0; i < a->len; i++)
		if (a->list[i]->sent && !a->list[i]->missing)
			last = i;
	for (size_t i = 0; i < a->len; i++) {
		struct fx_aligner_section *s = a->list[i];

		s->over = s->sent && i != last && !s->image.levels &&
			  (s->missing || !aligner_needed(a, s));
	}
	for (size_t i = 0; i < a->len; i++)
		if (a->list[i]->over)
			section_free(a, a->list[i]);
		else
			a->list[n++] = a->list[i];
	a->len = n;
}

/* Sends those behind which enough came, or all. */
static int aligner_emit(struct fx_node *node, struct fx_aligner *a, bool all)
{
	size_t waiting = 0;
	int failed = FX_OK;

	for (size_t i = 0; i < a->len; i++)
		waiting += !a->list[i]->sent && !a->list[i]->missing;
	for (size_t i = 0; i < a->len && failed >= 0; i++) {
		struct fx_aligner_section *s = a->list[i];

		if (s->sent)
			continue;
		if (!s->missing && !all && waiting <= (size_t)a->how.ahead)
			break;
		waiting -= !s->missing;
		failed = fx_aligner_send(node, a, s);
		s->sent = true;
		if (!s->missing)
			aligner_learn(a, &s->map);
	}
	return failed;
}

static int aligner_section(struct fx_node *node, struct fx_aligner *a, int64_t z)
{
	struct fx_error err = { 0 };
	struct fx_section *section = fx_sections_whole(&a->held, z, &err);
	struct fx_aligner_section *s;
	struct fx_plane plane;
	int failed;

	if (!section)
		return fx_fail_error(node, &err);
	s = fx_aligner_append(a, z);
	if (!s) {
		fx_sections_drop(&a->held, section);
		return fx_fail(node, FX_ENOMEM, "no memory for section %lld", (long long)z);
	}
	s->section = section;
	failed = fx_aligner_room(node, a, s);
	plane = fx_plane_of(section->voxels.data, a->held.dtype, a->held.height, a->held.width);
	if (failed >= 0 && fx_regimage_fill(&s->image, &plane) < 0)
		failed =
			fx_fail(node, FX_ENOMEM, "no memory to prepare section %lld", (long long)z);
	if (failed >= 0)
		failed = aligner_register(node, a, s);
	if (failed < 0)
		return failed;
	aligner_judge(a, s);
	aligner_thin(a);
	failed = aligner_place(node, a);
	if (failed >= 0)
		failed = aligner_emit(node, a, false);
	aligner_prune(a);
	return failed;
}

static int aligner_lose(struct fx_node *node, struct fx_aligner *a, int64_t z, const char *reason)
{
	struct fx_aligner_section *s;
	int failed;

	fx_sections_lose(&a->held, z, z + 1);
	s = fx_aligner_append(a, z);
	if (!s)
		return fx_fail(node, FX_ENOMEM, "no memory for a mark");
	s->missing = true;
	snprintf(s->reason, sizeof s->reason, "%s", reason);
	failed = aligner_emit(node, a, false);
	aligner_prune(a);
	return failed;
}

static int aligner_open(struct fx_node *node, struct fx_aligner *a, const struct fx_mark *m)
{
	struct fx_error err = { 0 };
	struct fx_mark mask = *m;
	int failed;

	if (a->held.size)
		return fx_fail(node, FX_EINVAL, "the stream of sections is opened twice");
	if (fx_sections_init(&a->held, m, a->how.memory, (size_t)a->how.hold, &err) < 0)
		return fx_fail_error(node, &err);
	if (!(a->held.dtype & (FX_U8 | FX_U16 | FX_F32)))
		return fx_fail(node, FX_ETYPE, "a stream of %s, but this takes u8, u16 and f32",
			       fx_dtype_name(m->dtype));
	mask.dtype = FX_U8;
	failed = fx_send_mark(node, FX_ALIGNER_OUT, m);
	if (failed >= 0)
		failed = fx_send_mark(node, FX_ALIGNER_TRANSFORMS, m);
	return failed < 0 ? failed : fx_send_mark(node, FX_ALIGNER_MASK, &mask);
}

int fx_aligner_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct fx_aligner *a = state;
	int failed = FX_OK;

	(void)port;
	if (fx_again(node))
		return FX_OK;
	if (m->kind == FX_MARK_OPEN)
		return aligner_open(node, a, m);
	if (!a->held.size || m->region.lo[1] > a->held.y || m->region.lo[2] > a->held.x ||
	    m->region.hi[1] < a->held.y + (int64_t)a->held.height ||
	    m->region.hi[2] < a->held.x + (int64_t)a->held.width)
		return fx_fail(node, FX_EINVAL,
			       "a mark for a part of section %lld: only whole sections of an open "
			       "stream are done or missing",
			       (long long)m->region.lo[0]);
	for (int64_t z = m->region.lo[0]; z < m->region.hi[0] && failed >= 0; z++)
		failed = m->kind == FX_MARK_MISSING ? aligner_lose(node, a, z, m->reason) :
						      aligner_section(node, a, z);
	return failed;
}

int fx_aligner_drain(struct fx_node *node, void *state)
{
	struct fx_aligner *a = state;
	int failed = FX_OK;

	while (a->held.len && failed >= 0)
		failed = aligner_lose(node, a, a->held.held[0]->z,
				      "the stream ended before it was whole");
	return failed < 0 ? failed : aligner_emit(node, a, true);
}
