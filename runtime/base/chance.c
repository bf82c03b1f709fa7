// SPDX-License-Identifier: Apache-2.0
/* chance.c: faults that happen by chance, and again in the same places with the same seed. */
#include "base/chance.h"

uint64_t fx_chance_mix(uint64_t before, const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t h = before ^ 0xcbf29ce484222325U;

	for (size_t i = 0; i < size; i++)
		h = (h ^ bytes[i]) * 0x100000001b3U;
	return h;
}

static uint64_t mixed(uint64_t z)
{
	z += 0x9e3779b97f4a7c15U;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

uint64_t fx_chance_bits(uint64_t seed, uint64_t what, uint64_t whom)
{
	return mixed(mixed(mixed(seed) ^ what) ^ whom);
}

bool fx_chance(uint64_t seed, uint64_t what, uint64_t whom, double rate)
{
	return (double)(fx_chance_bits(seed, what, whom) >> 11) < rate * 9007199254740992.0;
}
