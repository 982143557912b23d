"""The parts of tools/listen_peers.sh that need Python: objects, pynetdicom as sender, hl7apy's messages."""

import collections
import pathlib
import re
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


def full(port, hl7_port, acknowledged, folder, until):
    """Sends objects and messages, on a full disk or no longer: each is kept, or refused with A700 and AE. The objects
    that were acknowledged are copied into `acknowledged`, for `assets`."""
    import shutil
    import pydicom
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
    from pynetdicom import AE

    ae = AE()
    ae.dimse_timeout = 5
    ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
    association = ae.associate("127.0.0.1", int(port))
    counts, answers = collections.Counter(), collections.Counter()
    kept = pathlib.Path(acknowledged, "0")
    kept.mkdir(parents=True, exist_ok=True)
    stream = socket.create_connection(("127.0.0.1", int(hl7_port)), timeout=20)
    template = messages(0, 1)[0] + b"OBX|2|TX|N||" + b"x" * 5000 + b"\r"
    for number, path in enumerate(sorted(pathlib.Path(folder).glob("*.dcm"))):
        status = association.send_c_store(pydicom.dcmread(path))
        if "Status" not in status:
            # pynetdicom drops an answer that comes before it listens, and then gives up the association.
            counts["lost by pynetdicom"] += 1
            association = ae.associate("127.0.0.1", int(port))
            continue
        counts[f"{status.Status:04X}"] += 1
        if status.Status == 0:
            shutil.copy(path, kept)
        stream.sendall(b"\x0b" + template.replace(b"S0N0", b"%sN%d" % (until.encode(), number)) + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            piece = stream.recv(4096)
            assert piece, "the connection was closed"
            answer += piece
        answers[answer.split(b"MSA|")[1][:2].decode()] += 1
    association.release()
    print(f"disk of a few MB: objects {dict(counts)}, messages {dict(answers)}")
    sys.exit(0 if until in counts and (until != "A700" or answers["AE"]) and (until != "0000" or len(counts) == 1) else 1)


def held(pid):
    """Resident memory in kB, the most there was, file descriptors, threads."""
    status = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status") if ":" in line)
    number = lambda key: int(status[key].split()[0])
    return number("VmRSS"), number("VmHWM"), len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())), number("Threads")


def item(kind, content):
    return bytes([kind, 0]) + len(content).to_bytes(2, "big") + content


def request(contexts=1):
    """An A-ASSOCIATE-RQ for CT images, explicit little endian, with so many presentation contexts."""
    context = lambda n: item(0x20, bytes([n, 0, 0, 0]) + item(0x30, b"1.2.840.10008.5.1.4.1.1.2")
                             + item(0x40, b"1.2.840.10008.1.2.1"))
    user = item(0x50, item(0x51, (16384).to_bytes(4, "big")) + item(0x52, b"1.2.3"))
    body = b"\0\1\0\0" + b"CHIASM".ljust(16) + b"RAW".ljust(16) + bytes(32) + item(0x10, b"1.2.840.10008.3.1.1.1")
    body += b"".join(context(2 * n + 1) for n in range(contexts)) + user
    return b"\1\0" + len(body).to_bytes(4, "big") + body


def value(content, is_command, is_last):
    body = bytes([1, is_command | is_last << 1]) + content
    return b"\4\0" + (len(body) + 4).to_bytes(4, "big") + len(body).to_bytes(4, "big") + body


def store_request():
    element = lambda number, content: b"\0\0" + number.to_bytes(2, "little") + len(content).to_bytes(4, "little") + content
    body = element(2, b"1.2.840.10008.5.1.4.1.1.2\0") + element(0x100, b"\1\0") + element(0x110, b"\1\0")
    body += element(0x700, b"\0\0") + element(0x800, b"\1\0") + element(0x1000, b"2.25.9\0\0")
    return value(element(0, len(body).to_bytes(4, "little")) + body, 1, 1)


def call(port):
    stream = socket.create_connection(("127.0.0.1", int(port)), timeout=20)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def aborts(port, pid, inbox):
    """1,000 associations aborted in five ways."""
    abort = b"\7\0\0\0\0\4\0\0\0\0"

    def one(number):
        with call(port) as stream:
            if number % 5 == 0:
                return
            if number % 5 == 1:
                return stream.sendall(request()[:40])
            stream.sendall(request())
            assert stream.recv(4096)[0] == 2
            if number % 5 > 2:
                stream.sendall(store_request() + value(bytes(12000), 0, 0))
            if number % 5 != 4:
                stream.sendall(abort)

    def settled():
        # Nothing is being read in, and what was said last has been heard.
        waiting = lambda: list(pathlib.Path(inbox, "objects").iterdir()) + list(pathlib.Path(inbox, "journal").glob("hl7-*"))
        while waiting():
            time.sleep(0.5)
        time.sleep(5)
        return held(pid)

    states = [settled()]
    for _ in range(3):
        [one(number) for number in range(1000)]
        states.append(settled())
    left = len(list(pathlib.Path(inbox, "partial").iterdir()))
    memory, _, files, threads = (list(column) for column in zip(*states))
    print(f"1,000 aborted associations, three times: memory {memory} kB, file descriptors {files}, threads {threads}; "
          f"{left} files left half written")
    # The first thousand warms the allocator up; after that nothing may grow.
    grown = files[-1] > files[0] or threads[-1] > threads[0] or memory[3] > memory[1] + 4096
    sys.exit(1 if left or grown else 0)


