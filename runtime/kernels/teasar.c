// SPDX-License-Identifier: Apache-2.0
/* teasar.c: the skeleton of one object. */
#include "kernels/teasar.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { SWC_SOMA = 1, SWC_FORK = 5, SWC_END = 6 };

struct fx_teasar {
	const struct fx_lattice *l; /* of the object at hand */
	struct fx_geodesic *g;
	size_t cap;	       /* voxels that the lattices below have room for */
	float *dist, *penalty; /* dist is 0 outside of the object */
	uint32_t *node;	       /* of the voxels in the tree */
	uint32_t *order;
	size_t order_cap;
	struct fx_clearing *by; /* of each voxel that is cleared */
	struct fx_ball *balls;
	struct fx_ball_entry *entries; /* those of a call */
	size_t balls_len, balls_cap, entries_cap;
};

/* The skeleton as it grows. */
struct growth {
	struct fx_teasar *t;
	const struct fx_teasar_object *o;
	const struct fx_teasar_options *options;
	uint32_t *voxel;
	int32_t *parent;
	size_t len, voxel_cap, parent_cap;
};

struct fx_teasar *fx_teasar_new(void)
{
	return calloc(1, sizeof(struct fx_teasar));
}

static void teasar_clear(struct fx_teasar *t)
{
	free(t->dist);
	free(t->penalty);
	free(t->node);
	free(t->by);
	t->cap = 0;
}

void fx_teasar_free(struct fx_teasar *t)
{
	if (!t)
		return;
	teasar_clear(t);
	fx_geodesic_free(t->g);
	free(t->order);
	free(t->balls);
	free(t->entries);
	free(t);
}

/* Room for lattice @p l. */
static bool teasar_fit(struct fx_teasar *t, const struct fx_lattice *l)
{
	if (!t->g && !(t->g = fx_geodesic_new(l)))
		return false;
	if (l->len > t->cap) {
		teasar_clear(t);
		t->dist = fx_calloc_huge(l->len, sizeof *t->dist);
		t->penalty = fx_calloc_huge(l->len, sizeof *t->penalty);
		t->node = fx_calloc_huge(l->len, sizeof *t->node);
		t->by = fx_calloc_huge(l->len, sizeof *t->by);
		if (!t->dist || !t->penalty || !t->node || !t->by)
			return false;
		t->cap = l->len;
	}
	t->l = l;
	return fx_geodesic_fit(t->g, l);
}

static uint32_t widest(const struct fx_teasar_object *o)
{
	uint32_t best = o->voxels[0];

	for (size_t i = 1; i < o->len; i++)
		if (o->radius_nm[o->voxels[i]] > o->radius_nm[best])
			best = o->voxels[i];
	return best;
}

/* Distances from @p source in dist, voxels in order; *len of them are reached. */
static int teasar_field(struct fx_teasar *t, const struct fx_teasar_object *o, uint32_t source,
			size_t *len)
{
	for (size_t i = 0; i < o->len; i++)
		t->dist[o->voxels[i]] = INFINITY;
	return fx_geodesic_field(t->g, source, t->dist, t->order, len);
}

static bool is_done(const uint8_t *flags, uint32_t v)
{
	return flags[v] & (FX_VOXEL_CLEARED | FX_VOXEL_TREE);
}

/* Farthest voxel of those in order[0..*left), with @p flags of those that are not done; 0 (in the
 * padding) when there is none. The voxels lie in bands of growing distance, so that only the last
 * band counts. */
static uint32_t teasar_farthest(const struct fx_teasar *t, size_t *left, const uint8_t *flags)
{
	uint32_t best = 0;
	int64_t band = 0;

	while (*left && flags && is_done(flags, t->order[*left - 1]))
		(*left)--;
	for (size_t i = *left; i-- > 0;) {
		const uint32_t v = t->order[i];

		if (flags && is_done(flags, v))
			continue;
		if (!best)
			band = fx_geodesic_band(t->g, (double)t->dist[v]);
		else if (fx_geodesic_band(t->g, (double)t->dist[v]) < band)
			break;
		if (!best || t->dist[v] > t->dist[best] ||
		    (t->dist[v] >= t->dist[best] && v < best))
			best = v;
	}
	return best;
}

