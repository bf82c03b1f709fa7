// SPDX-License-Identifier: Apache-2.0
/* cpu.h: what this machine is, for reports and for choosing kernels. */
#ifndef FX_BASE_CPU_H
#define FX_BASE_CPU_H

#include <stddef.h>

/** Cores this process may run on, at least 1. */
int fx_cpu_count(void);
/** Model name of the CPU into @p name, "unknown" where the system does not tell. */
void fx_cpu_name(char *name, size_t size);

#endif
