#!/usr/bin/env bash
set -euo pipefail
output=$("$PROGRAM")
echo "$output"
grep --quiet '^144 images to train on, 36 to test on, of circle, square, triangle$' <<<"$output"
accuracy=$(sed -nE 's/^test accuracy ([0-9.]+) .*/\1/p' <<<"$output")
awk -v accuracy="$accuracy" 'BEGIN { exit !(accuracy > 0.9) }' || { echo "it has not learnt: test accuracy $accuracy" >&2; exit 1; }

# With a folder and an image as arguments: the class that it says first.
output=$("$PROGRAM" shapes shapes/square/000.png)
grep --after-context=1 '^shapes/square/000.png shows:$' <<<"$output" | tail -1 | grep --quiet ' square$'
[ -s own-images.safetensors ]
