// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/hdf5super.c. */
#include "support/test.h"

#include <fcntl.h>
#include <hdf5.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/hdf5super.h"

/* An empty file of the library, its superblock behind @p before bytes; then, with @p driver, the
 * address of a driver information block. */
static int check(const char *folder, hsize_t before, bool latest, const char *driver,
		 struct fx_error *err)
{
	char *path = fx_asprintf("%s/file.h5", folder);
	const hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
	int fd, result;

	H5Pset_userblock(create, before);
	if (latest)
		H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
	assert_true(H5Fclose(H5Fcreate(path, H5F_ACC_TRUNC, create, access)) >= 0);
	H5Pclose(create);
	H5Pclose(access);
	fd = open(path, O_WRONLY);
	if (driver)
		assert_int_equal(pwrite(fd, driver, 8, (off_t)before + 48), 8);
	close(fd);
	result = fx_hdf5_check(path, err);
	free(path);
	return result;
}

static void takes_what_the_library_writes(void **folder)
{
	struct fx_error err = { 0 };

	for (hsize_t before = 0; before < 3000; before = before ? 2 * before : 512)
		for (int latest = 0; latest < 2; latest++)
			assert_int_equal(check(*folder, before, latest, NULL, &err), FX_OK);
}

static void refuses_a_driver(void **folder)
{
	struct fx_error err = { 0 };

	for (hsize_t before = 0; before < 3000; before = before ? 2 * before : 512) {
		assert_int_equal(check(*folder, before, false, "\x09\0\0\0\0\0\0\0", &err),
				 FX_EINVAL);
		assert_string_equal(err.text, "is one file of several (it has a driver "
					      "information block), or damaged: fornix reads "
					      "HDF5 in one file");
	}
}

static void leaves_the_rest_to_the_library(void **folder)
{
	char *path = fx_asprintf("%s/short", *(char **)folder);
	struct fx_error err = { 0 };

	assert_int_equal(fx_hdf5_check(path, &err), FX_ENOENT);
	assert_int_equal(fx_file_write(path, "\x89HDF\r\n\x1a\n", 8, &err), FX_OK);
	assert_int_equal(fx_hdf5_check(path, &err), FX_OK);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_what_the_library_writes, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(refuses_a_driver, test_folder_make,
						test_folder_remove),
		cmocka_unit_test_setup_teardown(leaves_the_rest_to_the_library, test_folder_make,
						test_folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
