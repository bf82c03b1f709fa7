// SPDX-License-Identifier: Apache-2.0
/* poison.c: messages that end their node again and again are set aside. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "conduct/run.h"

/* The entry of what process @p i was at, made when it is new; NULL without memory. */
static struct fx_poison *poison_of(struct fx_run *r, size_t i)
{
	const struct fx_instance_stats *s = &r->stats.instances[i];
	const struct fx_poison key = { r->plan->instances[i].node, atomic_load(&s->work_port) - 1,
				       atomic_load(&s->work_seq), 0 };

	for (size_t k = 0; k < r->poisons_len; k++)
		if (r->poisons[k].node == key.node && r->poisons[k].port == key.port &&
		    r->poisons[k].seq == key.seq)
			return &r->poisons[k];
	if (!fx_grow(&r->poisons, &r->poisons_cap, r->poisons_len + 1, sizeof *r->poisons))
		return NULL;
	r->poisons[r->poisons_len] = key;
	return &r->poisons[r->poisons_len++];
}

/* Every worker of the node may be the next that gets it. */
static bool set_aside(struct fx_run *r, const struct fx_poison *p, const char *how)
{
	for (size_t i = 0; i < r->plan->instances_len; i++) {
		struct fx_instance_stats *s = &r->stats.instances[i];
		const uint32_t len = atomic_load(&s->aside_len);

		if (r->plan->instances[i].node != p->node)
			continue;
		if (len >= FX_STATS_ASIDE)
			return false;
		s->aside[len].port = p->port;
		s->aside[len].seq = p->seq;
		snprintf(s->aside[len].cause, sizeof s->aside[len].cause, "%s", how);
		atomic_store(&s->aside_len, len + 1);
		fx__hosts_aside(r, i, &s->aside[len]);
	}
	return true;
}

static void give_back(struct fx_budget *b, unsigned restarts)
{
	b->len -= b->len < restarts ? b->len : restarts;
}

bool fx__poison_note(struct fx_run *r, size_t i, const char *how)
{
	const struct fx_graph_node *n = &r->graph->nodes[r->plan->instances[i].node];
	struct fx_poison *p;

	if (!atomic_load(&r->stats.instances[i].work_port))
		return true;
	p = poison_of(r, i);
	if (!p || ++p->deaths != FX_POISON_DEATHS)
		return p != NULL;
	fx_log(FX_LOG_WARN,
	       "%s: message %" PRIu64 " on input %s has ended it %u times: it is set aside",
	       n->name, p->seq, n->type->ports[p->port].name, p->deaths);
	r->set_aside = true;
	give_back(&r->processes[i].budget, FX_POISON_DEATHS - 1);
	return set_aside(r, p, how);
}

static int is_letter(const struct dirent *e)
{
	return e->d_name[0] != '.' && !fx_path_ends(e->d_name, ".partial");
}

char **fx__dead_letters(const struct fx_run *r, size_t *len)
{
	struct dirent **names = NULL;
	const int n = r->dead_dir ? scandir(r->dead_dir, &names, is_letter, alphasort) : 0;
	char **paths = fx_calloc(n > 0 ? (size_t)n : 0, sizeof *paths);

	*len = 0;
	for (int k = 0; k < n; k++) {
		if (paths && (paths[*len] = fx_path_join(r->dead_dir, names[k]->d_name)))
			(*len)++;
		free(names[k]);
	}
	free(names);
	return paths;
}

void fx__dead_letters_show(const struct fx_run *r)
{
	size_t len;
	char **paths = fx__dead_letters(r, &len);

	for (size_t k = 0; k < len; k++) {
		fprintf(stderr, "set aside, to be looked into by: fornix replay %s\n", paths[k]);
		free(paths[k]);
	}
	free(paths);
}
