// SPDX-License-Identifier: Apache-2.0
/* mt19937.c: the Mersenne twister, for results that were published with it. */
#include "kernels/ffn_seeds.h"

enum { N = 624, M = 397 };

void fx_mt19937_init(struct fx_mt19937 *m, uint32_t seed)
{
	m->state[0] = seed;
	for (uint32_t i = 1; i < N; i++)
		m->state[i] = 1812433253U * (m->state[i - 1] ^ (m->state[i - 1] >> 30)) + i;
	m->next = N;
}

static void refill(struct fx_mt19937 *m)
{
	for (size_t i = 0; i < N; i++) {
		const uint32_t y =
			(m->state[i] & 0x80000000U) | (m->state[(i + 1) % N] & 0x7fffffffU);

		m->state[i] = m->state[(i + M) % N] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfU : 0);
	}
	m->next = 0;
}

static uint32_t word(struct fx_mt19937 *m)
{
	uint32_t y;

	if (m->next >= N)
		refill(m);
	y = m->state[m->next++];
	y ^= y >> 11;
	y ^= (y << 7) & 0x9d2c5680U;
	y ^= (y << 15) & 0xefc60000U;
	return y ^ (y >> 18);
}

double fx_mt19937_real(struct fx_mt19937 *m)
{
	const uint32_t a = word(m) >> 5, b = word(m) >> 6;

	return ((double)a * 67108864.0 + (double)b) / 9007199254740992.0;
}
