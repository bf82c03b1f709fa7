// SPDX-License-Identifier: Apache-2.0
/* seccomp.c: system calls that only administrators and debuggers need, denied by a filter in the
 * kernel's BPF (seccomp(2)). */
#include "node/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "node/sanitized.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH
enum { X32_BIT = 0x40000000, FILTER_MAX = 256 };

/* Calls that the C library does not know by name; their numbers are the same on every
 * architecture. */
enum {
	IO_URING_SETUP = 425,
	IO_URING_ENTER,
	IO_URING_REGISTER,
	OPEN_TREE,
	MOVE_MOUNT,
	FSOPEN,
	FSCONFIG,
	FSMOUNT,
	FSPICK,
	CLONE3 = 435,
	PIDFD_GETFD = 438,
	PROCESS_MADVISE = 440,
	MOUNT_SETATTR = 442,
	QUOTACTL_FD,
};

static const unsigned denied[] = {
#if !FX_SANITIZED
	SYS_ptrace,
#endif
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_kcmp,
	SYS_perf_event_open,
	PIDFD_GETFD,
	PROCESS_MADVISE,
	SYS_userfaultfd,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_setns,
	SYS_unshare,
	OPEN_TREE,
	MOVE_MOUNT,
	FSOPEN,
	FSCONFIG,
	FSMOUNT,
	FSPICK,
	MOUNT_SETATTR,
	SYS_name_to_handle_at,
	SYS_open_by_handle_at,
	SYS_fanotify_init,
	SYS_swapon,
	SYS_swapoff,
	SYS_quotactl,
	QUOTACTL_FD,
	SYS_acct,
	SYS_reboot,
	SYS_kexec_load,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_bpf,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_syslog,
	SYS_vhangup,
	IO_URING_SETUP,
	IO_URING_ENTER,
	IO_URING_REGISTER,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
#endif
};

/* Of clone(), whose flags are its first argument: no namespaces. clone3() keeps its flags in memory
 * where a filter cannot look: it does not exist, and libraries then use clone(). */
static const struct sock_filter of_clone[] = {
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLONE3, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
		 CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
			 CLONE_NEWUTS | CLONE_NEWCGROUP,
		 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static const struct sock_filter before[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef __x86_64__
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
#endif
};

#define LEN(list) (sizeof(list) / sizeof *(list))
_Static_assert(LEN(before) + 2 * LEN(denied) + LEN(of_clone) <= FILTER_MAX,
	       "the filter is too long");

int fx_seccomp_deny(void)
{
	struct sock_filter code[FILTER_MAX];
	struct sock_fprog program = { .filter = code };
	unsigned short n = 0;

	for (size_t i = 0; i < LEN(before); i++)
		code[n++] = before[i];
	for (size_t i = 0; i < LEN(denied); i++) {
		code[n++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, denied[i], 0, 1);
		code[n++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	}
	for (size_t i = 0; i < LEN(of_clone); i++)
		code[n++] = of_clone[i];
	program.len = n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0 ? errno : 0;
}
#else
int fx_seccomp_deny(void)
{
	return ENOSYS;
}
#endif
