#!/usr/bin/env bash
# Builds and runs every test, .NET and native, and ends with one line: N passed, N failed, N skipped.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
results="$root/artifacts/test-results"

scripts/bootstrap.sh || exit 1
dotnet build NinCudnn.sln --configuration Release --nologo --verbosity quiet || exit 1
rm -rf "$results"
mkdir -p "$results"

failed=0
for project in tests/*/*.csproj; do
    name=$(basename "$project" .csproj)
    echo "== $name"
    "artifacts/bin/$name/release/$name" -noLogo -xml "$results/$name.xml" || failed=1
    [ -s "$results/$name.xml" ] || { echo "$name left no results" >&2; failed=1; }
done
echo "== native"
ctest --test-dir artifacts/native --output-on-failure --quiet --parallel 2 --output-junit "$results/native.xml" || failed=1
[ -s "$results/native.xml" ] || { echo "ctest left no results" >&2; failed=1; }

# xunit writes <assembly total= passed= failed= skipped= errors=>, ctest <testsuite tests= failures= skipped= disabled=>.
summary=$(awk '
    function attribute(name,  pair) { return match($0, " " name "=\"[0-9]+\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : 0 }
    { gsub(/\n/, " ") }
    /<assembly [^>]*total=/ { passed += attribute("passed"); failed += attribute("failed") + attribute("errors"); skipped += attribute("skipped") + attribute("not-run") }
    /<testsuite / { n = attribute("tests"); f = attribute("failures"); s = attribute("skipped") + attribute("disabled"); passed += n - f - s; failed += f; skipped += s }
    END { printf "%d %d %d", passed, failed, skipped }
' RS='>' "$results"/*.xml)
read -r passed failures skipped <<<"$summary"
[ "$failures" -eq 0 ] && [ "$failed" -ne 0 ] && failures=1 # a runner that died without counting
echo "$passed passed, $failures failed, $skipped skipped"
[ "$failures" -eq 0 ]
