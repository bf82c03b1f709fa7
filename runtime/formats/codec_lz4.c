// SPDX-License-Identifier: Apache-2.0
/* codec_lz4.c: the dialects of LZ4: one block, blocks behind heads, and with bits shuffled. */
#include "formats/codec_lz4.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>

enum { HDF5_HEAD = 12, JAVA_HEAD = 21, JAVA_RAW = 0x10, JAVA_LZ4 = 0x20, BLOCK_MAX = 1 << 26 };

static uint32_t u32be(const unsigned char *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint32_t u32le(const unsigned char *b)
{
	return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

/* Exactly @p want bytes from one block. */
static bool lz4_block(const void *in, size_t in_size, void *out, size_t want)
{
	return in_size <= INT32_MAX && want <= INT32_MAX &&
	       LZ4_decompress_safe(in, out, (int)in_size, (int)want) == (int)want;
}

static int lz4_raw(const void *in, size_t in_size, void *out, size_t cap, size_t *size)
{
	const int most = cap > INT32_MAX ? INT32_MAX : (int)cap;
	const int got = in_size > INT32_MAX ? -1 : LZ4_decompress_safe(in, out, (int)in_size, most);

	*size = got < 0 ? 0 : (size_t)got;
	return got < 0 ? -1 : 0;
}

static int lz4_numcodecs(const unsigned char *in, size_t in_size, void *out, size_t cap,
			 size_t *size)
{
	if (in_size < 4 || u32le(in) > cap)
		return -1;
	*size = u32le(in);
	return lz4_block(in + 4, in_size - 4, out, *size) ? 0 : -1;
}

/* Blocks of: "LZ4Block", method and level, compressed size, size, a sum of the bytes (not
 * compared). */
static int lz4_java(const unsigned char *in, size_t in_size, unsigned char *out, size_t cap,
		    size_t *size)
{
	size_t at = 0, done = 0;

	while (in_size - at >= JAVA_HEAD) {
		const unsigned char *head = in + at;
		const size_t packed = u32le(head + 9), n = u32le(head + 13);

		at += JAVA_HEAD;
		if (memcmp(head, "LZ4Block", 8) != 0 || packed > in_size - at || n > cap - done)
			return -1;
		if ((head[8] & 0xF0) == JAVA_RAW && packed == n)
			memcpy(out + done, in + at, n);
		else if ((head[8] & 0xF0) != JAVA_LZ4 || !lz4_block(in + at, packed, out + done, n))
			return -1;
		at += packed;
		done += n;
	}
	*size = done;
	return at == in_size ? 0 : -1;
}

/* Eight rows of eight bits, as bytes of @p x: columns become rows (Warren, Hacker's Delight). */
static uint64_t turn_bits(uint64_t x)
{
	uint64_t t = (x ^ x >> 7) & 0x00AA00AA00AA00AA;

	x ^= t ^ t << 7;
	t = (x ^ x >> 14) & 0x0000CCCC0000CCCC;
	x ^= t ^ t << 14;
	t = (x ^ x >> 28) & 0x00000000F0F0F0F0;
	return x ^ t ^ t << 28;
}

/* Byte k of row i becomes byte i of row k. */
static void turn_bytes(uint64_t rows[8])
{
	for (int i = 0; i < 4; i++) {
		const uint64_t t = (rows[i] >> 32 ^ rows[i + 4]) & 0x00000000FFFFFFFF;

		rows[i + 4] ^= t;
		rows[i] ^= t << 32;
	}
	for (int i = 0; i < 8; i += i % 4 == 1 ? 3 : 1) {
		const uint64_t t = (rows[i] >> 16 ^ rows[i + 2]) & 0x0000FFFF0000FFFF;

		rows[i + 2] ^= t;
		rows[i] ^= t << 16;
	}
	for (int i = 0; i < 8; i += 2) {
		const uint64_t t = (rows[i] >> 8 ^ rows[i + 1]) & 0x00FF00FF00FF00FF;

		rows[i + 1] ^= t;
		rows[i] ^= t << 8;
	}
}

/* @p n voxels from @p at on, at most 64: byte @p b of each, from eight rows of bits. */
static void unshuffle_some(const unsigned char *bits, size_t stride, size_t n, unsigned char *out,
			   size_t elem)
{
	uint64_t rows[8] = { 0 };

	for (size_t k = 0; k < 8; k++)
		memcpy(&rows[k], bits + k * stride, n / 8);
	turn_bytes(rows);
	for (size_t g = 0; g < n / 8; g++) {
		const uint64_t v = turn_bits(rows[g]);

		if (elem == 1)
			memcpy(out + g * 8, &v, 8);
		else
			for (size_t i = 0; i < 8; i++)
				out[(g * 8 + i) * elem] = (unsigned char)(v >> 8 * i);
	}
}

void fx_bitunshuffle(const void *in, void *out, size_t len, size_t elem)
{
	const unsigned char *from = in;
	unsigned char *to = out;
	const size_t stride = len / 8;

	for (size_t b = 0; b < elem; b++)
		for (size_t at = 0; at < len; at += 64) {
			const size_t n = len - at < 64 ? len - at : 64;

			unshuffle_some(from + b * len + at / 8, stride, n, to + at * elem + b,
				       elem);
		}
}

/* One block of @p len voxels: its size, u32be, then LZ4 of what bitshuffle made. The number of
 * bytes read, 0 when it is damaged. */
static size_t bslz4_block(const unsigned char *in, size_t in_size, unsigned char *out, size_t len,
			  size_t elem, unsigned char *work)
{
	const size_t packed = in_size < 4 ? 0 : u32be(in);

	if (in_size < 4 || packed > in_size - 4 || !lz4_block(in + 4, packed, work, len * elem))
		return 0;
	fx_bitunshuffle(work, out, len, elem);
	return 4 + packed;
}

/* Whole blocks, then one of what is left to a multiple of 8 voxels, then up to 7 as they are. */
static int lz4_bitshuffle(const unsigned char *in, size_t in_size, unsigned char *out, size_t len,
			  size_t elem, size_t block)
{
	unsigned char *work = malloc((block < len ? block : len) * elem + 1);
	size_t at = 0, done = 0;
	bool right = work != NULL;

	while (right && len - done >= 8) {
		const size_t left = len - done, n = left < block ? left - left % 8 : block;
		const size_t took =
			bslz4_block(in + at, in_size - at, out + done * elem, n, elem, work);

		right = took > 0;
		at += took;
		done += n;
	}
	right = right && in_size - at == (len - done) * elem;
	if (right)
		memcpy(out + done * elem, in + at, (len - done) * elem);
	free(work);
	return right ? 0 : -1;
}

/* Blocks of LZ4: u32be size, then that, or the bytes as they are where that is not smaller. */
static int lz4_hdf5(const unsigned char *in, size_t in_size, unsigned char *out, size_t size,
		    size_t block)
{
	size_t at = 0;

	for (size_t done = 0; done < size; done += block) {
		const size_t n = size - done < block ? size - done : block;
		const size_t packed = in_size - at < 4 ? SIZE_MAX : u32be(in + at);

		if (packed > in_size - at - 4)
			return -1;
		if (packed == n)
			memcpy(out + done, in + at + 4, n);
		else if (!lz4_block(in + at + 4, packed, out + done, n))
			return -1;
		at += 4 + packed;
	}
	return at == in_size ? 0 : -1;
}

/* Head: u64be size, u32be bytes of a block (0: about 8 KiB, with bits shuffled). */
static int lz4_headed(enum fx_codec codec, size_t elem, const unsigned char *in, size_t in_size,
		      unsigned char *out, size_t cap, size_t *size)
{
	size_t n, block;

	if (in_size < HDF5_HEAD || u32be(in) != 0 || u32be(in + 4) > cap)
		return -1;
	n = u32be(in + 4);
	block = u32be(in + 8);
	*size = n;
	in += HDF5_HEAD;
	in_size -= HDF5_HEAD;
	if (codec == FX_CODEC_LZ4_HDF5)
		return block && block <= INT32_MAX ? lz4_hdf5(in, in_size, out, n, block) : -1;
	block = block ? block / elem : 8192 / elem;
	if (!block || block % 8 || block > BLOCK_MAX || n % elem)
		return -1;
	return lz4_bitshuffle(in, in_size, out, n / elem, elem, block);
}

int fx__lz4_decode(enum fx_codec codec, size_t elem, const void *in, size_t in_size, void *out,
		   size_t cap, size_t *size)
{
	switch (codec) {
	case FX_CODEC_LZ4:
		return lz4_numcodecs(in, in_size, out, cap, size);
	case FX_CODEC_LZ4_RAW:
		return lz4_raw(in, in_size, out, cap, size);
	case FX_CODEC_LZ4_JAVA:
		return lz4_java(in, in_size, out, cap, size);
	case FX_CODEC_BSLZ4:
	case FX_CODEC_LZ4_HDF5:
		return lz4_headed(codec, elem, in, in_size, out, cap, size);
	default:
		return -1;
	}
}
