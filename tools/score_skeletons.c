// SPDX-License-Identifier: Apache-2.0
/* score_skeletons.c: skeletons of true bodies, from files named by their ids. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "block/treeset.h"
#include "formats/swc.h"
#include "kernels/runs.h"
#include "score.h"

/* The id of ".../ID.swc"; false when the name is not one. */
static bool id_of(const char *path, uint64_t *id)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *end;

	if (*name < '0' || *name > '9')
		return false;
	*id = strtoull(name, &end, 10);
	return strcmp(end, ".swc") == 0;
}

static int add_file(struct fx_treeset *set, const char *path, struct fx_error *err)
{
	struct fx_tree *t = NULL;
	uint64_t id;
	int result;

	if (!id_of(path, &id))
		return fx_error_set(err, FX_EINVAL,
				    "%s: skeletons are named by the body they run in, ID.swc",
				    path);
	result = fx_swc_read(path, 1, &t, NULL, err);
	if (result < 0)
		return result;
	t->segment = id;
	result = fx_treeset_add(set, t, err);
	if (result < 0)
		fx_error_prefix(err, "%s", path);
	return result;
}

static int add_folder(struct fx_treeset *set, const char *folder, struct fx_error *err)
{
	struct dirent **names = NULL;
	const int n = scandir(folder, &names, NULL, alphasort);
	int result = n < 0 ? fx_error_set(err, FX_EIO, "%s cannot be read", folder) : FX_OK;

	for (int i = 0; i < n; i++) {
		char *path = fx_path_join(folder, names[i]->d_name);
		uint64_t id;

		if (path && result == FX_OK && id_of(path, &id))
			result = add_file(set, path, err);
		free(path);
		free(names[i]);
	}
	free(names);
	if (result == FX_OK && !set->len)
		result = fx_error_set(err, FX_EINVAL, "%s has no file ID.swc", folder);
	return result;
}

int score_skeletons_open(struct score_skeletons *s, const char *path, const double voxel_nm[3],
			 struct fx_error *err)
{
	struct fx_treeset set = { 0 };
	int result;

	if (!(voxel_nm[0] > 0 && voxel_nm[1] > 0 && voxel_nm[2] > 0))
		return fx_error_set(err, FX_EINVAL,
				    "--skeletons needs the voxel size, which the volumes do not "
				    "tell: --voxel Z,Y,X in nm");
	result = fx_is_dir(path) ? add_folder(&set, path, err) : add_file(&set, path, err);
	if (result == FX_OK)
		result = fx_erl_nodes(&set, &s->nodes, &s->len, err);
	if (result == FX_OK) {
		s->voxels = fx_calloc(s->len, sizeof *s->voxels);
		if (s->voxels)
			fx_erl_voxels(s->nodes, s->len, voxel_nm, s->voxels);
		else
			result = fx_error_set(err, FX_ENOMEM, "no memory for %zu nodes", s->len);
	}
	fx_treeset_fini(&set);
	return result;
}

void score_skeletons_close(struct score_skeletons *s)
{
	free(s->nodes);
	free(s->voxels);
}

void score_skeletons_look(struct score_skeletons *s, const struct fx_block *section)
{
	for (size_t i = 0; i < s->len; i++) {
		const int64_t *v = s->voxels[i];

		if (v[0] == section->origin[0] && v[1] >= 0 && v[2] >= 0 &&
		    (uint64_t)v[1] < section->shape[1] && (uint64_t)v[2] < section->shape[2])
			s->nodes[i].segment =
				fx_label_at(section->data, section->dtype,
					    (size_t)v[1] * section->shape[2] + (size_t)v[2]);
	}
}
