#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh PAGE WORK SOURCE BUILD: does what a page of the documentation says, in the fresh folder WORK.
#   ```sh run            the block is run; it must succeed
#   ```text output       must be what the block before it printed (stdout and stderr)
#   ```yaml file=NAME    the block is written to NAME (any language in place of yaml)
# Blocks run in order, as a reader would in the source folder: graphs/ and build/release/ are there.
# Links to other files of the repository must lead somewhere.
set -eu
page=$1 work=$2 source=$3 build=$4

rm -rf "$work"
mkdir -p "$work/build" "$work/home" "$work/.steps"
ln -s "$source/graphs" "$work/graphs"
ln -s "$build" "$work/build/release"

awk -v dir="$work/.steps" '
function begin(name) { to = sprintf("%s/%04d%s", dir, n, name); printf "" >to }
/^```/ && inside {
	if (file) print "FX_END_OF_FILE" >to
	if (to) close(to)
	inside = 0
	next
}
/^```/ {
	inside = 1
	file = to = ""
	if ($0 == "```sh run") { n++; last = FNR; begin(".sh"); print "# line " FNR >to }
	if ($0 == "```text output") { begin(".out"); if (!n) exit 1 }
	if ($2 ~ /^file=/) {
		n++
		file = substr($2, 6)
		begin(".sh")
		print "# line " FNR "\ncat >" file " <<\"FX_END_OF_FILE\"" >to
	}
	next
}
inside && to { print >to }
' "$page"

status=0
cd "$work"
HOME=$work/home
TMPDIR=$(mktemp -d) # short: sockets lie in it
trap 'rm -rf "$TMPDIR"' EXIT
export HOME TMPDIR
for step in .steps/*.sh; do
	[ -e "$step" ] || break
	if ! sh -eu "$step" >"$step.log" 2>&1; then
		echo "$page: the block at$(sed -n '1s/^#//p' "$step") fails:"
		cat "$step" "$step.log"
		exit 1
	fi
	wanted=${step%.sh}.out
	if [ -e "$wanted" ] && ! diff -u "$wanted" "$step.log"; then
		echo "$page: the block at$(sed -n '1s/^#//p' "$step") prints something else"
		status=1
	fi
done

grep -o '](\([^)#: ]*\)[^):]*)' "$page" | sed 's/^](//; s/[#)].*//' >.links
cd "$(dirname "$page")"
while read -r target; do
	if [ ! -e "$target" ]; then
		echo "$page: the link to $target leads nowhere"
		status=1
	fi
done <"$work/.links"
[ $status -ne 0 ] || rm -rf "$work"
exit $status
