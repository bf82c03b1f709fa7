#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# layers: a file of runtime/FOLDER includes only folders at or before its own in the list of layers;
# kernels know no node, log or file; nodes know neither links nor the conductor.
set -eu
layers=$(sed -n 's/^set(FORNIX_LAYERS \(.*\))$/\1/p' runtime/cmake/FornixLibrary.cmake)
[ -n "$layers" ] || { echo "layers: no list in runtime/cmake/FornixLibrary.cmake" >&2; exit 1; }

# FILE FOLDER, then the folders it may use: tells of each include of another folder
check() {
	file=$1
	shift
	sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$file" | sort -u | while read -r used; do
		case " $* " in
		*" $used "*) ;;
		*) echo "$file: includes $used/, which lies above it (it may use: $*)" ;;
		esac
	done
}

wrong=$(
	below=
	for layer in $layers; do
		below="$below $layer"
		[ "$layer" != wire ] || below="$below proto"
		for file in runtime/"$layer"/*.[ch]; do
			[ ! -e "$file" ] || check "$file" $below
		done
	done
	for file in nodes/*/*.c; do
		check "$file" base block kernels formats nn node
	done
	grep -nE '^#include <(fornix/(node|log)|fcntl|dirent|sys/stat)\.h>' runtime/kernels/*.[ch] |
		sed 's/$/: a kernel takes arrays and gives arrays/' || :
)
[ -z "$wrong" ] || { echo "$wrong" >&2; exit 1; }
