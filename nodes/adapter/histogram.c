// SPDX-License-Identifier: Apache-2.0
/* adapter/histogram: gives sections the grey values of a reference, learned as the stream goes. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/histogram.h"
#include "kernels/histogram.h"
#include "kernels/match.h"
#include "kernels/stretch.h"
#include "node/sectionwise.h"

enum { IMAGE, REFERENCE, OUT }; /* index into ports[] */
enum { CAME, GONE, ALL };	/* that came; came or are missing; there are, 0: not known */

struct histogram {
	const char *reference; /* options: set before init() */
	double half_life, memory;
	int padding, reference_sections, hold;
	bool known;			/* target is complete */
	int64_t counted[3];		/* sections of the reference */
	double target[FX_MATCH_BINS];	/* histogram of the reference */
	double source[FX_MATCH_BINS];	/* what is remembered of the stream */
	uint8_t table[FX_MATCH_BINS];	/* of the section that is sent */
	struct fx_sections held, model; /* owned, from OPEN to finish(); of either input */
	struct fx_mark *waiting;	/* owned; DONE and MISSING until the reference is known */
	size_t waiting_len, waiting_cap;
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8, 0, false, "sections as 2-D tiles" },
	[REFERENCE] = { "reference", FX_IN, FX_BLOCK, FX_U8, 0, true,
			"sections of the volume whose grey values are wanted" },
	[OUT] = { "out", FX_OUT, FX_BLOCK, FX_U8, 0, false,
		  "the same tiles with the reference's grey values" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct histogram, reference), .path = FX_PATH_READ, .def_str = "",
	  .help = "JSON file with the 256 counts of the reference, when that input is not used" },
	{ FX_FIELD(struct histogram, reference_sections), .def = 16, .min = 0, .max = 1048576,
	  .help = "take this many sections of the reference input; 0 takes all" },
	{ FX_FIELD(struct histogram, half_life), .def = 16, .min = 0, .max = 1048576,
	  .help = "sections after which a section counts half; 0 uses each section alone" },
	{ FX_FIELD(struct histogram, padding), .def = 0, .min = -1, .max = 255,
	  .help = "value that is no image: it counts nowhere and stays; -1 is none" },
	{ FX_FIELD(struct histogram, hold), .def = 64, .min = 1, .max = 4096,
	  .help = "sections that may be incomplete, or wait for the reference, at a time" },
	{ FX_FIELD(struct histogram, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "held sections beyond this lie in scratch files" },
	{ 0 },
};

static int histogram_init(struct fx_node *node, void *state)
{
	struct histogram *s = state;
	const bool file = s->reference && s->reference[0];
	struct fx_error err = { 0 };

	if (file && fx_connected(node, REFERENCE))
		return fx_fail(node, FX_EINVAL,
			       "both option reference and input reference are given: leave one "
			       "out");
	if (!file && !fx_connected(node, REFERENCE))
		return fx_fail(node, FX_EINVAL,
			       "no reference: set option reference or connect input reference");
	if (file && fx_histogram_load(s->reference, s->target, &err) < 0)
		return fx_fail_error(node, &err);
	s->known = file;
	return FX_OK;
}

static void histogram_count(const struct fx_sections *of, const struct fx_section *section,
			    uint64_t counts[FX_MATCH_BINS])
{
	memset(counts, 0, FX_MATCH_BINS * sizeof *counts);
	fx_histogram_count(counts, section->voxels.data, FX_U8, of->height * of->width);
}

static int histogram_learn(struct fx_node *node, void *state, const struct fx_section *section)
{
	struct histogram *s = state;
	uint64_t counts[FX_MATCH_BINS];

	(void)node;
	histogram_count(&s->held, section, counts);
	fx_match_learn(s->source, counts, s->half_life, s->padding);
	fx_match_table(s->source, s->target, s->padding, s->table);
	return FX_OK;
}

static void histogram_map(const void *state, const struct fx_section *section,
			  const struct fx_tile *tile, void *dst)
{
	const struct histogram *s = state;
	uint8_t *to = dst;

	for (size_t y = 0; y < tile->height; y++)
		fx_table_u8(to + y * tile->width, fx_section_row(&s->held, section, tile, y), FX_U8,
			    tile->width, s->table);
}

static const struct fx_sectionwise how = {
	.out = OUT,
	.dtype = FX_U8,
	.learn = histogram_learn,
	.map = histogram_map,
};

static int histogram_process(struct fx_node *node, void *state)
{
	struct histogram *s = state;
	int failed = FX_OK;

	if (fx_waiting(node, REFERENCE) != FX_NOTHING) {
		if (s->known) /* enough of it came */
			fx_block_free(fx_take(node, REFERENCE));
		else
			failed = fx_sectionwise_put(node, REFERENCE, &s->model);
	}
	if (failed < 0 || fx_waiting(node, IMAGE) == FX_NOTHING)
		return failed;
	failed = fx_sectionwise_put(node, IMAGE, &s->held);
	if (failed == FX_ENOMEM && !s->known)
		return fx_fail(node, FX_ENOMEM,
			       "%zu sections are held while %lld of the reference have come: raise "
			       "hold (%d), or set reference_sections",
			       s->held.len, (long long)s->counted[CAME], s->hold);
	return failed;
}

/* The reference is complete: what waited for it goes out. */
static int histogram_release(struct fx_node *node, struct histogram *s)
{
	int failed = FX_OK;

	s->known = true;
	for (size_t i = 0; i < s->waiting_len && failed >= 0; i++)
		failed = fx_sectionwise_close(node, s, &how, &s->held, &s->waiting[i]);
	s->waiting_len = 0;
	return failed;
}

