// SPDX-License-Identifier: Apache-2.0
/* landlock.c: folders that this process may still read or write below. The numbers are those of the
 * kernel's interface: the headers of a distribution are often older than its kernel. */
#include "node/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "node/sanitized.h"

#ifdef SYS_landlock_create_ruleset
enum {
	CREATE_RULESET = SYS_landlock_create_ruleset,
	ADD_RULE = SYS_landlock_add_rule,
	RESTRICT_SELF = SYS_landlock_restrict_self,
};
#else
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 }; /* on every architecture */
#endif

enum { VERSION = 1, PATH_BENEATH = 1 };

#define BIT(n)	    (UINT64_C(1) << (n))
#define EXECUTE	    BIT(0)
#define WRITE_FILE  BIT(1)
#define READ_FILE   BIT(2)
#define READ_DIR    BIT(3)
#define REMOVE_DIR  BIT(4)
#define REMOVE_FILE BIT(5)
#define MAKE_DIR    BIT(7)
#define MAKE_REG    BIT(8)
#define MAKE_SOCK   BIT(9)
#define MAKE_SYM    BIT(12)
#define REFER	    BIT(13)	       /* ABI 2 */
#define TRUNCATE    BIT(14)	       /* ABI 3 */
#define MAKE_ALL    (BIT(13) - BIT(6)) /* files of every kind, also devices and links */

#define SCOPE_ABSTRACT_UNIX_SOCKET BIT(0) /* ABI 6 */
#define SCOPE_SIGNAL		   BIT(1)

#define READ (READ_FILE | READ_DIR)
#define WRITE                                                                                      \
	(READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK |          \
	 MAKE_SYM | REFER | TRUNCATE)
#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE)

/* struct landlock_ruleset_attr and landlock_path_beneath_attr of the newest ABI that is used. */
struct ruleset {
	uint64_t handled_fs, handled_net, scoped;
};

struct __attribute__((packed)) beneath {
	uint64_t allowed;
	int32_t parent_fd;
};

#define NEVER_RUN (FX_SANITIZED ? 0 : EXECUTE)

static uint64_t handled(const struct fx_landlock *l)
{
	uint64_t fs = NEVER_RUN | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_ALL;

	fs |= l->reads ? READ : 0;
	fs |= l->abi >= 2 ? REFER : 0;
	fs |= l->abi >= 3 ? TRUNCATE : 0;
	return fs;
}

int fx_landlock_begin(struct fx_landlock *l, bool reads)
{
	struct ruleset r = { 0 };
	size_t size = sizeof r.handled_fs; /* all that ABI 1 to 3 know */
	const long abi = syscall(CREATE_RULESET, NULL, 0, VERSION);

	*l = (struct fx_landlock){ .fd = -1, .abi = (int)abi, .reads = reads };
	if (abi < 1)
		return abi < 0 ? errno : ENOSYS;
	r.handled_fs = handled(l);
	if (abi >= 6) {
		r.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
		size = sizeof r;
	}
	l->fd = (int)syscall(CREATE_RULESET, &r, size, 0);
	return l->fd < 0 ? errno : 0;
}

static void allow(const struct fx_landlock *l, const char *path, uint64_t access)
{
	struct beneath b = { .allowed = access & handled(l) };
	struct stat st;

	b.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (b.parent_fd < 0)
		return;
	if (fstat(b.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		b.allowed &= OF_FILES;
	if (b.allowed)
		syscall(ADD_RULE, l->fd, PATH_BENEATH, &b, 0);
	close(b.parent_fd);
}

void fx_landlock_read(const struct fx_landlock *l, const char *path)
{
	allow(l, path, READ);
}

void fx_landlock_write(const struct fx_landlock *l, const char *path)
{
	allow(l, path, WRITE);
}

int fx_landlock_enforce(struct fx_landlock *l)
{
	const int failed = syscall(RESTRICT_SELF, l->fd, 0) != 0 ? errno : 0;

	close(l->fd);
	l->fd = -1;
	return failed;
}
