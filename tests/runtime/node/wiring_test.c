// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/node/wiring.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/wiring.h"

static const char good[] =
	"{\"node\":\"work\",\"type\":\"flow/pass\",\"run_dir\":\"/r\",\"scratch_dir\":\"/s\","
	"\"state_dir\":\"/t\",\"dead_dir\":\"/d\",\"keeps\":true,\"save_mib\":32,\"conductor\":12,"
	"\"instance\":1,\"instances\":2,\"parts\":2,\"epoch\":3,\"index\":4,\"stats_fd\":5,"
	"\"stats_instances\":6,\"stats_lanes\":7,\"pool_fd\":8,"
	"\"options\":[{\"name\":\"a\",\"text\":\"b\"}],"
	"\"inputs\":[{\"port\":\"in\",\"credit_messages\":9,\"credit_bytes\":10,\"parts\":3,"
	"\"gaps\":true,"
	"\"spool_bytes\":77,"
	"\"lanes\":[{\"endpoint\":\"ipc://"
	"x\",\"pool_fd\":11,\"slots\":true,\"from\":2,\"holder\":12,\"stats\":6}]}],"
	"\"outputs\":[{\"port\":\"out\",\"endpoint\":\"ipc://"
	"y\",\"listen_fd\":-1,\"slots\":true,\"precision\":16,"
	"\"edges\":[{\"node\":\"next\",\"port\":\"in\",\"first\":4,\"drop\":2,\"way\":3,"
	"\"lanes\":[{\"pool_fd\":-1,\"slots\":false,\"from\":0,\"holder\":1,\"stats\":0}]}]}],"
	"\"guard\":{\"confine\":true,\"sandbox\":true,\"out\":\"/o\",\"readable\":[\"/a\",\"/b\"],"
	"\"keys\":null}}";

static struct fx_wiring *parse(const char *text, struct fx_error *err)
{
	return fx_wiring_from_json(text, strlen(text), err);
}

static void what_is_written_is_read(void **unused)
{
	struct fx_error err = { 0 };
	struct fx_wiring *w = parse(good, &err), *again;
	char *text;

	(void)unused;
	assert_non_null(w);
	text = fx_wiring_to_json(w);
	again = parse(text, &err);
	assert_non_null(again);
	assert_string_equal(again->options[0].text, "b");
	assert_string_equal(again->inputs[0].lanes[0].endpoint, "ipc://x");
	assert_int_equal(again->inputs[0].lanes[0].holder, 12);
	assert_int_equal(again->inputs[0].lanes[0].from, 2);
	assert_true(again->inputs[0].lanes[0].slots && again->outputs[0].slots);
	assert_string_equal(again->outputs[0].edges[0].node, "next");
	assert_int_equal(again->outputs[0].precision, 16);
	assert_int_equal(again->epoch, 3);
	assert_int_equal(again->parts, 2);
	assert_int_equal(again->inputs[0].parts, 3);
	assert_int_equal(again->outputs[0].edges[0].first, 4);
	assert_true(again->inputs[0].gaps);
	assert_int_equal(again->inputs[0].spool_bytes, 77);
	assert_int_equal(again->outputs[0].edges[0].drop, 2);
	assert_int_equal(again->outputs[0].edges[0].way, 3);
	free(text);
	fx_wiring_free(w);
	fx_wiring_free(again);
}

/* @p good with the first @p from replaced by @p to. */
static void refused(const char *from, const char *to)
{
	const char *at = strstr(good, from);
	char text[sizeof good + 64];
	struct fx_error err = { 0 };

	assert_non_null(at);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
	assert_null(parse(text, &err));
	assert_non_null(strstr(err.text, "not valid"));
}

static void what_does_not_fit_is_refused(void **unused)
{
	(void)unused;
	refused("\"stats\":6", "\"stats\":7");
	refused("\"stats\":0", "\"stats\":700");
	refused("\"holder\":12", "\"holder\":256");
	refused("\"drop\":2", "\"drop\":3");
	refused("\"precision\":16", "\"precision\":2");
	refused("\"gaps\":true", "\"gaps\":1");
	refused("\"parts\":2", "\"parts\":3"); /* as many as instances, or 1 */
	refused("\"first\":4", "\"first\":-1");
	refused("\"index\":4", "\"index\":6");
	refused("\"instance\":1", "\"instance\":2");
	refused("\"pool_fd\":8", "\"pool_fd\":-2");
	refused("\"epoch\":3", "\"epoch\":\"3\"");
	refused("\"port\":\"in\"", "\"port\":1");
	refused("\"edges\":[", "\"edgs\":[");
	refused("{\"node\"", "{{\"node\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
