// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/node/guard.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/guard.h"

#define KEY_A "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define KEY_B "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

static const char good[] =
	"{\"confine\":true,\"sandbox\":true,\"out\":\"/o\",\"readable\":[\"/a\",\"/b\"],"
	"\"keys\":{\"public\":\"" KEY_A "\",\"secret\":\"" KEY_B "\",\"allowed\":[\"" KEY_B "\"]}}";

static bool parse(const char *text, struct fx_guard *g)
{
	json_t *o = json_loads(text, 0, NULL);
	const bool ok = fx_guard_from_json(o, g);

	json_decref(o);
	return ok;
}

static void is_good(const struct fx_guard *g)
{
	assert_true(g->confine && g->sandbox && g->has_keys);
	assert_string_equal(g->out, "/o");
	assert_int_equal(g->readable_len, 2);
	assert_string_equal(g->readable[1], "/b");
	assert_string_equal(g->keys.public_key, KEY_A);
	assert_string_equal(g->keys.secret_key, KEY_B);
	assert_int_equal(g->keys.allowed_len, 1);
	assert_string_equal(g->keys.allowed[0], KEY_B);
}

static void what_is_written_is_read(void **unused)
{
	struct fx_guard g = { 0 }, copy = { 0 }, again = { 0 };
	json_t *o;

	(void)unused;
	assert_true(parse(good, &g));
	is_good(&g);
	assert_true(fx_guard_copy(&copy, &g));
	fx_guard_fini(&g);
	assert_int_equal(g.keys.secret_key[0], 0);
	is_good(&copy);
	o = fx_guard_to_json(&copy);
	assert_true(fx_guard_from_json(o, &again));
	is_good(&again);
	json_decref(o);
	fx_guard_fini(&copy);
	fx_guard_fini(&again);
}

static void without_keys(void **unused)
{
	struct fx_guard zero = { 0 }, g = { 0 };
	json_t *o = fx_guard_to_json(&zero);

	(void)unused;
	assert_true(fx_guard_from_json(o, &g));
	assert_false(g.confine || g.sandbox || g.has_keys);
	assert_string_equal(g.out, "");
	json_decref(o);
	fx_guard_fini(&g);
}

/* @p good with the first @p from replaced by @p to. */
static void refused(const char *from, const char *to)
{
	const char *at = strstr(good, from);
	char text[sizeof good + 64];
	struct fx_guard g = { 0 };

	assert_non_null(at);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
	assert_false(parse(text, &g));
	fx_guard_fini(&g);
}

static void what_is_wrong_is_refused(void **unused)
{
	(void)unused;
	refused("\"confine\":true", "\"confine\":1");
	refused("\"confine\"", "\"confin\"");
	refused("\"sandbox\":true", "\"sandbox\":null");
	refused("\"/o\"", "7");
	refused("[\"/a\"", "[3");
	refused("\"readable\"", "\"readables\"");
	refused("\"keys\"", "\"key\"");
	refused("\"public\":\"Y", "\"public\":\"");
	refused("\"secret\":\"D", "\"secret\":\" ");
	refused("\"allowed\":[\"", "\"allowed\":[\"0");
	refused("\"allowed\":[", "\"allow\":[");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(without_keys),
		cmocka_unit_test(what_is_wrong_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
