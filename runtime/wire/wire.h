// SPDX-License-Identifier: Apache-2.0
/* wire.h: messages to header bytes and back. Bytes are hostile until decode has accepted them. */
#ifndef FX_WIRE_WIRE_H
#define FX_WIRE_WIRE_H

#include <fornix/block.h>
#include <fornix/error.h>
#include <fornix/node.h>

enum {
	FX_WIRE_HEADER_MAX = 64 << 10,	 /**< bytes of a header or control frame */
	FX_WIRE_PAYLOAD_MAX = 256 << 20, /**< bytes of a payload, before and after coding */
	FX_WIRE_ACKS_MAX = 4096,	 /**< sequence numbers in one Ack */
	FX_WIRE_RATIO_MAX = 255,	 /**< a coded payload becomes at most so many times more */
};

enum fx_codec {
	FX_CODEC_STORED = 0,
	FX_CODEC_LZ4 = 1,
	FX_CODEC_ZSTD = 2, /**< grey values as differences from their neighbours */
	FX_CODECS
};

/** How the payloads of an edge are to be coded where they travel in frames. */
enum fx_way {
	FX_WAY_AUTO, /**< by what they are and how fast the link is */
	FX_WAY_NONE, /**< as they are ... */
	FX_WAY_LZ4,  /**< ... or so, when it makes them a tenth smaller */
	FX_WAY_ZSTD
};

/** Where the payload of a message is and how it is coded. */
struct fx_payload {
	enum fx_codec codec;
	size_t size, raw_size; /**< bytes as they lie there; after decoding */
	bool in_slot;
	uint32_t slot;
};

/** A message beside its payload. */
struct fx_envelope {
	uint64_t seq;
	enum fx_kind kind; /**< FX_NOTHING: a mark */
	void *message;	   /**< fx_block (data NULL), fx_tree or fx_record; owned after decode */
	struct fx_mark mark;
	struct fx_payload payload;
};

enum fx_control_kind { FX_CONTROL_WELCOME = 1, FX_CONTROL_HELLO, FX_CONTROL_ACK };

/** What the ends of an edge tell each other (proto/control.proto). */
struct fx_control {
	enum fx_control_kind kind;
	char node[64], port[64];
	uint32_t instance, epoch, credit_messages;
	uint64_t credit_bytes;
	uint64_t *acks; /**< of an ACK; of a HELLO: what has come; owned after decode; free() */
	size_t acks_len;
	bool lists;	       /**< HELLO: acks are all that has come and is not acknowledged */
	bool wants;	       /**< HELLO: blocks that lie outside of want are of no use ... */
	struct fx_region want; /**< ... when decoded without: all there is */
};

/** Bytes that the payload of @p message has before coding. */
size_t fx_wire_payload_size(enum fx_kind kind, const void *message);
/** The payload bytes of @p message: voxels, packed nodes or table. NULL when there are none. */
const void *fx_wire_payload(enum fx_kind kind, const void *message);

/** Header frame of @p e: *bytes (free()) and *size. */
int fx_wire_encode(const struct fx_envelope *e, void **bytes, size_t *size, struct fx_error *err);
/** Decodes and validates a header frame; every size is bounded and agrees with the others.
 * On success e->message is the caller's; a tree or record has room for its payload, which
 * fx_wire_fill() then brings in; a block has no data yet. */
int fx_wire_decode(const void *bytes, size_t size, struct fx_envelope *e, struct fx_error *err);
/** Copies decoded payload bytes (payload.raw_size of them) into a tree or record, and checks them.
 */
int fx_wire_fill(struct fx_envelope *e, const void *raw, struct fx_error *err);
/** Frees e->message. */
void fx_envelope_fini(struct fx_envelope *e);

int fx_control_encode(const struct fx_control *c, void **bytes, size_t *size, struct fx_error *err);
int fx_control_decode(const void *bytes, size_t size, struct fx_control *c, struct fx_error *err);
/** True when the frame is a control frame (not a header). */
bool fx_wire_is_control(const void *bytes, size_t size);
/** The wire version that a frame is of; -1 when it is none of ours. */
int fx_wire_version(const void *bytes, size_t size);

/** Codes @p size bytes with LZ4 into fresh memory when that makes them at least a tenth smaller.
 * *out stays NULL (and *out_size 0) when it does not: send them as they are. */
int fx_codec_compress(const void *raw, size_t size, void **out, size_t *out_size);
/** The same with Zstandard. @p elem: of how many bytes (1, 2, 4 or 8) the integers are whose
 * differences from their neighbours are coded, @p row of them in a row; 0: the bytes as they are.
 * Both make a difference to the size alone: floating point numbers count as integers. */
int fx_codec_compress_zstd(const void *raw, size_t size, size_t elem, size_t row, void **out,
			   size_t *out_size);
/** Decodes exactly @p raw_size bytes into @p raw. */
int fx_codec_decompress(enum fx_codec codec, const void *bytes, size_t size, void *raw,
			size_t raw_size, struct fx_error *err);

#endif
