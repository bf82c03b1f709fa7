// SPDX-License-Identifier: Apache-2.0
/* Tests tools/kubernetes.c: the manifest is what Kubernetes takes, by the rules that can be checked
 * without it, and a run starts agents by what kubectl is told. */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/file.h"
#include "support/images.h"
#include "support/outputs.h"
#include "support/run.h"

#define GRAPH "graphs/cluster.yaml"

enum { DOCUMENTS_MAX = 32 };

/* The documents of a manifest. */
struct manifest {
	json_t *all[DOCUMENTS_MAX];
	size_t len;
};

/* Without quotes some words are no texts. */
static json_t *scalar_of(const yaml_node_t *n)
{
	static const char *const others[] = { "y",   "n",    "yes",   "no",   "on",
					      "off", "true", "false", "null", "~" };
	const char *text = (const char *)n->data.scalar.value;

	if (n->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return json_stringn(text, n->data.scalar.length);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(text, others[i]) == 0)
			return json_true();
	if (*text && strspn(text, "0123456789") == n->data.scalar.length)
		return json_integer(strtoll(text, NULL, 10));
	return json_string(text);
}

static json_t *json_of(yaml_document_t *d, int index)
{
	const yaml_node_t *n = yaml_document_get_node(d, index);
	json_t *j;

	if (n->type == YAML_SCALAR_NODE)
		return scalar_of(n);
	if (n->type == YAML_SEQUENCE_NODE) {
		j = json_array();
		for (const int *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
		     i++)
			json_array_append_new(j, json_of(d, *i));
		return j;
	}
	j = json_object();
	for (const yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top;
	     p++) {
		const char *key =
			(const char *)yaml_document_get_node(d, p->key)->data.scalar.value;

		assert_null(json_object_get(j, key)); /* no key twice */
		json_object_set_new(j, key, json_of(d, p->value));
	}
	return j;
}

static struct manifest parse(const char *text)
{
	struct manifest m = { 0 };
	yaml_parser_t parser;
	yaml_document_t d;
	bool more = true;

	assert_true(yaml_parser_initialize(&parser));
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	while (more) {
		if (!yaml_parser_load(&parser, &d))
			fail_msg("line %zu: %s", parser.problem_mark.line + 1, parser.problem);
		more = yaml_document_get_root_node(&d) != NULL;
		assert_true(m.len < DOCUMENTS_MAX);
		if (more)
			m.all[m.len++] = json_of(&d, 1);
		yaml_document_delete(&d);
	}
	yaml_parser_delete(&parser);
	return m;
}

static void manifest_free(struct manifest *m)
{
	for (size_t i = 0; i < m->len; i++)
		json_decref(m->all[i]);
}

/* What a path such as "spec.containers.0.name" leads to; NULL when there is none. */
static const json_t *at(const json_t *j, const char *path)
{
	char word[64];

	while (j && *path) {
		const size_t len = strcspn(path, ".");

		snprintf(word, sizeof word, "%.*s", (int)len, path);
		j = json_is_array(j) ? json_array_get(j, (size_t)strtoul(word, NULL, 10)) :
				       json_object_get(j, word);
		path += len + (path[len] == '.');
	}
	return j;
}

static const char *text_at(const json_t *j, const char *path)
{
	const char *text = json_string_value(at(j, path));

	if (!text)
		fail_msg("there is no %s", path);
	return text;
}

static const json_t *find(const struct manifest *m, const char *kind, const char *name)
{
	for (size_t i = 0; i < m->len; i++)
		if (strcmp(text_at(m->all[i], "kind"), kind) == 0 &&
		    strcmp(text_at(m->all[i], "metadata.name"), name) == 0)
			return m->all[i];
	fail_msg("there is no %s %s", kind, name);
	return NULL;
}

/* RFC 1123: a label. */
static void check_name(const char *name)
{
	const size_t len = strlen(name);

	assert_in_range(len, 1, 63);
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), len);
	assert_true(name[0] != '-' && name[len - 1] != '-');
}

