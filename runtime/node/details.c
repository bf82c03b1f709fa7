// SPDX-License-Identifier: Apache-2.0
/* details.c: what a scorer tells of single objects. */
#include "node/details.h"

#include <stdlib.h>

#include "formats/nglink.h"
#include "kernels/metrics.h"
#include "kernels/scores.h"

/* The place to look at: that of the largest part but one which has one. */
static const int64_t *mistake_place(const struct fx_mistake *m)
{
	for (size_t i = 1; i < m->parts_len && i < FX_MISTAKE_PARTS; i++)
		if (m->parts[i].placed)
			return m->parts[i].at;
	return m->parts[0].placed ? m->parts[0].at : NULL;
}

static char *mistake_link(const struct fx_mistake *m, const struct fx_links *links)
{
	uint64_t parts[FX_MISTAKE_PARTS];
	const size_t n = m->parts_len < FX_MISTAKE_PARTS ? m->parts_len : FX_MISTAKE_PARTS;
	const struct fx_nglink_layer layers[] = {
		{ "image", links->image, NULL, 0 },
		{ "labels", links->labels, m->merger ? &m->id : parts, m->merger ? 1 : n },
		{ "truth", links->truth, m->merger ? parts : &m->id, m->merger ? n : 1 },
	};
	const int64_t *at = mistake_place(m);

	for (size_t i = 0; i < n; i++)
		parts[i] = m->parts[i].id;
	return at ? fx_nglink(links->viewer, links->voxel_nm, at, layers, 3) : NULL;
}

struct fx_record *fx_details_mistake(const struct fx_mistake *m, const struct fx_links *links)
{
	struct fx_record *r = fx_mistake_record(m);
	char *link = r ? mistake_link(m, links) : NULL;

	if (link && fx_record_add_text(r, "link", link) < 0) {
		fx_record_free(r);
		r = NULL;
	}
	free(link);
	return r;
}

int fx_details_send_mistakes(struct fx_node *node, unsigned port, const struct fx_contingency *c,
			     size_t most, const struct fx_links *links)
{
	int rc = FX_OK;

	for (int mergers = 0; rc == FX_OK && mergers < 2; mergers++) {
		struct fx_mistake *m;
		size_t len;

		if (fx_mistakes_find(c, mergers == 1, most, &m, &len) < 0)
			return fx_fail(node, FX_ENOMEM, "no memory for %zu pairs of labels",
				       c->len);
		for (size_t i = 0; rc == FX_OK && i < len; i++) {
			struct fx_record *r = fx_details_mistake(&m[i], links);

			rc = r ? fx_send_record(node, port, r) :
				 fx_fail(node, FX_ENOMEM, "no memory for %zu mistakes", len);
		}
		free(m);
	}
	return rc;
}

/* Where records go. */
struct way {
	struct fx_node *node;
	unsigned port;
};

static int send_neuron(struct fx_record *r, void *data)
{
	const struct way *w = data;

	return fx_send_record(w->node, w->port, r);
}

int fx_details_send_neurons(struct fx_node *node, unsigned port, const struct fx_erl_node *nodes,
			    size_t len, uint64_t tolerance_nodes)
{
	struct way w = { node, port };
	struct fx_error err = { 0 };
	const int rc = fx_scores_neurons(nodes, len, tolerance_nodes, send_neuron, &w, &err);

	return rc < 0 && err.text[0] ? fx_fail_error(node, &err) : rc;
}

void fx_details_so_far(struct fx_node *node, unsigned truth, const struct fx_contingency *c,
		       uint64_t scored, uint64_t *next)
{
	const struct fx_mark *open = fx_opened(node, truth);
	const int64_t *hi = open ? open->region.hi : NULL;
	struct fx_seg_scores s;

	fx_progress(node, (double)scored, hi ? (double)hi[0] * (double)hi[1] * (double)hi[2] : 0,
		    "voxels");
	if (scored < *next)
		return;
	*next = scored + scored / 8;
	if (fx_metrics_scores(c, FX_TRUTH_NONZERO, &s, NULL) < 0)
		return;
	fx_progress(node, s.voi, 0, "VOI so far");
	fx_progress(node, s.arand, 0, "ARAND so far");
}
