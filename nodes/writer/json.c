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
	const char *path; /* options: set before init() */
	bool lines, rows;

	json_t *root; /* owned, from init() to finish(): an object, or with lines an array of them
		       */
};

static const struct fx_port ports[] = {
	[RECORDS] = { "records", FX_IN, FX_RECORD, 0, 0, false,
		      "named numbers and texts; with rows also their tables" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct json, path), .path = FX_PATH_WRITE,
	  .help = "file to write; dots in names make nested objects, later values replace" },
	{ FX_FIELD(struct json, lines), .def = false,
	  .help = "one line with an object for each record, none replaces another" },
	{ FX_FIELD(struct json, rows), .def = false,
	  .help = "with lines, one line for each row of a record's table, with its fields" },
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
	if (s->rows && !s->lines)
		return fx_fail(node, FX_EINVAL, "rows are written as lines only: set lines too");
	s->root = s->lines ? json_array() : json_object();
	return s->root ? FX_OK : fx_fail(node, FX_ENOMEM, "no memory for records");
}

/* A record as one line, or as a line for each row of its table. */
static int jsonfile_line(const struct json *s, const struct fx_record *r, struct fx_error *err)
{
	json_t *to;
	int result;

	if (s->rows && r->columns)
		return fx_record_rows_to_json(r, s->root, err);
	to = json_object();
	result = fx_record_to_json(r, to, err);
	if (json_array_append_new(s->root, to) < 0 && result >= 0)
		result = fx_error_set(err, FX_ENOMEM, "no memory for records");
	return result;
}

static int jsonfile_process(struct fx_node *node, void *state)
{
	struct json *s = state;
	struct fx_record *r = fx_take_record(node, RECORDS);
	struct fx_error err = { 0 };
	const int result =
		s->lines ? jsonfile_line(s, r, &err) : fx_record_to_json(r, s->root, &err);

	fx_record_free(r);
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
}

struct jsonfile_text {
	char *text; /* owned */
	size_t len, cap;
};

static int jsonfile_add(const char *part, size_t len, void *data)
{
	struct jsonfile_text *t = data;

	if (!fx_grow(&t->text, &t->cap, t->len + len, 1))
		return -1;
	memcpy(t->text + t->len, part, len);
	t->len += len;
	return 0;
}

/* The file: one value in many lines, or each value of an array in a line of its own. */
static int jsonfile_print(const struct json *s, struct jsonfile_text *t)
{
	const size_t how = JSON_REAL_PRECISION(17);
	int failed = 0;

	for (size_t i = 0; i < json_array_size(s->root) && !failed; i++) {
		failed = json_dump_callback(json_array_get(s->root, i), jsonfile_add, t, how);
		failed |= jsonfile_add("\n", 1, t);
	}
	if (!s->lines) {
		failed = json_dump_callback(s->root, jsonfile_add, t, how | JSON_INDENT(2));
		failed |= jsonfile_add("\n", 1, t);
	}
	return failed ? FX_ENOMEM : FX_OK;
}

static int jsonfile_drain(struct fx_node *node, void *state)
{
	struct json *s = state;
	struct fx_error err = { 0 };
	struct jsonfile_text t = { 0 };
	int result = jsonfile_print(s, &t);

	if (result < 0)
		fx_error_set(&err, result, "no memory for %s", s->path);
	else
		result = fx_file_write(s->path, t.text ? t.text : "", t.len, &err);
	free(t.text);
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
		if (s->lines ? !json_is_array(s->root) : !json_is_object(s->root))
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