/* What is mounted is a volume of the pod; what a pod must say is there. */
static void check_pod_spec(const struct manifest *m, const json_t *spec)
{
	static const char *const lists[] = { "initContainers", "containers" };
	const json_t *volumes = at(spec, "volumes");

	assert_true(json_array_size(at(spec, "containers")) == 1);
	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; i < json_array_size(at(spec, lists[l])); i++) {
			const json_t *c = json_array_get(at(spec, lists[l]), i),
				     *mounts = at(c, "volumeMounts");

			check_name(text_at(c, "name"));
			assert_true(*text_at(c, "image"));
			assert_true(json_array_size(at(c, "command")) > 0);
			for (size_t k = 0; k < json_array_size(mounts); k++) {
				const json_t *mount = json_array_get(mounts, k);
				bool there = false;

				assert_int_equal(*text_at(mount, "mountPath"), '/');
				for (size_t v = 0; v < json_array_size(volumes); v++)
					there = there ||
						strcmp(text_at(json_array_get(volumes, v), "name"),
						       text_at(mount, "name")) == 0;
				assert_true(there);
			}
		}
	for (size_t v = 0; v < json_array_size(volumes); v++) {
		const json_t *volume = json_array_get(volumes, v);

		check_name(text_at(volume, "name"));
		assert_int_equal(json_object_size(volume), 2);
		if (at(volume, "configMap"))
			find(m, "ConfigMap", text_at(volume, "configMap.name"));
	}
}

/* What every object must have, by its kind. */
static void check_object(const struct manifest *m, const json_t *o)
{
	static const struct {
		const char *kind, *api, *must[4];
	} kinds[] = {
		{ "ServiceAccount", "v1", { NULL } },
		{ "Role",
		  "rbac.authorization.k8s.io/v1",
		  { "rules.0.apiGroups.0", "rules.0.resources.0", "rules.0.verbs.0" } },
		{ "RoleBinding",
		  "rbac.authorization.k8s.io/v1",
		  { "roleRef.apiGroup", "roleRef.name", "subjects.0.name",
		    "subjects.0.namespace" } },
		{ "Service", "v1", { "spec.clusterIP", "spec.selector.app" } },
		{ "ConfigMap", "v1", { "data.graph.yaml" } },
		{ "Pod", "v1", { "spec.hostname", "spec.subdomain", "spec.restartPolicy" } },
		{ "Job", "batch/v1", { "spec.template.spec.restartPolicy" } },
	};
	const char *kind = text_at(o, "kind");
	size_t k = 0, same = 0;

	while (k < sizeof kinds / sizeof *kinds && strcmp(kinds[k].kind, kind) != 0)
		k++;
	assert_true(k < sizeof kinds / sizeof *kinds);
	assert_string_equal(text_at(o, "apiVersion"), kinds[k].api);
	check_name(text_at(o, "metadata.name"));
	assert_string_equal(text_at(o, "metadata.namespace"), "lab");
	for (size_t i = 0; i < 4 && kinds[k].must[i] && strcmp(kind, "ConfigMap") != 0; i++)
		text_at(o, kinds[k].must[i]);
	for (size_t i = 0; i < m->len; i++)
		same += strcmp(text_at(m->all[i], "kind"), kind) == 0 &&
			strcmp(text_at(m->all[i], "metadata.name"), text_at(o, "metadata.name")) ==
				0;
	assert_int_equal(same, 1);
	if (strcmp(kind, "Pod") == 0) {
		find(m, "Service", text_at(o, "spec.subdomain"));
		check_pod_spec(m, at(o, "spec"));
	} else if (strcmp(kind, "Job") == 0) {
		assert_string_equal(text_at(o, "spec.template.spec.restartPolicy"), "Never");
		assert_int_equal(json_integer_value(at(o, "spec.backoffLimit")), 3);
		find(m, "ServiceAccount", text_at(o, "spec.template.spec.serviceAccountName"));
		check_pod_spec(m, at(o, "spec.template.spec"));
	}
}

