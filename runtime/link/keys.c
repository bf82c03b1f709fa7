// SPDX-License-Identifier: Apache-2.0
/* keys.c: CURVE key pairs as files, and the list of those who may connect. */
#include "link/keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/file.h"

#define PUBLIC_WORD "fornix-public-1 "
#define SECRET_WORD "fornix-secret-1 "

enum { WORD_LEN = sizeof PUBLIC_WORD - 1, LINE_LEN = WORD_LEN + FX_KEY_TEXT };

bool fx_key_valid(const char *text)
{
	uint8_t bytes[FX_KEY_BYTES];
	const bool ok = strlen(text) == FX_KEY_TEXT - 1 && zmq_z85_decode(bytes, text);

	explicit_bzero(bytes, sizeof bytes);
	return ok;
}

static bool name_valid(const char *name)
{
	const size_t len = strlen(name);

	return len && len <= FX_KEY_NAME_MAX && name[0] != '.' && name[0] != '-' &&
	       !strchr(name, '/');
}

/* A file that was not there, with its mode from the first moment; false: errno. */
static bool write_new(const char *path, const char *line, mode_t mode)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	int failed = fd < 0 ? -errno : 0;

	if (fd < 0) {
		errno = -failed;
		return false;
	}
	if (fchmod(fd, mode) != 0)
		failed = -errno;
	if (!failed)
		failed = fx_pwrite_all(fd, line, LINE_LEN, 0);
	if (!failed && fsync(fd) != 0)
		failed = -errno;
	if (close(fd) != 0 && !failed)
		failed = -errno;
	if (failed)
		unlink(path);
	errno = -failed;
	return !failed;
}

/* Writes @p line to @p path: new, or with @p force in the place of what is there. */
static int write_key(const char *path, const char *line, mode_t mode, bool force,
		     struct fx_error *err)
{
	char *temporary = force ? fx_asprintf("%s.fornix-partial", path) : NULL;
	const char *to = force ? temporary : path;
	int result = FX_OK;

	if (force && !temporary)
		return fx_error_set(err, FX_ENOMEM, "no memory");
	if (force)
		unlink(temporary);
	if (!write_new(to, line, mode) || (force && rename(temporary, path) != 0)) {
		const bool there = !force && errno == EEXIST;

		result = fx_error_set(err, there ? FX_EINVAL : FX_EIO,
				      there ? "%s is there already: use another name, or --force "
					      "to replace it" :
					      "%s: cannot write: %s",
				      path, strerror(errno));
		if (force)
			unlink(temporary);
	}
	free(temporary);
	return result;
}

static int write_pair(const char *public_path, const char *secret_path, const char *public_key,
		      const char *secret_key, bool force, struct fx_error *err)
{
	char line[LINE_LEN + 1];
	struct stat st;
	int result;

	if (!force && lstat(public_path, &st) == 0)
		return fx_error_set(err, FX_EINVAL,
				    "%s is there already: use another name, or --force to replace "
				    "it",
				    public_path);
	snprintf(line, sizeof line, SECRET_WORD "%s\n", secret_key);
	result = write_key(secret_path, line, 0600, force, err);
	explicit_bzero(line, sizeof line);
	if (result < 0)
		return result;
	snprintf(line, sizeof line, PUBLIC_WORD "%s\n", public_key);
	result = write_key(public_path, line, 0644, force, err);
	if (result < 0 && !force)
		unlink(secret_path);
	return result;
}

int fx_key_pair_make(const char *dir, const char *name, bool force, char public_key[FX_KEY_TEXT],
		     struct fx_error *err)
{
	char secret_key[FX_KEY_TEXT];
	char *public_path, *secret_path;
	int result;

	if (!name_valid(name))
		return fx_error_set(
			err, FX_EINVAL,
			"\"%s\" is no name for keys: at most %d bytes, no slash, no dot "
			"or dash first",
			name, FX_KEY_NAME_MAX);
	if (fx_make_dirs(dir, err) < 0)
		return FX_EIO;
	if (zmq_curve_keypair(public_key, secret_key) != 0)
		return fx_error_set(err, FX_EIO, "this ZeroMQ has no CURVE: %s",
				    zmq_strerror(errno));
	public_path = fx_asprintf("%s/%s.public", dir, name);
	secret_path = fx_asprintf("%s/%s.secret", dir, name);
	if (public_path && secret_path)
		result = write_pair(public_path, secret_path, public_key, secret_key, force, err);
	else
		result = fx_error_set(err, FX_ENOMEM, "no memory");
	explicit_bzero(secret_key, sizeof secret_key);
	free(public_path);
	free(secret_path);
	return result;
}

