// SPDX-License-Identifier: Apache-2.0
/* kubernetes.c: a graph as a manifest for Kubernetes. Texts are JSON strings, which are YAML. */
#include "kubernetes.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"

enum {
	GRAPH_MAX = 900 << 10, /* a ConfigMap holds 1 MiB */
	NAME_MAX_1123 = 63,
	WAIT_S = 600, /* for the pods, before the run begins */
};

/* A manifest that is being printed. */
struct manifest {
	FILE *out;
	const struct fx_graph *graph;
	const struct kubernetes *k;
	char name[NAME_MAX_1123 + 1]; /* of the graph: of all that is made for it */
};

/* A label of RFC 1123: small letters, digits and -, none at the ends. */
static bool is_label(const char *text)
{
	const size_t len = strlen(text);

	return len && len <= NAME_MAX_1123 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && *text != '-' &&
	       text[len - 1] != '-';
}

/* The name of the file without folder and ending, so that it is a label with some room behind. */
static void name_after(const char *file, char name[NAME_MAX_1123 + 1])
{
	enum { ROOM = 20 };
	const char *slash = strrchr(file, '/');
	size_t n = 0;

	for (const char *c = slash ? slash + 1 : file; *c && *c != '.' && n < NAME_MAX_1123 - ROOM;
	     c++) {
		const bool fits = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');

		if (fits || n)
			name[n++] = fits ? *c : '-';
	}
	while (n && name[n - 1] == '-')
		n--;
	name[n] = 0;
	if (!n)
		snprintf(name, NAME_MAX_1123 + 1, "graph");
}

/* A text in quotes. */
static void put_text(struct manifest *m, const char *before, const char *text, const char *behind)
{
	json_t *j = json_string(text);
	char *quoted = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL;

	fprintf(m->out, "%s%s%s", before, quoted ? quoted : "\"\"", behind);
	free(quoted);
	json_decref(j);
}

/* An argument: $(NAME) would be put in by Kubernetes. */
static void put_argument(struct manifest *m, const char *name, const char *value)
{
	char *text = fx_calloc(2 * (strlen(name) + strlen(value)) + 2, 1);
	size_t n = 0;

	for (const char *c = name; text && *c; c++)
		text[n++] = *c;
	if (text && *name)
		text[n++] = '=';
	for (const char *c = value; text && *c; c++) {
		if (c[0] == '$' && c[1] == '(')
			text[n++] = '$';
		text[n++] = *c;
	}
	put_text(m, "        - ", text ? text : "", "\n");
	free(text);
}

static void put_head(struct manifest *m, const char *api, const char *kind, const char *name)
{
	fprintf(m->out, "---\napiVersion: %s\nkind: %s\nmetadata:\n  name: \"%s\"\n", api, kind,
		name);
	fprintf(m->out, "  namespace: \"%s\"\n  labels: { app: \"%s\" }\n", m->k->space, m->name);
}

/* What may start programs in the pods, and wait for them. */
static void put_account(struct manifest *m)
{
	put_head(m, "v1", "ServiceAccount", m->name);
	put_head(m, "rbac.authorization.k8s.io/v1", "Role", m->name);
	fprintf(m->out,
		"rules:\n"
		"  - { apiGroups: [\"\"], resources: [pods], verbs: [get, list, watch] }\n"
		"  - { apiGroups: [\"\"], resources: [pods/exec], verbs: [create, get] }\n");
	put_head(m, "rbac.authorization.k8s.io/v1", "RoleBinding", m->name);
	fprintf(m->out,
		"roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: \"%s\" }\n"
		"subjects:\n  - { kind: ServiceAccount, name: \"%s\", namespace: \"%s\" }\n",
		m->name, m->name, m->k->space);
}

static void put_service(struct manifest *m)
{
	put_head(m, "v1", "Service", m->name);
	fprintf(m->out, "spec:\n  clusterIP: None\n  selector: { app: \"%s\" }\n", m->name);
}

/* The file as it is: lines of a block, which are indented. */
static void put_graph(struct manifest *m, const char *text)
{
	put_head(m, "v1", "ConfigMap", m->name);
	fprintf(m->out, "data:\n  graph.yaml: |2\n");
	for (const char *line = text, *next; *line; line = next) {
		next = line + strcspn(line, "\n");
		fprintf(m->out, "%s%.*s\n", next > line ? "    " : "", (int)(next - line), line);
		next += *next != 0;
	}
}

