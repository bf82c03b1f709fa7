// SPDX-License-Identifier: Apache-2.0
/* trees.c: reads skeletons by a path. */
#include "formats/trees.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/skeleton.h"

enum { INFO_MAX = 16 << 20, SKELETON_MAX = 1 << 30 };

static int is_swc(const struct dirent *e)
{
	return e->d_name[0] != '.' && fx_path_ends(e->d_name, ".swc");
}

static int is_number(const struct dirent *e)
{
	return e->d_name[0] && e->d_name[strspn(e->d_name, "0123456789")] == 0;
}

static void free_list(struct dirent **list, int len)
{
	for (int i = 0; i < len; i++)
		free(list[i]);
	if (len >= 0)
		free(list);
}

enum fx_trees_format fx_trees_at(const char *path)
{
	struct fx_skeleton_info info;
	struct dirent **list;
	char *name = fx_path_join(path, "info");
	void *text;
	size_t size;
	bool is = false;
	int len;

	if (!fx_is_dir(path)) {
		free(name);
		return fx_path_ends(path, ".swc") ? FX_TREES_SWC :
		       fx_path_ends(path, ".nml") ? FX_TREES_NML :
						    FX_TREES_UNKNOWN;
	}
	if (name && fx_file_read(name, INFO_MAX, &text, &size, NULL) == FX_OK) {
		is = memmem(text, size, "neuroglancer_skeletons", 22) != NULL ||
		     fx_skeleton_parse_info(text, size, &info, NULL) == FX_OK;
		free(text);
	}
	free(name);
	if (is)
		return FX_TREES_SKELETONS;
	len = scandir(path, &list, is_swc, alphasort);
	free_list(list, len);
	return len > 0 ? FX_TREES_SWC_FOLDER : FX_TREES_UNKNOWN;
}

/* The number that a name is, or @p otherwise. */
static uint64_t number_of(const char *name, uint64_t otherwise)
{
	char *end;
	const uint64_t v = strtoull(name, &end, 10);

	return *name >= '0' && *name <= '9' && !*end ? v : otherwise;
}

static int read_swc(struct fx_trees_reader *r, const char *path, uint64_t number,
		    struct fx_error *err)
{
	const double one = r->unit == FX_SWC_UM ? 1000 : 1, nm[3] = { one, one, one };
	const char *base = strrchr(path, '/');
	char *name = fx_strdup(base ? base + 1 : path);
	struct fx_tree *t;
	size_t repairs = 0;
	int result;

	if (!name)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	if (fx_path_ends(name, ".swc"))
		name[strlen(name) - 4] = 0;
	result = fx_swc_read_scaled(path, r->unit == FX_SWC_VOXEL ? r->voxel_nm : nm, &t, &repairs,
				    err);
	if (result == FX_OK) {
		r->repairs += repairs;
		t->segment = number_of(name, number);
		result = r->take(r->context, &(struct fx_trees_item){ t, name, NULL, 0 }, err);
		fx_tree_free(t);
	}
	free(name);
	return result;
}

static int read_swc_folder(struct fx_trees_reader *r, struct fx_error *err)
{
	struct dirent **list;
	const int len = scandir(r->path, &list, is_swc, alphasort);
	int result = FX_OK;

	if (len < 0)
		return fx_error_set(err, FX_EIO, "%s: %s", r->path, strerror(errno));
	for (int i = 0; i < len && result == FX_OK; i++) {
		char *path = fx_path_join(r->path, list[i]->d_name);

		result = path ? read_swc(r, path, (uint64_t)i + 1, err) :
				fx_error_set(err, FX_ENOMEM, "%s: no memory", r->path);
		free(path);
	}
	free_list(list, len);
	return result;
}

static int read_nml(struct fx_trees_reader *r, struct fx_error *err)
{
	struct fx_nml nml;
	int result = fx_nml_read(r->path, &nml, err);

	memcpy(r->voxel_nm, nml.voxel_nm, sizeof r->voxel_nm);
	for (size_t i = 0, note = 0; i < nml.len && result == FX_OK; i++) {
		struct fx_trees_item t = { nml.trees[i], "", nml.notes ? nml.notes + note : NULL,
					   0 };

		for (; note < nml.notes_len && nml.notes[note].tree == i; note++)
			t.notes_len++;
		result = r->take(r->context, &t, err);
	}
	fx_nml_fini(&nml);
	return result;
}

