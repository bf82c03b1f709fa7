#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# state NM LIBRARY...: no variable at file scope that can change, but for those of tests/lint/state.txt.
set -eu
nm=$1
shift
allowed=$(sed -n 's/^\([^#[:space:]][^[:space:]]*\).*/\1/p' tests/lint/state.txt)
wrong=$(
	for library in "$@"; do
		# columns: name | value | class | type | size | line | section
		"$nm" -f sysv "$library" 2>/dev/null | awk -F'|' -v allowed="$allowed" '
			BEGIN {
				n = split(allowed, list, "\n")
				for (i = 1; i <= n; i++)
					may[list[i]] = 1
			}
			/^(Symbols|Undefined symbols) from |\.o\]?:$/ {
				object = $0
				sub(/:$/, "", object)
				sub(/.*\[/, "", object)
				sub(/\]$/, "", object)
				sub(/\.o$/, "", object)
				next
			}
			{
				name = $1
				section = $NF
				gsub(/[ \t]/, "", name)
				gsub(/[ \t]/, "", section)
				sub(/\.[0-9]+$/, "", name)
			}
			section !~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ { next }
			section ~ /^\.data\.rel\.ro/ { next }
			name == "" || name ~ /^(__odr_asan|\.L|__asan|__tsan|__ubsan|\.data|\.bss|\*\.L)/ { next }
			$4 !~ /OBJECT|TLS/ { next }
			!((object ":" name) in may) { print object ": " name " in " section }
		'
	done
)
[ -z "$wrong" ] || {
	echo "variables at file scope that can change (tests/lint/state.txt lists those that may):" >&2
	echo "$wrong" >&2
	exit 1
}
