#!/usr/bin/env bash
# Runs examples short and checks what they print: those named, or all. Each has its own run.sh for that, which is run in an empty directory
# and finds the example's program in $PROGRAM. Build first (make build).
set -euo pipefail
examples=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export NIN_CACHE_DIR=$scratch/cache

names=("$@")
[ $# -gt 0 ] || mapfile -t names < <(cd "$examples" && printf '%s\n' */run.sh | xargs -n 1 dirname)
for name in "${names[@]}"; do
    export PROGRAM=$examples/../artifacts/bin/$name/release/$name
    [ -x "$PROGRAM" ] || { echo "$name is not built: make build" >&2; exit 1; }
    mkdir "$scratch/$name"
    echo "== $name"
    (cd "$scratch/$name" && "$examples/$name/run.sh")
done