static int take_skeleton(struct fx_trees_reader *r, const struct fx_skeleton_info *info,
			 uint64_t segment, const void *bytes, size_t size, struct fx_error *err)
{
	struct fx_tree *t;
	int result = fx_skeleton_decode_as(info, bytes, size, &t, err);

	if (result < 0)
		return fx_error_prefix(err, "%s: skeleton %llu", r->path,
				       (unsigned long long)segment);
	t->segment = segment;
	result = r->take(r->context, &(struct fx_trees_item){ t, "", NULL, 0 }, err);
	fx_tree_free(t);
	return result;
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	const uint64_t x = number_of((*a)->d_name, 0), y = number_of((*b)->d_name, 0);

	return x < y ? -1 : x > y;
}

static int read_files(struct fx_trees_reader *r, const struct fx_skeleton_info *info,
		      struct fx_error *err)
{
	struct dirent **list;
	const int len = scandir(r->path, &list, is_number, by_number);
	int result = FX_OK;

	if (len < 0)
		return fx_error_set(err, FX_EIO, "%s: %s", r->path, strerror(errno));
	for (int i = 0; i < len && result == FX_OK; i++) {
		char *path = fx_path_join(r->path, list[i]->d_name);
		void *bytes = NULL;
		size_t size;

		result = path ? fx_file_read(path, SKELETON_MAX, &bytes, &size, err) :
				fx_error_set(err, FX_ENOMEM, "%s: no memory", r->path);
		if (result == FX_OK)
			result = take_skeleton(r, info, number_of(list[i]->d_name, 0), bytes, size,
					       err);
		free(bytes);
		free(path);
	}
	free_list(list, len);
	return result;
}

static int read_shards(struct fx_trees_reader *r, const struct fx_skeleton_info *info,
		       struct fx_error *err)
{
	struct fx_shards s = { .folder = r->path, .sharding = info->sharding };
	uint64_t *ids = NULL;
	size_t len = 0;
	int result = fx_shards_ids(&s, &ids, &len, err);

	for (size_t i = 0; i < len && result == FX_OK; i++) {
		void *bytes;
		size_t size;

		result = fx_shards_get(&s, ids[i], SKELETON_MAX, &bytes, &size, err);
		if (result < 0)
			break;
		result = take_skeleton(r, info, ids[i], bytes, size, err);
		free(bytes);
	}
	fx_shards_fini(&s);
	free(ids);
	return result;
}

static int read_skeletons(struct fx_trees_reader *r, struct fx_error *err)
{
	char *path = fx_path_join(r->path, "info");
	struct fx_skeleton_info info;
	void *text = NULL;
	size_t size = 0;
	int result = path ? fx_file_read(path, INFO_MAX, &text, &size, err) :
			    fx_error_set(err, FX_ENOMEM, "%s: no memory", r->path);

	if (result == FX_OK && (result = fx_skeleton_parse_info(text, size, &info, err)) < 0)
		fx_error_prefix(err, "%s", path);
	free(text);
	free(path);
	if (result < 0)
		return result;
	return info.sharded ? read_shards(r, &info, err) : read_files(r, &info, err);
}

int fx_trees_read(struct fx_trees_reader *r, struct fx_error *err)
{
	switch (fx_trees_at(r->path)) {
	case FX_TREES_SWC:
		return read_swc(r, r->path, 1, err);
	case FX_TREES_SWC_FOLDER:
		return read_swc_folder(r, err);
	case FX_TREES_NML:
		return read_nml(r, err);
	case FX_TREES_SKELETONS:
		return read_skeletons(r, err);
	case FX_TREES_UNKNOWN:
		break;
	}
	return fx_error_set(err, FX_ETYPE,
			    "%s: no skeletons: .swc, a folder of them, .nml or a folder of "
			    "precomputed skeletons are read",
			    r->path);
}
