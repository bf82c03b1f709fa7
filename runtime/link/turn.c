// SPDX-License-Identifier: Apache-2.0
/* turn.c: the order of messages of a node whose work is parted by a key. */
#include "link/turn.h"

/* round (26 bits), part (6), index (31), ends its round (1) */
enum { PART_AT = 32, ROUND_AT = 38 };

static const uint64_t PART_MASK = (UINT64_C(1) << (ROUND_AT - PART_AT)) - 1;

static uint64_t place_of(uint64_t round, uint64_t part)
{
	return round << ROUND_AT | part << PART_AT;
}

static uint64_t part_of(uint64_t seq)
{
	return seq >> PART_AT & PART_MASK;
}

uint64_t fx_turn_first(unsigned part, unsigned parts)
{
	return parts > 1 ? place_of(0, part) : 0;
}

uint64_t fx_turn_number(uint64_t place, bool mark, unsigned parts)
{
	return parts > 1 ? place | mark : place;
}

uint64_t fx_turn_own(uint64_t seq, unsigned parts)
{
	if (parts <= 1)
		return seq + 1;
	return seq & 1 ? place_of((seq >> ROUND_AT) + 1, part_of(seq)) : seq + 2;
}

uint64_t fx_turn_after(uint64_t seq, unsigned parts)
{
	const uint64_t next = part_of(seq) + 1;

	if (parts <= 1 || !(seq & 1))
		return fx_turn_own(seq, parts);
	return next < parts ? place_of(seq >> ROUND_AT, next) : place_of((seq >> ROUND_AT) + 1, 0);
}

bool fx_turn_is(uint64_t seq, uint64_t place, unsigned parts)
{
	return parts > 1 ? (seq | 1) == (place | 1) : seq == place;
}

bool fx_turn_counts(uint64_t seq, unsigned parts)
{
	return parts <= 1 || part_of(seq) + 1 == parts;
}
