#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# functions: none over 100 lines.
set -eu
ctags --version 2>/dev/null | grep -q 'Universal Ctags' || { echo "skipped: no Universal Ctags"; exit 77; }
wrong=$(find runtime nodes tools tests -name '*.c' -exec \
	ctags -f - --languages=C --kinds-C=f --fields=+ne --sort=no {} + | awk -F'\t' '
	{
		line = end = 0
		for (i = 4; i <= NF; i++) {
			if ($i ~ /^line:/)
				line = substr($i, 6)
			if ($i ~ /^end:/)
				end = substr($i, 5)
		}
		if (end - line + 1 > 100)
			print $2 ":" line ": " $1 "() has " end - line + 1 " lines, at most 100"
	}')
[ -z "$wrong" ] || { echo "$wrong" >&2; exit 1; }
