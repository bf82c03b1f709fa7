// SPDX-License-Identifier: Apache-2.0
/* pixelmodel.c: reads models that judge every voxel by its features. */
#include "nn/pixelmodel.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "nn/modelmeta.h"

static const char *const norm_lists[2] = { "mean", "sd" };

int fx_pixelmodel_norm_print(const struct fx_pixelmodel_norm *n, char text[FX_PIXELMODEL_TEXT_MAX])
{
	json_t *lists[2] = { json_array(), json_array() }, *all;
	char *printed;
	int result = FX_EINVAL;

	for (int i = 0; i < FX_FEATURES; i++) {
		json_array_append_new(lists[0], json_real(n->mean[i]));
		json_array_append_new(lists[1], json_real(n->sd[i]));
	}
	all = json_pack("{s:o, s:o}", norm_lists[0], lists[0], norm_lists[1], lists[1]);
	printed = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(17));
	if (printed && strlen(printed) < FX_PIXELMODEL_TEXT_MAX) {
		memcpy(text, printed, strlen(printed) + 1);
		result = FX_OK;
	}
	free(printed);
	json_decref(all);
	return result;
}

int fx_pixelmodel_norm_parse(struct fx_pixelmodel_norm *n, const char *text, struct fx_error *err)
{
	double *const to[2] = { n->mean, n->sd };
	json_t *all = json_loads(text, 0, NULL);
	bool good = true;

	for (int list = 0; list < 2; list++) {
		const json_t *values = json_object_get(all, norm_lists[list]);

		good = good && json_array_size(values) == FX_FEATURES;
		for (size_t i = 0; good && i < FX_FEATURES; i++) {
			const json_t *v = json_array_get(values, i);

			to[list][i] = json_number_value(v);
			good = json_is_number(v) && (list == 0 || to[list][i] > 0);
		}
	}
	json_decref(all);
	return good ? FX_OK :
		      fx_error_set(err, FX_EINVAL,
				   "input_norm must be {\"mean\": [...], \"sd\": [...]} with %d "
				   "numbers each, every sd above 0",
				   FX_FEATURES);
}

static int check_arch(const struct fx_arch *a, const char *features, struct fx_error *err)
{
	if (a->kind != FX_ARCH_MLP)
		return fx_error_set(err, FX_ETYPE,
				    "a model of architecture \"%s\", but an \"mlp\" is wanted here",
				    fx_arch_name(a));
	if (a->in != FX_FEATURES || a->heads != 1 || a->head[0] != 1 ||
	    a->levels + 1 > FX_VOXELMLP_LAYERS_MAX)
		return fx_error_set(err, FX_ETYPE,
				    "the network takes %zu numbers and has %zu outputs of %zu, but "
				    "%d features and one output of 1 are wanted",
				    a->in, a->heads, a->head[0], FX_FEATURES);
	if (!features || strcmp(features, FX_PIXELMODEL_FEATURES))
		return fx_error_set(
			err, FX_ETYPE, "the network was trained on \"%.80s\", not \"%s\"",
			features ? features : "unknown features", FX_PIXELMODEL_FEATURES);
	return FX_OK;
}

/* Layer number @p i of the network, the norm put into the weights of the first. */
static int add_layer(struct fx_voxelmlp *m, const struct fx_nn *net, const struct fx_nn_param *w,
		     const struct fx_nn_param *b, const struct fx_pixelmodel_norm *norm)
{
	const size_t out = w->dims[0], in = w->dims[1];
	float *weight = fx_calloc(w->len, sizeof *weight), *bias = fx_calloc(out, sizeof *bias);
	int err = weight && bias ? FX_OK : FX_ENOMEM;

	for (size_t o = 0; o < out && !err; o++) {
		double sum = (double)net->weights[b->at + o];

		for (size_t i = 0; i < in; i++) {
			const double v = (double)net->weights[w->at + o * in + i],
				     scaled = norm ? v / norm->sd[i] : v;

			weight[o * in + i] = (float)scaled;
			sum -= norm ? scaled * norm->mean[i] : 0;
		}
		bias[o] = (float)sum;
	}
	if (!err)
		err = fx_voxelmlp_add(m, weight, bias, in, out);
	free(weight);
	free(bias);
	return err;
}

/* Weights and biases of a net come in turn, layer by layer. */
static int add_layers(struct fx_voxelmlp *m, const struct fx_nn *net,
		      const struct fx_pixelmodel_norm *norm, struct fx_error *err)
{
	int result = FX_OK;

	for (size_t i = 0; i + 1 < net->params_len && result == FX_OK; i += 2)
		result = add_layer(m, net, &net->params[i], &net->params[i + 1], i ? NULL : norm);
	return result < 0 ? fx_error_set(err, result, "no memory for the layers") : FX_OK;
}

static int load(struct fx_pixelmodel *m, const struct fx_safetensors *s, struct fx_error *err)
{
	const char *norm_text = fx_safetensors_meta(s, "input_norm");
	struct fx_pixelmodel_norm norm;
	struct fx_arch_values values;
	struct fx_arch arch;
	struct fx_nn *net;
	int result = fx_arch_of(&arch, s, err);

	if (result == FX_OK)
		result = check_arch(&arch, fx_safetensors_meta(s, "features"), err);
	if (result == FX_OK)
		result = fx_model_voxel(m->voxel_nm, s, err);
	if (result == FX_OK)
		result = fx_pixelmodel_norm_parse(&norm, norm_text ? norm_text : "", err);
	if (result < 0)
		return result;
	net = fx_nn_new(0);
	if (!net)
		return fx_error_set(err, FX_ENOMEM, "no memory for the network");
	fx_arch_build(&arch, net, (struct fx_nn_shape){ 1, 1, 1, 1, arch.in }, &values);
	result = fx_nn_plan(net, FX_NN_INFER, err);
	if (result == FX_OK)
		result = fx_nn_load(net, s, err);
	if (result == FX_OK)
		result = add_layers(&m->mlp, net, &norm, err);
	fx_nn_free(net);
	return result;
}

int fx_pixelmodel_read(struct fx_pixelmodel *m, const char *path, struct fx_error *err)
{
	struct fx_safetensors s = { 0 };
	int result = fx_safetensors_read(&s, path, FX_PIXELMODEL_SIZE_MAX, err);

	if (result == FX_OK && (result = load(m, &s, err)) < 0)
		fx_error_prefix(err, "%s", path);
	fx_safetensors_fini(&s);
	return result;
}

void fx_pixelmodel_fini(struct fx_pixelmodel *m)
{
	fx_voxelmlp_fini(&m->mlp);
	memset(m, 0, sizeof *m);
}
