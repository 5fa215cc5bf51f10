#!/bin/sh
# Runs make targets and counts what they find.
#
#	steps.sh LIMIT "CHECK..." "TEST... | TEST..."
#
# A check is one test by its exit status. A test prints the events of "go test -json", and
# each test case counts. The checks run one after the other, then the tests; those after the
# bar run beside those before it, so that one computes while another waits. No failure stops
# the run. gotestsum shows each package, and at the end what failed and why a test was
# skipped. What still runs after LIMIT (as timeout takes it) is ended. Each step is listed
# with the time that it took and that of its processes on the processors. The last line is
# always "N passed, N failed", and the exit status says whether N is 0.
#
# MEANWHILE names a target that runs beside the checks and before the tests; it counts for
# nothing. AROUND is a command that the tests are run by.
set -u

# events prints the events of all targets; it is this script, called by gotestsum.
# The status file lists the targets that failed, with or without an event.
events() {
	status=$1 checks=$2 tests=$3
	if [ -n "${MEANWHILE:-}" ]; then
		{ took "$MEANWHILE" run meanwhile "$MEANWHILE"; } >"$status.meanwhile" 2>&1 &
	fi
	if [ -n "$checks" ]; then
		{ for target in $checks; do
			began=$(date +%s)
			echo "=== RUN   $target"
			if took "$target" run check "$target" >"$status.output" 2>&1; then result=PASS; else result=FAIL; fi
			output=$(cat "$status.output")
			[ -z "$output" ] || echo "$output" | grep -v '^make.*: \*\*\* ' | sed 's/^/    /'
			echo "--- $result: $target ($(($(date +%s) - began)).00s)"
			[ "$result" = PASS ] || echo "$target" >>"$status"
		done; if [ -s "$status" ]; then echo FAIL; else echo PASS; fi; } | go tool test2json -p checks
	fi
	wait
	[ -z "$tests" ] || ${AROUND:-} sh "$0" lanes "$status" "$tests"
	[ ! -s "$status" ]
}

# lanes runs the tests before the bar beside those after it. The events of these are
# printed at the end: lines of two writers would become one.
lanes() {
	status=$1 first=${2%%|*} second=
	[ "$first" = "$2" ] || second=${2#*|}
	: >"$status.events"
	trap 'cat "$status.events"; exit 143' TERM
	lane second "$second" >"$status.events" &
	lane first "$first" & # a shell of its own, which ends with its target
	wait
	cat "$status.events"
}

lane() {
	for target in $2; do
		took "$target" run "$1" "$target" 2>"$status.$1" && continue
		echo "$target" >>"$status"
		grep -v '^make.*: \*\*\* ' "$status.$1" >&2
	done
}

run() {
	echo "$2" >"$status.running.$1"
	${MAKE:-make} --no-print-directory -s "$2"
	result=$?
	rm -f "$status.running.$1"
	return $result
}

# took runs a command and writes down how long it took. The time of processors is that
# of all processes that this shell has waited for.
took() {
	what=$1
	shift
	since=$(date +%s)
	times >"$status.before.$what"
	"$@"
	result=$?
	times >"$status.after.$what"
	awk -v what="$what" -v wall=$(($(date +%s) - since)) '
		FNR == 2 { for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); sum[FILENAME] += 60 * t[1] + t[2] } }
		END { printf "%-16s %5d s, processors %5d s\n", what, wall, sum[ARGV[2]] - sum[ARGV[1]] }
	' "$status.before.$what" "$status.after.$what" >>"$status.took"
	return $result
}

case $1 in events | lanes)
	call=$1
	shift
	"$call" "$@"
	exit
	;;
esac

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
[ ! -s "$dir/status.meanwhile" ] || cat "$dir/status.meanwhile"
[ ! -s "$dir/status.took" ] || cat "$dir/status.took"
[ "$result" -ne 124 ] || echo "NOT FINISHED after $limit: $(cat "$dir"/status.running.* 2>/dev/null | tr '\n' ' ')"
[ ! -s "$dir/status" ] || echo "FAILED $(tr '\n' ' ' <"$dir/status")"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
