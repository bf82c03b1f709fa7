// SPDX-License-Identifier: Apache-2.0
/* folder.c: which files lie in a folder and the folders in it, and how they change. */
#include "formats/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"

/* Also where the kernel tells, all is looked at now and then: what others write over a network, or
 * through a mapping, it does not tell. */
#define RESCAN_NS (INT64_C(30) * 1000000000)

enum { EVENTS = 64 << 10 };

#define TOLD                                                                                       \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |        \
	 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* File systems that other machines write to, and those of users, which tell nothing of that. */
static bool is_remote(const char *path)
{
	static const uint32_t kinds[] = { 0x6969,     0x517B,	  0xFF534D42, 0xFE534D42,
					  0x65735546, 0x01021997, 0x0BD00BD0, 0x47504653,
					  0x00C36400, 0x5346414F, 0x19830326 };
	struct statfs st;

	if (statfs(path, &st) != 0)
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if ((uint32_t)st.f_type == kinds[i])
			return true;
	return false;
}

int fx_folder_open(struct fx_folder *f, const char *path, enum fx_folder_way way, double interval_s,
		   struct fx_error *err)
{
	*f = (struct fx_folder){ .path = path, .interval_s = interval_s, .fd = -1, .open = true };
	if (way == FX_FOLDER_POLL || (way == FX_FOLDER_AUTO && is_remote(path)))
		return FX_OK;
	f->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (f->fd < 0 && way == FX_FOLDER_INOTIFY)
		return fx_error_set(err, FX_EIO, "%s: no inotify: %s", path, strerror(errno));
	return FX_OK;
}

static void folder_forget(struct fx_folder *f)
{
	for (size_t i = 0; i < f->len; i++)
		free(f->dirs[i].path);
	f->len = 0;
}

/* The kernel cannot tell of all folders (a limit of watches): look again and again instead. */
static void folder_poll(struct fx_folder *f)
{
	close(f->fd);
	f->fd = -1;
	folder_forget(f);
}

static int folder_watch(struct fx_folder *f, const char *whole, const char *path)
{
	struct fx_folder_dir d = { .wd = inotify_add_watch(f->fd, whole, TOLD) };

	if (d.wd < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			folder_poll(f);
		return FX_OK;
	}
	for (size_t i = 0; i < f->len; i++)
		if (f->dirs[i].wd == d.wd) {
			if (strcmp(f->dirs[i].path, path) == 0)
				return FX_OK;
			free(f->dirs[i].path); /* it was renamed */
			f->dirs[i].path = fx_strdup(path);
			return f->dirs[i].path ? FX_OK : FX_ENOMEM;
		}
	if (!fx_grow(&f->dirs, &f->cap, f->len + 1, sizeof *f->dirs) || !(d.path = fx_strdup(path)))
		return FX_ENOMEM;
	f->dirs[f->len++] = d;
	return FX_OK;
}

/* A look that goes down through folders. */
struct look {
	struct fx_folder *f;
	const struct fx_folder_reader *r;
	size_t folders;
};

static char *joined(const char *path, const char *name)
{
	return *path ? fx_path_join(path, name) : fx_strdup(name);
}

static int tell_file(const struct fx_folder_reader *r, const char *path, const struct stat *st,
		     enum fx_folder_news news)
{
	const struct fx_folder_file file = {
		.path = path,
		.news = news,
		.size = st ? st->st_size : 0,
		.mtime_ns = st ? st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec : 0,
	};

	return r->tell(r->context, &file);
}

static int look_into(struct look *l, const char *path, int depth);

static int look_entry(struct look *l, int dir, const char *path, const char *name, int depth)
{
	struct stat st;
	char *below;
	int result = FX_OK;

	if (name[0] == '.' || fstatat(dir, name, &st, 0) != 0)
		return FX_OK; /* gone meanwhile: the next look sees it */
	below = joined(path, name);
	if (!below)
		return FX_ENOMEM;
	if (S_ISREG(st.st_mode))
		result = tell_file(l->r, below, &st, FX_FOLDER_FOUND);
	else if (S_ISDIR(st.st_mode) && depth < FX_FOLDER_DEPTH)
		result = look_into(l, below, depth + 1);
	free(below);
	return result;
}

