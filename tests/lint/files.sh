#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# files: the licence in the first line, what the file is in the second, not too long, nothing left to do.
set -eu
wrong=$(
	find runtime nodes tools tests -name '*.[ch]' | sort | while read -r file; do
		lines=$(wc -l <"$file")
		case $file in
		nodes/*) most=300 ;;
		*) most=600 ;;
		esac
		[ "$(sed -n 1p "$file")" = '// SPDX-License-Identifier: Apache-2.0' ] ||
			echo "$file: the first line is not the SPDX line"
		case $(sed -n 2p "$file") in
		'/* '* | '// '*) ;;
		*) echo "$file: the second line does not say what the file is" ;;
		esac
		[ "$lines" -le "$most" ] || echo "$file: $lines lines, at most $most"
	done
	grep -rnwE 'TODO|FIXME|XXX' runtime nodes tools tests proto graphs CMakeLists.txt |
		grep -v '^tests/lint/' || :
)
[ -z "$wrong" ] || { echo "$wrong" >&2; exit 1; }
