// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/keys.c and fornix keygen: modes of files, what is never overwritten, and what
 * is refused as a key. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "link/keys.h"
#include "support/images.h"

static char key[FX_KEY_TEXT];

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 0777;
}

static char *text_of(const char *path)
{
	void *text;
	size_t size;

	assert_int_equal(fx_file_read(path, 4096, &text, &size, NULL), FX_OK);
	return text;
}

static void write_text(const char *path, const char *text)
{
	assert_int_equal(fx_file_write(path, text, strlen(text), NULL), FX_OK);
}

static void make(const char *dir, const char *name, bool force)
{
	struct fx_error err = { 0 };

	if (fx_key_pair_make(dir, name, force, key, &err) < 0)
		fail_msg("%s", err.text);
}

static void only_the_owner_reads_a_secret(void **unused)
{
	char *dir = test_tmp_dir();
	const mode_t before = umask(0);

	(void)unused;
	make(test_path(dir, "keys"), "a", false);
	umask(0777);
	make(test_path(dir, "keys"), "b", false);
	umask(before);
	assert_int_equal(mode_of(test_path(dir, "keys/a.secret")), 0600);
	assert_int_equal(mode_of(test_path(dir, "keys/b.secret")), 0600);
	assert_int_equal(mode_of(test_path(dir, "keys/a.public")), 0644);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void nothing_is_overwritten_unless_asked(void **unused)
{
	char *dir = test_tmp_dir(), *old, *now;
	struct fx_error err = { 0 };

	(void)unused;
	make(dir, "a", false);
	old = text_of(test_path(dir, "a.secret"));
	assert_int_equal(fx_key_pair_make(dir, "a", false, key, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "--force"));
	/* either file alone is enough, and the other is not made */
	assert_int_equal(unlink(test_path(dir, "a.public")), 0);
	assert_int_equal(fx_key_pair_make(dir, "a", false, key, &err), FX_EINVAL);
	assert_int_not_equal(access(test_path(dir, "a.public"), F_OK), 0);
	now = text_of(test_path(dir, "a.secret"));
	assert_string_equal(now, old);
	free(now);
	/* no link is followed, also none to nothing */
	assert_int_equal(symlink("elsewhere", test_path(dir, "b.secret")), 0);
	assert_int_equal(fx_key_pair_make(dir, "b", false, key, &err), FX_EINVAL);
	make(dir, "b", true);
	assert_int_not_equal(access(test_path(dir, "elsewhere"), F_OK), 0);
	make(dir, "a", true);
	now = text_of(test_path(dir, "a.secret"));
	assert_string_not_equal(now, old);
	assert_int_equal(mode_of(test_path(dir, "a.secret")), 0600);
	free(now);
	free(old);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void names_stay_in_the_folder(void **unused)
{
	static const char *const names[] = { "", "../a", "a/b", ".a", "-a", "/a" };
	char *dir = test_tmp_dir();
	struct fx_error err = { 0 };

	(void)unused;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(fx_key_pair_make(dir, names[i], true, key, &err), FX_EINVAL);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void refused(const char *dir, const char *why)
{
	struct fx_keys k = { 0 };
	struct fx_error err = { 0 };

	if (fx_keys_read(&k, dir, &err) == FX_OK || !strstr(err.text, why))
		fail_msg("not refused by \"%s\": %s", why, err.text);
	assert_int_equal(k.secret_key[0], 0);
}

static void the_keys_of_a_run_are_read(void **unused)
{
	char *dir = test_tmp_dir(), first[FX_KEY_TEXT];
	struct fx_keys k = { 0 };
	struct fx_error err = { 0 };

	(void)unused;
	make(dir, "own", false);
	memcpy(first, key, sizeof first);
	assert_int_equal(fx_keys_read(&k, dir, &err), FX_OK);
	assert_string_equal(k.public_key, first);
	assert_int_equal(k.allowed_len, 0);
	fx_keys_fini(&k);
	make(test_path(dir, "allowed"), "friend", false);
	assert_int_equal(fx_keys_read(&k, dir, &err), FX_OK);
	assert_int_equal(k.allowed_len, 1);
	assert_string_equal(k.allowed[0], key);
	fx_keys_fini(&k);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void what_is_no_key_is_refused(void **unused)
{
	char *dir = test_tmp_dir(), *secret, *good;

	(void)unused;
	refused(test_path(dir, "none"), "No such file");
	refused(dir, "holds 0 secret keys, and needs one");
	make(dir, "own", false);
	secret = fx_path_join(dir, "own.secret");
	good = text_of(secret);
	assert_int_equal(chmod(secret, 0640), 0);
	refused(dir, "others than its owner can read it");
	assert_int_equal(chmod(secret, 0600), 0);
	make(dir, "second", false);
	refused(dir, "holds 2 secret keys");
	assert_int_equal(unlink(test_path(dir, "second.secret")), 0);
	/* a public file in its place, one cut short, one with more behind it, and none at all */
	assert_int_equal(rename(test_path(dir, "second.public"), secret), 0);
	assert_int_equal(chmod(secret, 0600), 0);
	refused(dir, "is not a secret key");
	for (int i = 0; i < 3; i++) {
		char text[128];

		snprintf(text, sizeof text, "%.*s%s", i == 0 ? 50 : 57, i == 2 ? "" : good,
			 i == 1 ? "more\n" : "");
		write_text(secret, text);
		assert_int_equal(chmod(secret, 0600), 0);
		refused(dir, "is not a secret key");
	}
	write_text(secret, good);
	assert_int_equal(chmod(secret, 0600), 0);
	assert_int_equal(fx_make_dirs(test_path(dir, "allowed"), NULL), FX_OK);
	write_text(test_path(dir, "allowed/x.public"), good); /* a secret there is a mistake */
	refused(dir, "is not a public key");
	free(good);
	free(secret);
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* Runs "fornix keygen ARGUMENTS" in @p dir. */
static void keygen(const char *dir, const char *arguments, int code, const char *says)
{
	char command[1024], text[4096];
	const char *program = getenv("FORNIX_BIN");
	FILE *out;
	size_t len;
	int status;

	snprintf(command, sizeof command, "cd '%s' && '%s' keygen %s 2>&1", dir,
		 program ? program : "fornix", arguments);
	out = popen(command, "r");
	assert_non_null(out);
	len = fread(text, 1, sizeof text - 1, out);
	text[len] = 0;
	status = pclose(out);
	if (WEXITSTATUS(status) != code || !strstr(text, says))
		fail_msg("keygen %s: ended with %d, said: %s", arguments, status, text);
}

static void the_command_makes_them(void **unused)
{
	char *dir = test_tmp_dir(), *text, *k;

	(void)unused;
	keygen(dir, "lab", 0, "");
	text = text_of(test_path(dir, "lab.public"));
	k = text + strlen("fornix-public-1 ");
	k[strcspn(k, "\n")] = 0;
	assert_true(fx_key_valid(k));
	keygen(dir, "lab", 2, "lab.public is there already");
	keygen(dir, "lab --out elsewhere", 0, "");
	assert_int_equal(mode_of(test_path(dir, "elsewhere/lab.secret")), 0600);
	keygen(dir, "lab --force", 0, "");
	keygen(dir, "../lab", 2, "is no name for keys");
	keygen(dir, "", 2, "too few arguments");
	keygen(dir, "--help", 0, "fornix keygen microscope --out keys");
	free(text);
	fx_remove_tree(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_owner_reads_a_secret),
		cmocka_unit_test(nothing_is_overwritten_unless_asked),
		cmocka_unit_test(names_stay_in_the_folder),
		cmocka_unit_test(the_keys_of_a_run_are_read),
		cmocka_unit_test(what_is_no_key_is_refused),
		cmocka_unit_test(the_command_makes_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