/* The manifest of the graph on three pods; @p words instead of those of the same name. */
static struct test_run *print(struct test_place *p, const char *const words[2])
{
	static const char *const usual[] = {
		"launcher=kubernetes",
		"sections=/shared/$(HOME)",
		"out=/shared/out",
		"here=",
		"one=",
		"two=",
		"three=",
		"login_one=fornix-one",
		"login_two=fornix-two",
		"login_three=fornix-three",
	};
	const char *all[TEST_RUN_WORDS_MAX] = { "plan", GRAPH, "--kubernetes", "--namespace=lab" };
	size_t n = 4;

	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		const size_t len = strcspn(usual[i], "=") + 1;
		bool other = false;

		for (size_t k = 0; k < 2 && words[k]; k++)
			other = other || strncmp(usual[i], words[k], len) == 0;
		if (!other)
			all[n++] = usual[i];
	}
	for (size_t k = 0; k < 2 && words[k]; k++)
		all[n++] = words[k];
	return test_run(p, all);
}

static bool has_text(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
			return true;
	return false;
}

static void the_manifest_is_what_kubernetes_takes(void **state)
{
	struct test_place *p = *state;
	struct test_run *r = print(p, (const char *[2]){ "--secret=fornix-keys" });
	struct manifest m;
	struct fx_error err = { 0 };
	const json_t *job, *command, *pod;
	void *graph;
	size_t size;

	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	m = parse(r->out);
	assert_int_equal(m.len, 5 + 3 + 1);
	for (size_t i = 0; i < m.len; i++)
		check_object(&m, m.all[i]);
	assert_int_equal(fx_file_read(GRAPH, 1 << 20, &graph, &size, &err), FX_OK);
	assert_string_equal(json_string_value(json_object_get(
				    at(find(&m, "ConfigMap", "cluster"), "data"), "graph.yaml")),
			    graph);
	free(graph);
	pod = find(&m, "Pod", "fornix-two");
	assert_string_equal(text_at(pod, "metadata.labels.app"),
			    text_at(find(&m, "Service", "cluster"), "spec.selector.app"));
	assert_string_equal(text_at(pod, "metadata.labels.host"), "two");
	assert_string_equal(text_at(pod, "spec.containers.0.env.0.valueFrom.fieldRef.fieldPath"),
			    "status.podIP");
	job = at(find(&m, "Job", "cluster"), "spec.template.spec");
	command = at(job, "containers.0.command");
	assert_true(has_text(command, "out=/shared/out"));
	assert_true(has_text(command, "sections=/shared/$$(HOME)"));
	assert_true(has_text(command, "--keys=/etc/fornix/keys"));
	assert_true(has_text(at(job, "initContainers.0.command"), "pod/fornix-three"));
	manifest_free(&m);
	test_run_free(r);
}

/* Slots and memory are requests; who joins is not waited for. */
static void a_host_says_what_it_needs(void **state)
{
	static const char text[] =
		"version: 1\nhosts:\n"
		"  big: { launcher: kubernetes, login: big, slots: 6, memory: 2 GiB }\n"
		"  late: { launcher: kubernetes, login: \"12\", joins: yes }\n"
		"  no: { launcher: kubernetes, login: no, joins: yes }\n"
		"nodes: { a: { type: acquire/phantom } }\n";
	struct test_place *p = *state;
	const char *path = test_path(p->dir, "My.graph.yaml");
	struct manifest m;
	struct test_run *r;
	const json_t *wait;

	test_write_file(path, text, sizeof text - 1);
	r = test_run(p, (const char *[]){ "plan", path, "--kubernetes", "--namespace=lab", NULL });
	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	m = parse(r->out);
	for (size_t i = 0; i < m.len; i++)
		check_object(&m, m.all[i]);
	assert_int_equal(json_integer_value(at(find(&m, "Pod", "big"),
					       "spec.containers.0.resources.requests.cpu")),
			 6);
	assert_string_equal(
		text_at(find(&m, "Pod", "big"), "spec.containers.0.resources.limits.memory"),
		"2048Mi");
	wait = at(find(&m, "Job", "y"), "spec.template.spec.initContainers.0.command");
	assert_true(has_text(wait, "pod/big"));
	assert_false(has_text(wait, "pod/12"));
	manifest_free(&m);
	test_run_free(r);
}

