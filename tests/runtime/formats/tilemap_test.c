// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/tilemap.c and csv.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/tilemap.h"
#include "support/images.h"

static const char *text_file(const char *folder, const char *name, const char *text)
{
	const char *path = test_path(folder, name);

	test_write_file(path, text, strlen(text));
	return path;
}

static void tile_maps_are_read(void **folder)
{
	static const char *const texts[] = {
		"section,tile,y,x\n,1,0,90.5\n,0,-1.25,0\n7,0,3,4\n",
		"\xef\xbb\xbf\"Tile\" , X, y ,note,section,height,width\r\n"
		"1,90.5,0,\"a, \"\"b\"\"\",,,\r\n\r\n0,0,-1.25,,,,\r\n0,4,3,,7,,\r\n",
		"[{\"tile\":1,\"y\":0,\"x\":90.5},{\"tile\":0,\"y\":-1.25,\"x\":0,\"z\":\"?\"},"
		"{\"section\":7,\"tile\":0,\"y\":3,\"x\":4}]",
	};

	for (size_t i = 0; i < 3; i++) {
		const char *path = text_file(*folder, i < 2 ? "tiles.csv" : "t.json", texts[i]);
		const struct fx_tilemap_tile *t;
		struct fx_tilemap m = { 0 };
		struct fx_error err = { 0 };
		size_t len;

		if (fx_tilemap_read(&m, path, &err) < 0)
			fail_msg("%s", err.text);
		t = fx_tilemap_section(&m, 3, &len);
		assert_int_equal(len, 2);
		assert_true(t[0].tile == 0 && t[0].y == -1.25 && t[1].x == 90.5 && !t[1].height);
		t = fx_tilemap_section(&m, 7, &len);
		assert_int_equal(len, 1);
		assert_true(t[0].y == 3 && t[0].x == 4);
		fx_tilemap_fini(&m);
	}
}

static void wrong_maps_are_one_sentence(void **folder)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "the table is empty" },
		{ "tile,y\n0,1\n", "line 1: no column \"x\"; needed are tile, y, x" },
		{ "tile,y,x\n0,1,zwei\n", "line 2: \"zwei\" is not a number" },
		{ "tile,y,x\n0,1\n", "line 2: y and x must be numbers up to 2^30" },
		{ "tile,y,x\n0,1,inf\n", "\"inf\" is not a number" },
		{ "tile,y,x\n-1,1,1\n", "line 2: tile must be a whole number" },
		{ "tile,y,x\n0,1,1e10\n", "y and x must be numbers up to 2^30" },
		{ "tile,y,x\n0,1,1\n\n0,2,2\n", "tile 0 of section -1 twice" },
		{ "tile,y,x,height\n0,1,1,5\n", "height and width come together" },
		{ "tile,y,x,height,width\n0,1,1,5,2e9\n", "width must be from 1 to 2^20" },
		{ "tile,y,x\n", "has no tiles" },
		{ "tile,y,x\n0,\"1,1\n", "line 2: a quote does not end" },
	};
	static const struct {
		const char *text, *says;
	} json[] = {
		{ "{\"tile\":0}", "is not an array of objects" },
		{ "[{\"tile\":0,\"y\":1,\"x\":\"2\"}]", "object 0: x is no number" },
		{ "[{\"tile\":0,\"y\":1}]", "object 0: y and x must be" },
		{ "[3]", "object 0: tile must be" },
		{ "[", "line 1: " },
	};
	struct fx_error err;

	for (size_t i = 0; i < sizeof cases / sizeof *cases + sizeof json / sizeof *json; i++) {
		const bool csv = i < sizeof cases / sizeof *cases;
		const size_t k = csv ? i : i - sizeof cases / sizeof *cases;
		const char *path = text_file(*folder, csv ? "t.csv" : "t.json",
					     csv ? cases[k].text : json[k].text);
		struct fx_tilemap m = { 0 };

		assert_true(fx_tilemap_read(&m, path, &err) < 0);
		if (!strstr(err.text, csv ? cases[k].says : json[k].says) ||
		    !strstr(err.text, path))
			fail_msg("%s", err.text);
		fx_tilemap_fini(&m);
	}
	assert_int_equal(fx_tilemap_read(&(struct fx_tilemap){ 0 }, "/nonexistent", &err),
			 FX_ENOENT);
}

static void manifests_are_read(void **folder)
{
	const char *path = text_file(*folder, "m.csv",
				     "section,tile,version,file\n5,2,3,z.png\n4,,,a/b.png\n"
				     "9,0,1,half wri");
	struct fx_manifest m = { 0 };
	struct fx_error err = { 0 };
	const struct fx_manifest_file *f;

	if (fx_manifest_read(&m, path, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(m.len, 2); /* a line that is being written does not count */
	assert_true(m.low == 4 && m.high == 5);
	f = fx_manifest_find(&m, "z.png");
	assert_true(f && f->section == 5 && f->tile == 2 && f->version == 3);
	f = fx_manifest_find(&m, "a/b.png");
	assert_true(f && f->section == 4 && f->tile == 0 && f->version == 1);
	assert_null(fx_manifest_find(&m, "b.png"));
	fx_manifest_fini(&m);
}

static void wrong_manifests_are_one_sentence(void **folder)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "section,tile\n1,2\n", "no column \"file\"; needed are section and file" },
		{ "section,file\nx,a.png\n", "line 2: \"x\" is not a number" },
		{ "section,file\n1.5,a.png\n", "line 2: 1.5 must be a whole number" },
		{ "section,file\n,a.png\n", "line 2:  must be a whole number" },
		{ "section,file\n1\n", "line 2: no file" },
		{ "section,file\n1,a.png\n2,a.png\n", "a.png twice" },
	};
	struct fx_error err;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *path = text_file(*folder, "m.csv", cases[i].text);
		struct fx_manifest m = { 0 };

		assert_true(fx_manifest_read(&m, path, &err) < 0);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s", err.text);
		fx_manifest_fini(&m);
	}
}

/* Bytes turned at random are read, or refused, no more. */
static void hostile_tables(void **folder)
{
	static const char good[] = "section,tile,y,x,file,height,width\n"
				   "1,\"2\",3.5,4,a.png,6,7\n0,0,-1e3,2,\"b \"\"c\",8,9\n";
	uint64_t seed = 4;

	for (int i = 0; i < 300; i++) {
		struct fx_tilemap map = { 0 };
		struct fx_manifest list = { 0 };
		char text[sizeof good];

		memcpy(text, good, sizeof good);
		for (int k = 0; k < 3; k++)
			text[test_random(&seed) % (sizeof good - 1)] =
				"\",\n0-e\0x"[test_random(&seed) % 8];
		test_write_file(test_path(*folder, "h.csv"), text, sizeof good - 1);
		fx_tilemap_read(&map, test_path(*folder, "h.csv"), NULL);
		fx_manifest_read(&list, test_path(*folder, "h.csv"), NULL);
		fx_tilemap_fini(&map);
		fx_manifest_fini(&list);
	}
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, test_folder_make, test_folder_remove)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(tile_maps_are_read), IN_FOLDER(wrong_maps_are_one_sentence),
		IN_FOLDER(manifests_are_read), IN_FOLDER(wrong_manifests_are_one_sentence),
		IN_FOLDER(hostile_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
