// SPDX-License-Identifier: Apache-2.0
/* convert_trees.c: fornix convert, skeletons to another format. */
#include "convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cmd.h"
#include "formats/trees.h"

/* A conversion: what is written is opened when the first tree has come. */
struct trees {
	struct fx_trees_reader from;
	struct fx_trees_writer to;
	bool open, has_voxel;
};

static bool to_unit(const char *option, const char *text, enum fx_swc_unit *unit)
{
	static const char *const names[] = { "nm", "um", "voxel" };
	static const enum fx_swc_unit units[] = { FX_SWC_NM, FX_SWC_UM, FX_SWC_VOXEL };

	for (size_t i = 0; text && i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*unit = units[i];
			return true;
		}
	if (text)
		cmd_wrong("--%s is %s: there are nm, um, voxel", option, text);
	return !text;
}

static enum fx_trees_format format_of(const char *kind, const char *path)
{
	if (kind && strcmp(kind, "swc") == 0)
		return fx_path_ends(path, ".swc") ? FX_TREES_SWC : FX_TREES_SWC_FOLDER;
	if (kind)
		return strcmp(kind, "nml") == 0	      ? FX_TREES_NML :
		       strcmp(kind, "skeletons") == 0 ? FX_TREES_SKELETONS :
							FX_TREES_UNKNOWN;
	return fx_path_ends(path, ".swc") ? FX_TREES_SWC :
	       fx_path_ends(path, ".nml") ? FX_TREES_NML :
					    FX_TREES_UNKNOWN;
}

bool convert_is_trees(const struct convert *c)
{
	return fx_trees_at(c->from) != FX_TREES_UNKNOWN;
}

static int take(void *context, const struct fx_trees_item *t, struct fx_error *err)
{
	struct trees *s = context;
	int result = FX_OK;

	if (!s->open && !s->has_voxel)
		memcpy(s->to.voxel_nm, s->from.voxel_nm, sizeof s->to.voxel_nm);
	if (!s->open)
		result = fx_trees_write_open(&s->to, err);
	s->open = s->open || result == FX_OK;
	return result == FX_OK ? fx_trees_write_put(&s->to, t, err) : result;
}

static int set_up(struct trees *s, const struct convert *c)
{
	s->from = (struct fx_trees_reader){
		.path = c->from, .unit = FX_SWC_UM, .take = take, .context = s
	};
	s->to = (struct fx_trees_writer){ .path = c->to,
					  .unit = FX_SWC_NM,
					  .experiment = c->name,
					  .source = c->from,
					  .replace = c->force };
	s->to.format = format_of(c->kind, c->to);
	if (s->to.format == FX_TREES_UNKNOWN)
		return c->kind ? cmd_wrong("--to is %s: there are swc, nml, skeletons", c->kind) :
				 cmd_wrong("%s tells no format: --to swc (a folder), nml or "
					   "skeletons is needed",
					   c->to);
	if (!to_unit("unit", c->unit, &s->to.unit) ||
	    !to_unit("from-unit", c->from_unit, &s->from.unit))
		return CMD_WRONG;
	s->has_voxel = c->voxel != NULL;
	if (c->voxel && !convert_numbers("voxel", c->voxel, 1e-6, 1e12, s->to.voxel_nm, 3))
		return CMD_WRONG;
	memcpy(s->from.voxel_nm, s->to.voxel_nm, sizeof s->from.voxel_nm);
	if (s->from.unit == FX_SWC_VOXEL && !c->voxel)
		return cmd_wrong("--from-unit voxel needs --voxel Z,Y,X");
	return CMD_GO;
}

int convert_trees(const struct convert *c)
{
	struct trees s = { 0 };
	struct fx_error err = { 0 };
	int result = set_up(&s, c);

	if (result != CMD_GO)
		return result;
	if (!convert_apart(c->from, c->to))
		return CMD_WRONG;
	result = fx_trees_read(&s.from, &err);
	if (result == FX_OK && s.open)
		result = fx_trees_write_close(&s.to, &err);
	else if (result == FX_OK)
		result = fx_error_set(&err, FX_EINVAL, "%s: holds no tree", c->from);
	if (result == FX_OK && !c->quiet && s.from.repairs)
		printf("%s: %zu rows were not plain SWC, and were taken as well as possible\n",
		       c->from, s.from.repairs);
	if (result == FX_OK && !c->quiet)
		printf("%s: %zu trees\n", c->to, s.to.count);
	fx_trees_writer_fini(&s.to);
	return result == FX_OK ? CMD_DONE : cmd_wrong("%s", err.text);
}
