#!/usr/bin/env bash
# Configures and builds everything native (libnin_host, PTX, native tests) into artifacts/native.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
generator=()
command -v ninja >/dev/null && [ ! -f "$root/artifacts/native/CMakeCache.txt" ] && generator=(-G Ninja)
mkdir -p "$root/artifacts"
# Two builds of one solution may reach this point at once; the second waits and finds nothing to do.
exec 9>"$root/artifacts/native.lock"
flock 9
cmake -S "$root" -B "$root/artifacts/native" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -Wno-dev >"$root/artifacts/native-configure.log" 2>&1 ||
    { cat "$root/artifacts/native-configure.log" >&2; exit 1; }
cmake --build "$root/artifacts/native"
