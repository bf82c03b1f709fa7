// SPDX-License-Identifier: Apache-2.0
/* bench.h: what the benchmarks share. */
#ifndef FX_TOOLS_BENCH_H
#define FX_TOOLS_BENCH_H

#include <jansson.h>
#include <stdint.h>

#include "graph/registry.h"

enum { BENCH_ROUNDS = 3 };

/** What one round measured. */
struct bench_round {
	double seconds,
		cpu_ms; /**< wall between first and last block; processor of all processes */
};

/** The round with the median of seconds. */
struct bench_round bench_median(struct bench_round *rounds, int len);

/** Processor time of all processes that have ended and were waited for. */
double bench_children_cpu_ms(void);
/** Sums all 8-byte words. */
uint64_t bench_read(const void *bytes, size_t size);
/** Writes every byte. */
void bench_write(void *bytes, size_t size, uint64_t seed);

/** The median; sorts @p values. */
double bench_median_of(double *values, int len);
/** Neurites of a phantom in @p depth sections of @p side x @p side voxels of 8 nm: grey values,
 * with organelles and noise when @p textured, and ids; either may be NULL. */
bool bench_phantom(size_t depth, size_t side, bool textured, uint8_t *image, uint64_t *labels,
		   struct fx_error *err);

/** One block through an edge, without the framework: both fork their processes. Blocks of @p bytes,
 * @p count of them, through @p relays processes that forward. False when it failed. */
bool bench_zeromq(size_t bytes, int count, int relays, struct bench_round *out);
bool bench_ring(size_t bytes, int count, int relays, struct bench_round *out);
/** The same through fornix: real nodes, real links, real processes. */
bool bench_fornix(size_t bytes, int count, int relays, struct bench_round *out);

/** Every benchmark appends its results; false after a message. */
bool bench_link(json_t *results);
bool bench_graph(json_t *results);
bool bench_conv3d(json_t *results);
bool bench_unet(json_t *results);
bool bench_cc(json_t *results);
bool bench_edt(json_t *results);
bool bench_teasar(json_t *results);
bool bench_voi(json_t *results);
bool bench_agglomerate(json_t *results);
bool bench_scale(json_t *results);
bool bench_frames(json_t *results);

/** Node types that only benchmarks use: bench/source and bench/sink, NULL-terminated. */
extern const struct fx_node_type *const bench_nodes[];

#endif
