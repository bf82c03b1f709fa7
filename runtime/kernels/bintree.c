// SPDX-License-Identifier: Apache-2.0
/* bintree.c: the forks and ends of a tree as a binary tree. */
#include "kernels/bintree.h"

#include <fornix/error.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/edgetree.h"

enum { CHILDREN_MAX = 1024 };
static const double circle = 1.2;

void fx_reroot_fini(struct fx_reroot *r)
{
	fx_treewalk_fini(&r->walk);
	free(r->order);
	free(r->up);
	free(r->seen);
	free(r->stack);
	memset(r, 0, sizeof *r);
}

int fx_reroot_open(struct fx_reroot *r, const struct fx_tree *t)
{
	int rc = fx_treewalk_open(&r->walk, t);

	if (rc < 0)
		return rc;
	r->tree = t;
	r->order = fx_calloc(t->len, sizeof *r->order);
	r->up = fx_calloc(t->len, sizeof *r->up);
	r->seen = fx_calloc(t->len, sizeof *r->seen);
	r->stack = fx_calloc(t->len + 1, sizeof *r->stack);
	if (!r->order || !r->up || !r->seen || !r->stack)
		rc = FX_ENOMEM;
	else
		rc = fx_treewalk_stack_order(&r->walk, r->order);
	if (rc < 0) {
		fx_reroot_fini(r);
		return rc;
	}
	for (size_t i = 0; i < t->len; i++)
		r->up[i] = t->nodes[i].parent < 0 ? -1 : t->nodes[i].parent;
	return FX_OK;
}

/* Neighbours of a node but its parent as it is now, in stack order; gives how many. */
static size_t children(const struct fx_reroot *r, int32_t node, int32_t *out)
{
	const int32_t *first = r->walk.first, before = r->tree->nodes[node].parent;
	size_t n = 0;

	/* in that order the former parent comes before its children, and they from last to first */
	if (before >= 0 && before != r->up[node])
		out[n++] = before;
	for (int32_t c = first[node + 1]; c-- > first[node];)
		if (r->walk.child[c] != r->up[node])
			out[n++] = r->walk.child[c];
	return n;
}

void fx_reroot_at(struct fx_reroot *r, int32_t root)
{
	int32_t *const stack = r->stack;
	size_t depth = 0;

	r->up[root] = -1;
	stack[depth++] = root;
	while (depth) {
		const int32_t node = stack[--depth];
		const size_t n = children(r, node, stack + depth);

		r->seen[node] = true;
		for (size_t i = 0; i < n; i++)
			r->up[stack[depth + i]] = node;
		depth += n;
	}
}

double fx_bin_distance_xy(const double a[3], const double b[3])
{
	const double y = a[1] - b[1], x = a[2] - b[2];

	return sqrt(x * x + y * y);
}

static int bin_new(struct fx_bintree *b, const double pos[3])
{
	struct fx_bin *n;

	if (b->len >= INT32_MAX)
		return FX_EINVAL;
	if (!fx_grow(&b->nodes, &b->cap, b->len + 1, sizeof *b->nodes))
		return FX_ENOMEM;
	n = &b->nodes[b->len++];
	memset(n, 0, sizeof *n);
	n->up = n->left = n->right = n->place = -1;
	memcpy(n->pos, pos, sizeof n->pos);
	return FX_OK;
}

static void bin_join(struct fx_bintree *b, int32_t up, int32_t left, int32_t right)
{
	b->nodes[up].left = left;
	b->nodes[left].up = up;
	if (right >= 0) {
		b->nodes[up].right = right;
		b->nodes[right].up = up;
	}
}

/* Makes the two sons that are nearest to each other one, in the place of their parent. */
static int sons_merge(struct fx_bintree *b, int32_t parent, int32_t *sons, size_t *n)
{
	double best = (double)INFINITY;
	size_t first = 0, second = 1, kept = 0;
	int rc;

	for (size_t i = 0; i < *n; i++)
		for (size_t j = i + 1; j < *n; j++) {
			const double d =
				fx_point_distance2(b->nodes[sons[i]].pos, b->nodes[sons[j]].pos);

			if (d < best) {
				best = d;
				first = i;
				second = j;
			}
		}
	rc = bin_new(b, (double[3]){ b->nodes[parent].pos[0], b->nodes[parent].pos[1],
				     b->nodes[parent].pos[2] });
	if (rc < 0)
		return rc;
	b->nodes[b->len - 1].place = parent;
	bin_join(b, (int32_t)b->len - 1, sons[first], sons[second]);
	for (size_t i = 0; i < *n; i++)
		if (i != first && i != second)
			sons[kept++] = sons[i];
	sons[kept++] = (int32_t)b->len - 1;
	*n = kept;
	return FX_OK;
}

