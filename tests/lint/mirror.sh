#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mirror: DIR/NAME.c is tested by tests/DIR/NAME_test.c, or tests/lint/untested.txt says where else.
set -eu
list=tests/lint/untested.txt
wrong=$(
	for file in runtime/*/*.c nodes/*/*.c; do
		test=tests/${file%.c}_test.c
		listed=$(grep -c "^$file[[:space:]]" $list || :)
		if [ -e "$test" ] && [ "$listed" -gt 0 ]; then
			echo "$file: has a test, and stands in $list"
		elif [ ! -e "$test" ] && [ "$listed" -eq 0 ]; then
			echo "$file: no $test, and not in $list"
		fi
	done
	sed -n 's/^\([^#[:space:]][^[:space:]]*\)[[:space:]].*/\1/p' $list | while read -r file; do
		[ -e "$file" ] || echo "$list: there is no $file"
	done
	sed -n '/^[^#[:space:]]/p' $list | grep -vE '^[^[:space:]]+[[:space:]]+[^[:space:]]' |
		sed "s|^|$list: no reason: |" || :
)
[ -z "$wrong" ] || { echo "$wrong" >&2; exit 1; }
