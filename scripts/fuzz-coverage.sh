#!/usr/bin/env bash
# Lets AFL++ try inputs of the targets of tests/NinCudnn.Fuzz, guided by the branches that they reach in NinCudnn.dll and nin.dll, which SharpFuzz instruments.
# FUZZ_SECONDS for each target (60), two at a time; FUZZ_TARGETS names them (all). Fails where one has crashed or hung, and names the inputs, which lie in
# artifacts/fuzz-coverage/TARGET until the next run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command -v afl-fuzz >/dev/null || { echo "afl-fuzz is missing. On Debian: sudo apt-get install afl++" >&2; exit 1; }
cd "$root"
export work=artifacts/fuzz-coverage
rm -rf "$work"
mkdir -p "$work"

dotnet tool restore >"$work/tools.log" || { cat "$work/tools.log" >&2; exit 1; }
dotnet build tests/NinCudnn.Fuzz.Coverage --configuration Release --nologo --verbosity quiet
cp --recursive artifacts/bin/NinCudnn.Fuzz.Coverage/release "$work/bin" # so that the originals stay as they are
for library in NinCudnn.dll nin.dll; do
    dotnet sharpfuzz "$work/bin/$library"
done

# Temporary files in memory, as each input is written to one.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
TMPDIR=$(mktemp --directory --tmpdir nin-fuzz-XXXXXX)
export TMPDIR DOTNET_EnableDiagnostics=0
trap 'rm -rf "$TMPDIR"' EXIT
# The program is no ELF file of AFL++'s compilers; a core that is piped elsewhere delays the news of a crash at most; the processors are others' too.
export AFL_SKIP_BIN_CHECK=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1 NO_COLOR=1
export AFL_FORKSRV_INIT_TMOUT=60000 seconds=${FUZZ_SECONDS:-60}

# One target: its line, and what it has failed at.
try() {
    local target=$1 program="$work/bin/NinCudnn.Fuzz.Coverage" place="$work/$1" statistics="$work/$1/default/fuzzer_stats" failed=0
    "$program" "$target" --corpus "$place/corpus"
    { printf '%s\n' null true -1 1e999 '""' '[]' '{}'; grep --text --no-filename --only-matching --extended-regexp '"[a-z_-]+"' "$place"/corpus/* || true; } |
        sort --unique | sed 's/"/\\"/g; s/.*/"&"/' >"$place/words"
    if ! afl-fuzz -i "$place/corpus" -o "$place" -x "$place/words" -V "$seconds" -t 10000 -m none -- "$program" "$target" >"$place/afl-fuzz.log" 2>&1; then
        printf '%s: afl-fuzz has failed\n%s\n' "$target" "$(tail -n 20 "$place/afl-fuzz.log")" >&2
        return 1
    fi
    awk -v target="$target" '{ value[$1] = $3 } END {
        printf "%s: %d inputs tried, %d a second; %d paths, %d edges; %d crashes, %d hangs\n", target, value["execs_done"], value["execs_per_sec"],
            value["corpus_count"], value["edges_found"], value["saved_crashes"], value["saved_hangs"] }' "$statistics"
    for input in "$place"/default/{crashes,hangs}/id:*; do
        [ -e "$input" ] || continue
        failed=1
        printf '%s: input %s: %s\n' "$target" "$input" "$(timeout 60 "$program" "$target" <"$input" 2>&1 | grep --max-count 1 --after-context 1 '^Unhandled' || true)" >&2
    done
    return $failed
}
export -f try

targets=${FUZZ_TARGETS:-$("$work/bin/NinCudnn.Fuzz.Coverage")}
tr -s ' \n' '\n' <<<"$targets" | xargs -d '\n' -P 2 -I{} bash -euo pipefail -c 'try {}' || exit 1
