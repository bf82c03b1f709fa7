// SPDX-License-Identifier: Apache-2.0
/* phantom_pack.c: puts what a phantom is between two sections, and takes it back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/phantom_priv.h"

/* A structure has bytes between its members that no one sets: members are put one by one. */
struct member {
	size_t at, size;
	bool real; /* floats */
};

#define MEMBER(T, m)                                                                               \
	{                                                                                          \
		offsetof(struct T, m), sizeof(((struct T *)0)->m), false                           \
	}
#define MEMBER_REAL(T, m)                                                                          \
	{                                                                                          \
		offsetof(struct T, m), sizeof(((struct T *)0)->m), true                            \
	}

static const struct member site_members[] = {
	MEMBER(phantom_site, state),	   MEMBER(phantom_site, neurite),
	MEMBER(phantom_site, mate),	   MEMBER(phantom_site, key),
	MEMBER_REAL(phantom_site, pos),	   MEMBER_REAL(phantom_site, wish),
	MEMBER_REAL(phantom_site, slope),  MEMBER_REAL(phantom_site, motion),
	MEMBER_REAL(phantom_site, flat),   MEMBER_REAL(phantom_site, half),
	MEMBER_REAL(phantom_site, extent), MEMBER_REAL(phantom_site, radius),
	MEMBER_REAL(phantom_site, rest),   MEMBER_REAL(phantom_site, swell),
	MEMBER_REAL(phantom_site, gap),	   MEMBER_REAL(phantom_site, age),
	MEMBER_REAL(phantom_site, push),   MEMBER_REAL(phantom_site, since_branch),
	MEMBER_REAL(phantom_site, mito),   MEMBER(phantom_site, vesicles),
	MEMBER(phantom_site, next),	   MEMBER(phantom_site, node),
	MEMBER(phantom_site, from),	   MEMBER(phantom_site, sight),
	MEMBER(phantom_site, wants_node),  MEMBER(phantom_site, fresh),
	MEMBER(phantom_site, last),	   MEMBER(phantom_site, tail),
};

static const struct member neurite_members[] = {
	MEMBER(phantom_neurite, id),
	MEMBER(phantom_neurite, sites),
	MEMBER_REAL(phantom_neurite, shade),
	MEMBER(phantom_neurite, cut),
};

static const struct member own_members[] = {
	MEMBER(fx_phantom, z),		MEMBER(fx_phantom, depth),
	MEMBER_REAL(fx_phantom, reach), MEMBER(fx_phantom, random),
	MEMBER(fx_phantom, next_id),	MEMBER(fx_phantom, sites_len),
	MEMBER(fx_phantom, alive),	MEMBER(fx_phantom, neurites_len),
};

#define COUNT(members) (sizeof(members) / sizeof *(members))

static void put_members(struct fx_pack *to, const void *of, const struct member *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fx_pack_put(to, (const char *)of + m[i].at, m[i].size);
}

static int get_members(struct fx_unpack *from, void *of, const struct member *m, size_t n)
{
	const float most = 1e12f; /* nm: places in voxels stay whole numbers of 64 bits */

	for (size_t i = 0; i < n; i++) {
		char *const at = (char *)of + m[i].at;

		if (fx_unpack_get(from, at, m[i].size) < 0)
			return FX_ETYPE;
		if (m[i].size == sizeof(bool) && *(unsigned char *)at > 1)
			return FX_ETYPE;
		for (size_t k = 0; m[i].real && k < m[i].size; k += sizeof(float)) {
			float v;

			memcpy(&v, at + k, sizeof v);
			if (!(fabsf(v) <= most))
				return FX_ETYPE;
		}
	}
	return FX_OK;
}

static size_t bins(const struct fx_phantom *p)
{
	return (size_t)p->grid.n[0] * (size_t)p->grid.n[1];
}

/* The grid is put as well: what lies in a bin has an order, in which forces are added up. */
void fx_phantom_pack(const struct fx_phantom *p, struct fx_pack *to)
{
	put_members(to, p, own_members, COUNT(own_members));
	for (size_t i = 0; i < p->sites_len; i++)
		put_members(to, &p->sites[i], site_members, COUNT(site_members));
	for (size_t i = 0; i < p->neurites_len; i++) {
		const struct phantom_neurite *n = &p->neurites[i];

		put_members(to, n, neurite_members, COUNT(neurite_members));
		fx_pack_array(to, n->nodes, n->len, sizeof *n->nodes);
	}
	fx_pack_array(to, p->free_sites, p->free_sites_len, sizeof *p->free_sites);
	fx_pack_array(to, p->free_neurites, p->free_neurites_len, sizeof *p->free_neurites);
	fx_pack_array(to, p->grid.head, bins(p), sizeof *p->grid.head);
}

static bool in_table(int32_t i, size_t len)
{
	return i >= 0 && (size_t)i < len;
}

static bool in_table_or_none(int32_t i, size_t len)
{
	return i == -1 || in_table(i, len);
}

static bool good_nodes(const struct phantom_neurite *n)
{
	for (size_t i = 0; i < n->len; i++) {
		if (n->nodes[i].parent < -1 || n->nodes[i].parent >= (int32_t)i)
			return false;
		for (int a = 0; a < 3; a++)
			if (!isfinite(n->nodes[i].pos_nm[a]))
				return false;
	}
	return n->len <= INT32_MAX;
}

