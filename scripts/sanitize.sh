#!/usr/bin/env bash
# Builds libnin_host and the native tests with sanitizers, into directories of their own, and runs them. What a sanitizer finds ends its process,
# and so fails a test.
#   scripts/sanitize.sh                   all of it with AddressSanitizer (leaks too) and UndefinedBehaviorSanitizer; the driver with ThreadSanitizer
#   scripts/sanitize.sh thread            one of the two (or address)
#   scripts/sanitize.sh thread FILE       also writes the results into a JUnit file
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
[ $# -ge 1 ] || { "${BASH_SOURCE[0]}" address && exec "${BASH_SOURCE[0]}" thread; }
declare -A sanitizers=([address]=address,undefined [thread]=thread)
build="artifacts/sanitize-$1"
junit=()
[ $# -lt 2 ] || junit=(--output-junit "$2")

mkdir -p artifacts
generator=()
command -v ninja >/dev/null && [ ! -f "$build/CMakeCache.txt" ] && generator=(-G Ninja)
cmake -S . -B "$build" "${generator[@]}" -DNIN_SANITIZE="${sanitizers[$1]}" -DCMAKE_BUILD_TYPE=Release -Wno-dev >"$build-configure.log" 2>&1 ||
    { cat "$build-configure.log" >&2; exit 1; }
cmake --build "$build"

# Accesses to device addresses fault on purpose, and allocations beyond all memory are refused: the tests see to both.
export ASAN_OPTIONS=handle_segv=0:allocator_may_return_null=1:detect_stack_use_after_return=1:strict_init_order=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
ctest --test-dir "$build" --output-on-failure --parallel 2 "${junit[@]}"