/* Nodes of the tree to be made binary: in preorder, with the bins that stand for them. */
struct branch {
	int32_t *nodes; /* owned */
	size_t len;
	int32_t *bin;  /* owned, by node of the whole tree */
	int32_t *sons; /* owned: room for the children of one node */
};

/* Bins for a node and all behind it, not joined yet. */
static int branch_collect(struct fx_bintree *b, const struct fx_reroot *r, int32_t top,
			  struct branch *br)
{
	int32_t *const stack = r->stack;
	size_t depth = 0;
	int rc = FX_OK;

	br->len = 0;
	stack[depth++] = top;
	while (depth && rc == FX_OK) {
		const int32_t node = stack[--depth];

		depth += children(r, node, stack + depth);
		rc = bin_new(b, r->tree->nodes[node].pos_nm);
		br->bin[node] = (int32_t)b->len - 1;
		br->nodes[br->len++] = node;
	}
	return rc;
}

static int branch_join(struct fx_bintree *b, const struct fx_reroot *r, struct branch *br)
{
	for (size_t i = br->len; i--;) {
		const int32_t node = br->nodes[i];
		size_t n = children(r, node, br->sons);
		int rc = n > CHILDREN_MAX ? FX_EINVAL : FX_OK;

		for (size_t k = 0; k < n; k++)
			br->sons[k] = br->bin[br->sons[k]];
		while (rc == FX_OK && n > 2)
			rc = sons_merge(b, br->bin[node], br->sons, &n);
		if (rc < 0)
			return rc;
		if (n)
			bin_join(b, br->bin[node], br->sons[0], n > 1 ? br->sons[1] : -1);
	}
	return FX_OK;
}

/* The point on the way from a to b at a distance in xy from `from` that lies between theirs. */
static void on_circle(const double from[3], const double a[3], const double b[3], double out[3])
{
	const double near = fx_bin_distance_xy(from, a), far = fx_bin_distance_xy(from, b);
	const double share = (circle - near) / (far - near);

	for (int i = 1; i < 3; i++)
		out[i] = a[i] + share * (b[i] - a[i]);
}

static void leave_up(struct fx_bin *n, const double up[3])
{
	if (fx_bin_distance_xy(n->pos, up) > circle)
		on_circle(n->pos, n->pos, up, n->to_up);
	else
		memcpy(n->to_up, up, sizeof n->to_up);
	n->to_up[0] = n->pos[0];
}

/* Down from a fork, along nodes with one child, to where the way leaves the circle, and in z. */
static void leave_down(const struct fx_bintree *b, const double from[3], int32_t child,
		       double out[3])
{
	const double *before = from;
	bool xy = false, z = false;

	while (!xy || !z) {
		const struct fx_bin *c = &b->nodes[child];
		const bool fork = c->right >= 0, end = c->left < 0;

		if (!xy && fx_bin_distance_xy(from, c->pos) > circle) {
			on_circle(from, before, c->pos, out);
			xy = true;
		} else if (!xy && (fork || end)) {
			out[1] = end ? c->pos[1] : (double)NAN;
			out[2] = end ? c->pos[2] : (double)NAN;
			xy = true;
		}
		if (!z && (fabs(from[0] - c->pos[0]) > 0 || fork || end)) {
			out[0] = fabs(from[0] - c->pos[0]) > 0 || end ? from[0] : (double)NAN;
			z = true;
		}
		before = c->pos;
		child = end ? child : c->left;
	}
}

