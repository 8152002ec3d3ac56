#!/usr/bin/env bash
set -euo pipefail
output=$(NIN_SIZE=72 NIN_EPOCHS=1 NIN_SAMPLES=640 "$PROGRAM")
echo "$output"
# The book's table of shapes, and the number of parameters of its network.
grep --quiet '^NiN block 384, .*output shape: 1×384×12×12$' <<<"$output"
grep --quiet '^flatten .*output shape: 1×10×1×1$' <<<"$output"
grep --quiet '^1,992,166 parameters$' <<<"$output"
grep --quiet --extended-regexp '^epoch 1: loss 2\.[0-9]+, train acc 0\.[0-9]+, test acc 0\.[0-9]+$' <<<"$output"
