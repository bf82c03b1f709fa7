#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# headers CC CXX DIR...: every header compiles alone and twice, those of the SDK also as C++.
set -eu
cc=$1 cxx=$2
shift 2
flags='-fsyntax-only -Wall -Wextra -Werror -pedantic -D_GNU_SOURCE'
dirs=
for dir in "$@"; do
	dirs="$dirs -isystem $dir"
done
failed=0

for header in runtime/*/*.h runtime/include/fornix/*.h; do
	name=${header#runtime/include/}
	name=${name#runtime/}
	text=$(printf '#include "%s"\n#include "%s"\nextern int not_empty;\n' "$name" "$name")
	# shellcheck disable=SC2086
	printf '%s\n' "$text" | $cc -std=c11 $flags -Iruntime -Iruntime/include $dirs -x c - ||
		{ echo "$header: does not compile alone" >&2; failed=1; }
	case $header in
	runtime/include/*)
		[ -n "$cxx" ] && command -v "$cxx" >/dev/null || continue
		# shellcheck disable=SC2086
		printf '%s\n' "$text" | $cxx -std=c++11 $flags -Iruntime/include -x c++ - ||
			{ echo "$header: does not compile as C++" >&2; failed=1; }
		;;
	esac
done
exit $failed
