#!/bin/sh
# Runs the tests and closes with one line, "N passed, N failed". Arguments go to `swift test`. FLUXION_TEST_SECONDS bounds the run, not
# the build: tests that take longer are ended, and have failed.
set -uf
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# What chooses tests, which a build knows nothing of, goes to the run alone.
chosen=
left=$#
while [ "$left" -gt 0 ]; do
  case $1 in
    --filter | --skip)
      chosen="$chosen $1 $2"
      shift 2
      left=$((left - 2))
      ;;
    *)
      set -- "$@" "$1"
      shift
      left=$((left - 1))
      ;;
  esac
done

# A build of its own: some tests look inside modules, which optimised code allows only when told, and at a price in speed.
# Built first, so that the command-line tests find the program they start.
set -- -Xswiftc -enable-testing --scratch-path .build/tests "$@"
swift build --build-tests "$@" || exit 1
limit=${FLUXION_TEST_SECONDS:-}
${limit:+timeout -k 10 "$limit"} swift test --skip-build "$@" $chosen 2>&1 | tee "$log"

# A suite's line begins with "Suite", the run's with "Test run with": neither is a test.
passed=$(grep -E '✔ Test .* passed after' "$log" | grep -cv '✔ Test run with')
failed=$(grep -E '✘ Test .* failed after' "$log" | grep -cv '✘ Test run with')
summary=$(grep -cE 'Test run with [0-9]+ tests? .*(passed|failed)' "$log")
if [ "$summary" -eq 0 ]; then
  echo "the test run ended before its summary" >&2
  failed=$((failed + 1))
fi
grep -qE 'Test run with .* failed' "$log" && [ "$failed" -eq 0 ] && failed=1
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
