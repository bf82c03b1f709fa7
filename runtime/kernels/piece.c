// SPDX-License-Identifier: Apache-2.0
/* piece.c: pieces of skeletons as bytes. */
#include "kernels/piece.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void fx_piece_fini(struct fx_piece *p)
{
	fx_tree_free(p->tree);
	free(p->links);
	memset(p, 0, sizeof *p);
}

/* Before the nodes and the links of a packed piece. */
struct packed {
	uint64_t voxels, nodes, links, segment, label;
};

int fx_piece_pack(const struct fx_piece *p, void **bytes, size_t *size)
{
	const size_t nodes = p->tree->len * sizeof *p->tree->nodes,
		     links = p->links_len * sizeof *p->links;
	const struct packed head = { p->voxels, p->tree->len, p->links_len, p->tree->segment,
				     p->label };
	char *to = fx_calloc(1, sizeof head + nodes + links);

	if (!to)
		return FX_ENOMEM;
	memcpy(to, &head, sizeof head);
	memcpy(to + sizeof head, p->tree->nodes, nodes);
	memcpy(to + sizeof head + nodes, p->links, links);
	*bytes = to;
	*size = sizeof head + nodes + links;
	return FX_OK;
}

int fx_piece_unpack(const void *bytes, size_t size, struct fx_piece *p)
{
	struct packed head;
	struct fx_piece made = { 0 };
	const char *from = bytes;

	if (size < sizeof head)
		return FX_EINVAL;
	memcpy(&head, from, sizeof head);
	size -= sizeof head;
	from += sizeof head;
	if (head.nodes > size / sizeof *made.tree->nodes ||
	    head.links > size / sizeof *made.links ||
	    head.nodes * sizeof *made.tree->nodes + head.links * sizeof *made.links != size)
		return FX_EINVAL;
	made.label = head.label;
	made.voxels = head.voxels;
	made.links_len = head.links;
	made.tree = fx_tree_new(head.segment, head.nodes);
	made.links = fx_calloc(head.links, sizeof *made.links);
	if (!made.tree || !made.links) {
		fx_piece_fini(&made);
		return FX_ENOMEM;
	}
	memcpy(made.tree->nodes, from, head.nodes * sizeof *made.tree->nodes);
	memcpy(made.links, from + head.nodes * sizeof *made.tree->nodes,
	       head.links * sizeof *made.links);
	*p = made;
	return FX_OK;
}