/* What a host may use, as the graph tells it. */
static void put_resources(struct manifest *m, const struct fx_graph_host *h)
{
	if (h->slots || h->memory_mib > 0)
		fprintf(m->out, "      resources:\n        requests:\n");
	if (h->slots)
		fprintf(m->out, "          cpu: %d\n", h->slots);
	if (h->memory_mib > 0)
		fprintf(m->out,
			"          memory: %.0fMi\n        limits:\n          memory: %.0fMi\n",
			h->memory_mib, h->memory_mib);
}

static void put_environment(struct manifest *m)
{
	fprintf(m->out, "      env:\n"
			"        - name: FORNIX_ADDRESS\n"
			"          valueFrom: { fieldRef: { fieldPath: status.podIP } }\n");
}

static void put_mounts(struct manifest *m, bool runs)
{
	fprintf(m->out, "      volumeMounts:\n        - name: shared\n");
	put_text(m, "          mountPath: ", m->k->folder, "\n");
	fprintf(m->out, "        - { name: tmp, mountPath: /tmp }\n");
	if (runs)
		fprintf(m->out, "        - { name: graph, mountPath: /etc/fornix/graph }\n");
	if (runs && m->k->secret)
		fprintf(m->out, "        - { name: keys, mountPath: /etc/fornix/keys }\n");
}

static void put_volumes(struct manifest *m, bool runs)
{
	fprintf(m->out,
		"  volumes:\n    - name: shared\n      persistentVolumeClaim: { claimName: \"%s\" "
		"}\n"
		"    - { name: tmp, emptyDir: {} }\n",
		m->k->claim);
	if (runs)
		fprintf(m->out, "    - { name: graph, configMap: { name: \"%s\" } }\n", m->name);
	if (runs && m->k->secret)
		fprintf(m->out,
			"    - name: keys\n      secret:\n        secretName: \"%s\"\n"
			"        items: [ { key: secret, path: run.secret, mode: 256 } ]\n",
			m->k->secret);
}

/* A host is a pod that waits: its agent is started by kubectl exec, and ends with the run. */
static void put_pod(struct manifest *m, const struct fx_graph_host *h)
{
	fprintf(m->out,
		"---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: \"%s\"\n  namespace: \"%s\"\n"
		"  labels: { app: \"%s\", host: \"%s\" }\n",
		h->login, m->k->space, m->name, h->name);
	fprintf(m->out,
		"spec:\n  hostname: \"%s\"\n  subdomain: \"%s\"\n  restartPolicy: Always\n"
		"  terminationGracePeriodSeconds: 5\n  containers:\n    - name: fornix\n",
		h->login, m->name);
	put_text(m, "      image: ", m->k->image, "\n");
	fprintf(m->out, "      command: [ sleep, infinity ]\n");
	put_environment(m);
	put_resources(m, h);
	put_mounts(m, false);
	put_volumes(m, false);
}

/* Until the pods of the hosts that are there from the start are ready. */
static void put_wait(struct manifest *m)
{
	fprintf(m->out, "  initContainers:\n    - name: wait\n");
	put_text(m, "      image: ", m->k->image, "\n");
	fprintf(m->out, "      command:\n        - kubectl\n        - wait\n"
			"        - --for=condition=Ready\n");
	fprintf(m->out, "        - --timeout=%ds\n", WAIT_S);
	for (size_t i = 1; i < m->graph->hosts_len; i++)
		if (!m->graph->hosts[i].joins)
			fprintf(m->out, "        - pod/%s\n", m->graph->hosts[i].login);
}

static void put_command(struct manifest *m)
{
	const struct fx_graph *g = m->graph;

	fprintf(m->out, "      command:\n        - fornix\n        - run\n"
			"        - /etc/fornix/graph/graph.yaml\n");
	for (size_t i = 0; i < g->params_len; i++)
		put_argument(m, g->params[i].name, g->params[i].value);
	fprintf(m->out, "        - --resume\n");
	if (m->k->secret)
		fprintf(m->out, "        - --keys=/etc/fornix/keys\n");
}

