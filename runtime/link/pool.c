// SPDX-License-Identifier: Apache-2.0
/* pool.c: payload slots in shared memory. */
#include "link/pool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wire/wire.h"

enum { HEAD_SIZE = 4096 };

struct pool_head {
	_Atomic uint64_t holders[FX_POOL_SLOTS];
};

struct fx_pool {
	struct pool_head *head; /* mapped read and write by all */
	char *slots;		/* mapped read only by consumers */
};

static const size_t slots_size = (size_t)FX_POOL_SLOTS * FX_WIRE_PAYLOAD_MAX;

int fx_pool_create(struct fx_error *err)
{
	const int fd = memfd_create("fornix-pool", MFD_CLOEXEC);

	if (fd < 0)
		return fx_error_set(err, FX_EIO, "cannot make shared memory: %s", strerror(errno));
	if (ftruncate(fd, (off_t)(HEAD_SIZE + slots_size)) != 0) {
		close(fd);
		return fx_error_set(err, FX_EIO, "cannot size shared memory: %s", strerror(errno));
	}
	return fd;
}

struct fx_pool *fx_pool_map(int fd, bool writable, struct fx_error *err)
{
	struct fx_pool *p = calloc(1, sizeof *p);
	void *head, *slots;

	if (!p) {
		fx_error_set(err, FX_ENOMEM, "no memory for a pool");
		return NULL;
	}
	head = mmap(NULL, HEAD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	slots = mmap(NULL, slots_size, writable ? PROT_READ | PROT_WRITE : PROT_READ,
		     MAP_SHARED | MAP_NORESERVE, fd, HEAD_SIZE);
	if (head == MAP_FAILED || slots == MAP_FAILED) {
		fx_error_set(err, FX_EIO, "cannot map shared memory: %s", strerror(errno));
		if (head != MAP_FAILED)
			munmap(head, HEAD_SIZE);
		if (slots != MAP_FAILED)
			munmap(slots, slots_size);
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
	munmap(p->slots, slots_size);
	free(p);
}

int fx_pool_take(struct fx_pool *p)
{
	for (int i = 0; i < FX_POOL_SLOTS; i++) {
		uint64_t free_slot = 0;

		if (atomic_compare_exchange_strong(&p->head->holders[i], &free_slot, 1))
			return i;
	}
	return -1;
}

void fx_pool_hold(struct fx_pool *p, unsigned slot, unsigned holder)
{
	atomic_fetch_or(&p->head->holders[slot], (uint64_t)1 << holder);
}

void fx_pool_drop(struct fx_pool *p, unsigned slot, unsigned holder)
{
	atomic_fetch_and(&p->head->holders[slot], ~((uint64_t)1 << holder));
}

void fx_pool_forget(struct fx_pool *p, unsigned holder, uint64_t except)
{
	for (unsigned i = 0; i < FX_POOL_SLOTS; i++)
		if (!(except >> i & 1))
			fx_pool_drop(p, i, holder);
}

void *fx_pool_slot(const struct fx_pool *p, unsigned slot)
{
	return slot < FX_POOL_SLOTS ? p->slots + (size_t)slot * FX_WIRE_PAYLOAD_MAX : NULL;
}

unsigned fx_pool_used(const struct fx_pool *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FX_POOL_SLOTS; i++)
		n += atomic_load(&p->head->holders[i]) != 0;
	return n;
}
