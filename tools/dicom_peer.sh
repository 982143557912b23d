#!/bin/sh
# Compares the DICOM reader with pydicom on a folder of files: every element, every frame, and the rate.
#
#     tools/dicom_peer.sh FILES ENV [GOLDEN]
#
# FILES is a folder of DICOM files (unpacked pydicom-test-files.tar.gz), ENV a folder for the Python
# environment (made where it is not there), GOLDEN the summary to write.
set -eu
files=$1
env=$2
here=$(cd "$(dirname "$0")/.." && pwd)
if ! [ -x "$env/bin/python" ]; then
    python3 -m venv "$env"
fi
"$env/bin/pip" install --quiet pydicom==3.0.2 numpy 'pylibjpeg[all]==2.1.0' pillow blake3
cd "$here"
cargo build --release --quiet --workspace --example dicom_dump
target=${CARGO_TARGET_DIR:-$here/target}
exec "$env/bin/python" tools/dicom_peer.py "$target/release/examples/dicom_dump" "$files" ${3:+"$3"}
