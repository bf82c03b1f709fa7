// SPDX-License-Identifier: Apache-2.0
/* cmd_keygen.c: fornix keygen. */
#include <stdio.h>

#include "cmd.h"
#include "link/keys.h"

int cmd_keygen(int argc, char **argv)
{
	const char *out = ".";
	bool force = false;
	const struct cmd_option options[] = {
		{ "out", NULL, &out, "DIR", "folder to write to (default: this one)" },
		{ "force", &force, NULL, NULL, "replace keys of that name" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix keygen NAME [--out DIR] [--force]",
		.about = "Makes a CURVE key pair: NAME.secret, which stays here and only you can "
			 "read, and\n"
			 "NAME.public, for the folder \"allowed\" of those that are to let you in. "
			 "Prints the\n"
			 "public key.\n\n"
			 "  fornix keygen microscope --out keys\n"
			 "  fornix run GRAPH --transport tcp --bind 192.168.1.5 --keys keys\n",
		.options = options,
		.min_words = 1,
		.max_words = 1,
	};
	char public_key[FX_KEY_TEXT];
	struct fx_error err = { 0 };
	int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	result = fx_key_pair_make(out, line.words[0], force, public_key, &err);
	if (result < 0)
		return result == FX_EINVAL ? cmd_wrong("%s", err.text) : cmd_failed("%s", err.text);
	printf("%s\n", public_key);
	return CMD_DONE;
}
