// SPDX-License-Identifier: Apache-2.0
/* cmd_agent.c: fornix agent: starts the processes of a run on this host, as the conductor says. */
#include <unistd.h>

#include "cmd.h"
#include "conduct/run.h"

int cmd_agent(int argc, char **argv)
{
	const struct cmd_option options[] = { { 0 } };
	struct cmd_line line = {
		.usage = "fornix agent",
		.about =
			"Starts the processes of a run on this host. \"fornix run\" starts it "
			"there, by\nssh or srun, and talks to it over stdin and stdout; by hand it "
			"shows whether\nfornix works on a host: it prints one line and waits.\n",
		.options = options,
		.max_words = 0,
	};
	const int result = cmd_parse(&line, argc, argv);
	struct fx_registry *r;
	int code;

	if (result != CMD_GO)
		return result;
	if (isatty(0))
		return cmd_wrong("fornix agent is started by \"fornix run\" on another host");
	r = cmd_registry();
	if (!r)
		return CMD_FAILED;
	code = fx_agent_serve(r) == FX_OK ? CMD_DONE : CMD_FAILED;
	fx_registry_free(r);
	return code;
}
