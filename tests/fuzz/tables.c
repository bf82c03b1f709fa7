// SPDX-License-Identifier: Apache-2.0
/* tables.c: places of tiles and names of files, as CSV or JSON. */
#include "formats/tilemap.h"
#include "fuzz/bound.h"
#include "fuzz/fuzz.h"

enum { BASE = 1 << 18, EACH = 600 }; /* values of JSON */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_tilemap tiles = { 0 };
	struct fx_manifest files = { 0 };
	struct fx_error err = { 0 };
	char folder[64], path[96];

	fuzz_folder(data, size, size && data[0] == '[' ? "t.json" : "t.csv", folder, path);
	fuzz_bound_begin();
	fuzz_must_tell(fx_tilemap_read(&tiles, path, &err), &err);
	fuzz_must_tell(fx_manifest_read(&files, path, &err), &err);
	fx_tilemap_fini(&tiles);
	fx_manifest_fini(&files);
	fuzz_bound_end(size, BASE, EACH);
	fuzz_folder_end(folder, path);
	return 0;
}