static void branch_measure(struct fx_bintree *b, size_t first, const double root[3])
{
	for (size_t i = first; i < b->len; i++) {
		struct fx_bin *const n = &b->nodes[i];
		const double *up = n->up < 0 ? root : b->nodes[n->up].pos;

		n->length.xy = n->length.path = fx_bin_distance_xy(n->pos, up);
		n->length.z = fabs(n->pos[0] - up[0]);
		if (n->left >= 0 && n->right < 0)
			continue;
		leave_up(n, up);
		if (n->left >= 0) {
			leave_down(b, n->pos, n->left, n->to_left);
			leave_down(b, n->pos, n->right, n->to_right);
		}
	}
}

/* Takes nodes with one child out, parents before children; gives the top that is left. */
static int32_t branch_shorten(struct fx_bintree *b, const struct branch *br)
{
	int32_t top = br->bin[br->nodes[0]];

	for (size_t i = 0; i < br->len; i++) {
		const int32_t at = br->bin[br->nodes[i]];
		const struct fx_bin *n = &b->nodes[at];
		struct fx_bin *child;

		if (n->left < 0 || n->right >= 0)
			continue;
		child = &b->nodes[n->left];
		child->length.path += n->length.path;
		child->length.xy += n->length.xy;
		child->length.z += n->length.z;
		child->up = n->up;
		if (top == at)
			top = n->left;
		else if (b->nodes[n->up].left == at)
			b->nodes[n->up].left = n->left;
		else
			b->nodes[n->up].right = n->left;
	}
	return top;
}

static void add3(double to[3], const double v[3])
{
	for (int i = 0; i < 3; i++)
		to[i] += v[i];
}

/* Forks in one place share what is known of it. */
static void branch_share(struct fx_bintree *b, size_t first)
{
	for (size_t i = first; i < b->len; i++) {
		const struct fx_bin *n = &b->nodes[i];

		if (n->place < 0)
			continue;
		add3(b->nodes[n->place].to_up, n->to_up);
		add3(b->nodes[n->place].to_left, n->to_left);
		add3(b->nodes[n->place].to_right, n->to_right);
	}
	for (size_t i = first; i < b->len; i++) {
		struct fx_bin *const n = &b->nodes[i];
		const struct fx_bin *place = n->place < 0 ? n : &b->nodes[n->place];

		n->length = place->length;
		for (int a = 0; a < 3; a++) {
			n->to_up[a] = place->to_up[a];
			n->to_left[a] = place->to_left[a];
			n->to_right[a] = place->to_right[a];
		}
	}
}

static int branch_add(struct fx_bintree *b, const struct fx_reroot *r, int32_t node,
		      struct branch *br, int32_t root, bool shared, int32_t *top)
{
	const size_t first = b->len;
	int rc = branch_collect(b, r, node, br);

	if (rc == FX_OK)
		rc = branch_join(b, r, br);
	if (rc < 0)
		return rc;
	branch_measure(b, first, b->nodes[root].pos);
	*top = branch_shorten(b, br);
	if (shared)
		branch_share(b, first);
	b->nodes[*top].up = root;
	return FX_OK;
}

int fx_bintree_add(struct fx_bintree *b, const struct fx_reroot *r, int32_t root, bool shared,
		   int32_t **tops, size_t *tops_len)
{
	struct branch br = { 0 };
	int32_t *starts = fx_calloc(r->tree->len, sizeof *starts);
	size_t n = starts ? children(r, root, starts) : 0;
	int rc = bin_new(b, r->tree->nodes[root].pos_nm);
	const int32_t self = (int32_t)b->len - 1;

	br.nodes = fx_calloc(r->tree->len, sizeof *br.nodes);
	br.bin = fx_calloc(r->tree->len, sizeof *br.bin);
	br.sons = fx_calloc(r->tree->len, sizeof *br.sons);
	if (!starts || !br.nodes || !br.bin || !br.sons)
		rc = FX_ENOMEM;
	if (rc == FX_OK)
		for (int i = 0; i < 3; i++)
			b->nodes[self].to_up[i] = b->nodes[self].to_left[i] =
				b->nodes[self].to_right[i] = b->nodes[self].pos[i];
	for (size_t i = 0; rc == FX_OK && i < n; i++)
		rc = branch_add(b, r, starts[i], &br, self, shared, &starts[i]);
	free(br.nodes);
	free(br.bin);
	free(br.sons);
	if (rc < 0) {
		free(starts);
		return rc;
	}
	*tops = starts;
	*tops_len = n;
	return FX_OK;
}