/* What is printed for a pod, two levels further in. */
static int put_job(struct manifest *m, struct fx_error *err)
{
	char *text = NULL;
	size_t size;
	FILE *job = m->out, *spec = open_memstream(&text, &size);
	bool waits = false;

	if (!spec)
		return fx_error_set(err, FX_ENOMEM, "no memory for the manifest");
	for (size_t i = 1; i < m->graph->hosts_len; i++)
		waits = waits || !m->graph->hosts[i].joins;
	m->out = spec;
	fprintf(spec, "  serviceAccountName: \"%s\"\n  restartPolicy: Never\n", m->name);
	if (waits)
		put_wait(m);
	fprintf(spec, "  containers:\n    - name: fornix\n");
	put_text(m, "      image: ", m->k->image, "\n");
	put_command(m);
	put_environment(m);
	put_resources(m, &m->graph->hosts[0]);
	put_mounts(m, true);
	put_volumes(m, true);
	m->out = job;
	put_head(m, "batch/v1", "Job", m->name);
	fprintf(job,
		"spec:\n  backoffLimit: 3\n  template:\n    metadata:\n"
		"      labels: { app: \"%s\", host: here }\n    spec:\n",
		m->name);
	if (fclose(spec) != 0) {
		free(text);
		return fx_error_set(err, FX_ENOMEM, "no memory for the manifest");
	}
	for (const char *line = text, *next; *line; line = next) {
		next = line + strcspn(line, "\n") + 1;
		fprintf(job, "    %.*s", (int)(next - line), line);
	}
	free(text);
	return FX_OK;
}

static int check_host(const struct fx_graph_host *h, struct fx_error *err)
{
	if (h->launcher != FX_LAUNCH_KUBERNETES)
		return fx_error_set(err, FX_EINVAL,
				    "host %s is started by %s: its launcher has to be kubernetes",
				    h->name, fx_launcher_name(h->launcher));
	if (!is_label(h->login) || !is_label(h->name))
		return fx_error_set(err, FX_EINVAL,
				    "host %s, pod \"%.80s\": a pod has a name of small letters, "
				    "digits and -, at most %d",
				    h->name, h->login, NAME_MAX_1123);
	return FX_OK;
}

static int check_params(const struct manifest *m, struct fx_error *err)
{
	const size_t len = strlen(m->k->folder);

	for (size_t i = 0; i < m->graph->params_len; i++) {
		const struct fx_graph_param *p = &m->graph->params[i];

		if (!p->value)
			return fx_error_set(err, FX_EINVAL, "parameter %s is missing", p->name);
		if (strcmp(p->name, "out") == 0 &&
		    (strncmp(p->value, m->k->folder, len) != 0 || p->value[len] != '/'))
			return fx_error_set(err, FX_EINVAL,
					    "out=%.200s does not lie in %s, the folder that all "
					    "pods share: see --folder",
					    p->value, m->k->folder);
	}
	return FX_OK;
}

/* What comes from the command line is not to change what is made. */
static int check(const struct manifest *m, struct fx_error *err)
{
	const struct fx_graph *g = m->graph;
	const char *const names[] = { m->k->space, m->k->claim, m->k->secret ? m->k->secret : "a" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!is_label(names[i]))
			return fx_error_set(err, FX_EINVAL,
					    "\"%.80s\" is no name of small letters, digits and -",
					    names[i]);
	if (*m->k->folder != '/')
		return fx_error_set(err, FX_EINVAL, "--folder %s: must begin with a slash",
				    m->k->folder);
	if (g->hosts_len < 2)
		return fx_error_set(err, FX_EINVAL, "%s has no hosts", g->file);
	for (size_t i = 0; i < g->hosts_len; i++) {
		if (*g->hosts[i].address)
			return fx_error_set(err, FX_EINVAL,
					    "host %s: leave out its address, a pod tells its own",
					    g->hosts[i].name);
		if (i && check_host(&g->hosts[i], err) < 0)
			return FX_EINVAL;
		for (size_t k = 1; k < i; k++)
			if (strcmp(g->hosts[i].login, g->hosts[k].login) == 0)
				return fx_error_set(
					err, FX_EINVAL, "hosts %s and %s are the same pod, %s",
					g->hosts[k].name, g->hosts[i].name, g->hosts[i].login);
	}
	return check_params(m, err);
}

int kubernetes_print(FILE *out, const struct fx_graph *g, const struct kubernetes *k,
		     struct fx_error *err)
{
	struct manifest m = { .out = out, .graph = g, .k = k };
	void *text;
	size_t size;
	int result;

	name_after(g->file, m.name);
	if (check(&m, err) < 0 || fx_file_read(g->file, GRAPH_MAX, &text, &size, err) < 0)
		return err->code;
	put_account(&m);
	put_service(&m);
	put_graph(&m, text);
	free(text);
	for (size_t i = 1; i < g->hosts_len; i++)
		put_pod(&m, &g->hosts[i]);
	result = put_job(&m, err);
	if (result == FX_OK && ferror(out))
		result = fx_error_set(err, FX_EIO, "cannot write the manifest");
	return result;
}