static void teasar_penalise(struct fx_teasar *t, const struct fx_teasar_object *o,
			    const struct fx_teasar_options *options, float widest_nm,
			    size_t reached)
{
	const float farthest = t->dist[teasar_farthest(t, &reached, NULL)];
	const double upper = fmax(pow((double)widest_nm, 1.01), (double)widest_nm),
		     r = upper > 0 ? 1 / upper : 0, d = farthest > 0 ? 1 / (double)farthest : 0;

	for (size_t i = 0; i < o->len; i++) {
		const uint32_t v = o->voxels[i];
		const double off = 1 - (double)o->radius_nm[v] * r, off2 = off * off;
		const double power = options->pdrf_exponent == 4 ? off2 * off2 :
								   pow(off, options->pdrf_exponent);

		t->penalty[v] = (float)(options->pdrf_scale * power + (double)t->dist[v] * d);
	}
}

/* Adds a node; its parent is the node of the tree voxel @p parent, none when that is 0. */
static int growth_add(struct growth *w, uint32_t voxel, uint32_t parent)
{
	struct fx_teasar *t = w->t;

	if (w->len >= INT32_MAX ||
	    !fx_grow(&w->voxel, &w->voxel_cap, w->len + 1, sizeof *w->voxel) ||
	    !fx_grow(&w->parent, &w->parent_cap, w->len + 1, sizeof *w->parent))
		return FX_ENOMEM;
	w->voxel[w->len] = voxel;
	w->parent[w->len] = parent ? (int32_t)t->node[parent] : -1;
	t->node[voxel] = (uint32_t)w->len++;
	w->o->flags[voxel] |= FX_VOXEL_TREE;
	return FX_OK;
}

/* Clears balls around the voxels of @p way. */
static int growth_clear(struct growth *w, const uint32_t *way, size_t len, double scale,
			double const_nm)
{
	struct fx_teasar *t = w->t;

	if (t->balls_len + len > UINT32_MAX ||
	    !fx_grow(&t->balls, &t->balls_cap, t->balls_len + len, sizeof *t->balls) ||
	    !fx_grow(&t->entries, &t->entries_cap, len, sizeof *t->entries))
		return FX_ENOMEM;
	for (size_t i = 0; i < len; i++) {
		struct fx_ball *ball = &t->balls[t->balls_len];
		size_t at[3];

		fx_lattice_voxel(t->l, way[i], at);
		for (int a = 0; a < 3; a++)
			ball->centre[a] = (int64_t)at[a];
		ball->radius_nm = (float)(scale * (double)w->o->radius_nm[way[i]] + const_nm);
		t->entries[i] = (struct fx_ball_entry){ way[i], (uint32_t)t->balls_len++ };
	}
	return fx_geodesic_roll(t->g, w->o->flags, t->balls, t->entries, len, t->by);
}

/* Clears what lies in balls of skeletons outside. */
static int growth_enter(struct growth *w)
{
	struct fx_teasar *t = w->t;
	const struct fx_teasar_object *o = w->o;
	const size_t first = t->balls_len;

	if (first + o->balls_len > UINT32_MAX ||
	    !fx_grow(&t->balls, &t->balls_cap, first + o->balls_len, sizeof *t->balls) ||
	    !fx_grow(&t->entries, &t->entries_cap, o->entries_len, sizeof *t->entries))
		return FX_ENOMEM;
	for (size_t i = 0; i < o->balls_len; i++)
		t->balls[t->balls_len++] = o->balls[i];
	for (size_t i = 0; i < o->entries_len; i++)
		t->entries[i] = (struct fx_ball_entry){ o->entries[i].voxel,
							o->entries[i].ball + (uint32_t)first };
	return fx_geodesic_roll(t->g, o->flags, t->balls, t->entries, o->entries_len, t->by);
}

bool fx_teasar_cleared(const struct fx_teasar *t, const uint8_t *flags, uint32_t voxel,
		       struct fx_ball *ball)
{
	if (!(flags[voxel] & FX_VOXEL_CLEARED))
		return false;
	*ball = t->balls[t->by[voxel].ball];
	return true;
}

/* The way from @p target to the tree. */
static int growth_reach(struct growth *w, uint32_t target)
{
	struct fx_teasar *t = w->t;
	uint32_t *way;
	size_t len;
	int result =
		fx_geodesic_way(t->g, w->o->flags, t->penalty, target, FX_VOXEL_TREE, &way, &len);

	if (result != FX_OK)
		return result;
	for (size_t i = 1; result == FX_OK && i < len; i++)
		result = growth_add(w, way[i], way[i - 1]);
	if (result == FX_OK)
		result = growth_clear(w, way, len, w->options->scale, w->options->const_nm);
	free(way);
	return result;
}

