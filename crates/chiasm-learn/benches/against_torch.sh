#!/bin/sh
# Compares a training step of the attention fusion with PyTorch's, in turns on the same machine.
# PYTHON names an interpreter that has torch; THREADS the threads of each (2); TURNS how often (5).
set -eu
cd "$(dirname "$0")"
export THREADS="${THREADS:-2}" TURNS="${TURNS:-5}" PYTHON="${PYTHON:-python3}"
export OMP_NUM_THREADS="$THREADS" RAYON_NUM_THREADS="$THREADS"
cargo bench -q --workspace --bench fusion_step --no-run
for _ in $(seq "$TURNS"); do
    cargo bench -q --workspace --bench fusion_step -- step 5 "${STEPS:-30}"
    "$PYTHON" torch_fusion.py eager 5 "${STEPS:-30}"
    "$PYTHON" torch_fusion.py fused 5 "${STEPS:-30}"
done | tee /dev/stderr | awk '
    {
        split("", f)
        for (i = 1; i <= NF; i++) if (split($i, kv, "=") == 2) f[kv[1]] = kv[2]
        n[$2]++
        median[$2, n[$2]] = f["median_ms"] + 0
        if (n[$2] == 1 || f["min_ms"] + 0 < least[$2]) least[$2] = f["min_ms"] + 0
        if (f["rss_mb"] + 0 > memory[$2]) memory[$2] = f["rss_mb"] + 0
    }
    # The middle of the turns: the machine may be busy with other work in some of them.
    function middle(who,   i, j, t, m) {
        m = n[who]
        for (i = 1; i < m; i++) for (j = i + 1; j <= m; j++) if (median[who, j] < median[who, i]) {
            t = median[who, i]; median[who, i] = median[who, j]; median[who, j] = t
        }
        return median[who, int((m + 1) / 2)]
    }
    END {
        c = middle("chiasm")
        for (i = 1; i <= 2; i++) {
            who = i == 1 ? "torch-eager" : "torch-fused"
            printf "against %s, %s threads: time %.2f (median), %.2f (least); memory %.2f\n", who, ENVIRON["THREADS"], c / middle(who), least["chiasm"] / least[who], memory["chiasm"] / memory[who]
        }
    }'
