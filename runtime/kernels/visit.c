// SPDX-License-Identifier: Apache-2.0
/* visit.c: the order in which a skeleton is led to places at the faces of a block. */
#include "kernels/visit.h"

#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

enum { SMALLEST = 8, LINEAR = 9, SHIFT = 5, MANY = 50000 };

/* A place, or an empty slot (face 0). */
struct place {
	uint64_t hash;
	uint32_t voxel;
	uint32_t face; /* first one that it lies in, from 1 */
};

struct set {
	struct place *slot;
	size_t mask, used;
};

static struct place place_of(uint32_t voxel, const size_t shape[3])
{
	const uint64_t p1 = 11400714785074694791U, p2 = 14029467366897019727U,
		       p5 = 2870177450012600261U;
	const size_t row = voxel / shape[2];
	const uint64_t at[3] = { voxel - row * shape[2], row % shape[1], row / shape[1] };
	struct place p = { p5, voxel, 0 };

	for (int a = 0; a < 3; a++) {
		p.hash += at[a] * p2;
		p.hash = (p.hash << 31 | p.hash >> 33) * p1;
	}
	p.hash += 3 ^ (p5 ^ 3527539);
	for (int a = 2; a >= 0 && !p.face; a--) /* planes of z, then y, then x */
		p.face = at[a] == 0		   ? (uint32_t)(2 * (2 - a) + 1) :
			 at[a] + 1 == shape[2 - a] ? (uint32_t)(2 * (2 - a) + 2) :
						     0;
	p.face = p.face ? p.face : 7;
	return p;
}

static void set_insert(struct set *s, struct place p)
{
	uint64_t perturb = p.hash;
	size_t i = (size_t)p.hash & s->mask;

	for (;;) {
		const size_t end = i + LINEAR <= s->mask ? i + LINEAR : i;

		for (size_t k = i; k <= end; k++)
			if (!s->slot[k].face) {
				s->slot[k] = p;
				return;
			}
		perturb >>= SHIFT;
		i = (i * 5 + 1 + (size_t)perturb) & s->mask;
	}
}

static int set_grow(struct set *s)
{
	const size_t least = s->used > MANY ? s->used * 2 : s->used * 4;
	struct set larger = { .mask = SMALLEST - 1, .used = s->used };

	while (larger.mask < least)
		larger.mask = larger.mask * 2 + 1;
	larger.slot = fx_calloc(larger.mask + 1, sizeof *larger.slot);
	if (!larger.slot)
		return FX_ENOMEM;
	for (size_t i = 0; i <= s->mask; i++)
		if (s->slot[i].face)
			set_insert(&larger, s->slot[i]);
	free(s->slot);
	*s = larger;
	return FX_OK;
}

static int set_add(struct set *s, struct place p)
{
	set_insert(s, p);
	s->used++;
	return s->used * 5 < s->mask * 3 ? FX_OK : set_grow(s);
}

static int by_face(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->face != b->face)
		return a->face < b->face ? -1 : 1;
	return (a->voxel > b->voxel) - (a->voxel < b->voxel);
}

int fx_visit_order(uint32_t *voxels, size_t len, const size_t shape[3])
{
	struct place *places = fx_calloc(len, sizeof *places);
	struct set s = { fx_calloc(SMALLEST, sizeof *s.slot), SMALLEST - 1, 0 };
	int result = places && s.slot ? FX_OK : FX_ENOMEM;

	for (size_t i = 0; result == FX_OK && i < len; i++)
		places[i] = place_of(voxels[i], shape);
	if (result == FX_OK && len)
		qsort(places, len, sizeof *places, by_face);
	for (size_t i = 0; result == FX_OK && i < len; i++)
		result = set_add(&s, places[i]);
	for (size_t i = s.mask + 1, n = 0; result == FX_OK && i-- > 0;)
		if (s.slot[i].face)
			voxels[n++] = s.slot[i].voxel;
	free(places);
	free(s.slot);
	return result;
}

int fx_visit_targets(struct fx_link_target *t, size_t len, const size_t shape[3])
{
	uint32_t *voxels = fx_calloc(len, sizeof *voxels);
	size_t must = 0, n = 0, at = 0;
	int result = voxels ? FX_OK : FX_ENOMEM;

	for (; must < len && t[must].must; must++)
		if (result == FX_OK && (!must || t[must].voxel != t[must - 1].voxel))
			voxels[n++] = t[must].voxel;
	if (result == FX_OK)
		result = fx_visit_order(voxels, n, shape);
	for (size_t i = 0; result == FX_OK && i < n; i++)
		for (size_t k = at; k < must; k++)
			if (t[k].voxel == voxels[i]) {
				const struct fx_link_target found = t[k];

				memmove(t + at + 1, t + at, (k - at) * sizeof *t);
				t[at++] = found;
			}
	free(voxels);
	return result;
}
