// SPDX-License-Identifier: Apache-2.0
/* arch.c: networks that are known by name. */
#include "nn/arch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { CHANNELS_MAX = 4096 };

static const char *const arch_names[] = { [FX_ARCH_MLP] = "mlp", [FX_ARCH_UNET] = "unet" };

const char *fx_arch_name(const struct fx_arch *a)
{
	return arch_names[a->kind];
}

void fx_arch_multiple(const struct fx_arch *a, size_t multiple[3])
{
	const size_t halvings = a->kind == FX_ARCH_UNET ? a->levels - 1 : 0,
		     flat = a->flat < halvings ? a->flat : halvings;

	multiple[0] = (size_t)1 << (halvings - flat);
	multiple[1] = multiple[2] = (size_t)1 << halvings;
}

static void build_mlp(const struct fx_arch *a, struct fx_nn *net, struct fx_nn_shape shape,
		      struct fx_arch_values *v)
{
	char name[FX_NN_NAME_MAX];
	int x = v->in = fx_nn_input(net, shape, FX_NN_DENSE);

	for (size_t i = 0; i < a->levels; i++) {
		snprintf(name, sizeof name, "hidden%zu", i);
		x = fx_nn_relu(net, fx_nn_linear(net, x, name, a->width[i], FX_NN_HE));
	}
	for (size_t i = 0; i < a->heads; i++)
		v->heads[i] = fx_nn_keep(
			net, fx_nn_linear(net, x, a->names[i], a->head[i], FX_NN_XAVIER));
}

/* relu(x + conv(relu(conv x))) */
static int unet_block(struct fx_nn *net, int x, const char *name, size_t width, bool flat)
{
	char full[FX_NN_NAME_MAX + 2];
	struct fx_nn_conv c = { .out = width,
				.kernel = 3,
				.stride = 1,
				.flat = flat,
				.start = FX_NN_HE,
				.relu = true };
	int y;

	snprintf(full, sizeof full, "%s.a", name);
	y = fx_nn_conv(net, x, full, &c);
	c.residual = true;
	c.add = x;
	c.gain = 0.1;
	snprintf(full, sizeof full, "%s.b", name);
	return fx_nn_conv(net, y, full, &c);
}

/* The way between level i - 1 and level i: down, or up plus the skip. */
static int unet_move(const struct fx_arch *a, struct fx_nn *net, int x, size_t i, bool up, int skip)
{
	char name[FX_NN_NAME_MAX];
	const struct fx_nn_conv c = { .out = a->width[up ? i - 1 : i],
				      .kernel = 2,
				      .stride = 2,
				      .flat = i <= a->flat,
				      .start = FX_NN_HE,
				      .relu = true,
				      .residual = up,
				      .add = skip };

	snprintf(name, sizeof name, "%s%zu", up ? "up" : "down", up ? i - 1 : i);
	return up ? fx_nn_conv_up(net, x, name, &c) : fx_nn_conv(net, x, name, &c);
}

static void build_unet(const struct fx_arch *a, struct fx_nn *net, struct fx_nn_shape shape,
		       struct fx_arch_values *v)
{
	const struct fx_nn_conv stem = { .out = a->width[0],
					 .kernel = 3,
					 .stride = 1,
					 .flat = a->flat > 0,
					 .start = FX_NN_HE,
					 .relu = true };
	char name[FX_NN_NAME_MAX];
	int skip[FX_ARCH_LEVELS_MAX], x;

	v->in = fx_nn_input(net, shape, FX_NN_PADDED);
	x = fx_nn_conv(net, v->in, "stem", &stem);
	for (size_t i = 0; i < a->levels; i++) {
		if (i)
			x = unet_move(a, net, x, i, false, -1);
		snprintf(name, sizeof name, "enc%zu", i);
		x = skip[i] = unet_block(net, x, name, a->width[i], i < a->flat);
	}
	for (size_t i = a->levels - 1; i > 0; i--) {
		x = unet_move(a, net, x, i, true, skip[i - 1]);
		snprintf(name, sizeof name, "dec%zu", i - 1);
		x = unet_block(net, x, name, a->width[i - 1], i - 1 < a->flat);
	}
	for (size_t i = 0; i < a->heads; i++) {
		const struct fx_nn_conv head = {
			.out = a->head[i], .kernel = 1, .stride = 1, .start = FX_NN_XAVIER
		};

		v->heads[i] = fx_nn_keep(net, fx_nn_conv(net, x, a->names[i], &head));
	}
}

void fx_arch_build(const struct fx_arch *a, struct fx_nn *net, struct fx_nn_shape shape,
		   struct fx_arch_values *v)
{
	memset(v, -1, sizeof *v);
	if (a->kind == FX_ARCH_MLP)
		build_mlp(a, net, shape, v);
	else
		build_unet(a, net, shape, v);
}

static json_t *sizes_json(const size_t *sizes, size_t len)
{
	json_t *list = json_array();

	for (size_t i = 0; i < len; i++)
		json_array_append_new(list, json_integer((json_int_t)sizes[i]));
	return list;
}

