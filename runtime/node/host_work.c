// SPDX-License-Identifier: Apache-2.0
/* host_work.c: what a host is at, for the conductor to see: of a node that hangs or dies, which
 * message it was that did it. */
#include "node/host_private.h"

void fx__host_works(const struct fx__host *h, int64_t now_ns, unsigned port, uint64_t seq)
{
	atomic_store(&h->me->work_port, port);
	atomic_store(&h->me->work_seq, seq);
	atomic_store(&h->me->work_since_ns, now_ns);
}

void fx__host_rests(const struct fx__host *h)
{
	atomic_store(&h->me->work_since_ns, 0);
	atomic_store(&h->me->work_port, 0);
}
