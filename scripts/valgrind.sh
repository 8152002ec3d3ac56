#!/usr/bin/env bash
# Runs native tests of driver, kernels and argument checks under valgrind's memcheck, which sees what no sanitizer does: uninitialised values. Fails on any error,
# and on any lost block.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command -v valgrind >/dev/null || { echo "valgrind is missing. On Debian: sudo apt-get install valgrind" >&2; exit 1; }
"$root/scripts/build-native.sh"

# valgrind knows no AVX-512; our own code asks the processor that it simulates, oneDNN has to be told. One thread: valgrind runs only one at a time.
# Left out is what computes with oneDNN, whose generated code gives hundreds of reports of uninitialised values without a name to suppress them by (poisoned
# memory is what shows that no result depends on such), and tests that start processes of their own.
ONEDNN_MAX_CPU_ISA=AVX2 NIN_NUM_THREADS=1 valgrind --quiet --error-exitcode=1 --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite --fair-sched=yes \
    "$root/artifacts/native/tests/native/nin_native_tests" --gtest_brief=1 \
    --gtest_filter='kernel_*:event_test.*:graph_test.*:capture_test.*:context_test.*:module_test.*:memory_test.*:cudnn_rules.*:cudnn_pooling_rules.*:cublas_rules.*:cublaslt_rules.*-*Faults:*Limit*'
echo "valgrind: no errors"
