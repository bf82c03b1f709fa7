// SPDX-License-Identifier: Apache-2.0
/* outdir.c: an output folder that appears complete or not at all. */
#include "formats/outdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <fornix/version.h>

#include "base/alloc.h"
#include "base/file.h"

#define TEXT_OF(x) #x
#define TEXT(x)	   TEXT_OF(x)

static const char by[] =
	"fornix " TEXT(FX_VERSION_MAJOR) "." TEXT(FX_VERSION_MINOR) "." TEXT(FX_VERSION_PATCH);

/* The kind that an earlier run wrote into a provenance file here; "" when there is none. */
static void kind_of(const char *folder, char *kind, size_t size)
{
	char *path = fx_path_join(folder, "provenance");
	json_t *root = path ? json_load_file(path, 0, NULL) : NULL;
	const json_t *step = json_array_get(json_object_get(root, "processing"), 0);
	const char *who = json_string_value(json_object_get(step, "by"));
	const char *what =
		json_string_value(json_object_get(json_object_get(step, "method"), "output"));

	snprintf(kind, size, "%s", who && what && strncmp(who, "fornix ", 7) == 0 ? what : "");
	json_decref(root);
	free(path);
}

/* Puts a name in the folder that is neither "info" nor "provenance" nor accepted by own() into
 * `foreign`; *any tells whether there is anything at all. */
static int outdir_look(const char *path, bool (*own)(const char *name), bool *any, char *foreign,
		       size_t size)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir)
		return -errno;
	*any = false;
	foreign[0] = 0;
	while ((entry = readdir(dir))) {
		const char *const name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		*any = true;
		if (strcmp(name, "info") != 0 && strcmp(name, "provenance") != 0 && !own(name))
			snprintf(foreign, size, "%s", name);
	}
	closedir(dir);
	return 0;
}

static int outdir_check(const struct fx_outdir *d, bool (*own)(const char *name),
			struct fx_error *err)
{
	char foreign[256], kind[64];
	bool any = false;
	const int failed = outdir_look(d->path, own, &any, foreign, sizeof foreign);

	if (failed == -ENOENT || (!failed && !any))
		return FX_OK;
	if (failed)
		return fx_error_set(err, FX_EIO, "%s: cannot use as output folder: %s", d->path,
				    strerror(-failed));
	kind_of(d->path, kind, sizeof kind);
	if (kind[0] && strcmp(kind, d->kind) != 0)
		return fx_error_set(err, FX_EINVAL,
				    "%s: holds an earlier output of kind %s, and this is %s: give "
				    "another folder or remove it",
				    d->path, kind, d->kind);
	if (!kind[0] || foreign[0])
		return fx_error_set(err, FX_EINVAL,
				    "%s: holds other files, such as %s, which are not overwritten: "
				    "give a new or empty folder",
				    d->path, foreign[0] ? foreign : "info");
	return FX_OK;
}

static int outdir_names(struct fx_outdir *d, const char *path, struct fx_error *err)
{
	size_t len;

	d->path = realpath(path, NULL); /* a link to a folder stays a link */
	if (!d->path)
		d->path = fx_strdup(path);
	len = d->path ? strlen(d->path) : 0;
	while (len > 1 && d->path[len - 1] == '/')
		d->path[--len] = 0;
	if (d->path)
		d->partial = fx_asprintf("%s.fornix-partial", d->path);
	if (!len || !d->partial)
		return fx_error_set(err, d->partial ? FX_EINVAL : FX_ENOMEM,
				    "no usable output folder \"%s\"", path);
	return FX_OK;
}

/* Opens and locks the partial folder: -errno, or -EWOULDBLOCK when someone else holds it. */
static int outdir_lock(struct fx_outdir *d)
{
	int failed = 0;

	d->lock = open(d->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->lock < 0 || flock(d->lock, LOCK_EX | LOCK_NB) != 0)
		failed = -errno;
	if (failed && d->lock >= 0)
		close(d->lock);
	if (failed)
		d->lock = 0;
	return failed;
}

static void outdir_unlock(struct fx_outdir *d)
{
	if (d->lock > 0)
		close(d->lock);
	d->lock = 0;
}

/* Makes and locks the partial folder, in place of one that a killed run left. */
static int outdir_make(struct fx_outdir *d, struct fx_error *err)
{
	int failed = outdir_lock(d), result = FX_OK;

	if (!failed)
		result = fx_remove_tree(d->partial, err);
	outdir_unlock(d);
	if (result == FX_OK && failed != -EWOULDBLOCK)
		result = fx_make_dirs(d->partial, err);
	if (result < 0)
		return result;
	if (failed != -EWOULDBLOCK)
		failed = outdir_lock(d);
	if (failed == -EWOULDBLOCK)
		return fx_error_set(err, FX_EINVAL,
				    "%s: another node or run is writing there: give another folder",
				    d->path);
	return failed ? fx_error_set(err, FX_EIO, "%s: cannot lock: %s", d->partial,
				     strerror(-failed)) :
			FX_OK;
}

int fx_outdir_begin(struct fx_outdir *d, const char *path, const char *kind,
		    bool (*own)(const char *name), struct fx_error *err)
{
	int result = outdir_names(d, path, err);

	d->kind = kind;
	if (result == FX_OK)
		result = outdir_check(d, own, err);
	if (result == FX_OK)
		result = outdir_make(d, err);
	if (result < 0) {
		free(d->partial); /* not ours: leave nothing to remove */
		d->partial = NULL;
	}
	return result;
}

