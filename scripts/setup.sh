#!/bin/sh
# Installs the system packages Fluxion needs and this machine lacks (Debian and Ubuntu): OpenBLAS for matrix products, loaded at run
# time, and zlib's headers for compressed data files. Does nothing, quickly, when they are there.
set -eu

command -v swift >/dev/null 2>&1 || {
  echo "setup: no Swift toolchain was found. Install Swift 6.2 or later from https://www.swift.org/install and put it on PATH." >&2
  exit 1
}
[ "$(uname -s)" = Linux ] || exit 0

missing=
for package in libopenblas0-pthread zlib1g-dev; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "setup: installing$missing" >&2
run=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null 2>&1 || {
    echo "setup: please install as root:$missing" >&2
    exit 1
  }
  run=sudo
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$run apt-get update -qq >/dev/null && $run apt-get install -y -qq --no-install-recommends $missing >/dev/null || {
  echo "setup: apt-get could not install$missing. Install them by hand and try again." >&2
  exit 1
}
