// SPDX-License-Identifier: Apache-2.0
/* seccomp.h: system calls that only administrators and debuggers need, denied. */
#ifndef FX_NODE_SECCOMP_H
#define FX_NODE_SECCOMP_H

/** From here on those calls fail with EPERM in this thread and those it starts. Needs
 * no_new_privs. 0 or errno. */
int fx_seccomp_deny(void);

#endif
