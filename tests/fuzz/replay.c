// SPDX-License-Identifier: Apache-2.0
/* replay.c: gives a fuzz target all files of folders, and copies changed by a fixed seed, where
 * there is no libFuzzer: fuzz-TARGET [--copies N] FOLDER... */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "fuzz/fuzz.h"

enum { COPIES = 200, LARGE = 8192, FILE_MAX = 1 << 20 };

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* From memory of exactly that size: a sanitizer sees a byte too far. */
static void try_once(const void *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	fuzz_must(exact != NULL);
	if (size)
		memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static void try_changed(const uint8_t *data, size_t size, uint64_t *seed)
{
	uint8_t *copy = malloc(size);
	const size_t cut = next(seed) % 4 ? 0 : next(seed) % size;

	fuzz_must(copy != NULL);
	memcpy(copy, data, size);
	for (uint64_t k = 0; k <= next(seed) % 4; k++) {
		const size_t at = next(seed) % size;

		copy[at] = (uint8_t)(next(seed) % 2 ? next(seed) : copy[at] ^ 1u << next(seed) % 8);
	}
	try_once(copy, size - cut);
	free(copy);
}

static size_t try_file(const char *path, size_t copies, uint64_t *seed)
{
	struct fx_error err = { 0 };
	void *data;
	size_t size;

	if (fx_file_read(path, FILE_MAX, &data, &size, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	try_once(data, size);
	if (size > LARGE)
		copies = 1 + copies / 20;
	for (size_t i = 0; size && i < copies; i++)
		try_changed(data, size, seed);
	free(data);
	return 1 + (size ? copies : 0);
}

/* Inputs tried. */
static size_t try_folder(const char *folder, size_t copies, uint64_t *seed)
{
	struct dirent **names;
	const int n = scandir(folder, &names, NULL, alphasort);
	size_t tried = 0;

	for (int i = 0; i < n; i++) {
		char path[512];

		snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			tried += try_file(path, copies, seed);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return tried;
}

int main(int argc, char **argv)
{
	uint64_t seed = 88172645463325252u;
	size_t copies = COPIES, tried = 0;
	int from = 1;

	if (argc > 2 && strcmp(argv[1], "--copies") == 0) {
		copies = strtoul(argv[2], NULL, 10);
		from = 3;
	}
	for (int i = from; i < argc; i++) {
		const size_t n = try_folder(argv[i], copies, &seed);

		if (n < 5) {
			fprintf(stderr, "%s: a corpus has at least 5 files\n", argv[i]);
			return 1;
		}
		tried += n;
	}
	printf("%zu inputs tried\n", tried);
	return tried ? 0 : 1;
}
