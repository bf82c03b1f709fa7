// SPDX-License-Identifier: Apache-2.0
/* guestpath.c: where an output listens for guests. */
#include "node/guestpath.h"

#include <string.h>

#include "base/alloc.h"

char *fx_guest_endpoint(const struct fx_wiring *w, const char *port)
{
	size_t i = 0;

	while (i < w->outputs_len && strcmp(w->outputs[i].port, port) != 0)
		i++;
	return fx_asprintf("ipc://%s/guests/%zu.%zu", w->run_dir, w->index, i);
}
