// SPDX-License-Identifier: Apache-2.0
/* writer/json: write records, such as scores, as one JSON file. */
#include <fornix/node.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

enum { RECORDS }; /* index into ports[] */

struct json {
	const char *path; /* option: set before init() */

	json_t *root; /* owned, from init() to finish() */
};

static const struct fx_port ports[] = {
	[RECORDS] = { "records", FX_IN, FX_RECORD, 0, 0, false,
		      "named numbers and texts; tables are not written" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct json, path),
	  .help = "file to write; dots in names make nested objects, later values replace" },
	{ 0 },
};

static int jsonfile_init(struct fx_node *node, void *state)
{
	struct json *s = state;
	struct fx_error err = { 0 };
	char *folder = fx_strdup(s->path), *slash = folder ? strrchr(folder, '/') : NULL;
	int result = FX_OK;

	if (slash && slash != folder) {
		*slash = 0;
		result = fx_make_dirs(folder, &err);
	}
	free(folder);
	if (result < 0)
		return fx_fail_error(node, &err);
	if (fx_is_dir(s->path) || !s->path[0])
		return fx_fail(node, FX_EINVAL, "path \"%s\" must name a file", s->path);
	s->root = json_object();
	return s->root ? FX_OK : fx_fail(node, FX_ENOMEM, "no memory for records");
}

/* A whole number without a point, one that JSON cannot say as null. */
static json_t *jsonfile_value(const struct fx_field *f)
{
	const double exact = 9007199254740992; /* 2^53 */

	if (f->text)
		return json_string(f->text);
	if (!isfinite(f->number))
		return json_null();
	if (f->number == floor(f->number) && fabs(f->number) <= exact)
		return json_integer((json_int_t)f->number);
	return json_real(f->number);
}

/* The object in `at` that `name` (up to a dot) stands for, made when it is not there; NULL when
 * something else has this name. */
static json_t *jsonfile_step(json_t *at, const char *name)
{
	json_t *next = json_object_get(at, name);

	if (!next && json_object_set_new(at, name, json_object()) == 0)
		next = json_object_get(at, name);
	return json_is_object(next) ? next : NULL;
}

static int jsonfile_put(struct fx_node *node, json_t *at, const struct fx_field *f)
{
	char *copy = fx_strdup(f->name), *name = copy;
	json_t *value = jsonfile_value(f);

	for (char *dot; copy && at && (dot = strchr(name, '.')); name = dot + 1) {
		*dot = 0;
		at = jsonfile_step(at, name);
	}
	if (!copy || !value || !at || json_is_object(json_object_get(at, name)) ||
	    json_object_set(at, name, value) != 0) {
		free(copy);
		json_decref(value);
		if (!value)
			return fx_fail(node, FX_EINVAL, "%s: a text that is not UTF-8", f->name);
		return fx_fail(node, FX_EINVAL, "%s names a value and also an object", f->name);
	}
	json_decref(value);
	free(copy);
	return FX_OK;
}

static int jsonfile_process(struct fx_node *node, void *state)
{
	struct json *s = state;
	struct fx_record *r = fx_take_record(node, RECORDS);
	int result = FX_OK;

	for (size_t i = 0; i < r->fields_len && result == FX_OK; i++)
		result = jsonfile_put(node, s->root, &r->fields[i]);
	fx_record_free(r);
	return result;
}

static int jsonfile_drain(struct fx_node *node, void *state)
{
	struct json *s = state;
	struct fx_error err = { 0 };
	char *text = json_dumps(s->root, JSON_INDENT(2) | JSON_REAL_PRECISION(17)), *line;
	int result;

	line = text ? fx_asprintf("%s\n", text) : NULL;
	free(text);
	if (!line)
		return fx_fail(node, FX_ENOMEM, "no memory for %s", s->path);
	result = fx_file_write(s->path, line, strlen(line), &err);
	free(line);
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static void jsonfile_finish(void *state)
{
	struct json *s = state;

	json_decref(s->root);
}

FX_NODE(writer_json) = {
	.abi = FX_NODE_ABI,
	.name = "writer/json",
	.summary = "write records, such as scores, as one JSON file",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct json),
	.init = jsonfile_init,
	.process = jsonfile_process,
	.drain = jsonfile_drain,
	.finish = jsonfile_finish,
};
