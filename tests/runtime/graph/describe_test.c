// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/describe.c. */
#include "support/test.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "graph/describe.h"
#include "runtime/graph/fake_types.h"

static const struct fx_node_type *type_named(const char *name)
{
	for (size_t i = 0; i < sizeof fake_types / sizeof *fake_types; i++)
		if (strcmp(fake_types[i].name, name) == 0)
			return &fake_types[i];
	return NULL;
}

static void a_type_for_people(void **unused)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)unused;
	assert_non_null(out);
	fx_describe_type(type_named("normalizer/fake"), out);
	fx_describe_type(type_named("writer/fake"), out);
	fclose(out);
	assert_string_equal(text, "normalizer/fake - make even\n"
				  "ports\n"
				  "  in  image  u8|u16 image  raw intensities\n"
				  "  out out    u8 image      even intensities\n"
				  "options\n"
				  "  low    0..100 %      black (default 1)\n"
				  "  mode   volume|slice  what is evened (default volume)\n"
				  "  block  number nm     size (default 8 8 8)\n"
				  "keeps nothing between messages: may have workers\n"
				  "writer/fake - write\n"
				  "ports\n"
				  "  in  labels  u32 blocks  segments (optional)\n"
				  "  in  scores  records     scores (optional)\n"
				  "options\n"
				  "  path  text  folder to read (required)\n");
	free(text);
}

static void all_types_by_role(void **unused)
{
	struct fx_registry *r = fake_registry();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)unused;
	assert_non_null(out);
	assert_int_equal(fx_describe_list(r, NULL, out), 8);
	assert_int_equal(fx_describe_list(r, "scorer", out), 1);
	fclose(out);
	assert_string_equal(text, "acquire\n"
				  "  acquire/fake      read sections\n"
				  "  acquire/mask      read a mask\n"
				  "  acquire/truth     read segments\n"
				  "\nnormalizer\n"
				  "  normalizer/fake   make even\n"
				  "\nscorer\n"
				  "  scorer/fake       score\n"
				  "\nsegmenter\n"
				  "  segmenter/border  split at borders\n"
				  "  segmenter/fake    split\n"
				  "\nwriter\n"
				  "  writer/fake       write\n"
				  "scorer\n"
				  "  scorer/fake       score\n");
	free(text);
	fx_registry_free(r);
}

static void types_for_tools(void **unused)
{
	struct fx_registry *r = fake_registry();
	const char *name, *kind, *role, *type, *unit, *def, *choice;
	double min, max;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *all, *j;

	(void)unused;
	assert_non_null(out);
	assert_int_equal(fx_describe_list_json(r, NULL, out), FX_OK);
	fclose(out);
	all = json_loads(text, 0, NULL);
	assert_non_null(all);
	assert_int_equal(json_array_size(json_object_get(all, "types")), 8);
	j = json_array_get(json_object_get(all, "types"), 3);
	assert_int_equal(json_unpack(j,
				     "{s:s, s:[{s:[s], s:[s]}], s:[{s:s, s:F, s:F, s:s, s:s}, "
				     "{s:[s]}]}",
				     "name", &name, "ports", "kinds", &kind, "roles", &role,
				     "options", "type", &type, "min", &min, "max", &max, "unit",
				     &unit, "default", &def, "choices", &choice),
			 0);
	assert_string_equal(name, "normalizer/fake");
	assert_string_equal(kind, "block");
	assert_string_equal(role, "image");
	assert_string_equal(type, "real");
	assert_string_equal(unit, "%");
	assert_string_equal(def, "1");
	assert_string_equal(choice, "volume");
	assert_true(min == 0 && max == 100);
	json_decref(all);
	free(text);
	fx_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_type_for_people),
		cmocka_unit_test(all_types_by_role),
		cmocka_unit_test(types_for_tools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
