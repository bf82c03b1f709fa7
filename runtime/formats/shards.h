// SPDX-License-Identifier: Apache-2.0
/* shards.h: byte strings by 64-bit id in few files, as Neuroglancer has them
 * (neuroglancer_uint64_sharded_v1): chunks of precomputed volumes and skeletons. */
#ifndef FX_FORMATS_SHARDS_H
#define FX_FORMATS_SHARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <fornix/error.h>

#include "base/map64.h"

/** How ids are spread over files. */
struct fx_sharding {
	unsigned preshift, minishard_bits, shard_bits; /**< 64 at most in all */
	bool murmur;				       /**< hash, else the id itself */
	bool gzip_index, gzip_data;
};

enum {
	FX_MINISHARD_BITS_MAX = 16,  /**< of shards that are read */
	FX_MINISHARD_MAX = 64 << 20, /**< bytes of an index of one minishard, inflated */
};

/** Reads a "sharding" object. FX_ETYPE for what is not accepted. */
int fx_sharding_parse(const json_t *json, struct fx_sharding *s, struct fx_error *err);
/** The object again; json_decref(). NULL without memory. */
json_t *fx_sharding_json(const struct fx_sharding *s);
/** Sharding of a volume of @p cells chunks (zyx): neighbours lie in one file, of at most 4096. */
struct fx_sharding fx_sharding_for(const size_t cells[3]);
/** Where @p id lies. */
void fx_sharding_place(const struct fx_sharding *s, uint64_t id, uint64_t *shard,
		       uint64_t *minishard);
/** The id of the chunk at @p grid of @p cells, both zyx: its compressed Morton code. */
uint64_t fx_morton(const size_t grid[3], const size_t cells[3]);

/** One minishard that was read. */
struct fx_minishard {
	uint64_t shard, number;
	uint64_t *entries; /**< owned: id, start, size of each; ids grow */
	size_t len;
	bool known;
};

/** Reads from a folder of shards. Set the first members, the rest zero; fx_shards_fini() when done.
 */
struct fx_shards {
	const char *folder; /**< borrowed */
	struct fx_sharding sharding;
	struct fx_minishard last; /**< private */
};

/** The bytes of @p id, inflated, at most @p max: *bytes (free()), *size. FX_ENOENT when there are
 * none; FX_EINVAL when the file is damaged: any bytes are safe. */
int fx_shards_get(struct fx_shards *s, uint64_t id, size_t max, void **bytes, size_t *size,
		  struct fx_error *err);
/** All ids in the folder, sorted: *ids (free()), *len. Errors as of fx_shards_get(). */
int fx_shards_ids(struct fx_shards *s, uint64_t **ids, size_t *len, struct fx_error *err);
void fx_shards_fini(struct fx_shards *s);
/** Parses an inflated index of a minishard: entries (free()) sorted by id. */
int fx_minishard_parse(const void *bytes, size_t size, uint64_t **entries, size_t *len,
		       struct fx_error *err);

/** Writes shards to a folder. Set the first members, the rest zero; fx_shard_writer_fini(). */
struct fx_shard_writer {
	const char *folder; /**< borrowed; exists */
	struct fx_sharding sharding;
	struct fx_map64 numbers;     /**< private: shard to its place in files, + 1 */
	struct fx_shard_file *files; /**< private, owned */
	size_t len, cap;
};

/** Keeps the bytes of @p id in a file of its shard; ids in any order, each once. Memory grows by 24
 * bytes each time. */
int fx_shard_writer_put(struct fx_shard_writer *w, uint64_t id, const void *bytes, size_t size,
			struct fx_error *err);
/** All was put: makes the shards of the files. */
int fx_shard_writer_finish(struct fx_shard_writer *w, struct fx_error *err);
/** Takes a zeroed one too. Files that are not finished stay. */
void fx_shard_writer_fini(struct fx_shard_writer *w);

#endif