static int look_into(struct look *l, const char *path, int depth)
{
	char *whole = fx_path_join(l->f->path, path);
	const struct dirent *entry;
	int result = FX_OK;
	DIR *dir;

	if (!whole)
		return FX_ENOMEM;
	if (++l->folders > FX_FOLDER_FOLDERS) {
		free(whole);
		return FX_OK;
	}
	if (l->f->fd >= 0)
		result = folder_watch(l->f, whole, path);
	dir = result == FX_OK ? opendir(whole) : NULL;
	free(whole);
	while (dir && result == FX_OK && (entry = readdir(dir)))
		result = look_entry(l, dirfd(dir), path, entry->d_name, depth);
	if (dir)
		closedir(dir);
	return result;
}

static int depth_of(const char *path)
{
	int depth = *path != 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

static int folder_event(struct fx_folder *f, const struct fx_folder_reader *r, const char *dir,
			const struct inotify_event *e)
{
	struct look l = { .f = f, .r = r };
	char *path = joined(dir, e->name), *whole = path ? fx_path_join(f->path, path) : NULL;
	const bool closed = e->mask & (IN_CLOSE_WRITE | IN_MOVED_TO);
	struct stat st;
	int result = FX_OK;

	if (!whole)
		result = FX_ENOMEM;
	else if (e->mask & IN_ISDIR)
		result = e->mask & (IN_CREATE | IN_MOVED_TO) && depth_of(path) <= FX_FOLDER_DEPTH ?
				 look_into(&l, path, depth_of(path)) :
				 FX_OK;
	else if (stat(whole, &st) != 0)
		result = tell_file(r, path, NULL, FX_FOLDER_GONE);
	else if (S_ISREG(st.st_mode))
		result = tell_file(r, path, &st, closed ? FX_FOLDER_CLOSED : FX_FOLDER_FOUND);
	free(path);
	free(whole);
	if (e->mask & IN_ISDIR && e->mask & (IN_MOVED_FROM | IN_DELETE))
		fx_folder_rescan(f); /* all in it has gone */
	return result;
}

static const char *folder_of(const struct fx_folder *f, int wd)
{
	for (size_t i = f->len; i; i--)
		if (f->dirs[i - 1].wd == wd)
			return f->dirs[i - 1].path;
	return NULL;
}

static int folder_events(struct fx_folder *f, const struct fx_folder_reader *r)
{
	_Alignas(struct inotify_event) char bytes[EVENTS];
	const ssize_t size = f->fd >= 0 ? read(f->fd, bytes, sizeof bytes) : 0;
	int result = FX_OK;

	for (ssize_t at = 0; result == FX_OK && f->fd >= 0 && at < size;) {
		const struct inotify_event *const e = (const void *)(bytes + at);
		char *dir;

		at += (ssize_t)(sizeof *e + e->len);
		if (e->mask &
		    (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED))
			fx_folder_rescan(f);
		if (!e->len || e->name[0] == '.' || !folder_of(f, e->wd))
			continue;
		dir = fx_strdup(folder_of(f, e->wd));
		result = dir ? folder_event(f, r, dir, e) : FX_ENOMEM;
		free(dir);
	}
	return result;
}

int fx_folder_look(struct fx_folder *f, const struct fx_folder_reader *r, struct fx_error *err)
{
	struct look l = { .f = f, .r = r };
	const int64_t start = fx_now_ns();
	int result = folder_events(f, r);
	int64_t pause;

	if (result == FX_OK && start >= f->rescan_ns) {
		if (!fx_is_dir(f->path))
			return fx_error_set(err, FX_EIO, "%s: the folder has vanished", f->path);
		result = look_into(&l, "", 0);
		pause = f->fd >= 0 ? RESCAN_NS : (int64_t)(f->interval_s * 1e9);
		if (pause < 9 * (fx_now_ns() - start))
			pause = 9 * (fx_now_ns() - start);
		f->rescan_ns = fx_now_ns() + pause;
		f->scans++;
	}
	if (result < 0)
		return fx_error_set(err, result, "%s: no memory for its list of files", f->path);
	return FX_OK;
}

void fx_folder_rescan(struct fx_folder *f)
{
	f->rescan_ns = 0;
}

void fx_folder_close(struct fx_folder *f)
{
	if (f->open && f->fd >= 0)
		close(f->fd);
	folder_forget(f);
	free(f->dirs);
	memset(f, 0, sizeof *f);
}
