#!/usr/bin/env bash
# Measures NinCudnn beside TorchSharp on this machine and writes bench/results/<date>-<machine>.md. docs/bench.md says what and how.
# Best on a machine that has nothing else to do.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
rounds=${NIN_BENCH_ROUNDS:-3}
threads=${NIN_NUM_THREADS:-$(nproc)}
export NIN_NUM_THREADS=$threads
nin=artifacts/bin/nin/release/nin
bench=artifacts/bin/NinCudnn.Bench/release/NinCudnn.Bench
work=artifacts/bench
numbers=$work/numbers # one file per case, program and quantity, one line per round

say() { echo "bench: $*" >&2; }
field() { sed -nE "s/.*\"$1\": ?([0-9.eE+-]+).*/\1/p" | head -1; }
median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
compute() { awk "BEGIN { printf \"$1\", $2 }"; }

command -v /usr/bin/time >/dev/null || { say "GNU time is missing (apt-get install time)"; exit 1; }
scripts/bootstrap.sh
dotnet build cli/nin.csproj --configuration Release --nologo --verbosity quiet
dotnet build bench/NinCudnn.Bench --configuration Release --nologo --verbosity quiet
scripts/dist.sh >/dev/null
rm -rf "$numbers" "$work/start"
mkdir -p "$numbers" "$work/start"

# The peer, here if its libraries load here, else in a newer system's root.
peer=() peer_note=
prepare_peer() {
    dotnet publish bench/TorchSharpPeer --configuration Release --self-contained --nologo --verbosity quiet --output "$work/peer" ||
        { peer_note="its packages could not be had"; return; }
    if ! ldd "$work/peer/libLibTorchSharp.so" 2>&1 | grep --quiet 'not found'; then
        peer=("$work/peer/TorchSharpPeer")
        data=$root/$work/reference
        return
    fi
    if ! bench/peer-root.sh; then
        peer_note="its native library needs a newer C++ library than this system has, and a Debian 13 root could not be made"
        return
    fi
    rm -rf "$work/debian/peer"
    mv "$work/peer" "$work/debian/peer"
    mkdir -p "$work/debian/data"
    # A mount namespace of its own, so that nothing stays mounted.
    peer=(unshare --mount sh -c 'mount -t proc proc "$0/proc" && mount --bind "$1" "$0/data" && r=$0 && shift && exec chroot "$r" /peer/TorchSharpPeer "$@"' "$work/debian" "$work/reference")
    data=/data
}
prepare_peer
[ -z "$peer_note" ] || say "going on without TorchSharp: $peer_note"

