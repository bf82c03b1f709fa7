// SPDX-License-Identifier: Apache-2.0
/* pack.h: values to a file and back, in order: what a node saves of its state. The file appears
 * complete or not at all and ends with a checksum (XXH3) of all before it. Values lie there as in
 * memory: it is for the next life of the same program on the same machine. */
#ifndef FX_BASE_PACK_H
#define FX_BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>
#include <fornix/node.h>

/** Begins a file that will be at @p path; it has another name until fx_pack_close(). NULL with
 * FX_EIO or FX_ENOMEM. Values are put by fx_pack_put() and fx_pack_array() of fornix/node.h. */
struct fx_pack *fx_pack_open(const char *path, struct fx_error *err);
/** Bytes put so far. */
uint64_t fx_pack_size(const struct fx_pack *p);
/** Adds the checksum, makes the file durable and gives it its name; or, when any put failed or
 * @p keep is false, removes it. Frees @p p, takes NULL. */
int fx_pack_close(struct fx_pack *p, bool keep, struct fx_error *err);

/** One byte, 0 or 1. */
void fx_pack_bool(struct fx_pack *p, bool v);

/** Opens a file of fx_pack_close(). NULL with FX_ENOENT when there is none, FX_ETYPE when it is
 * damaged (bytes are hostile), FX_EIO, FX_ENOMEM. Values are got by fx_unpack_get() and
 * fx_unpack_array() of fornix/node.h, which fail behind its end. */
struct fx_unpack *fx_unpack_open(const char *path, struct fx_error *err);
/** FX_ETYPE when it is neither 0 nor 1. */
int fx_unpack_bool(struct fx_unpack *u, bool *v);
/** FX_OK when all values were got and none failed, else FX_ETYPE. Frees @p u, takes NULL. */
int fx_unpack_close(struct fx_unpack *u);

#endif
