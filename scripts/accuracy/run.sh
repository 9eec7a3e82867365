#!/usr/bin/env bash
# run.sh [STRIDE] [POINTS]: measures every elementary function and writes the page. Stride 1 (default) takes every f32 argument, about an
# hour on one core; 257 is a look of half a minute. POINTS: f64 arguments for each function, 10⁷ if not given.
set -euo pipefail
stride=${1:-1}
points=${2:-1e7}
folder=.build/accuracy
page=Sources/Fluxion/Documentation.docc/Accuracy.md
scripts/accuracy/build.sh "$folder"
"$folder/accuracy" spots > "$folder/spots.txt"
{
  "$folder/accuracy" f32 "$stride"
  "$folder/accuracy" f64 "$points"
  "$folder/accuracy" pairs 1e6
} | tee "$folder/results.txt"
python3 scripts/accuracy/page.py "$folder/results.txt" "$folder/spots.txt" "$page"
