// SPDX-License-Identifier: Apache-2.0
/* versions.c: images of sections that are kept until it is known which of them goes on. */
#include "node/versions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "node/bands.h"

static const double band_mib = 4;

int fx_versions_open(struct fx_versions *v, const struct fx_mark *m, double memory_mib, size_t most,
		     struct fx_error *err)
{
	if (m->region.lo[2])
		return fx_error_set(err, FX_EINVAL, "sections begin at x %lld: they must at 0",
				    (long long)m->region.lo[2]);
	v->memory = memory_mib * 1048576;
	return fx_sections_init(&v->coming, m, v->memory, most, err);
}

void fx_versions_fini(struct fx_versions *v)
{
	while (v->len)
		fx_versions_drop(v, &v->all[0]);
	free(v->all);
	fx_sections_fini(&v->coming);
	*v = (struct fx_versions){ 0 };
}

/* What is kept leaves that much of the heap for what is coming. */
static double versions_room(const struct fx_versions *v)
{
	double room = v->memory;

	for (size_t i = 0; i < v->len; i++)
		if (v->all[i].section && !v->all[i].section->voxels.mapped)
			room -= (double)v->coming.size;
	return room > 0 ? room : 0;
}

int fx_versions_put(struct fx_versions *v, struct fx_node *node, unsigned port)
{
	struct fx_block *tile = fx_take(node, port);
	struct fx_error err = { 0 };
	int failed;

	v->coming.memory = versions_room(v);
	if (!v->coming.size)
		failed = fx_error_set(&err, FX_EINVAL, "a tile comes before the stream is opened");
	else if (fx_sections_spill(&v->coming) && !v->coming.folder &&
		 !(v->coming.folder = fx_scratch_dir(node)))
		failed = fx_error_set(&err, FX_EIO, "no folder for a scratch file of %zu MiB",
				      v->coming.size >> 20);
	else
		failed = fx_sections_put(&v->coming, tile, fx_message(node), &err);
	fx_block_free(tile);
	return failed < 0 ? fx_fail_error(node, &err) : FX_OK;
}

int fx_versions_add(struct fx_versions *v, struct fx_node *node, int64_t z, const char *missing)
{
	struct fx_version *one = fx_versions_find(v, z, fx_message(node));
	struct fx_error err = { 0 };

	if (missing || (fx_again(node) && !one))
		fx_sections_lose(&v->coming, z, z + 1);
	if (fx_again(node) && (!one || one->missing))
		return FX_OK;
	if (!one) {
		if (!fx_grow(&v->all, &v->cap, v->len + 1, sizeof *v->all))
			return fx_fail(node, FX_ENOMEM, "no memory for section %lld", (long long)z);
		one = &v->all[v->len++];
		memset(one, 0, sizeof *one);
		one->z = z;
		one->number = fx_message(node);
		one->missing = missing != NULL;
		snprintf(one->reason, sizeof one->reason, "%s", missing ? missing : "");
	}
	if (missing)
		return FX_OK;
	one->section = fx_sections_whole(&v->coming, z, &err);
	if (!one->section)
		return fx_fail_error(node, &err);
	one->first = one->section->first;
	return FX_OK;
}

struct fx_version *fx_versions_find(const struct fx_versions *v, int64_t z, uint64_t number)
{
	for (size_t i = 0; i < v->len; i++)
		if (v->all[i].z == z && v->all[i].number == number)
			return &v->all[i];
	return NULL;
}

void fx_versions_drop(struct fx_versions *v, struct fx_version *one)
{
	if (one->section)
		fx_sections_drop(&v->coming, one->section);
	v->len--;
	memmove(one, one + 1, (size_t)(v->all + v->len - one) * sizeof *one);
}

static struct fx_mark section_mark(const struct fx_versions *v, enum fx_mark_kind kind, int64_t z)
{
	const struct fx_sections *c = &v->coming;

	return (struct fx_mark){ .kind = kind,
				 .region = { { z, c->y, c->x },
					     { z + 1, c->y + (int64_t)c->height,
					       c->x + (int64_t)c->width } } };
}

int fx_versions_lost(const struct fx_versions *v, struct fx_node *node, unsigned port, int64_t z,
		     const char *reason)
{
	struct fx_mark lost = section_mark(v, FX_MARK_MISSING, z);

	snprintf(lost.reason, sizeof lost.reason, "%s", reason);
	return fx_send_mark(node, port, &lost);
}

int fx_versions_send(const struct fx_versions *v, struct fx_node *node, unsigned port, int64_t z,
		     uint64_t number)
{
	const struct fx_version *one = fx_versions_find(v, z, number);
	const struct fx_mark done = section_mark(v, FX_MARK_DONE, z);
	const struct fx_sections *c = &v->coming;
	struct fx_bands b = {
		.dtype = c->dtype, .z = z, .y = c->y, .height = c->height, .width = c->width
	};
	int failed;

	if (!one || !one->section)
		return fx_fail(node, FX_EINVAL, "the image of section %lld is gone", (long long)z);
	b.role = one->section->role;
	b.voxels = one->section->voxels.data;
	memcpy(b.voxel_nm, c->voxel_nm, sizeof b.voxel_nm);
	failed = fx_bands_send(node, port, &b, band_mib);
	return failed < 0 ? failed : fx_send_mark(node, port, &done);
}

void fx_versions_save(const struct fx_versions *v, struct fx_node *node, struct fx_pack *to)
{
	const uint64_t len = v->len;
	uint64_t needs = UINT64_MAX;

	fx_pack_put(to, &len, sizeof len);
	for (size_t i = 0; i < v->len; i++) {
		const struct fx_version *one = &v->all[i];

		fx_pack_put(to, &one->z, sizeof one->z);
		fx_pack_put(to, &one->number, sizeof one->number);
		fx_pack_bool(to, one->missing);
		fx_pack_put(to, one->reason, sizeof one->reason);
		fx_pack_put(to, &one->first, sizeof one->first);
		if (!one->missing && one->first < needs)
			needs = one->first;
	}
	for (size_t i = 0; i < v->coming.len; i++)
		if (v->coming.held[i]->first < needs)
			needs = v->coming.held[i]->first;
	fx_needs(node, needs);
}

int fx_versions_load(struct fx_versions *v, struct fx_unpack *from)
{
	uint64_t len;

	if (fx_unpack_get(from, &len, sizeof len) < 0)
		return FX_ETYPE;
	for (uint64_t i = 0; i < len; i++) {
		struct fx_version *one;

		if (!fx_grow(&v->all, &v->cap, v->len + 1, sizeof *v->all))
			return FX_ENOMEM;
		one = &v->all[v->len];
		memset(one, 0, sizeof *one);
		if (fx_unpack_get(from, &one->z, sizeof one->z) < 0 ||
		    fx_unpack_get(from, &one->number, sizeof one->number) < 0 ||
		    fx_unpack_bool(from, &one->missing) < 0 ||
		    fx_unpack_get(from, one->reason, sizeof one->reason) < 0 ||
		    fx_unpack_get(from, &one->first, sizeof one->first) < 0)
			return FX_ETYPE;
		one->reason[sizeof one->reason - 1] = 0;
		v->len++;
	}
	return FX_OK;
}
