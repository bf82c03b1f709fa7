// SPDX-License-Identifier: Apache-2.0
/* treepack.h: trees in what a node saves. */
#ifndef FX_BLOCK_TREEPACK_H
#define FX_BLOCK_TREEPACK_H

#include <fornix/block.h>

#include "base/pack.h"

/** Puts a tree. */
void fx_tree_pack(const struct fx_tree *t, struct fx_pack *to);
/** Takes one back: the caller's. FX_ETYPE also when a parent is not before its child. FX_ENOMEM. */
int fx_tree_unpack(struct fx_tree **t, struct fx_unpack *from);

#endif
