#!/usr/bin/env bash
set -euo pipefail
command -v curl >/dev/null || { echo "skipped: needs curl"; exit 77; }
"$(dirname "$PROGRAM")/../../OwnImages/release/OwnImages" >/dev/null # trains a model and leaves its images

# Any free port; the program's log names it.
"$PROGRAM" own-images.safetensors --urls http://127.0.0.1:0 >log 2>&1 &
trap 'kill %1 2>/dev/null || true' EXIT
address=
for _ in $(seq 300); do
    address=$(grep --only-matching 'http://127.0.0.1:[0-9]*' log | head -1) && break
    kill -0 %1 2>/dev/null || { cat log >&2; exit 1; }
    sleep 0.2
done

# Many at once: each gets the answer to its own image.
for image in shapes/{circle,square,triangle}/00[0-7].png; do
    (curl --silent --fail --data-binary "@$image" "$address/predict" >"$(tr / - <<<"$image").json") &
    requests+=($!)
done
wait "${requests[@]}"
right=0
for shape in circle square triangle; do
    for answer in shapes-"$shape"-*.json; do
        grep --quiet "^\[{\"class\":\"$shape\"" "$answer" && right=$((right + 1))
    done
done
echo "$right of 24 right"
[ "$right" -ge 20 ]
curl --silent --fail "$address/" | tee batches
grep --quiet '^24 images in ' batches

status=$(curl --silent --output problem --write-out '%{http_code}' --data-binary @log "$address/predict")
[ "$status" = 422 ] && grep --quiet 'no PNG, JPEG, BMP or WebP image' problem
kill %1
wait %1
