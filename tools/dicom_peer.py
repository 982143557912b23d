"""Compares the DICOM reader with pydicom: every element, every frame's stored values, and the rate.

    dicom_peer.py DUMP FILES [GOLDEN]

DUMP is the built example `dicom_dump`, FILES a folder of DICOM files, GOLDEN a summary to write.
Prints one line for each difference with its reason; exit 1 where one has none.
"""

import io
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings

import blake3
import numpy
import pydicom
from PIL import Image
from pydicom.encaps import generate_fragments, generate_frames
from pydicom.pixels import pixel_array

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
BINARY = {"OB", "OW", "OD", "OF", "OL", "OV", "UN"}


def plain(elem, raw):
    """An element of pydicom as the dump writes it."""
    tag = f"{int(elem.tag):08X}"
    if elem.VR == "SQ":
        return {"tag": tag, "vr": "SQ", "items": [level(item) for item in elem.value]}
    value = elem.value
    if tag == "7FE00010" and elem.is_undefined_length:
        return {"tag": tag, "vr": elem.VR, "fragments": [f.hex() for f in fragments(value)]}
    if elem.VR in BINARY or isinstance(value, bytes):
        return {"tag": tag, "vr": elem.VR, "value": (value or b"").hex(), "raw": raw}
    values = value if isinstance(value, (list, pydicom.multival.MultiValue)) else [value]
    if value is None or value == "":
        values = []
    if elem.VR in ("DS", "IS"):
        values = [getattr(v, "original_string", str(v)) for v in values]
    elif elem.VR not in ("US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "US or SS"):
        values = [str(v) for v in values]
    values = [str(v) if isinstance(v, float) and v != v else v for v in values]
    return {"tag": tag, "vr": elem.VR, "value": values, "raw": raw}


def fragments(value):
    """The fragments of pixel data as far as pydicom can part them, the offset table among them."""
    found = []
    try:
        found.extend(generate_fragments(value))
    except ValueError:
        pass
    return found


def level(dataset):
    """All elements of a data set."""
    found = []
    for tag in sorted(dataset.keys()):
        item = dataset.get_item(tag)
        raw = item.value if isinstance(getattr(item, "value", None), bytes) else None
        raw = raw.hex() if raw is not None else None
        try:
            found.append(plain(dataset[tag], raw))
        except Exception as error:  # a value that pydicom itself refuses
            found.append({"tag": f"{int(tag):08X}", "vr": None, "raw": raw, "refused": str(error)})
    return found


def same(ours, theirs, path, odd):
    """Compares two levels; notes each exception in `odd` as (path, reason or None)."""
    theirs = {e["tag"]: e for e in theirs}
    kept = {}
    for element in ours:
        kept[element["tag"]] = element
    for tag in sorted(set(kept) | set(theirs)):
        one, other, place = kept.get(tag), theirs.get(tag), f"{path}/{tag}"
        if one is None:
            odd.append((place, None, "not read"))
        elif other is None:
            odd.append((place, None, "pydicom does not have it"))
        elif "refused" in other:
            ok = one.get("raw") == other["raw"]
            odd.append((place, "pydicom refuses the value; the bytes are the same" if ok else None, other["refused"]))
        elif "items" in one and "items" in other:
            if len(one["items"]) != len(other["items"]):
                odd.append((place, None, f"{len(one['items'])} items, pydicom {len(other['items'])}"))
            for number, (a, b) in enumerate(zip(one["items"], other["items"])):
                same(a, b, f"{place}[{number}]", odd)
        elif "fragments" in one or "fragments" in other:
            # An odd fragment is padded by whoever wrote it; both have the bytes of the file.
            if one.get("fragments") != other.get("fragments"):
                odd.append((place, None, "other fragments"))
        elif one["vr"] == other["vr"] and one.get("value") == other.get("value"):
            continue
        elif one["vr"] == other["vr"] and (one.get("value"), other["value"]) == ([""], []):
            continue  # nothing but blanks
        elif one["vr"] == other["vr"] and one["value"] == [v.replace("\x1b$)A", "") for v in map(str, other["value"])]:
            odd.append((place, "pydicom leaves the escape sequences of GB 2312 in the text", ""))
        elif one["vr"] == other["vr"] == "CS" and one["value"] == [v.strip(" ") for v in other["value"]]:
            odd.append((place, "pydicom keeps the blanks before a backslash, which CS says do not count", ""))
        else:
            private = int(tag[:4], 16) % 2 == 1
            raw = one.get("raw") is not None and one.get("raw") == other.get("raw")
            if private and one["vr"] == "UN" and raw:
                odd.append((place, "private and implicit: the VR is in pydicom's private dictionary alone; the bytes are the same", one["vr"]))
            elif " or " in other["vr"] and one["vr"] in other["vr"] and raw:
                odd.append((place, "VR left open by pydicom, resolved here; the bytes are the same", one["vr"]))
            else:
                detail = f"{one['vr']} {str(one.get('value'))[:60]!r}, pydicom {other['vr']} {str(other.get('value'))[:60]!r}"
                odd.append((place, None, detail))


def frames(dataset):
    """Stored values by frame, `[rows, columns, samples]` each, little endian."""
    array = pixel_array(dataset, raw=True)
    samples = dataset.get("SamplesPerPixel", 1)
    count = int(dataset.get("NumberOfFrames", 1) or 1)
    shape = (count, dataset.Rows, dataset.Columns, samples)
    array = array.reshape(shape)
    return array.astype(array.dtype.newbyteorder("<"))


def main():
    dump, root, golden = sys.argv[1], sys.argv[2], (sys.argv + [None])[3]
    total = {"files": 0, "elements": 0, "frames": 0}
    unexplained = 0
    reasons = {}
    summary = []

    def note(name, place, reason, detail):
        nonlocal unexplained
        if reason is None:
            unexplained += 1
            print(f"DIFFERENT {name} {place}: {detail}")
        else:
            reasons.setdefault(reason, {}).setdefault(name, []).append(place)

    with tempfile.TemporaryDirectory() as folder:
        output = subprocess.run([dump, "dump", root, folder], check=True, capture_output=True, text=True).stdout
        for line in output.splitlines():
            ours = json.loads(line)
            name = ours["file"]
            path = os.path.join(root, name)
            forced = False
            try:
                dataset = pydicom.dcmread(path)
            except Exception:
                if "error" in ours:
                    continue
                forced = True
                dataset = pydicom.dcmread(path, force=True)
            if "error" in ours:
                note(name, "", None, f"not read: {ours['error']}")
                continue
            total["files"] += 1
            theirs = level(dataset.file_meta) + level(dataset)
            total["elements"] += sum(1 for _ in dataset.iterall()) if not forced else 0
            odd = []
            same(ours["elements"], theirs, "", odd)
            for place, reason, detail in odd:
                if forced and reason is None:
                    reason = "no DICOM file to pydicom unless forced"
                note(name, place, reason, detail)
            hashes = []
            if "PixelData" in dataset:
                mine = ours["pixels"]
                try:
                    array = frames(dataset)
                except Exception as error:
                    array = None
                    what = "is read here" if isinstance(mine, list) else "nor here"
                    note(name, "pixels", f"pydicom cannot decode it, {what}", str(error))
                if array is not None and isinstance(mine, dict):
                    note(name, "pixels", None, mine["error"])
                elif array is not None:
                    for number, frame in enumerate(array):
                        total["frames"] += 1
                        compare(name, number, frame, mine[number], folder, note, dataset)
                if isinstance(mine, list):
                    hashes = [f["hash"] for f in mine]
            together = blake3.blake3("".join(hashes).encode()).hexdigest() if hashes else ""
            count = sum(1 for _ in walk(ours["elements"]))
            summary.append((name, count, digest(ours["elements"]), len(hashes), together))
    for reason, names in sorted(reasons.items()):
        places = sum(len(p) for p in names.values())
        print(f"EXCEPTION {reason}: {places} in {len(names)} files: {', '.join(sorted(names)[:40])}")
    print("compared", json.dumps(total), "unexplained", unexplained)
    if golden:
        with open(golden, "w") as file:
            file.write("# file\telements\thash of elements\tframes\thash of frames; made by tools/dicom_peer.sh\n")
            for row in summary:
                file.write("\t".join(map(str, row)) + "\n")
    rates(dump, root, [row[0] for row in summary])
    sys.exit(1 if unexplained else 0)


def turbo(dataset, number, shape):
    """A frame as libjpeg-turbo decodes it, colours left as they are; `None` where it is no baseline JPEG."""
    try:
        count = int(dataset.get("NumberOfFrames", 1) or 1)
        packed = list(generate_frames(dataset.PixelData, number_of_frames=count))[number]
        image = Image.open(io.BytesIO(packed))
        image.draft("YCbCr", image.size)
        return numpy.asarray(image).astype("i8").reshape(shape)
    except Exception:
        return None


def compare(name, number, frame, mine, folder, note, dataset):
    """Compares one frame; lossy ones may differ by rounding."""
    kind = {"u": "u", "i": "i", "f": "f"}[frame.dtype.kind] + str(frame.dtype.itemsize * 8)
    place = f"frame {number}"
    if mine["type"] != kind or mine["shape"] != list(frame.shape):
        note(name, place, None, f"{mine['type']} {mine['shape']}, pydicom {kind} {list(frame.shape)}")
        return
    if blake3.blake3(frame.tobytes()).hexdigest() == mine["hash"]:
        return
    raw = os.path.join(folder, f"{name.replace('/', '_')}.{number}.raw")
    values = numpy.fromfile(raw, frame.dtype).reshape(frame.shape)
    apart = numpy.abs(values.astype("i8") - frame.astype("i8"))
    share = float((apart > 0).mean())
    detail = f"largest difference {apart.max()}, in {share:.1%} of values"
    if apart.max() <= 1:
        note(name, place, "lossy DCT: the inverse transform rounds otherwise, by one at most", detail)
        return
    if apart.max() <= 2 and dataset.BitsStored > 8:
        note(name, place, "lossy DCT of 12 bits: dcmtk is within one of what is read here, pylibjpeg within two", detail)
        return
    other = turbo(dataset, number, frame.shape)
    if other is not None and numpy.abs(values.astype("i8") - other).max() <= 1:
        note(name, place, "lossy DCT, subsampled: as libjpeg-turbo has it, by one at most; pylibjpeg interpolates otherwise", detail)
    else:
        note(name, place, None, detail)


def walk(elements):
    """All elements of a dump, nested ones too."""
    for element in elements:
        yield element
        for item in element.get("items", []):
            yield from walk(item)


def digest(elements):
    """A hash of tags, VRs and bytes in the order of the file, as tests/dicom.rs makes it."""
    hasher = blake3.blake3()
    for element in walk(elements):
        value = element.get("raw") or "".join(element.get("fragments", []))
        hasher.update(f"{element['tag']} {element['vr']} {value}\n".encode())
    return hasher.hexdigest()


def rates(dump, root, names):
    """Files per second of both, in turns, on the files that both read: one thread each.

    pydicom stops before the pixels and parses no value; ours reads all of it, hashes it twice and makes the
    entry. By the clock, and by the seconds of a processor that each took, which other work does not disturb.
    """
    good = []
    for name in names:
        path = os.path.join(root, name)
        try:
            pydicom.dcmread(path, stop_before_pixels=True)
            good.append(path)
        except Exception:
            pass
    both = {"clock": [0.0, 0.0], "processor": [0.0, 0.0]}
    turns = 5
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(good):
            os.symlink(os.path.abspath(path), os.path.join(folder, f"{number:05}.dcm"))
        for _ in range(turns):
            start, processor, count = time.perf_counter(), time.process_time(), 0
            while time.perf_counter() - start < 2:
                for path in good:
                    pydicom.dcmread(path, stop_before_pixels=True)
                    count += 1
            both["clock"][1] += count / (time.perf_counter() - start) / turns
            both["processor"][1] += count / (time.process_time() - processor) / turns
            output = subprocess.run([dump, "rate", folder, "2"], check=True, capture_output=True, text=True).stdout
            for kind, rate in zip(both, output.split()):
                both[kind][0] += float(rate) / turns
    for kind, (ours, peer) in both.items():
        print(f"rate by the {kind} on {len(good)} files: {ours:.0f} files/s, pydicom {peer:.0f} files/s, {ours / peer:.1f}x")


main()