int fx_arch_print(const struct fx_arch *a, char text[FX_ARCH_TEXT_MAX], struct fx_error *err)
{
	json_t *heads = json_object(), *all;
	char *printed;
	int result = FX_OK;

	for (size_t i = 0; i < a->heads; i++)
		json_object_set_new(heads, a->names[i], json_integer((json_int_t)a->head[i]));
	all = json_pack("{s:I, s:o, s:o}", "in", (json_int_t)a->in, "width",
			sizes_json(a->width, a->levels), "heads", heads);
	if (a->kind == FX_ARCH_UNET && all)
		json_object_set_new(all, "flat", json_integer((json_int_t)a->flat));
	printed = json_dumps(all, JSON_COMPACT);
	if (!printed || strlen(printed) >= FX_ARCH_TEXT_MAX)
		result = fx_error_set(err, FX_EINVAL, "arch_args do not fit %d bytes",
				      FX_ARCH_TEXT_MAX);
	else
		memcpy(text, printed, strlen(printed) + 1);
	free(printed);
	json_decref(all);
	return result;
}

/* A whole number from lo to hi. */
static int size_of(const json_t *v, const char *what, size_t lo, size_t hi, size_t *to,
		   struct fx_error *err)
{
	const json_int_t n = json_is_integer(v) ? json_integer_value(v) : -1;

	if (n < (json_int_t)lo || n > (json_int_t)hi)
		return fx_error_set(err, FX_EINVAL,
				    "arch_args: %s must be a whole number from %zu to %zu", what,
				    lo, hi);
	*to = (size_t)n;
	return FX_OK;
}

static int parse_width(struct fx_arch *a, const json_t *list, struct fx_error *err)
{
	const size_t n = json_array_size(list);

	if (n < 1 || n > FX_ARCH_LEVELS_MAX)
		return fx_error_set(err, FX_EINVAL,
				    "arch_args: width must be a list of 1 to %d numbers",
				    FX_ARCH_LEVELS_MAX);
	for (a->levels = 0; a->levels < n; a->levels++)
		if (size_of(json_array_get(list, a->levels), "width", 1, CHANNELS_MAX,
			    &a->width[a->levels], err) < 0)
			return FX_EINVAL;
	return FX_OK;
}

static int parse_heads(struct fx_arch *a, json_t *heads, struct fx_error *err)
{
	const char *name;
	json_t *size;

	if (json_object_size(heads) < 1 || json_object_size(heads) > FX_ARCH_HEADS_MAX)
		return fx_error_set(err, FX_EINVAL, "arch_args: heads must name 1 to %d outputs",
				    FX_ARCH_HEADS_MAX);
	json_object_foreach(heads, name, size)
	{
		const size_t i = a->heads++;

		if (strlen(name) >= sizeof a->names[i] || !*name)
			return fx_error_set(err, FX_EINVAL,
					    "arch_args: the name of head %zu is too long", i);
		memcpy(a->names[i], name, strlen(name) + 1);
		if (size_of(size, name, 1, CHANNELS_MAX, &a->head[i], err) < 0)
			return FX_EINVAL;
	}
	return FX_OK;
}

static int parse_args(struct fx_arch *a, const json_t *args, struct fx_error *err)
{
	const json_t *flat = json_object_get(args, "flat");
	int result = size_of(json_object_get(args, "in"), "in", 1, CHANNELS_MAX, &a->in, err);

	if (result == FX_OK)
		result = parse_width(a, json_object_get(args, "width"), err);
	if (result == FX_OK)
		result = parse_heads(a, json_object_get(args, "heads"), err);
	if (result == FX_OK && flat)
		result = size_of(flat, "flat", 0, a->levels, &a->flat, err);
	return result;
}

int fx_arch_parse(struct fx_arch *a, const char *name, const char *args, struct fx_error *err)
{
	json_error_t why;
	json_t *document;
	int result = FX_EINVAL;

	*a = (struct fx_arch){ 0 };
	for (size_t i = 0; i < sizeof arch_names / sizeof *arch_names; i++)
		if (!strcmp(name, arch_names[i])) {
			a->kind = (enum fx_arch_kind)i;
			result = FX_OK;
		}
	if (result < 0)
		return fx_error_set(err, FX_EINVAL,
				    "architecture \"%.80s\", mlp or unet is known here", name);
	document = json_loads(args, JSON_REJECT_DUPLICATES, &why);
	if (!document)
		return fx_error_set(err, FX_EINVAL, "arch_args: %s", why.text);
	result = parse_args(a, document, err);
	json_decref(document);
	return result;
}

int fx_arch_of(struct fx_arch *a, const struct fx_safetensors *s, struct fx_error *err)
{
	const char *name = fx_safetensors_meta(s, "arch"),
		   *args = fx_safetensors_meta(s, "arch_args");

	if (!name || !args)
		return fx_error_set(err, FX_EINVAL,
				    "the model does not say what network it is: arch and arch_args "
				    "are missing from its metadata");
	return fx_arch_parse(a, name, args, err);
}
