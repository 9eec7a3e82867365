#!/bin/sh
# Builds the documentation of every module that has a catalogue into .build/docs/<Module>.doccarchive.
set -eu
# Beside the build: a module that has not changed is not compiled again, and its symbols are those of the last time.
symbols=.build/docs-build/symbol-graphs
rm -rf .build/docs && mkdir -p "$symbols" .build/docs
swift build -c debug -Xswiftc -emit-symbol-graph -Xswiftc -emit-symbol-graph-dir -Xswiftc "$PWD/$symbols" --scratch-path .build/docs-build
docc=$(command -v docc || echo "$(dirname "$(command -v swift)")/docc")
status=0
for catalogue in Sources/*/Documentation.docc; do
  module=$(basename "$(dirname "$catalogue")")
  rm -rf "${symbols:?}/$module" && mkdir -p "$symbols/$module"
  cp "$symbols/$module".symbols.json "$symbols/$module@"*.symbols.json "$symbols/$module/" 2>/dev/null || true
  "$docc" convert "$catalogue" --fallback-display-name "$module" --fallback-bundle-identifier "fluxion.$module" \
    --additional-symbol-graph-dir "$symbols/$module" --output-path ".build/docs/$module.doccarchive" || status=1
done
exit $status