int fx_outdir_write(struct fx_outdir *d, const char *name, const void *data, size_t size,
		    bool replace, struct fx_error *err)
{
	char *path = fx_path_join(d->partial, name);
	int fd, failed;

	if (!path)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", d->path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (replace ? O_TRUNC : O_EXCL), 0666);
	failed = fd < 0 ? -errno : fx_pwrite_all(fd, data, size, 0);
	if (fd >= 0 && close(fd) != 0 && !failed)
		failed = -errno;
	free(path);
	if (failed == -EEXIST)
		return fx_error_set(err, FX_EINVAL, "%s: %s came twice", d->path, name);
	if (failed)
		return fx_error_set(err, FX_EIO, "%s: cannot write %s: %s", d->path, name,
				    strerror(-failed));
	return FX_OK;
}

int fx_outdir_folder(struct fx_outdir *d, const char *name, struct fx_error *err)
{
	char *path = fx_path_join(d->partial, name);
	const int result = path ? fx_make_dirs(path, err) :
				  fx_error_set(err, FX_ENOMEM, "%s: no memory", d->path);

	free(path);
	return result;
}

char *fx_provenance(const char *kind, const char *source)
{
	json_t *root = json_pack("{s:s, s:[], s:[{s:s, s:s, s:{s:s}}], s:[s*]}", "description", "",
				 "owners", "processing", "by", by, "date", "", "method", "output",
				 kind, "sources", source);
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;

	json_decref(root);
	return text;
}

static int outdir_provenance(struct fx_outdir *d, struct fx_error *err)
{
	char *text = fx_provenance(d->kind, NULL);
	int result;

	if (!text)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", d->path);
	result = fx_outdir_write(d, "provenance", text, strlen(text), true, err);
	free(text);
	return result;
}

/* rename() replaces an empty folder; a full one is moved away first. */
static int outdir_place(struct fx_outdir *d, struct fx_error *err)
{
	char *old;
	int result = FX_OK;

	if (rename(d->partial, d->path) == 0)
		return FX_OK;
	old = fx_asprintf("%s.fornix-old", d->path);
	if (!old)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", d->path);
	if (fx_remove_tree(old, NULL) < 0 || rename(d->path, old) != 0 ||
	    rename(d->partial, d->path) != 0)
		result = fx_error_set(err, FX_EIO, "%s: cannot put the output in place: %s",
				      d->path, strerror(errno));
	else
		fx_remove_tree(old, NULL);
	free(old);
	return result;
}

int fx_outdir_commit(struct fx_outdir *d, struct fx_error *err)
{
	int result = outdir_provenance(d, err);

	if (result == FX_OK && syncfs(d->lock) != 0)
		result =
			fx_error_set(err, FX_EIO, "%s: cannot write: %s", d->path, strerror(errno));
	if (result == FX_OK)
		result = outdir_place(d, err);
	if (result == FX_OK) {
		free(d->partial);
		d->partial = NULL;
	}
	return result;
}

void fx_outdir_fini(struct fx_outdir *d)
{
	if (d->partial && !d->kept)
		fx_remove_tree(d->partial, NULL);
	outdir_unlock(d);
	fx_map64_fini(&d->numbers);
	free(d->partial);
	free(d->path);
	memset(d, 0, sizeof *d);
}

int fx_outdir_write_number(struct fx_outdir *d, uint64_t number, const char *ending,
			   const void *data, size_t size, struct fx_error *err)
{
	uint64_t *known = fx_map64_at(&d->numbers, number);
	char name[64];

	snprintf(name, sizeof name, "%" PRIu64 "%s", number, ending);
	if (!known)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", d->path);
	if (*known)
		return fx_error_set(err, FX_EINVAL, "%s: %s came twice", d->path, name);
	*known = 1;
	return fx_outdir_write(d, name, data, size, true, err);
}

int fx_outdir_pack(struct fx_outdir *d, struct fx_pack *to, struct fx_error *err)
{
	if (syncfs(d->lock) != 0)
		return fx_error_set(err, FX_EIO, "%s: cannot write: %s", d->path, strerror(errno));
	d->kept = true;
	if (fx_map64_pack(&d->numbers, to) < 0)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", d->path);
	return FX_OK;
}

/* The folder of a former life that was killed behind its commit, or within. */
static int outdir_take_back(struct fx_outdir *d, struct fx_error *err)
{
	char kind[64];
	char *old = fx_asprintf("%s.fornix-old", d->path);

	if (old)
		fx_remove_tree(old, NULL);
	free(old);
	if (fx_is_dir(d->partial))
		return FX_OK;
	kind_of(d->path, kind, sizeof kind);
	if (strcmp(kind, d->kind) != 0 || rename(d->path, d->partial) != 0)
		return fx_error_set(err, FX_EIO,
				    "%s: what was written before this node was killed is not there "
				    "any more",
				    d->partial);
	return FX_OK;
}

int fx_outdir_resume(struct fx_outdir *d, const char *path, const char *kind, struct fx_error *err)
{
	int result = outdir_names(d, path, err), failed;

	d->kind = kind;
	d->kept = true;
	if (result == FX_OK)
		result = outdir_take_back(d, err);
	if (result < 0)
		return result;
	failed = outdir_lock(d);
	return failed ? fx_error_set(err, FX_EIO, "%s: cannot lock: %s", d->partial,
				     strerror(-failed)) :
			FX_OK;
}

int fx_outdir_unpack(struct fx_outdir *d, struct fx_unpack *from)
{
	return fx_map64_unpack(&d->numbers, from);
}
