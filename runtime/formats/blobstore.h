// SPDX-License-Identifier: Apache-2.0
/* blobstore.h: compressed byte strings by key, in one file that vanishes with its process, or in
 * one that a later process opens again. */
#ifndef FX_FORMATS_BLOBSTORE_H
#define FX_FORMATS_BLOBSTORE_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

#include "base/pack.h"

struct fx_blobstore;

/** A store in folder @p dir, whose file has no name from the start. At most @p max_bytes are kept
 * (compressed); 0 is no limit. NULL on failure: FX_EIO, FX_ENOMEM in @p err. */
struct fx_blobstore *fx_blobstore_open(const char *dir, uint64_t max_bytes, struct fx_error *err);
/** The same in an empty file called @p name there, without limit: fx_blobstore_pack() may be used.
 */
struct fx_blobstore *fx_blobstore_named(const char *dir, const char *name, struct fx_error *err);
/** Makes the file of a named store durable and puts where its strings lie. From then on the file is
 * only appended to, and what is dropped keeps its room until the second pack after it: by then no
 * save that counts refers to it (a save counts when the next one is begun). FX_EIO, FX_ENOMEM. */
int fx_blobstore_pack(struct fx_blobstore *s, struct fx_pack *to, struct fx_error *err);
/** Opens a named store as it was packed: what was put since is cut off. NULL with FX_ETYPE, FX_EIO,
 * FX_ENOMEM. */
struct fx_blobstore *fx_blobstore_unpack(const char *dir, const char *name, struct fx_unpack *from,
					 struct fx_error *err);
void fx_blobstore_close(struct fx_blobstore *s);
/** Keeps a copy of @p size bytes (at most 2,113,929,216, the limit of LZ4) under @p key, compressed
 * by LZ4 when that helps. FX_EINVAL when the key is there or too much is given, FX_ENOMEM at the
 * limit, FX_EIO. */
int fx_blobstore_put(struct fx_blobstore *s, uint64_t key, const void *bytes, size_t size,
		     struct fx_error *err);
/** The bytes of @p key as *bytes (free()) and *size. FX_ENOENT, FX_EIO, FX_ENOMEM; FX_EIO also when
 * the file does not hold what was put. */
int fx_blobstore_get(const struct fx_blobstore *s, uint64_t key, void **bytes, size_t *size,
		     struct fx_error *err);
/** The same into @p bytes, exactly @p size of them; FX_EINVAL when it is another number. @p bytes
 * is undefined after an error. */
int fx_blobstore_read(const struct fx_blobstore *s, uint64_t key, void *bytes, size_t size,
		      struct fx_error *err);
/** Forgets @p key, fine when it is not there; its room in the file is given back where the file
 * system can, and the file starts anew when nothing is left. */
void fx_blobstore_drop(struct fx_blobstore *s, uint64_t key);
/** Bytes that the kept strings take in the file. */
uint64_t fx_blobstore_size(const struct fx_blobstore *s);

#endif
