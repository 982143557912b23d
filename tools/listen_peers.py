"""The parts of tools/listen_peers.sh that need Python: objects, pynetdicom as sender, hl7apy's messages."""

import collections
import pathlib
import socket
import sys
import threading
import time


def make(folder, count, first=0):
    """Small CT-like objects (64 x 64), synthetic, in four folders."""
    import numpy
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    random = numpy.random.default_rng(int(first))
    for number in range(int(first), int(first) + int(count)):
        item = Dataset()
        item.file_meta = FileMetaDataset()
        item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        item.file_meta.MediaStorageSOPClassUID = item.SOPClassUID = CTImageStorage
        item.file_meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID = f"2.25.77{number:06}"
        item.StudyInstanceUID = f"2.25.88{number // 50}"
        item.SeriesInstanceUID = f"2.25.99{number // 50}"
        item.PatientID, item.PatientName = f"SYN{number // 50}", f"Synthetic^{number // 50}"
        item.StudyDate, item.Modality, item.InstanceNumber = "20260102", "CT", number
        item.Rows = item.Columns = 64
        item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
        item.BitsAllocated = item.BitsStored = 16
        item.HighBit, item.PixelRepresentation = 15, 0
        item.PixelData = random.integers(0, 4096, 64 * 64, dtype="uint16").tobytes()
        place = pathlib.Path(folder, str(number % 4))
        place.mkdir(parents=True, exist_ok=True)
        item.save_as(place / f"{number}.dcm", enforce_file_format=True)


def data_set(path):
    """The bytes behind the file meta information."""
    bytes_ = pathlib.Path(path).read_bytes()
    if bytes_[128:132] != b"DICM":
        return bytes_
    return bytes_[144 + int.from_bytes(bytes_[140:144], "little"):]


def kept(inbox):
    return [data_set(path) for path in sorted(pathlib.Path(inbox, "objects").glob("dicom-*.dcm"))]


def compare(inbox, objects):
    """storescu writes a data set anew, so values are compared, not bytes; bytes are compared in `store`."""
    import pydicom

    sent = {}
    for path in pathlib.Path(objects).glob("*/*.dcm"):
        item = pydicom.dcmread(path)
        sent[item.SOPInstanceUID] = item
    files = sorted(pathlib.Path(inbox, "objects").glob("dicom-*.dcm"))
    found = {}
    for path in files:
        item = pydicom.dcmread(path)
        assert item.SOPInstanceUID not in found, "an object twice"
        found[item.SOPInstanceUID] = item
    wrong = [uid for uid, item in sent.items() if found.get(uid) != item]
    print(f"storescu: {len(sent)} sent, {len(found)} kept, {len(wrong)} differ or lack")
    sys.exit(1 if wrong else 0)


def store(port, inbox, folder):
    """pynetdicom sends real files in their own transfer syntax; the bytes of each data set must arrive."""
    import pydicom
    from pynetdicom import AE, _config, evt

    _config.STORE_SEND_CHUNKED_DATASET = True  # sends the file's bytes, not a data set written anew
    _config.ENFORCE_UID_CONFORMANCE = False
    contexts = collections.OrderedDict()
    paths = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if not path.is_file():
            continue
        try:
            meta = pydicom.dcmread(path, stop_before_pixels=True)
            key = (str(meta.SOPClassUID), str(meta.file_meta.TransferSyntaxUID))
            if not meta.SOPInstanceUID:
                continue
        except Exception:
            continue
        contexts[key] = None
        paths.append((path, key))
    acknowledged = []
    accepted = refused = absent = not_agreed = 0
    statuses = collections.Counter()
    keys = list(contexts)
    for start in range(0, len(keys), 120):
        group = keys[start:start + 120]
        ae = AE(ae_title="PYNETDICOM")
        for class_, syntax in group:
            ae.add_requested_context(class_, syntax)
        association = ae.associate("127.0.0.1", int(port), ae_title="CHIASM")
        for path, key in paths:
            if key not in group:
                continue
            if not association.is_established:
                association = ae.associate("127.0.0.1", int(port), ae_title="CHIASM")
            try:
                status = association.send_c_store(path)
            except Exception as e:
                not_agreed += 1
                statuses[f"pynetdicom: {type(e).__name__}: {str(e)[:70]}"] += 1
                continue
            code = status.Status if "Status" in status else None
            statuses["none" if code is None else f"{code:04X}"] += 1
            if code == 0:
                accepted += 1
                acknowledged.append(path)
            else:
                refused += 1
                print("refused:", path.name, "no answer" if code is None else f"{code:04X}")
        if association.is_established:
            association.release()
    on_disk = set(kept(inbox))
    for path in acknowledged:
        if data_set(path) not in on_disk:
            absent += 1
            print("not byte-equal:", path.name)
    print(f"pynetdicom: {len(paths)} real files: {accepted} accepted and on disk byte-equal but {absent}; "
          f"{refused} refused; {not_agreed} not sent by pynetdicom; {dict(statuses)}")
    sys.exit(1 if absent else 0)