static int open_key(const char *path, bool secret, struct fx_error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		fx_error_set(err, FX_EIO, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		fx_error_set(err, FX_EINVAL, "%s: is not a file", path);
	} else if (secret && st.st_mode & 077) {
		fx_error_set(err, FX_EINVAL,
			     "%s: others than its owner can read it; chmod 600 it, or make new "
			     "keys",
			     path);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return FX_EINVAL;
}

static int read_key(const char *path, bool secret, char key[FX_KEY_TEXT], struct fx_error *err)
{
	const char *const word = secret ? SECRET_WORD : PUBLIC_WORD;
	const int fd = open_key(path, secret, err);
	char line[LINE_LEN + 2] = "";
	int result = FX_OK;
	ssize_t n;

	if (fd < 0)
		return FX_EINVAL;
	n = pread(fd, line, sizeof line - 1, 0);
	close(fd);
	if (n == LINE_LEN && line[n - 1] == '\n')
		line[--n] = 0;
	memcpy(key, line + WORD_LEN, FX_KEY_TEXT);
	if (n != LINE_LEN - 1 || strncmp(line, word, WORD_LEN) != 0 || !fx_key_valid(key))
		result = fx_error_set(err, FX_EINVAL,
				      "%s: is not a %s key as fornix keygen makes it", path,
				      secret ? "secret" : "public");
	explicit_bzero(line, sizeof line);
	return result;
}

static int is_secret(const struct dirent *e)
{
	return e->d_name[0] != '.' && fx_path_ends(e->d_name, ".secret");
}

static int is_public(const struct dirent *e)
{
	return e->d_name[0] != '.' && fx_path_ends(e->d_name, ".public");
}

static void names_free(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static int read_own(struct fx_keys *k, const char *dir, struct fx_error *err)
{
	struct dirent **names = NULL;
	const int n = scandir(dir, &names, is_secret, alphasort);
	char *path = n == 1 ? fx_path_join(dir, names[0]->d_name) : NULL;
	int result = FX_EINVAL;

	if (n < 0)
		fx_error_set(err, FX_EINVAL, "%s: %s", dir, strerror(errno));
	else if (n != 1)
		fx_error_set(err, FX_EINVAL,
			     "%s holds %d secret keys, and needs one: fornix keygen NAME --out %s",
			     dir, n, dir);
	else if (!path)
		result = fx_error_set(err, FX_ENOMEM, "no memory");
	else
		result = read_key(path, true, k->secret_key, err);
	if (result == FX_OK && zmq_curve_public(k->public_key, k->secret_key) != 0)
		result = fx_error_set(err, FX_EINVAL, "%s: is not a secret key", path);
	names_free(names, n);
	free(path);
	return result;
}

/* No folder: no one else is allowed. */
static int read_allowed(struct fx_keys *k, const char *dir, struct fx_error *err)
{
	char *folder = fx_path_join(dir, "allowed");
	struct dirent **names = NULL;
	const int n = folder ? scandir(folder, &names, is_public, alphasort) : -1;
	int result = FX_OK;

	if (!folder)
		return fx_error_set(err, FX_ENOMEM, "no memory");
	if (n < 0 && errno != ENOENT)
		result = fx_error_set(err, FX_EINVAL, "%s: %s", folder, strerror(errno));
	else if (n > FX_KEYS_ALLOWED)
		result = fx_error_set(err, FX_EINVAL, "%s: %d keys, at most %d are accepted",
				      folder, n, FX_KEYS_ALLOWED);
	else if (n > 0 && !(k->allowed = fx_calloc((size_t)n, sizeof *k->allowed)))
		result = fx_error_set(err, FX_ENOMEM, "no memory");
	for (int i = 0; result == FX_OK && i < n; i++) {
		char *path = fx_path_join(folder, names[i]->d_name);

		result = path ? read_key(path, false, k->allowed[k->allowed_len++], err) :
				fx_error_set(err, FX_ENOMEM, "no memory");
		free(path);
	}
	names_free(names, n);
	free(folder);
	return result;
}

int fx_keys_read(struct fx_keys *k, const char *dir, struct fx_error *err)
{
	int result = read_own(k, dir, err);

	if (result == FX_OK)
		result = read_allowed(k, dir, err);
	if (result < 0)
		fx_keys_fini(k);
	return result;
}

int fx_keys_fresh(struct fx_keys *k, struct fx_error *err)
{
	if (zmq_curve_keypair(k->public_key, k->secret_key) != 0)
		return fx_error_set(err, FX_EIO, "cannot make keys: %s", zmq_strerror(errno));
	return FX_OK;
}

void fx_keys_fini(struct fx_keys *k)
{
	free(k->allowed);
	explicit_bzero(k, sizeof *k);
}
