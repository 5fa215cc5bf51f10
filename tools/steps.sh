#!/bin/sh
# Runs make targets one after the other and counts what they find.
#
#	steps.sh LIMIT "CHECK..." "TEST..."
#
# A check is one test by its exit status. A test prints the events of
# "go test -json", and each test case counts. No failure stops the run. gotestsum
# shows each package, and at the end what failed and why a test was skipped. What
# still runs after LIMIT (as timeout takes it) is ended. The last line is always
# "N passed, N failed", and the exit status says whether N is 0.
set -u

# events prints the events of all targets; it is this script, called by gotestsum.
# The status file lists the targets that failed, with or without an event.
events() {
	status=$1 checks=$2 tests=$3
	if [ -n "$checks" ]; then
		{ for target in $checks; do
			began=$(date +%s)
			echo "=== RUN   $target"
			if output=$(run "$target" 2>&1); then result=PASS; else result=FAIL; fi
			[ -z "$output" ] || echo "$output" | grep -v '^make.*: \*\*\* ' | sed 's/^/    /'
			echo "--- $result: $target ($(($(date +%s) - began)).00s)"
			[ "$result" = PASS ] || echo "$target" >>"$status"
		done; if [ -s "$status" ]; then echo FAIL; else echo PASS; fi; } | go tool test2json -p checks
	fi
	for target in $tests; do
		run "$target" 2>"$status.err" && continue
		echo "$target" >>"$status"
		grep -v '^make.*: \*\*\* ' "$status.err" >&2
	done
	[ ! -s "$status" ]
}

run() {
	echo "$1" >"$status.running"
	${MAKE:-make} --no-print-directory -s "$1"
}

if [ "$1" = events ]; then
	shift
	events "$@"
	exit
fi

limit=$1 checks=$2 tests=$3
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
touch "$dir/status"

"${GOTESTSUM:-bin/tools/gotestsum}" --format pkgname --format-hide-empty-pkg --no-color \
	--jsonfile-timing-events "$dir/ends" --post-run-command "sh -c 'echo \$TESTS_FAILED >$dir/failed'" \
	--raw-command -- timeout -k 20s "$limit" sh "$0" events "$dir/status" "$checks" "$tests"
result=$?

touch "$dir/ends"
passed=$(grep -c '"Action":"pass".*"Test":' "$dir/ends")
failed=$(cat "$dir/failed" 2>/dev/null || echo 0)
# A target can fail without a failed test: it did not build, or it ran too long.
[ "$result" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1

echo
[ "$result" -ne 124 ] || echo "NOT FINISHED after $limit: $(cat "$dir/status.running")"
[ ! -s "$dir/status" ] || echo "FAILED $(tr '\n' ' ' <"$dir/status")"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