static void what_cannot_be_is_told(void **state)
{
	static const struct {
		const char *words[2], *said;
	} cases[] = {
		{ { "one=10.0.0.2" }, "host one: leave out its address" },
		{ { "launcher=local" }, "host one is started by local" },
		{ { "login_two=me@lab" }, "host two, pod \"me@lab\": a pod has a name of" },
		{ { "login_two=fornix-one" }, "hosts one and two are the same pod" },
		{ { "login_two=" }, "host two: has no login: the name of its pod" },
		{ { "out=/elsewhere/out" }, "out=/elsewhere/out does not lie in /shared" },
		{ { "--claim=a: b" }, "\"a: b\" is no name of small letters" },
		{ { "--folder=shared" }, "--folder shared: must begin with a slash" },
	};
	struct test_place *p = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct test_run *r = print(p, cases[i].words);

		assert_int_equal(r->code, 2);
		if (!strstr(r->err, cases[i].said))
			fail_msg("%s: %s", cases[i].words[0], r->err);
		test_run_free(r);
	}
}

/* What stands for kubectl notes the pod, and does as it is told. */
static void a_run_starts_agents_by_kubectl(void **state)
{
	struct test_place *p = *state;
	char *script = fx_asprintf("#!/bin/sh\n[ \"$1 $2 $4\" = 'exec -i --' ] || exit 1\n"
				   "echo $3 >>%s/pods\nshift 4\nexec \"$@\"\n",
				   p->dir);
	char *folder = fx_strdup(test_path(p->dir, "bin")), *path;
	const struct test_sections some = { 0, 16, 64, 64, 8 };
	struct fx_error err = { 0 };
	json_t *receipt;
	size_t size;
	void *pods;

	assert_int_equal(mkdir(folder, 0700), 0);
	test_write_file(test_path(folder, "kubectl"), script, strlen(script));
	assert_int_equal(chmod(test_path(folder, "kubectl"), 0700), 0);
	path = fx_asprintf("%s:%s", folder, getenv("PATH"));
	setenv("PATH", path, 1);
	setenv("FORNIX_ADDRESS", "127.0.0.1", 1);
	test_write_sections(test_path(p->dir, "sections"), &some);
	test_run_expect(p, 0,
			(const char *[]){ "run", GRAPH, "launcher=kubernetes",
					  test_word("sections", p->dir, "sections"),
					  test_word("out", p->dir, "out"), "here=", "one=", "two=",
					  "three=", "login_one=pod-1", "login_two=pod-2",
					  "login_three=pod-3", "segmenter=watershed", "workers=3",
					  "block=16 48 48", "halo=4 8 8", "--quiet", NULL });
	receipt = test_receipt(test_path(p->dir, "out"), true);
	assert_int_equal(test_sum(receipt, "nodes", "restarts"), 0);
	json_decref(receipt);
	assert_int_equal(fx_file_read(test_path(p->dir, "pods"), 100, &pods, &size, &err), FX_OK);
	for (int i = 1; i <= 3; i++)
		assert_non_null(strchr(pods, '0' + i));
	test_place_clean(p);
	unsetenv("FORNIX_ADDRESS");
	free(pods);
	free(script);
	free(folder);
	free(path);
}

int main(void)
{
#define IN_A_PLACE(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		IN_A_PLACE(the_manifest_is_what_kubernetes_takes),
		IN_A_PLACE(a_host_says_what_it_needs),
		IN_A_PLACE(what_cannot_be_is_told),
		IN_A_PLACE(a_run_starts_agents_by_kubectl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
