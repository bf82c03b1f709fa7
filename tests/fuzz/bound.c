// SPDX-License-Identifier: Apache-2.0
/* bound.c: how much a reader allocates for an input. */
#include "fuzz/bound.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "fuzz/fuzz.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_HOOKS
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAS_HOOKS
#endif

#ifdef HAS_HOOKS
/* of <sanitizer/allocator_interface.h>, which gcc does not always come with */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *p,
								size_t size),
					      void (*on_free)(const volatile void *p));
size_t __sanitizer_get_allocated_size(const volatile void *p);

/* The HDF5 library keeps some memory of files that it does not take. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libhdf5\n";
}

static size_t live, most;
static bool installed;

static void on_malloc(const volatile void *p, size_t size)
{
	(void)p;
	live += size;
	most = live > most ? live : most;
}

static void on_free(const volatile void *p)
{
	const size_t size = p ? __sanitizer_get_allocated_size(p) : 0;

	live = live > size ? live - size : 0; /* what was there before goes as well */
}

void fuzz_bound_begin(void)
{
	if (!installed)
		fuzz_must(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0);
	installed = true;
	live = most = 0;
}

void fuzz_bound_end(size_t size, size_t base, size_t each)
{
	const size_t got = most;

	if (got > base + each * size)
		fprintf(stderr, "%zu bytes were allocated for an input of %zu\n", got, size);
	fuzz_must(got <= base + each * size);
}
#else
void fuzz_bound_begin(void)
{
}

void fuzz_bound_end(size_t size, size_t base, size_t each)
{
	(void)size;
	(void)base;
	(void)each;
}
#endif

void fuzz_folder(const void *data, size_t size, const char *name, char folder[64], char path[96])
{
	int fd;

	snprintf(folder, 64, "/dev/shm/fuzz-fornix-XXXXXX");
	if (!mkdtemp(folder)) {
		snprintf(folder, 64, "/tmp/fornix-fuzz-XXXXXX");
		fuzz_must(mkdtemp(folder) != NULL);
	}
	snprintf(path, 96, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	fuzz_must(fd >= 0 && fx_pwrite_all(fd, data, size, 0) == 0);
	close(fd);
}

void fuzz_folder_end(const char *folder, const char *path)
{
	unlink(path);
	rmdir(folder);
}

const char *fuzz_file(const void *data, size_t size, int *fd, char path[32])
{
	*fd = memfd_create("fuzz", MFD_CLOEXEC);
	fuzz_must(*fd >= 0 && fx_pwrite_all(*fd, data, size, 0) == 0);
	snprintf(path, 32, "/proc/self/fd/%d", *fd);
	return path;
}
