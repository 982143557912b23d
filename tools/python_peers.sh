#!/bin/sh
# Python packages that the golden values in crates/*/tests/golden/*.py come from, in a venv of their own.
#   tools/python_peers.sh [FOLDER]        FOLDER: target/peers unless given
# TORCH=1 adds PyTorch (CPU), the peer of crates/chiasm-learn/benches/against_torch.sh.
set -eu
folder="${1:-target/peers}"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet numpy scipy scikit-learn==1.9.1 scikit-survival==0.28.0
if [ "${TORCH:-0}" = 1 ]; then
    "$folder/bin/pip" install --quiet torch --index-url https://download.pytorch.org/whl/cpu ||
        "$folder/bin/pip" install --quiet torch
fi
echo "$folder/bin/python"