def big(port, path):
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage
    from pynetdicom import AE, _config

    make(path + ".small", 1)
    small = next(pathlib.Path(path + ".small").glob("*/*.dcm"))
    item = pydicom.dcmread(small)
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    del item.PixelData
    item.save_as(path)
    with open(path, "ab") as file:
        file.write(b"\xe0\x7f\x10\0OW\0\0" + (1 << 30).to_bytes(4, "little"))
        for number in range(1024):
            file.write(bytes([number % 256]) * (1 << 20))
    _config.STORE_SEND_CHUNKED_DATASET = True
    ae = AE()
    ae.add_requested_context(UltrasoundMultiFrameImageStorage, ExplicitVRLittleEndian)
    association = ae.associate("127.0.0.1", int(port))
    began = time.time()
    status = association.send_c_store(pathlib.Path(path))
    print(f"1 GiB object: status {status.Status:04X} in {time.time() - began:.1f} s")
    association.release()


def full(port, inbox, folder):
    """Sends until the disk is full, and on: each object is on disk or was refused with A700."""
    import pydicom
    from pynetdicom import AE
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    ae = AE()
    ae.dimse_timeout = 2
    ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = ae.associate("127.0.0.1", int(port))
    counts = collections.Counter()
    acknowledged = []
    for path in sorted(pathlib.Path(folder).glob("*.dcm")):
        item = pydicom.dcmread(path)
        status = association.send_c_store(item)
        if "Status" not in status:
            # pynetdicom drops an answer that comes before it listens, and then gives up the association.
            counts["lost by pynetdicom"] += 1
            association = ae.associate("127.0.0.1", int(port))
            continue
        status = status.Status
        counts[f"{status:04X}"] += 1
        if status == 0:
            acknowledged.append(item.SOPInstanceUID)
    association.release()
    found = {pydicom.dcmread(p).SOPInstanceUID for p in pathlib.Path(inbox, "objects").glob("*.dcm")}
    left = len(list(pathlib.Path(inbox, "partial").iterdir()))
    lost = [uid for uid in acknowledged if uid not in found]
    print(f"full disk: {dict(counts)}; {len(lost)} acknowledged and lost; {left} left half written")
    sys.exit(1 if lost or left or "A700" not in counts else 0)


def messages(sender, count):
    from hl7apy.core import Message

    made = []
    for number in range(count):
        message = Message("ORU_R01", version="2.5")
        message.msh.msh_3, message.msh.msh_5 = "LAB", "CHIASM"
        message.msh.msh_9 = "ORU^R01^ORU_R01"
        message.msh.msh_10, message.msh.msh_11 = f"S{sender}N{number}", "P"
        message.oru_r01_patient_result.oru_r01_patient.pid.pid_3 = f"SYN{number}^^^H"
        observation = message.oru_r01_patient_result.oru_r01_order_observation
        observation.obr.obr_4 = "718-7^Hemoglobin^LN"
        obx = observation.oru_r01_observation.obx
        obx.obx_1, obx.obx_2, obx.obx_3, obx.obx_5 = "1", "NM", "718-7^Hemoglobin^LN", str(120 + number % 50)
        made.append(message.to_er7().encode())
    return made


def hl7(port, inbox, connections):
    connections, each = int(connections), 3000 // int(connections)
    template = messages(0, 1)[0]
    faults = []

    def send(sender):
        mine = [template.replace(b"S0N0", b"C%dS%dN%d" % (connections, sender, n)) for n in range(each)]
        with socket.create_connection(("127.0.0.1", int(port))) as stream:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers = stream.makefile("rb")
            for number, message in enumerate(mine):
                stream.sendall(b"\x0b" + message + b"\x1c\r")
                answer = b""
                while not answer.endswith(b"\x1c\r"):
                    answer += answers.read1(4096)
                if b"MSA|AA|C%dS%dN%d|" % (connections, sender, number) not in answer:
                    faults.append(answer)

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(connections)]
    began = time.time()
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    took = time.time() - began
    print(f"HL7, hl7apy's ORU^R01, {connections} connections: {each * connections / took:.0f} messages/s, "
          f"{len(faults)} not acknowledged")
    sys.exit(1 if faults else 0)


def hl7check(inbox):
    """What is in the journal is read by hl7apy again, and each message is there once."""
    from hl7apy.parser import parse_message

    found = collections.Counter()
    for path in sorted(pathlib.Path(inbox, "journal").glob("hl7-*.mllp")):
        frames = path.read_bytes().split(b"\x1c\r")
        assert frames.pop() == b"", "a torn segment"
        for frame in frames:
            assert frame[:1] == b"\x0b"
            found[frame[1:]] += 1
    for message in list(found)[:50]:
        parse_message(message.decode())
    expected = 3000 + 3000 // 16 * 16
    print(f"journal: {len(found)} messages of {expected}, {sum(found.values()) - len(found)} twice")
    sys.exit(0 if len(found) == expected and max(found.values()) == 1 else 1)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
