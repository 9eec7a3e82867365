#!/usr/bin/env bash
# build.sh FOLDER: builds the program that measures into FOLDER/accuracy: the kernels with the package's compiler, the references with
# gcc, whose library has quadruple precision.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../Sources/CFluxionKernels
folder=$1
mkdir -p "$folder"
command -v gcc > /dev/null || { echo "accuracy: gcc with libquadmath is needed (Debian: apt-get install gcc)." >&2; exit 1; }
compiler=$(command -v clang || echo "$(dirname "$(readlink -f "$(command -v swift)")")/clang")
for file in "$kernels"/*.c; do
  object=$folder/$(basename "$file" .c).o
  # Headers count too, so everything younger than the object is looked for.
  if [ ! -e "$object" ] || [ -n "$(find "$kernels" -newer "$object" -name '*.[ch]' -print -quit)" ]; then
    "$compiler" -O2 -Wall -I"$kernels/include" -c "$file" -o "$object"
  fi
done
gcc -Ofast -march=native -mprefer-vector-width=512 -I"$kernels/include" -c "$here/reference.c" -o "$folder/reference.o"
gcc -O2 -march=native -I"$kernels/include" -c "$here/accuracy.c" -o "$folder/measure.o"
gcc "$folder"/*.o -o "$folder/accuracy" -lquadmath -lm -ldl -lpthread