static int histogram_wait(struct fx_node *node, struct histogram *s, const struct fx_mark *m)
{
	if (!fx_grow(&s->waiting, &s->waiting_cap, s->waiting_len + 1, sizeof *s->waiting))
		return fx_fail(node, FX_ENOMEM, "no memory for a mark");
	s->waiting[s->waiting_len++] = *m;
	return FX_OK;
}

/* A section of the reference is whole: it counts like any other. */
static int histogram_model(struct fx_node *node, struct histogram *s, int64_t z)
{
	uint64_t counts[FX_MATCH_BINS];
	struct fx_error err = { 0 };
	struct fx_section *section = fx_sections_whole(&s->model, z, &err);

	if (!section) {
		fx_error_prefix(&err, "reference");
		return fx_fail_error(node, &err);
	}
	histogram_count(&s->model, section, counts);
	fx_sections_drop(&s->model, section);
	for (int v = 0; v < FX_MATCH_BINS; v++)
		s->target[v] += (double)counts[v];
	s->counted[CAME]++;
	return FX_OK;
}

static int histogram_open_reference(struct fx_node *node, struct histogram *s,
				    const struct fx_mark *m)
{
	struct fx_error err = { 0 };

	if (s->model.size)
		return fx_fail(node, FX_EINVAL, "the stream of the reference is opened twice");
	if (fx_sections_init(&s->model, m, s->memory * 1048576, (size_t)s->hold, &err) < 0)
		return fx_fail_error(node, &err);
	if (m->region.hi[0] > m->region.lo[0])
		s->counted[ALL] = m->region.hi[0] - m->region.lo[0];
	return FX_OK;
}

static int histogram_mark_reference(struct fx_node *node, struct histogram *s,
				    const struct fx_mark *m)
{
	const int64_t lo = m->region.lo[0], hi = m->region.hi[0];

	if (m->kind == FX_MARK_OPEN)
		return s->known ? FX_OK : histogram_open_reference(node, s, m);
	if (m->kind == FX_MARK_MISSING) {
		fx_sections_lose(&s->model, lo, hi);
		s->counted[GONE] += hi - lo;
	}
	for (int64_t z = lo; z < hi && m->kind == FX_MARK_DONE && !s->known; z++) {
		const int failed = histogram_model(node, s, z);

		if (failed < 0)
			return failed;
		s->counted[GONE]++;
		if (s->counted[CAME] == s->reference_sections)
			return histogram_release(node, s);
	}
	return !s->known && s->counted[CAME] && s->counted[GONE] == s->counted[ALL] ?
		       histogram_release(node, s) :
		       FX_OK;
}

static int histogram_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct histogram *s = state;

	if (fx_again(node))
		return FX_OK;
	if (m->kind == FX_MARK_OPEN && m->dtype != FX_U8)
		return fx_fail(node, FX_ETYPE, "a stream of %s, but this takes u8",
			       fx_dtype_name(m->dtype));
	if (port == REFERENCE)
		return histogram_mark_reference(node, s, m);
	if (m->kind == FX_MARK_OPEN)
		return fx_sectionwise_open(node, &how, &s->held, m, s->memory, (size_t)s->hold);
	if (!s->known)
		return histogram_wait(node, s, m);
	return fx_sectionwise_close(node, s, &how, &s->held, m);
}

static int histogram_drain(struct fx_node *node, void *state)
{
	struct histogram *s = state;
	int failed = FX_OK;

	if (s->waiting_len && !s->counted[CAME])
		return fx_fail(node, FX_EINVAL, "no section of the reference came");
	if (!s->known)
		failed = histogram_release(node, s);
	return failed < 0 ? failed : fx_sectionwise_drain(node, &how, &s->held);
}

static int histogram_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct histogram *s = state;

	fx_sectionwise_save(node, &s->held, to);
	fx_sectionwise_save(node, &s->model, to);
	fx_pack_bool(to, s->known);
	fx_pack_put(to, s->counted, sizeof s->counted);
	fx_pack_put(to, s->target, sizeof s->target);
	fx_pack_put(to, s->source, sizeof s->source);
	fx_pack_array(to, s->waiting, s->waiting_len, sizeof *s->waiting);
	return FX_OK;
}

static int histogram_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct histogram *s = state;
	void *marks = NULL;
	int failed;

	if (fx_sectionwise_load(node, IMAGE, &s->held, s->memory, (size_t)s->hold, from) < 0 ||
	    fx_sectionwise_load(node, REFERENCE, &s->model, s->memory, (size_t)s->hold, from) < 0 ||
	    fx_unpack_bool(from, &s->known) < 0 ||
	    fx_unpack_get(from, s->counted, sizeof s->counted) < 0 ||
	    fx_unpack_get(from, s->target, sizeof s->target) < 0 ||
	    fx_unpack_get(from, s->source, sizeof s->source) < 0)
		return FX_ETYPE;
	failed = fx_unpack_array(from, &marks, &s->waiting_len, sizeof *s->waiting);
	s->waiting = marks;
	s->waiting_cap = s->waiting_len;
	return failed;
}

static void histogram_finish(void *state)
{
	struct histogram *s = state;

	fx_sections_fini(&s->held);
	fx_sections_fini(&s->model);
	free(s->waiting);
}

FX_NODE(adapter_histogram) = {
	.abi = FX_NODE_ABI,
	.name = "adapter/histogram",
	.summary = "give sections the grey values of a reference",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct histogram),
	.init = histogram_init,
	.process = histogram_process,
	.mark = histogram_mark,
	.drain = histogram_drain,
	.finish = histogram_finish,
	.save = histogram_save,
	.load = histogram_load,
};