static int growth_all(struct growth *w, size_t reached)
{
	const uint8_t *flags = w->o->flags;
	int result = FX_OK;
	uint32_t target;

	for (size_t i = 0; result == FX_OK && i < w->o->targets_len; i++)
		if (!(flags[w->o->targets[i]] & FX_VOXEL_TREE))
			result = growth_reach(w, w->o->targets[i]);
	for (size_t i = 0; result == FX_OK && i < w->o->hints_len; i++)
		if (!is_done(flags, w->o->hints[i]))
			result = growth_reach(w, w->o->hints[i]);
	while (result == FX_OK && (target = teasar_farthest(w->t, &reached, flags)))
		result = growth_reach(w, target);
	return result;
}

static struct fx_tree *growth_tree(const struct growth *w, const int64_t origin[3], bool soma)
{
	const struct fx_lattice *l = w->t->l;
	struct fx_tree *tree = fx_tree_new(0, w->len);

	for (size_t i = 0; tree && i < w->len; i++) {
		struct fx_tree_node *n = &tree->nodes[i];
		size_t at[3];

		fx_lattice_voxel(l, w->voxel[i], at);
		for (int a = 0; a < 3; a++)
			n->pos_nm[a] = (double)(origin[a] + (int64_t)at[a]) * l->voxel_nm[a];
		n->radius_nm = (double)w->o->radius_nm[w->voxel[i]];
		n->parent = w->parent[i];
		n->type = soma && i == 0 ? SWC_SOMA : 0;
	}
	return tree;
}

/* The voxel to start from: the middle of a soma, a target, or the farthest from anywhere. */
static int teasar_root(struct fx_teasar *t, const struct fx_teasar_object *o, bool soma,
		       uint32_t *root)
{
	size_t reached;
	int result;

	*root = soma	       ? widest(o) :
		o->targets_len ? o->targets[0] :
		o->hints_len   ? o->hints[0] :
				 o->voxels[0];
	if (soma || o->targets_len || o->hints_len)
		return FX_OK;
	result = teasar_field(t, o, o->voxels[0], &reached);
	if (result == FX_OK)
		*root = teasar_farthest(t, &reached, NULL);
	return result;
}

int fx_teasar_trace(struct fx_teasar *t, const struct fx_teasar_object *o,
		    const struct fx_teasar_options *options, const int64_t origin[3],
		    struct fx_tree **tree, uint32_t **voxels)
{
	struct growth w = { .t = t, .o = o, .options = options };
	const float widest_nm = o->radius_nm[widest(o)];
	const bool soma = (double)widest_nm > options->soma_acceptance_nm;
	struct fx_tree *made = NULL;
	uint32_t root;
	size_t reached;
	int result = FX_ENOMEM;

	if (!teasar_fit(t, o->l) || !fx_grow(&t->order, &t->order_cap, o->len, sizeof *t->order))
		goto done;
	t->balls_len = 0;
	for (size_t i = 0; i < o->len; i++)
		o->flags[o->voxels[i]] = FX_VOXEL_IN;
	if ((result = teasar_root(t, o, soma, &root)) != FX_OK ||
	    (result = teasar_field(t, o, root, &reached)) != FX_OK)
		goto done;
	teasar_penalise(t, o, options, widest_nm, reached);
	result = growth_add(&w, root, 0);
	if (result == FX_OK)
		result = growth_enter(&w);
	if (result == FX_OK && soma)
		result = growth_clear(&w, &root, 1, options->soma_scale, options->soma_const_nm);
	if (result == FX_OK)
		result = growth_all(&w, reached);
	if (result == FX_OK && !(made = growth_tree(&w, origin, soma)))
		result = FX_ENOMEM;
	if (result == FX_OK) {
		*tree = made;
		*voxels = w.voxel;
		w.voxel = NULL;
	}
done:
	for (size_t i = 0; i < o->len && t->cap; i++)
		t->dist[o->voxels[i]] = 0;
	free(w.voxel);
	free(w.parent);
	return result;
}

int fx_tree_classify(struct fx_tree *tree)
{
	uint32_t *degree = fx_calloc(tree->len, sizeof *degree);

	if (!degree)
		return FX_ENOMEM;
	for (size_t i = 0; i < tree->len; i++) {
		const int32_t parent = tree->nodes[i].parent;

		if (parent >= 0) {
			degree[i]++;
			degree[parent]++;
		}
	}
	for (size_t i = 0; i < tree->len; i++)
		if (tree->nodes[i].type != SWC_SOMA)
			tree->nodes[i].type = degree[i] > 2 ? SWC_FORK :
					      degree[i] < 2 ? SWC_END :
							      0;
	free(degree);
	return FX_OK;
}
