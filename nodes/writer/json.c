// SPDX-License-Identifier: Apache-2.0
/* writer/json: write records, such as scores, as one JSON file. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/recordjson.h"

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
	{ FX_FIELD(struct json, path), .path = FX_PATH_WRITE,
	  .help = "file to write; dots in names make nested objects, later values replace" },
	{ 0 },
};

static int jsonfile_init(struct fx_node *node, void *state)
{
	struct json *s = state;
	struct fx_error err = { 0 };

	if (fx_make_parents(s->path, &err) < 0)
		return fx_fail_error(node, &err);
	if (fx_is_dir(s->path) || !s->path[0])
		return fx_fail(node, FX_EINVAL, "path \"%s\" must name a file", s->path);
	s->root = json_object();
	return s->root ? FX_OK : fx_fail(node, FX_ENOMEM, "no memory for records");
}

static int jsonfile_process(struct fx_node *node, void *state)
{
	struct json *s = state;
	struct fx_record *r = fx_take_record(node, RECORDS);
	struct fx_error err = { 0 };
	const int result = fx_record_to_json(r, s->root, &err);

	fx_record_free(r);
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
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

static int jsonfile_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct json *s = state;
	char *text = json_dumps(s->root, JSON_COMPACT | JSON_REAL_PRECISION(17));

	if (!text)
		return fx_fail(node, FX_ENOMEM, "no memory for %s", s->path);
	fx_pack_array(to, text, strlen(text), 1);
	free(text);
	return FX_OK;
}

static int jsonfile_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct json *s = state;
	void *text;
	size_t len;
	int result = fx_unpack_array(from, &text, &len, 1);

	(void)node;
	if (result == FX_OK) {
		json_decref(s->root);
		s->root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(s->root))
			result = FX_ETYPE;
	}
	free(text);
	return result;
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
	.save = jsonfile_save,
	.load = jsonfile_load,
};