static bool good_site(const struct fx_phantom *p, const struct phantom_site *s)
{
	if (s->state == PHANTOM_FREE)
		return true;
	return s->state <= PHANTOM_ENDING && s->sight <= PHANTOM_SEEN &&
	       in_table(s->neurite, p->neurites_len) && p->neurites[s->neurite].sites > 0 &&
	       in_table_or_none(s->mate, p->sites_len) && in_table_or_none(s->from, p->sites_len) &&
	       in_table_or_none(s->next, p->sites_len) &&
	       in_table_or_none(s->node, p->neurites[s->neurite].len) &&
	       (s->from < 0 || (p->sites[s->from].state != PHANTOM_FREE &&
				p->sites[s->from].neurite == s->neurite));
}

/* Each bin's list ends, and holds living sites. */
static bool good_grid(const struct fx_phantom *p)
{
	size_t seen = 0;

	for (size_t b = 0; b < bins(p); b++) {
		if (!in_table_or_none(p->grid.head[b], p->sites_len))
			return false;
		for (int32_t i = p->grid.head[b]; i >= 0; i = p->sites[i].next)
			if (p->sites[i].state == PHANTOM_FREE || ++seen > p->sites_len)
				return false;
	}
	return true;
}

static bool good_stack(const int32_t *stack, size_t stack_len, size_t len)
{
	for (size_t i = 0; i < stack_len; i++)
		if (!in_table(stack[i], len))
			return false;
	return stack_len <= len;
}

static bool good(const struct fx_phantom *p)
{
	if (p->z < -1 || !isfinite(p->depth) || fabs(p->depth) > 1e12)
		return false;
	for (size_t i = 0; i < p->neurites_len; i++)
		if (!good_nodes(&p->neurites[i]) || (p->neurites[i].nodes && !p->neurites[i].sites))
			return false;
	for (size_t i = 0; i < p->sites_len; i++)
		if (!good_site(p, &p->sites[i]))
			return false;
	return good_stack(p->free_sites, p->free_sites_len, p->sites_len) &&
	       good_stack(p->free_neurites, p->free_neurites_len, p->neurites_len) && good_grid(p);
}

/* Replaces an array of @p size an item by one of the file. */
static int get_array(struct fx_unpack *from, void *array, size_t *len, size_t *cap, size_t size)
{
	void **place = array, *items;
	const int result = fx_unpack_array(from, &items, len, size);

	if (result < 0 || !*len) {
		free(items);
		items = NULL;
		*len = 0;
	}
	free(*place);
	*place = items;
	*cap = *len;
	return result;
}

/* Forgets the neurites that the phantom was made with. */
static void clear(struct fx_phantom *p)
{
	for (size_t i = 0; i < p->neurites_len; i++) {
		free(p->neurites[i].nodes);
		p->neurites[i] = (struct phantom_neurite){ 0 };
	}
	p->neurites_len = p->sites_len = 0;
}

static int get_sites(struct fx_phantom *p, size_t len, struct fx_unpack *from)
{
	for (size_t i = 0; i < len; i++) {
		if (!fx_grow(&p->sites, &p->sites_cap, i + 1, sizeof *p->sites))
			return FX_ENOMEM;
		memset(&p->sites[i], 0, sizeof p->sites[i]);
		if (get_members(from, &p->sites[i], site_members, COUNT(site_members)) < 0)
			return FX_ETYPE;
		p->sites_len = i + 1;
	}
	return FX_OK;
}

static int get_neurites(struct fx_phantom *p, size_t len, struct fx_unpack *from)
{
	for (size_t i = 0; i < len; i++) {
		struct phantom_neurite *n;
		int result;

		if (!fx_grow(&p->neurites, &p->neurites_cap, i + 1, sizeof *p->neurites))
			return FX_ENOMEM;
		n = &p->neurites[i];
		*n = (struct phantom_neurite){ 0 };
		p->neurites_len = i + 1;
		result = get_members(from, n, neurite_members, COUNT(neurite_members));
		if (result == FX_OK)
			result = get_array(from, &n->nodes, &n->len, &n->cap, sizeof *n->nodes);
		if (result < 0)
			return result;
	}
	return FX_OK;
}

int fx_phantom_unpack(struct fx_phantom *p, struct fx_unpack *from)
{
	size_t sites, neurites, heads, cap;
	int result;

	clear(p);
	result = get_members(from, p, own_members, COUNT(own_members));
	sites = p->sites_len;
	neurites = p->neurites_len;
	p->sites_len = p->neurites_len = 0;
	if (result == FX_OK)
		result = get_sites(p, sites, from);
	if (result == FX_OK)
		result = get_neurites(p, neurites, from);
	if (result == FX_OK)
		result = get_array(from, &p->free_sites, &p->free_sites_len, &p->free_sites_cap,
				   sizeof *p->free_sites);
	if (result == FX_OK)
		result = get_array(from, &p->free_neurites, &p->free_neurites_len,
				   &p->free_neurites_cap, sizeof *p->free_neurites);
	if (result == FX_OK)
		result = get_array(from, &p->grid.head, &heads, &cap, sizeof *p->grid.head);
	if (result == FX_OK && (heads != bins(p) || !good(p)))
		result = FX_ETYPE;
	return result;
}

size_t fx_phantom_sections(const struct fx_phantom *p)
{
	return (size_t)(p->z + 1);
}