# one_round <case> <mode> <batch> <size> <repetitions>: each program once.
one_round() {
    local name=$1 mode=$2 batch=$3 size=$4 repetitions=$5 options=() json
    [ "$mode" = inference ] && options=(--inference)
    json=$(/usr/bin/time --format %M --output "$work/rss" \
        "$nin" bench --device cpu --step-only --json --batch "$batch" --resize "$size" --repetitions "$repetitions" "${options[@]}")
    field samples_per_second <<<"$json" >>"$numbers/$name.nin.rate"
    awk '{ print $1 * 1024 }' "$work/rss" >>"$numbers/$name.nin.rss"
    [ ${#peer[@]} -gt 0 ] || return 0
    json=$("${peer[@]}" "$data" "$mode" "$repetitions" "$threads")
    field samples_per_second <<<"$json" >>"$numbers/$name.peer.rate"
    field peak_rss_bytes <<<"$json" >>"$numbers/$name.peer.rss"
    field loss <<<"$json" >"$numbers/$name.peer.loss"
    field loss_after_step <<<"$json" >"$numbers/$name.peer.loss_after_step"
}

# measure <case> <mode> <batch> <size> <repetitions>: alternates the programs; the same model, batch and losses go first.
losses=()
measure() {
    local name=$1 batch=$3 size=$4 quantity ours theirs
    say "$name"
    "$bench" reference "$work/reference" "$batch" "$size"
    for ((round = 0; round < rounds; round++)); do one_round "$@"; done
    [ ${#peer[@]} -gt 0 ] || return 0
    for quantity in loss loss_after_step; do
        ours=$(head --bytes 20000 "$work/reference/batch.safetensors" | grep --text -oE "\"$quantity\":\"[^\"]+" | cut -d'"' -f4)
        theirs=$(cat "$numbers/$name.peer.$quantity")
        losses+=("| $name, $quantity | $ours | $theirs |")
        awk "BEGIN { d = $ours - $theirs; exit !(d < 1e-4 && d > -1e-4) }" ||
            { say "$name: the $quantity is $ours here and $theirs with TorchSharp: these are not the same network"; exit 1; }
    done
}

rows=()
row() { rows+=("| $1 | $2 | $3 | $4 |"); }
# ratio <title> <case> <quantity> <must> <aim> <unit> <divisor>: ours over theirs.
ratio() {
    local ours theirs
    ours=$(median "$numbers/$2.nin.$3")
    if [ ${#peer[@]} -gt 0 ]; then
        theirs=$(median "$numbers/$2.peer.$3")
        row "$1" "$4" "$5" "$(compute '%.2f× (%.4g and %.4g %s)' "$ours / $theirs, $ours / $7, $theirs / $7, \"$6\"")"
    else
        row "$1" "$4" "$5" "$(compute '%.4g %s; no peer' "$ours / $7, \"$6\"")"
    fi
}

measure training-224 training 128 224 3
measure training-96 training 64 96 10
measure inference-32 inference 32 224 10
measure inference-1 inference 1 224 50
ratio "training, float32, batch 128, 224×224" training-224 rate "≥ 1.8×" "2.3×" "samples/s" 1
ratio "training, float32, batch 64, 96×96" training-96 rate "≥ 1.5×" "2×" "samples/s" 1
ratio "inference, batch 32, 224×224" inference-32 rate "≥ 1.3×" "2×" "samples/s" 1
ratio "inference, batch 1, 224×224" inference-1 rate "≥ 1.3×" "2×" "samples/s" 1
ratio "peak memory of the process, training at 224×224" training-224 rss "≤ 0.85×" "0.65×" "MiB" 1048576

say "costs of a step on the host"
for ((round = 0; round < rounds; round++)); do
    for streams in sync worker; do
        json=$(NIN_HOST_SKIP_WORK=1 NIN_HOST_STREAMS=$streams "$bench" costs 128 224)
        for quantity in enqueue_replayed enqueue_eager send managed_bytes_per_step bytes_to_device_per_step; do
            field "$quantity" <<<"$json" >>"$numbers/costs.$streams.$quantity"
        done
    done
done
cost() { median "$numbers/costs.${2:-sync}.$1"; }
row "enqueue a training step, replayed" "≤ 20 µs" "8 µs" "$(compute '%.1f µs' "1e6 * $(cost enqueue_replayed)")"
row "enqueue a training step, call by call" "≤ 150 µs" "60 µs" "$(compute '%.1f µs' "1e6 * $(cost enqueue_eager)")"
row "enqueue with the host provider's thread taking operations off beside it, replayed" "" "" "$(compute '%.1f µs' "1e6 * $(cost enqueue_replayed worker)")"
row "the same, call by call" "" "" "$(compute '%.1f µs' "1e6 * $(cost enqueue_eager worker)")"
row "send a step's input" "" "" "$(compute '%.1f µs' "1e6 * $(cost send)")"
row "managed bytes per step" "0" "0" "$(cost managed_bytes_per_step)"
row "bytes to the device per step, batch 128" "≤ 1 KiB" "512 B + indices" "$(cost bytes_to_device_per_step)"

say "start"
tar --extract --xz --directory "$work/start" --strip-components 1 --file artifacts/dist/nin-*-linux-x64.tar.xz
for ((i = 0; i < 20; i++)); do
    start=$(date +%s%N)
    "$work/start/nin" --help >/dev/null
    echo $(($(date +%s%N) - start)) >>"$numbers/start"
done
row "\`nin --help\`, native build" "≤ 80 ms" "30 ms" "$(compute '%.0f ms' "$(median "$numbers/start") / 1e6")"

cpu=$(sed -nE 's/^model name\s*: (.*)/\1/p' /proc/cpuinfo | head -1)
date=$(date +%Y-%m-%d)
report=bench/results/$date-$(tr -cs '[:alnum:]\n' - <<<"$cpu" | tr '[:upper:]' '[:lower:]' | sed 's/^-*//; s/-*$//').md
mkdir -p bench/results
{
    echo "# $date, $cpu"
    echo
    echo "- machine: $cpu, $(nproc) cores, $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r | cut -d- -f1); load $(cut -d' ' -f1 /proc/loadavg) at the end"
    echo "- NinCudnn $("$nin" --version) ($(git rev-parse --short HEAD)), .NET $(dotnet --version), oneDNN $(dpkg-query --show --showformat '${Version}' libdnnl-dev 2>/dev/null || echo unknown)"
    if [ ${#peer[@]} -gt 0 ]; then
        echo "- TorchSharp $(sed -nE 's/.*TorchSharp-cpu" Version="([^"]+)".*/\1/p' Directory.Packages.props), in the same run, alternating, $rounds rounds; medians of them"
    else
        echo "- without TorchSharp: $peer_note"
    fi
    echo "- $threads threads; float32"
    echo "- command: \`make bench\`, which runs \`nin bench --device cpu --step-only --json\`, \`TorchSharpPeer\`, \`NIN_HOST_SKIP_WORK=1 NIN_HOST_STREAMS=sync NinCudnn.Bench costs 128 224\` and \`nin --help\`"
    echo
    echo "| what | must | aim | measured |"
    echo "|---|---|---|---|"
    printf '%s\n' "${rows[@]}"
    if [ ${#peer[@]} -gt 0 ]; then
        printf '\nThe same parameters, the same batch, no dropout: the losses before and after one step.\n\n| case | NinCudnn | TorchSharp |\n|---|---|---|\n'
        printf '%s\n' "${losses[@]}"
    fi
    printf '\nEvery round (samples/s, bytes, seconds, nanoseconds):\n\n```\n'
    for file in "$numbers"/*; do
        [[ $file == *.loss* ]] || echo "$(basename "$file"): $(paste -sd' ' "$file")"
    done
    echo '```'
} >"$report"
cat "$report"
