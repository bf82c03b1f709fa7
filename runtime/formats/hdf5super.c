// SPDX-License-Identifier: Apache-2.0
/* hdf5super.c: what must not be left to the HDF5 library. */
#include "formats/hdf5super.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 24 + 4 + 4 * 8 }; /* of a superblock, up to and with its addresses of 8 bytes */

/* The driver's address is the last of four, behind sizes; all bits are set where there is none.
 * Other sizes of addresses than 2 to 8 bytes are for the library to refuse. */
static bool has_driver(const unsigned char *block)
{
	const unsigned version = block[8], width = block[13];
	const unsigned char *at = block + 24 + (version == 1 ? 4 : 0) + 3 * width;

	if (version > 1 || width < 2 || width > 8)
		return false;
	for (unsigned i = 0; i < width; i++)
		if (at[i] != 0xff)
			return true;
	return false;
}

/* It lies at 0, 512, and every power of two behind that. */
int fx_hdf5_check(const char *path, struct fx_error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char block[SIZE];
	bool bad = false;

	if (fd < 0)
		return fx_error_set(err, errno == ENOENT ? FX_ENOENT : FX_EIO, "cannot open: %s",
				    strerror(errno));
	for (off_t at = 0; at < (off_t)1 << 40; at = at ? 2 * at : 512) {
		if (pread(fd, block, sizeof block, at) != (ssize_t)sizeof block)
			break;
		if (memcmp(block, "\x89HDF\r\n\x1a\n", 8) != 0)
			continue;
		bad = has_driver(block);
		break;
	}
	close(fd);
	if (bad)
		return fx_error_set(err, FX_EINVAL,
				    "is one file of several (it has a driver information block), "
				    "or damaged: fornix reads HDF5 in one file");
	return FX_OK;
}
