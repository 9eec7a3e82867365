#!/usr/bin/env bash
# Builds the test plugin, XLA's own CPU backend behind the PJRT C API, and prints its path.
#
# usage: build-cpu-plugin.sh [FOLDER]        FOLDER: where the parts are kept, .build/xla-cpu by default
#
# XLA comes from the tensorflow-cpu wheel: some 270 MB once, 900 MB unpacked. What is there already is kept: a second call does nothing.
# Ends with 69 where this machine cannot have it, for want of a tool or of the network, and with 1 where the sources are to blame.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=${1:-$root/.build/xla-cpu}
version=2.21.0
sources="$root/Tests/XLACPUPlugin"
header="$root/Sources/CPJRT/include"
tf="$folder/tensorflow-$version/tensorflow"
plugin="$folder/libfluxion_xla_cpu.so"

fail() { echo "xla-cpu-plugin: $*" >&2; exit 1; }
unavailable() { echo "xla-cpu-plugin: $*" >&2; exit 69; }
[ "$(uname -s)" = Linux ] || unavailable "the wheel is for Linux, and this is $(uname -s)."
command -v python3 >/dev/null || unavailable "python3 is needed to fetch the wheel: install it and try again."
command -v g++ >/dev/null || unavailable "g++ 12 or later is needed: install it (on Debian: apt-get install g++) and try again."
mkdir -p "$folder"

if [ ! -f "$folder/tensorflow-$version/complete" ]; then
  wheels=$(mktemp -d "$folder/wheel.XXXXXX")
  trap 'rm -rf "$wheels"' EXIT
  echo "xla-cpu-plugin: fetching tensorflow-cpu $version" >&2
  # Any Python will do: the wheel's libraries are what is wanted. In the foreground: who ends this script ends the fetching.
  timeout --foreground 1500 python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 \
    --platform "manylinux_2_27_$(uname -m)" -d "$wheels" "tensorflow-cpu==$version" >&2 ||
    unavailable "pip could not fetch tensorflow-cpu $version. Check the network and that pip is there (python3 -m pip --version)."
  rm -rf "$folder/tensorflow-$version"
  python3 - "$wheels"/*.whl "$folder/tensorflow-$version" <<'PYTHON'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    libraries = ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2")
    for name in wheel.namelist():
        if name.startswith("tensorflow/include/") or name in libraries:
            wheel.extract(name, sys.argv[2])
PYTHON
  touch "$folder/tensorflow-$version/complete"
  rm -rf "$wheels"
fi

# Built again only when its sources, or the header they are compared with, have changed.
stamp=$(cat "$0" "$here/layout.py" "$header/pjrt.h" "$sources/plugin.cc" "$sources/processes.h" $(find "$sources/stand-in" -type f | sort) | sha256sum | cut -d' ' -f1)
if [ ! -f "$plugin" ] || [ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ]; then
  echo "xla-cpu-plugin: comparing the header with XLA's, and building" >&2
  python3 "$here/layout.py" "$header/pjrt.h" >"$folder/layout.cc"
  g++ -std=c++20 -fsyntax-only -I"$tf/include" -I"$header" "$folder/layout.cc" ||
    fail "Sources/CPJRT/include/pjrt.h differs from XLA's header, as the compiler says above."
  # -DNDEBUG: types of the library that are inlined here have other members without it.
  g++ -std=c++20 -O1 -DNDEBUG -w -fpermissive -fPIC -shared -fvisibility=hidden -DFLUXION_WHEEL_VERSION="\"$version\"" \
    -I"$sources/stand-in" -I"$tf/include" -I"$tf/include/external/com_google_protobuf/src" "$sources/plugin.cc" -o "$plugin.new" \
    -L"$tf" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 -Wl,-rpath,"$tf"
  mv "$plugin.new" "$plugin"
  echo "$stamp" >"$folder/stamp"
fi
echo "$plugin"
