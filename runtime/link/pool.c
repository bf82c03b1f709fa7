// SPDX-License-Identifier: Apache-2.0
/* pool.c: payload slots in shared memory. */
#include "link/pool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/wire.h"

enum { HEAD_SIZE = 8192 };

struct pool_head {
	_Atomic uint64_t holders[FX_POOL_SLOTS_MAX][FX_POOL_WORDS];
};

struct fx_pool {
	struct pool_head *head; /* mapped read and write by all */
	char *slots;		/* mapped read only by consumers */
	unsigned len;		/* how many: the size of the file says it */
};

static size_t slots_size(unsigned slots)
{
	return (size_t)slots * FX_WIRE_PAYLOAD_MAX;
}

int fx_pool_create(unsigned slots, struct fx_error *err)
{
	const int fd = memfd_create("fornix-pool", MFD_CLOEXEC);

	if (fd < 0)
		return fx_error_set(err, FX_EIO, "cannot make shared memory: %s", strerror(errno));
	if (ftruncate(fd, (off_t)(HEAD_SIZE + slots_size(slots))) != 0) {
		close(fd);
		return fx_error_set(err, FX_EIO, "cannot size shared memory: %s", strerror(errno));
	}
	return fd;
}

/* Slots of the pool in a file; 0 when it is none. */
static unsigned slots_in(int fd)
{
	struct stat st;
	size_t n;

	if (fstat(fd, &st) != 0 || st.st_size < HEAD_SIZE)
		return 0;
	n = ((size_t)st.st_size - HEAD_SIZE) / FX_WIRE_PAYLOAD_MAX;
	return n <= FX_POOL_SLOTS_MAX ? (unsigned)n : 0;
}

struct fx_pool *fx_pool_map(int fd, bool writable, struct fx_error *err)
{
	struct fx_pool *p = calloc(1, sizeof *p);
	void *head = MAP_FAILED, *slots = MAP_FAILED;

	if (!p) {
		fx_error_set(err, FX_ENOMEM, "no memory for a pool");
		return NULL;
	}
	p->len = slots_in(fd);
	if (!p->len) {
		errno = EINVAL;
	} else {
		head = mmap(NULL, HEAD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		slots = mmap(NULL, slots_size(p->len),
			     writable ? PROT_READ | PROT_WRITE : PROT_READ,
			     MAP_SHARED | MAP_NORESERVE, fd, HEAD_SIZE);
	}
	if (head == MAP_FAILED || slots == MAP_FAILED) {
		fx_error_set(err, FX_EIO, "cannot map shared memory: %s", strerror(errno));
		if (head != MAP_FAILED)
			munmap(head, HEAD_SIZE);
		if (slots != MAP_FAILED)
			munmap(slots, slots_size(p->len));
		free(p);
		return NULL;
	}
	p->head = head;
	p->slots = slots;
	return p;
}

void fx_pool_unmap(struct fx_pool *p)
{
	if (!p)
		return;
	munmap(p->head, HEAD_SIZE);
	munmap(p->slots, slots_size(p->len));
	free(p);
}

static bool pool_is_held(const struct fx_pool *p, unsigned slot)
{
	uint64_t bits = 0;

	for (unsigned w = 0; w < FX_POOL_WORDS; w++)
		bits |= atomic_load(&p->head->holders[slot][w]);
	return bits != 0;
}

/* One producer takes, and no consumer becomes a holder of what it does not hold: a slot that is
 * free stays so until then. */
int fx_pool_take(struct fx_pool *p)
{
	for (unsigned i = 0; i < p->len; i++)
		if (!pool_is_held(p, i)) {
			fx_pool_hold(p, i, 0);
			return (int)i;
		}
	return -1;
}

void fx_pool_hold(struct fx_pool *p, unsigned slot, unsigned holder)
{
	atomic_fetch_or(&p->head->holders[slot][holder / 64], (uint64_t)1 << holder % 64);
}

void fx_pool_drop(struct fx_pool *p, unsigned slot, unsigned holder)
{
	atomic_fetch_and(&p->head->holders[slot][holder / 64], ~((uint64_t)1 << holder % 64));
}

void fx_pool_forget(struct fx_pool *p, unsigned holder, const struct fx_slots *except)
{
	for (unsigned i = 0; i < p->len; i++)
		if (!except || !fx_slots_has(except, i))
			fx_pool_drop(p, i, holder);
}

void *fx_pool_slot(const struct fx_pool *p, unsigned slot)
{
	return slot < p->len ? p->slots + (size_t)slot * FX_WIRE_PAYLOAD_MAX : NULL;
}

unsigned fx_pool_used(const struct fx_pool *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < p->len; i++)
		n += pool_is_held(p, i);
	return n;
}

unsigned fx_pool_slots(const struct fx_pool *p)
{
	return p->len;
}

bool fx_slots_has(const struct fx_slots *s, unsigned slot)
{
	return atomic_load(&s->bits[slot / 64]) >> slot % 64 & 1;
}

void fx_slots_set(struct fx_slots *s, unsigned slot, bool on)
{
	const uint64_t bit = (uint64_t)1 << slot % 64;

	if (on)
		atomic_fetch_or(&s->bits[slot / 64], bit);
	else
		atomic_fetch_and(&s->bits[slot / 64], ~bit);
}
