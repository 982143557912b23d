"""What wfdb-python reads in a folder of WFDB records, in the form of the example `wfdb_dump`.

    python tools/wfdb_peer.py FOLDER

One line a record, then one a signal with BLAKE3 hashes of its stored and physical values (NaN in one
spelling), all samples of each frame. `-` stands for stored values that wfdb-python does not put together.
"""
import os
import sys
import warnings

import numpy as np
import wfdb
from blake3 import blake3

warnings.filterwarnings("ignore")
# Of format 61 (high byte first) wfdb-python 4.3.1 reads the stored values and then fails to shorten their
# type, which does not matter here.
shorten = wfdb.Record.convert_dtype
wfdb.Record.convert_dtype = lambda self, physical, *rest: shorten(self, physical, *rest) if physical else None
folder = sys.argv[1]


def digest(array):
    return blake3(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def physical(values):
    values = np.asarray(values, dtype="<f8").copy()
    bits = values.view("<u8")
    bits[np.isnan(values)] = 0x7FF8000000000000
    return digest(bits)


def record(name, path):
    header = wfdb.rdheader(path)
    if header.sig_len == 0 and getattr(header, "file_name", None) and set(header.file_name) == {"~"}:
        print(f"{name}\tlayout")
        return
    try:
        read = wfdb.rdrecord(path, smooth_frames=False)
    except Exception:
        print(f"{name}\terror")
        return
    try:
        stored = wfdb.rdrecord(path, smooth_frames=False, physical=False).e_d_signal
    except Exception:
        stored = None
    start = "-"
    if header.base_date:
        time = header.base_time
        start = f"{header.base_date:%Y-%m-%d}T" + (
            f"{time:%H:%M:%S}.{time.microsecond:06}" if time else "00:00:00.000000"
        )
    rate = repr(float(read.fs))
    print(f"{name}\trecord\t{rate}\t{start}\t{len(header.comments)}")
    units = read.units if getattr(read, "units", None) else ["?"] * read.n_sig
    for i, values in enumerate(read.e_p_signal):
        own = "-" if stored is None else digest(np.asarray(stored[i], dtype="<i8"))
        spf = read.samps_per_frame[i]
        print(f"\t{i}\t{read.sig_name[i]}\t{units[i]}\t{spf}\t{len(values)}\t{own}\t{physical(values)}")


def annotations(name, path, extension):
    try:
        read = wfdb.rdann(path, extension, return_label_elements=["label_store"])
    except Exception:
        print(f"{name}\terror")
        return
    text = blake3()
    for row in zip(read.sample, read.label_store, read.subtype, read.chan, read.num, read.aux_note):
        text.update((" ".join(str(v) for v in row[:5]) + f" {row[5]}\n").encode())
    print(f"{name}\tannotations\t{len(read.sample)}\t{text.hexdigest()[:16]}")


files = []
for parent, _, names in os.walk(folder):
    files += [os.path.join(parent, n) for n in names]
for path in sorted(files, key=lambda p: os.path.relpath(p, folder).split(os.sep)):
    stem, extension = os.path.splitext(path)
    name = os.path.relpath(path, folder)
    if extension == ".hea":
        record(name, stem)
    elif extension in (".atr", ".qrs"):
        annotations(name, stem, extension[1:])
