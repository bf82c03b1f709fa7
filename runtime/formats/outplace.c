// SPDX-License-Identifier: Apache-2.0
/* outplace.c: a file or folder that appears complete or not at all. */
#include "formats/outplace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

/* A folder with one of these is a volume or skeletons. */
static const char *const signs[] = { ".zgroup", ".zarray", "zarr.json", "info", "attributes.json" };

/* Nothing but images, or nothing. */
static bool holds_images_alone(const char *path)
{
	static const char *const endings[] = { ".png", ".tif", ".tiff", ".swc", ".nml" };
	DIR *dir = opendir(path);
	const struct dirent *e;
	bool alone = dir != NULL;

	while (alone && (e = readdir(dir))) {
		alone = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
		for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
			alone = alone || fx_path_ends(e->d_name, endings[i]);
	}
	if (dir)
		closedir(dir);
	return alone;
}

static bool may_be_replaced(const char *path)
{
	bool may = holds_images_alone(path);

	for (size_t i = 0; i < sizeof signs / sizeof signs[0] && !may; i++) {
		char *sign = fx_path_join(path, signs[i]);

		may = sign && access(sign, F_OK) == 0;
		free(sign);
	}
	return may;
}

static int place_check(const struct fx_outplace *o, bool replace, struct fx_error *err)
{
	struct stat st;

	if (lstat(o->path, &st) != 0)
		return FX_OK;
	if (!replace)
		return fx_error_set(err, FX_EINVAL,
				    "%s: is there already; --force (replace of a node) replaces it",
				    o->path);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return fx_error_set(err, FX_EINVAL, "%s: is neither a file nor a folder", o->path);
	if ((bool)S_ISDIR(st.st_mode) != o->is_folder)
		return fx_error_set(err, FX_EINVAL, "%s: is a %s, which a %s does not replace",
				    o->path, o->is_folder ? "file" : "folder",
				    o->is_folder ? "folder" : "file");
	if (o->is_folder && !may_be_replaced(o->path))
		return fx_error_set(err, FX_EINVAL,
				    "%s: holds something else than a volume or skeletons, which is "
				    "not replaced: give another folder or remove it",
				    o->path);
	return FX_OK;
}

/* Opens and locks partial: a descriptor, -errno, or -EWOULDBLOCK when another holds it. */
static int place_lock(const struct fx_outplace *o, bool make)
{
	const int flags = o->is_folder ? O_RDONLY | O_DIRECTORY : O_RDWR | (make ? O_CREAT : 0);
	const int fd = open(o->partial, flags | O_CLOEXEC | O_NOFOLLOW, 0666);
	int failed;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	failed = -errno;
	close(fd);
	return failed;
}

static int place_make(struct fx_outplace *o, struct fx_error *err)
{
	int fd = place_lock(o, false), result = FX_OK;

	if (fd >= 0) { /* of a run that is dead */
		result = fx_remove_tree(o->partial, err);
		close(fd);
	} else if (fd != -ENOENT && fd != -EWOULDBLOCK) {
		result = fx_remove_tree(o->partial, err);
	}
	if (result == FX_OK && fd != -EWOULDBLOCK) {
		result = o->is_folder ? fx_make_dirs(o->partial, err) :
					fx_make_parents(o->partial, err);
		fd = result == FX_OK ? place_lock(o, true) : fd;
	}
	if (result < 0)
		return result;
	if (fd == -EWOULDBLOCK)
		return fx_error_set(err, FX_EINVAL,
				    "%s: another run is writing there: give another name", o->path);
	if (fd < 0)
		return fx_error_set(err, FX_EIO, "%s: cannot write: %s", o->partial, strerror(-fd));
	o->lock = fd;
	return FX_OK;
}

int fx_outplace_begin(struct fx_outplace *o, const char *path, bool is_folder, bool replace,
		      struct fx_error *err)
{
	size_t len;
	int result;

	o->is_folder = is_folder;
	o->path = fx_strdup(path);
	len = o->path ? strlen(o->path) : 0;
	while (len > 1 && o->path[len - 1] == '/')
		o->path[--len] = 0;
	if (!len)
		return fx_error_set(err, o->path ? FX_EINVAL : FX_ENOMEM,
				    "no usable name for what is written");
	result = place_check(o, replace, err);
	if (result < 0)
		return result;
	o->partial = fx_asprintf("%s.fornix-partial", o->path);
	if (!o->partial)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	result = place_make(o, err);
	if (result < 0) { /* not ours */
		free(o->partial);
		o->partial = NULL;
	}
	return result;
}

/* A folder that is full is moved away first. */
static int place_move(const struct fx_outplace *o)
{
	char *old = NULL;
	int failed = 0;

	if (rename(o->partial, o->path) == 0)
		return 0;
	if (!o->is_folder || (errno != ENOTEMPTY && errno != EEXIST))
		return -errno;
	old = fx_asprintf("%s.fornix-old", o->path);
	if (!old || fx_remove_tree(old, NULL) < 0 || rename(o->path, old) != 0)
		failed = old ? -errno : -ENOMEM;
	else if (rename(o->partial, o->path) != 0)
		failed = -errno;
	if (old && !failed)
		fx_remove_tree(old, NULL);
	free(old);
	return failed;
}

int fx_outplace_commit(struct fx_outplace *o, struct fx_error *err)
{
	int failed = 0;

	if (o->is_folder ? syncfs(o->lock) != 0 : fsync(o->lock) != 0)
		failed = -errno;
	if (!failed)
		failed = place_move(o);
	if (failed)
		return fx_error_set(err, FX_EIO, "%s: cannot be put in place: %s", o->path,
				    strerror(-failed));
	fx_sync_parent(o->path);
	free(o->partial);
	o->partial = NULL;
	return FX_OK;
}

void fx_outplace_fini(struct fx_outplace *o)
{
	if (o->partial)
		fx_remove_tree(o->partial, NULL);
	if (o->lock > 0)
		close(o->lock);
	free(o->partial);
	free(o->path);
	memset(o, 0, sizeof *o);
}
