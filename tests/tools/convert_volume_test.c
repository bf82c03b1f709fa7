// SPDX-License-Identifier: Apache-2.0
/* Tests fornix convert of volumes, as a user types it; other libraries read what it writes where
 * they are installed. */
#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/npywrite.h"
#include "support/images.h"
#include "support/outputs.h"
#include "support/volumes.h"

static const size_t shape[3] = { 21, 70, 45 };

/* Runs a command in the folder @p dir, in which $FORNIX stands for fornix. */
static int run(const char *dir, const char *command, char text[4096])
{
	const char *program = getenv("FORNIX_BIN");
	char *line = fx_asprintf("cd '%s' && { %s; } 2>&1", dir, command);
	FILE *out;
	size_t len;
	int status;

	setenv("FORNIX", program ? program : "fornix", 1);
	assert_non_null(line);
	out = popen(line, "r");
	assert_non_null(out);
	len = fread(text, 1, 4095, out);
	text[len] = 0;
	status = pclose(out);
	free(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(const char *dir, const char *command, int code, const char *says)
{
	char text[4096];
	const int got = run(dir, command, text);

	if (got != code || !strstr(text, says))
		fail_msg("%s: ended with %d, said: %s", command, got, text);
}

/* A folder with in.npy; *voxels are what it holds. */
static char *start(enum fx_dtype dtype, struct fx_block **voxels)
{
	char *dir = volumes_dir();
	struct fx_error err = { 0 };

	*voxels = volumes_make(dtype, shape, 8);
	assert_int_equal(fx_npy_write(test_path(dir, "in.npy"), *voxels, &err), FX_OK);
	return dir;
}

static void end(char *dir, struct fx_block *voxels)
{
	fx_block_free(voxels);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void expect_volume(const char *dir, const char *name, const struct fx_block *voxels)
{
	struct fx_volume v;
	struct fx_block *b = volumes_read(test_path(dir, name), &v);

	volumes_same(voxels, b);
	if (v.voxel_nm[0] != 40 || v.voxel_nm[1] != 8 || v.voxel_nm[2] != 7.5 ||
	    v.offset[0] != 10 || v.offset[2] != -4)
		fail_msg("%s: %g %g %g nm at %lld", name, v.voxel_nm[0], v.voxel_nm[1],
			 v.voxel_nm[2], (long long)v.offset[0]);
	fx_block_free(b);
}

/* Of float64: as f32, which is told when something is lost; other types only when nothing is. */
static void what_is_rounded_is_told(void **unused)
{
	static const char head[] =
		"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'fortran_order': False, "
		"'shape': (1, 1, 3), }";
	const double values[2][3] = { { 1, 2, 16777217 }, { 1, 2, 3 } };
	char *dir = volumes_dir(), bytes[128 + sizeof values[0]];

	(void)unused;
	for (int i = 0; i < 2; i++) {
		memset(bytes, ' ', sizeof bytes);
		memcpy(bytes, head, sizeof head - 1);
		memcpy(bytes + 128, values[i], sizeof values[i]);
		test_write_file(test_path(dir, i ? "whole.npy" : "in.npy"), bytes, sizeof bytes);
	}
	expect(dir, "$FORNIX convert in.npy a.zarr", 0, "in.npy has voxels of float64 that");
	expect(dir, "$FORNIX convert in.npy b.zarr --dtype u32", 1, "cannot be told whether u32");
	expect(dir, "test ! -e b.zarr && $FORNIX convert whole.npy b.zarr 2>&1 | grep -c float64",
	       1, "0");
	expect(dir, "$FORNIX convert whole.npy c.zarr --dtype u16", 0, "1 x 1 x 3 voxels");
	end(dir, NULL);
}

/* From each format to the next, and all is as at first. */
static void round_and_round(void **unused)
{
	struct fx_block *voxels;
	char *dir = start(FX_U16, &voxels);

	(void)unused;
	expect(dir,
	       "$FORNIX convert in.npy a.zarr --voxel 40,8,7.5 --offset 10,0,-4 --chunk 16,16,16 "
	       "&& "
	       "$FORNIX convert a.zarr b.tif && $FORNIX convert b.tif c.h5:/volumes/raw && "
	       "$FORNIX convert c.h5:/volumes/raw d --to precomputed --sharded --chunk 8,32,32 && "
	       "$FORNIX convert d e --to zarr3 --codec zstd --sharded && "
	       "$FORNIX convert e f --to precomputed && $FORNIX convert f g.zarr --codec none",
	       0, "a.zarr: 21 x 70 x 45 voxels (z y x) of u16, image, 40 x 8 x 7.5 nm, 4 levels");
	expect_volume(dir, "a.zarr", voxels);
	expect_volume(dir, "b.tif", voxels);
	expect_volume(dir, "c.h5:/volumes/raw", voxels);
	expect_volume(dir, "d", voxels);
	expect_volume(dir, "e", voxels);
	expect_volume(dir, "f", voxels);
	expect_volume(dir, "g.zarr", voxels);
	assert_int_equal(test_count_files(dir, "partial"), 0);
	end(dir, voxels);
}

static void refuses_with_a_sentence(void **unused)
{
	struct fx_block *voxels;
	char *dir = start(FX_U16, &voxels);

	(void)unused;
	expect(dir, "$FORNIX convert in.npy x", 2, "x tells no format: --to FORMAT is needed");
	expect(dir, "$FORNIX convert in.npy x --to zar", 2, "--to is zar: there are zarr, zarr3");
	expect(dir, "$FORNIX convert gone.npy x.zarr", 2, "gone.npy: cannot open");
	expect(dir, "$FORNIX convert in.npy x.zarr --voxel 1,2", 2, "three numbers z,y,x");
	expect(dir, "$FORNIX convert in.npy x.zarr --dtype i8", 2, "there are u8, u16");
	expect(dir, "$FORNIX convert in.npy x.zarr --dtype u8", 1, "which u8 does not hold");
	expect(dir, "$FORNIX convert in.npy x.zarr --role mask", 2, "there are image, labels");
	expect(dir, "$FORNIX convert in.npy x.zarr --chunk 0,1,1", 2, "--chunk is 0,1,1");
	expect(dir, "$FORNIX convert in.npy x.zarr --codec lzw", 2, "there are blosc, zstd");
	expect(dir, "$FORNIX convert in.npy in.npy --force", 2, "nothing is written into what is");
	expect(dir, "$FORNIX convert in.npy ../$(basename $PWD)/in.npy --force", 2,
	       "nothing is written into what is read");
	expect(dir, "$FORNIX convert in.npy a.zarr --quiet && ln -s a.zarr link", 0, "");
	expect(dir, "$FORNIX convert link a.zarr --force", 2, "nothing is written into what is");
	expect(dir, "$FORNIX convert a.zarr/0 a.zarr/labels --to zarr", 2,
	       "nothing is written into");
	expect(dir, "$FORNIX convert a.zarr . --to zarr --force", 2, "nothing is written into");
	expect(dir, "$FORNIX convert in.npy a.zarr", 2, "a.zarr: is there already; --force");
	expect(dir, "$FORNIX convert in.npy a.zarr --force --quiet", 0, "");
	expect(dir, "mkdir mine && touch mine/x && $FORNIX convert in.npy mine --to zarr --force",
	       2, "holds something else than a volume");
	assert_int_equal(test_count_files(dir, "partial"), 0);
	end(dir, voxels);
}

/* A volume of 160 MiB, most of it a hole in the file, with 4 MiB: from sections to chunks, to
 * levels, and back to sections. */
static void larger_than_memory(void **unused)
{
	static const size_t large[3] = { 160, 1024, 1024 };
	char *dir = volumes_dir(), head[FX_NPY_HEAD];
	const char *path = test_path(dir, "in.npy");
	const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	struct rusage use;

	(void)unused;
	assert_true(fx_npy_head(head, FX_U8, 1, large));
	assert_int_equal(fx_pwrite_all(fd, head, sizeof head, 0), 0);
	assert_int_equal(fx_pwrite_all(fd, "voxels", 6, 100000000), 0);
	assert_int_equal(ftruncate(fd, (off_t)(FX_NPY_HEAD + large[0] * large[1] * large[2])), 0);
	close(fd);
	setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 1);
	expect(dir, "$FORNIX convert in.npy a.zarr --memory 4 --levels 1 --chunk 16,64,64", 0,
	       "a.zarr: 160");
	expect(dir, "$FORNIX convert a.zarr b.npy --memory 4 && cmp in.npy b.npy", 0, "b.npy: 160");
	unsetenv("ASAN_OPTIONS");
	assert_int_equal(getrusage(RUSAGE_CHILDREN, &use), 0);
	if (use.ru_maxrss > 110 << 10) /* KiB; a sanitizer has much of it */
		fail_msg("it took %ld MiB", use.ru_maxrss >> 10);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void an_interrupt_leaves_nothing(void **unused)
{
	struct fx_block *voxels;
	char *dir = start(FX_U8, &voxels);

	(void)unused;
	expect(dir,
	       "truncate -s 3G big.npy && head -c 192 in.npy | "
	       "sed 's/(21, 70, 45)/(700,2048,2048)/' | head -c 192 | "
	       "dd of=big.npy conv=notrunc status=none; "
	       "$FORNIX convert big.npy x.zarr --codec gzip & pid=$!; "
	       "while [ -e /proc/$pid ] && ! [ -e x.zarr.fornix-partial/0/.zarray ]; do sleep "
	       "0.02; done; "
	       "kill -INT $pid; wait $pid; echo ended $?",
	       0, "interrupted\nended 1");
	assert_int_equal(test_count_files(dir, ""), 2);
	end(dir, voxels);
}

/* Metadata and the small files are those that other libraries were seen to read, byte by byte. */
static void written_as_it_was_when_others_read_it(void **unused)
{
	static const char *const files[] = { "a/.zattrs",   "a/0/.zarray",   "a/1/0/1/0",
					     "b/zarr.json", "b/0/zarr.json", "c/info",
					     "e.nml" };
	struct fx_block *voxels;
	char *dir = start(FX_U8, &voxels), *golden;
	const bool make = getenv("FORNIX_MAKE_GOLDEN") != NULL;

	(void)unused;
	expect(dir,
	       "ln -s in.npy v.npy; "
	       "$FORNIX convert v.npy a --to zarr --voxel 40,8,8 --codec none --chunk 8,16,16 && "
	       "$FORNIX convert v.npy b --to zarr3 --voxel 40,8,8 --role labels --offset 1,2,3 && "
	       "$FORNIX convert v.npy c --to precomputed --voxel 40,8,8 --role labels --sharded && "
	       "printf '1 1 0.5 1 2 3 -1\\n2 1 4 5 6 1 1\\n' > t.swc && "
	       "$FORNIX convert t.swc e.nml --voxel 40,8,8 --name e",
	       0, "e.nml: 1 trees");
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		golden = fx_asprintf("tests/golden/convert/%s", files[i]);
		for (char *c = golden + strlen("tests/golden/convert/"); *c; c++)
			*c = *c == '/' ? '_' : *c;
		if (make) {
			void *bytes;
			size_t size;

			assert_int_equal(fx_file_read(test_path(dir, files[i]), 1 << 20, &bytes,
						      &size, NULL),
					 FX_OK);
			test_write_file(golden, bytes, size);
			free(bytes);
		}
		test_same_files(test_path(dir, files[i]), golden);
		free(golden);
	}
	end(dir, voxels);
}

/* Python says what it reads. */
static void other_libraries_read_it(void **unused)
{
	static const char script[] =
		"import sys\n"
		"try:\n"
		"    import numpy, zarr, h5py, tifffile\n"
		"except ImportError as e:\n"
		"    print('missing', e); sys.exit(77)\n"
		"a = numpy.load('in.npy')\n"
		"z = zarr.open('a.zarr', 'r')\n"
		"assert (z['0'][:] == a).all() and z['1'].shape == (21, 35, 23)\n"
		"m = z.attrs['multiscales'][0]\n"
		"assert m['version'] == '0.4' and [x['name'] for x in m['axes']] == list('zyx')\n"
		"h = h5py.File('b.h5', 'r')['v/raw']\n"
		"assert (h[:] == a).all() and list(h.attrs['voxel_size']) == [40, 8, 8]\n"
		"for f in ('c.tif', 'd.tif'):\n"
		"    with tifffile.TiffFile(f) as t:\n"
		"        assert (t.asarray() == a).all() and len(t.pages) == 21\n"
		"        assert t.imagej_metadata['spacing'] == 40 and t.imagej_metadata['unit'] "
		"== 'nm'\n"
		"import json, numcodecs, itertools, os\n" /* shards, by the specification */
		"j = json.load(open('e/0/zarr.json'))\n"
		"k = j['codecs'][0]['configuration']\n"
		"S, C = j['chunk_grid']['configuration']['chunk_shape'], k['chunk_shape']\n"
		"assert S == [16, 32, 32] and C == [8, 16, 16] and k['index_location'] == 'end'\n"
		"assert [c['name'] for c in k['codecs']] == ['bytes', 'zstd']\n"
		"n = [s // c for s, c in zip(S, C)]\n"
		"got = numpy.zeros([-(-x // s) * s for x, s in zip(a.shape, S)], a.dtype)\n"
		"for s in itertools.product(*(range(x // y) for x, y in zip(got.shape, S))):\n"
		"    f = 'e/0/c/%d/%d/%d' % s\n"
		"    if not os.path.exists(f): continue\n"
		"    b = open(f, 'rb').read()\n"
		"    i = numpy.frombuffer(b[-16 * numpy.prod(n) - 4:-4], '<u8').reshape(n + [2])\n"
		"    for c in itertools.product(*map(range, n)):\n"
		"        o, l = (int(x) for x in i[c])\n"
		"        if o == 2**64 - 1: continue\n"
		"        v = numcodecs.Zstd().decode(b[o:o + l])\n"
		"        at = [x * y + u * w for x, y, u, w in zip(s, S, c, C)]\n"
		"        got[tuple(slice(x, x + y) for x, y in zip(at, C))] = (\n"
		"            numpy.frombuffer(v, '<u2').reshape(C))\n"
		"assert (got[tuple(map(slice, a.shape))] == a).all()\n"
		"print('all read')\n";
	struct fx_block *voxels;
	char *dir = start(FX_U16, &voxels), text[4096];
	int code;

	(void)unused;
	test_write_file(test_path(dir, "read.py"), script, sizeof script - 1);
	expect(dir,
	       "$FORNIX convert in.npy a.zarr --voxel 40,8,8 && $FORNIX convert a.zarr b.h5:v/raw "
	       "&& "
	       "$FORNIX convert a.zarr e --to zarr3 --shard 16,32,32 --chunk 8,16,16 --codec zstd "
	       "--quiet && "
	       "$FORNIX convert a.zarr c.tif && $FORNIX convert a.zarr d.tif --codec none",
	       0, "d.tif");
	code = run(dir, "/usr/bin/env PATH=/usr/bin:$PATH python3 read.py", text);
	end(dir, voxels);
	if (code == 77 || code == 127)
		test_skip("python3 with numpy, zarr, h5py and tifffile is not installed");
	if (code || !strstr(text, "all read"))
		fail_msg("%s", text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(larger_than_memory), /* first: it asks how large children became */
		cmocka_unit_test(round_and_round),
		cmocka_unit_test(what_is_rounded_is_told),
		cmocka_unit_test(refuses_with_a_sentence),
		cmocka_unit_test(an_interrupt_leaves_nothing),
		cmocka_unit_test(written_as_it_was_when_others_read_it),
		cmocka_unit_test(other_libraries_read_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
