#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# nodes: nodes/ROLE/METHOD.c holds the type ROLE/METHOD and nothing else that can be seen.
set -eu
wrong=$(
	for file in nodes/*/*.c; do
		type=${file#nodes/}
		type=${type%.c}
		id=$(echo "$type" | tr / _)
		method=${type#*/}
		grep -q "^	\.name = \"$type\",$" "$file" || echo "$file: its .name is not \"$type\""
		grep -q "^FX_NODE($id) = {$" "$file" || echo "$file: no FX_NODE($id)"
		sed -n 2p "$file" | grep -q "^/\* $type: " || echo "$file: line 2 does not begin with \"/* $type: \""
		grep -nE "^(FX_NODE|[a-z].*[^;]$)" "$file" | grep -vE ':(static|struct|enum|FX_NODE|done:)' |
			sed "s|^|$file:|;s|$|: only the table of a node is not static|" || :
		sed -n "s/^static .*[ *]\([a-z0-9_]*\)_\(init\|process\|mark\|drain\|finish\)(.*/\1/p" "$file" |
			grep -v "^$method" | sort -u |
			sed "s|^|$file: a callback does not begin with $method: |" || :
	done
)
[ -z "$wrong" ] || { echo "$wrong" >&2; exit 1; }
