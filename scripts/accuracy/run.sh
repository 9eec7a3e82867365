#!/usr/bin/env bash
# run.sh [STRIDE] [POINTS]: measures every elementary function and writes the page. Stride 1 (default) takes every f32 argument, an hour
# of one core, spread over JOBS of them (all, if not given); 257 is a look of half a minute. POINTS: f64 arguments for each function, 10⁷ if
# not given. FUNCTIONS: the only functions to measure again, the others keeping the results of the run before.
set -euo pipefail
stride=${1:-1}
points=${2:-1e7}
folder=.build/accuracy
page=Sources/Fluxion/Documentation.docc/Accuracy.md
scripts/accuracy/build.sh "$folder"
"$folder/accuracy" spots > "$folder/spots.txt"

names=$("$folder/accuracy" names)
measure='"$1/accuracy" "$2" "$3" $4 > "$1/$2-$4.part" && mv "$1/$2-$4.part" "$1/$2-$4.txt"'
for work in f32\ "$stride" f64\ "$points"; do
  for name in ${FUNCTIONS:-$names}; do echo "$work $name"; done
done | xargs -P "${JOBS:-$(getconf _NPROCESSORS_ONLN)}" -L 1 bash -c "$measure" measure "$folder"
"$folder/accuracy" pairs 1e6 > "$folder/pairs.txt"
for type in f32 f64; do
  for name in $names; do cat "$folder/$type-$name.txt"; done
done | cat - "$folder/pairs.txt" > "$folder/results.txt"
python3 scripts/accuracy/page.py "$folder/results.txt" "$folder/spots.txt" "$page"

# The special functions are programs of the runtime, and compared with mpmath.
swift build -c release --product FluxionSpecialFunctions
python3 -c 'import mpmath' || { echo "accuracy: Python's mpmath is needed for the special functions (pip install mpmath)." >&2; exit 1; }
python3 scripts/accuracy/special.py .build/release/FluxionSpecialFunctions Sources/FluxionCore/Documentation.docc/SpecialFunctionAccuracy.md