def abuse(dicom, hl7_port, pid):
    """Slow, endless, huge, too many: memory stays bounded and others are served."""
    template = messages(0, 1)[0]

    def served(name):
        began = time.time()
        with call(hl7_port) as stream:
            stream.sendall(b"\x0b" + template.replace(b"S0N0", name.encode()) + b"\x1c\r")
            answer = stream.recv(4096)
            assert b"MSA|AA|" in answer, (name, answer)
        with call(dicom) as stream:
            stream.sendall(request())
            assert stream.recv(4096)[0] == 2, name
            stream.sendall(b"\5\0\0\0\0\4\0\0\0\0")
            assert stream.recv(4096)[0] == 6, name
        return f"{name}: served in {(time.time() - began) * 1000:.0f} ms, memory {held(pid)[0] // 1024} MB"

    print(served("nothing"))
    slow = [call(dicom) for _ in range(40)] + [call(hl7_port) for _ in range(200)]
    for _ in range(3):
        for stream in slow:
            try:
                stream.sendall(b"\x0b" if _ == 0 else b"M")
            except OSError:
                pass  # an unknown PDU type ends it at once
        time.sleep(1)
    print(served("240 slow connections"))
    [stream.close() for stream in slow]

    def endless(_):
        piece, sent = b"x" * (1 << 20), 0
        with call(hl7_port) as stream:
            try:
                stream.sendall(b"\x0bMSH|")
                while sent < 1 << 30:
                    stream.sendall(piece)
                    sent += len(piece)
            except OSError:
                pass
        return sent

    threads = [threading.Thread(target=endless, args=(n,)) for n in range(16)]
    [thread.start() for thread in threads]
    print(served("16 messages without end"))
    [thread.join() for thread in threads]
    for bytes_ in (b"\1\0\xff\xff\xff\xff", b"\4\0\xff\xff\xff\xff", b"\x99\0\0\0\0\0"):
        with call(dicom) as stream:
            stream.sendall(bytes_)
            assert stream.recv(4096)[:1] in (b"\7", b""), bytes_
    with call(dicom) as stream:
        stream.sendall(request())
        assert stream.recv(4096)[0] == 2
        stream.sendall(b"\4\0\xff\xff\xff\xff")
        assert stream.recv(4096)[0] == 7
    print(served("PDUs of 4 GB and of no type"))
    with call(dicom) as stream:
        stream.sendall(request(128))
        answer = b""
        while len(answer) < 6 or len(answer) < 6 + int.from_bytes(answer[2:6], "big"):
            answer += stream.recv(65536)
        assert answer[0] == 2 and answer.count(b"\x21\0") >= 128
    print(served("128 presentation contexts"))
    many = [call(hl7_port) for _ in range(300)]
    time.sleep(0.5)
    closed = 0
    for stream in many:
        stream.setblocking(False)
        try:
            closed += stream.recv(1) == b""
        except (BlockingIOError, ConnectionError):
            pass
    [stream.close() for stream in many]
    time.sleep(1)
    print(f"300 connections for HL7: {closed} turned away; {served('after them')}")
    print(f"most memory over all of it: {held(pid)[1] // 1024} MB")


def assets(store, objects):
    """Every object is in the store: its data set's values, once."""
    import pydicom

    sent = {}
    for path in pathlib.Path(objects).glob("*/*.dcm"):
        item_ = pydicom.dcmread(path)
        sent[item_.SOPInstanceUID] = item_
    found, twice = {}, 0
    for path in pathlib.Path(store, "assets").glob("??/*"):
        try:
            item_ = pydicom.dcmread(path, force=True)
            uid = item_.SOPInstanceUID
        except Exception:
            continue
        twice += uid in found
        found[uid] = item_
    wrong = [uid for uid, item_ in sent.items() if found.get(uid) != item_]
    print(f"in the store: {len(sent)} sent, {len(found)} there, {len(wrong)} differ or lack, {twice} twice")
    sys.exit(1 if wrong or twice else 0)


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
                if not re.search(rb"MSA\|AA\|C%dS%dN%d[|\r]" % (connections, sender, number), answer):
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
