#!/usr/bin/env bash
# Builds and runs every test, .NET and native, and ends with one line: N passed, N failed, N skipped.
# The host provider runs work in three ways, and can poison memory (docs/host-provider.md): the suites that compute run in all of them.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
export results="$root/artifacts/test-results" unpacked="$root/artifacts/test-archive"

scripts/bootstrap.sh tests || exit 1
dotnet build NinCudnn.sln --configuration Release --nologo --verbosity quiet || exit 1
rm -rf "$results"
mkdir -p "$results"

# A .NET suite: its name, then variables for it. It must leave no native object behind.
suite() {
    local name=$1 variables=("${@:2}") part=() program=
    if [ "$name" = Nin.Tests ]; then
        # All tests with the archive's program, which is native code. What it says and refuses is the same in all modes, so that in another one only what it
        # computes is tested again, and with the program that was built.
        if [ $# -eq 1 ]; then program=$unpacked/nin; else part=(-trait Modes=all); fi
    fi
    env NIN_HOST_REPORT_LEAKS=1 NIN_TEST_PROGRAM="$program" "${variables[@]}" "artifacts/bin/$name/release/$name" "${part[@]}" -noLogo -noColor -result-xml "$results/$name${variables[*]:+ ${variables[*]}}.xml"
}
archive() {
    rm -rf "$unpacked"
    mkdir -p "$unpacked"
    scripts/dist.sh && tar --extract --file artifacts/dist/nin-*.tar.xz --directory "$unpacked" --strip-components 1
}
# The native tests, and those of archive, packages and examples. OpenMP's threads are not to spin for long while others wait for the processor, as the managed
# layer sees to by itself (HostThreads).
native() {
    scripts/pack.sh && GOMP_SPINCOUNT=2000 ctest --test-dir artifacts/native --output-on-failure --quiet --parallel 2 --output-junit "$results/native.xml"
}
# The driver's tests under ThreadSanitizer: the short form of make sanitize.
sanitize() {
    scripts/sanitize.sh thread "$results/sanitize.xml"
}
audit() {
    scripts/audit.sh "$results/audit.xml"
}
# One job: what it is goes before what it prints, in one piece, since two run at a time.
job() {
    local output status=0
    output=$("$@" 2>&1) || status=1
    grep -q '^nin_host: live objects at exit' <<<"$output" && status=1
    printf '== %s\n%s\n' "$*" "$output"
    return $status
}
# Jobs, two at a time.
run_jobs() {
    printf '%s\n' "$@" | xargs -d '\n' -P 2 -I{} bash -c 'job {}' || failed=1
}
export -f suite archive native sanitize audit job

failed=0
run_jobs archive \
    'suite NinCudnn.Tests' \
    sanitize \
    audit \
    'suite NinCudnn.Interop.Tests' \
    'suite NinCudnn.Ptx.Tests'
run_jobs native \
    'suite Nin.Tests' \
    'suite NinCudnn.Tests NIN_HOST_STREAMS=deferred NIN_HOST_DEVICES=2' \
    'suite NinCudnn.Tests NIN_HOST_STREAMS=sync NIN_HOST_POISON=1' \
    'suite Nin.Tests NIN_HOST_STREAMS=deferred NIN_HOST_POISON=1' \
    'suite NinCudnn.Ptx.Tests NIN_HOST_STREAMS=sync NIN_HOST_POISON=1' \
    'suite NinCudnn.Fuzz'
for name in NinCudnn.Tests NinCudnn.Ptx.Tests NinCudnn.Interop.Tests NinCudnn.Fuzz Nin.Tests native sanitize audit; do
    [ -s "$results/$name.xml" ] || { echo "$name left no results" >&2; failed=1; }
done
[ "$(find "$results" -name '*.xml' | wc -l)" -eq 12 ] || { echo "a suite left no results" >&2; failed=1; }

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
