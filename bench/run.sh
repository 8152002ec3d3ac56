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
# bfloat16 is only measured where the CPU multiplies it.
precisions=(fp32)
grep --quiet -E 'avx512_bf16|amx_bf16' /proc/cpuinfo && precisions+=(bf16)

say() { echo "bench: $*" >&2; }
field() { sed -nE "s/.*\"$1\": ?([0-9.eE+-]+).*/\1/p" | head -1; }
median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
compute() { awk "BEGIN { printf \"$1\", $2 }"; }

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

# How far apart a loss here and a loss of a peer may be.
loss_tolerance=1e-4
losses=()
compare() { # <what> <ours> <theirs> <peer>
    losses+=("| $1 | $2 | $3 ($4) |")
    awk "BEGIN { d = $2 - $3; exit !(d < $loss_tolerance && d > -$loss_tolerance) }" ||
        { say "$1 is $2 here and $3 with $4: this is not the same work"; exit 1; }
}
reference_loss() { head --bytes 20000 "$work/reference/batch.safetensors" | grep --text -oE "\"$1\":\"[^\"]+" | cut -d'"' -f4; }

# check <size>: the same network, by the losses before and after a step. The peer's are computed in float64.
check() {
    local json note
    "$bench" reference "$work/reference" 8 "$1"
    [ ${#peer[@]} -gt 0 ] || return 0
    json=$("${peer[@]}" "$data" losses "$threads")
    note=$(field loss_after_step_float32 <<<"$json")
    compare "$1×$1, loss" "$(reference_loss loss)" "$(field loss <<<"$json")" "TorchSharp, float64"
    compare "$1×$1, loss after a step" "$(reference_loss loss_after_step)" "$(field loss_after_step <<<"$json")" "TorchSharp, float64; in float32 it is ${note:-not a number}"
}

# run_peer <case> <variant> <mode> <repetitions> [variable=value…]
run_peer() {
    local json
    json=$(env "${@:5}" "${peer[@]}" "$data" "$3" "$4" "$threads")
    field samples_per_second <<<"$json" >>"$numbers/$1.$2.rate"
    field peak_resident_bytes <<<"$json" >>"$numbers/$1.$2.rss"
}

# glibc gives large blocks back to the system at once, so that every step of the peer pays for new pages. With these settings it keeps
# them, which costs memory; speed is compared with the peer at its faster.
keeps_memory=(MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=17179869184)

# measure <case> <mode> <batch> <size> <repetitions>: the programs take turns.
measure() {
    local name=$1 mode=$2 batch=$3 size=$4 repetitions=$5 options=() json precision
    [ "$mode" = inference ] && options=(--inference)
    "$bench" reference "$work/reference" "$batch" "$size"
    for ((round = 1; round <= rounds; round++)); do
        say "$name, round $round of $rounds"
        for precision in "${precisions[@]}"; do
            json=$("$nin" bench --device cpu --step-only --json --batch "$batch" --resize "$size" --repetitions "$repetitions" \
                --precision "$precision" "${options[@]}")
            field samples_per_second <<<"$json" >>"$numbers/$name.$precision.rate"
            field peak_resident_bytes <<<"$json" >>"$numbers/$name.$precision.rss"
        done
        if [ "$mode" = inference ]; then
            json=$("$bench" onnx "$work/reference" "$repetitions" "$threads")
            field samples_per_second <<<"$json" >>"$numbers/$name.onnxruntime.rate"
            [ "$round" -gt 1 ] || compare "inference of $batch at $size×$size, loss" "$(reference_loss loss)" "$(field loss <<<"$json")" "ONNX Runtime"
        fi
        [ ${#peer[@]} -gt 0 ] || continue
        run_peer "$name" torchsharp "$mode" "$repetitions" "${keeps_memory[@]}"
        [ "$round" -gt 1 ] || run_peer "$name" torchsharp-default "$mode" "$repetitions"
    done
}

rows=()
row() { rows+=("| $1 | $2 | $3 | $4 |"); }
# ratio <title> <case> <precision> <quantity> <peer> <must> <aim>: ours over the peer's, which is float32.
ratio() {
    local title=$1 case=$2 precision=$3 quantity=$4 peer=$5 must=$6 aim=$7 ours theirs unit=samples/s divisor=1
    [ "$quantity" = rate ] || { unit=MiB divisor=1048576; }
    [ -f "$numbers/$case.$precision.$quantity" ] || { row "$title" "$must" "$aim" "not measured: this CPU does not multiply bfloat16"; return; }
    ours=$(median "$numbers/$case.$precision.$quantity")
    if [ -f "$numbers/$case.$peer.$quantity" ]; then
        theirs=$(median "$numbers/$case.$peer.$quantity")
        row "$title" "$must" "$aim" "$(compute '%.2f× (%.4g and %.4g %s)' "$ours / $theirs, $ours / $divisor, $theirs / $divisor, \"$unit\"")"
    else
        row "$title" "$must" "$aim" "$(compute '%.4g %s; no peer' "$ours / $divisor, \"$unit\"")"
    fi
}

check 224
check 96
measure training-224 training 128 224 3
measure training-96 training 64 96 10
measure inference-32 inference 32 224 10
measure inference-1 inference 1 224 50
ratio "training, float32, batch 128, 224×224, against TorchSharp" training-224 fp32 rate torchsharp "≥ 1.8×" "2.3×"
ratio "the same, against TorchSharp with glibc's own settings" training-224 fp32 rate torchsharp-default "" ""
ratio "training, bfloat16, against TorchSharp in float32" training-224 bf16 rate torchsharp "≥ 3.4×" "4.3×"
ratio "the same, against TorchSharp with glibc's own settings" training-224 bf16 rate torchsharp-default "" ""
ratio "training, float32, batch 64, 96×96, against TorchSharp" training-96 fp32 rate torchsharp "≥ 1.5×" "2×"
ratio "training, bfloat16, the same" training-96 bf16 rate torchsharp "" ""
for batch in 32 1; do
    ratio "inference, float32, batch $batch, 224×224, against TorchSharp" inference-$batch fp32 rate torchsharp "≥ 1.3×" "2×"
    ratio "the same, against ONNX Runtime" inference-$batch fp32 rate onnxruntime "" ""
    ratio "inference, bfloat16, against TorchSharp in float32" inference-$batch bf16 rate torchsharp "" ""
done
ratio "peak memory of the process, training at 224×224, float32, against TorchSharp with glibc's own settings" training-224 fp32 rss torchsharp-default "≤ 0.85×" "0.65×"
ratio "the same, bfloat16" training-224 bf16 rss torchsharp-default "≤ 0.5×" "0.35×"

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
        echo "- TorchSharp $(sed -nE 's/.*TorchSharp-cpu" Version="([^"]+)".*/\1/p' Directory.Packages.props), in the same run, alternating, $rounds rounds; medians of them. With ${keeps_memory[*]}, unless a row says glibc's own settings"
    else
        echo "- without TorchSharp: $peer_note"
    fi
    echo "- $threads threads; ratios to the peer in float32"
    echo "- command: \`make bench\`, which runs \`nin bench --device cpu --step-only --json\`, \`TorchSharpPeer\`, \`NIN_HOST_SKIP_WORK=1 NIN_HOST_STREAMS=sync NinCudnn.Bench costs 128 224\` and \`nin --help\`"
    echo
    echo "| what | must | aim | measured |"
    echo "|---|---|---|---|"
    printf '%s\n' "${rows[@]}"
    if [ ${#losses[@]} -gt 0 ]; then
        printf '\nThe same parameters, the same images, no dropout: losses, within %s; the step is one of SGD with rate 0.001.\n\n| what | NinCudnn | peer |\n|---|---|---|\n' "$loss_tolerance"
        printf '%s\n' "${losses[@]}"
    fi
    printf '\nEvery round (samples/s, bytes, seconds, nanoseconds):\n\n```\n'
    for file in "$numbers"/*; do
        echo "$(basename "$file"): $(paste -sd' ' "$file")"
    done
    echo '```'
} >"$report"
cat "$report"
