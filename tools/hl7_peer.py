"""HL7 v2 messages a second of hl7apy and python-hl7 on a file that this script makes.

Usage: python3 tools/hl7_peer.py make FILE COUNT          writes COUNT messages, always the same ones
       python3 tools/hl7_peer.py hl7apy|python-hl7 FILE   parses each message and reads its results

See tools/hl7_peer.sh for all sides in one run.
"""

import sys
import time


def messages(count):
    """Admissions and laboratory results of eight values each; synthetic."""
    for i in range(count):
        patient, day = i // 5, f"2024{1 + i // 5 % 12:02}{1 + i // 5 % 28:02}"
        kind = "ADT^A01^ADT_A01" if i % 5 == 0 else "ORU^R01^ORU_R01"
        head = [
            f"MSH|^~\\&|SYNTHETIC|LAB|CHIASM|HERE|{day}083000+0100||{kind}|M{i:09}|T|2.5.1|||||||UNICODE UTF-8",
        ]
        person = (
            f"PID|1||{patient:08}^^^SYN&1.2.3&ISO^MR||Synthetic{patient}^Test^Case||{1930 + patient % 80}0405|"
            f"{'FM'[patient % 2]}|||1 Example Street^^Testtown^^{patient % 100000:05}^DE||555-{patient:07}"
        )
        if i % 5 == 0:
            yield "\r".join([
                *head, f"EVN|A01|{day}083000", person,
                f"PV1|1|I|WARD^1^2||||D1^Doctor^Test|||MED||||||||V{patient}|||||||||||||||||||||||||{day}080000",
                f"DG1|1||E11.9^Type 2 diabetes^I10|||A",
            ]) + "\r"
            continue
        results = [
            f"OBX|{n + 1}|NM|{code}^{name}^LN||{low + (i * 7 + n) % 50}.5|{unit}^{unit}^UCUM|{low}-{low + 40}|N|||F|||{day}081500"
            for n, (code, name, unit, low) in enumerate([
                ("2345-7", "Glucose", "mg/dL", 70), ("718-7", "Hemoglobin", "g/dL", 12), ("2951-2", "Sodium", "mmol/L", 130),
                ("2823-3", "Potassium", "mmol/L", 3), ("2160-0", "Creatinine", "mg/dL", 1), ("6690-2", "Leukocytes", "10*3/uL", 4),
                ("777-3", "Platelets", "10*3/uL", 150), ("1988-5", "CRP", "mg/L", 0),
            ])
        ]
        yield "\r".join([
            *head, person, f"ORC|RE|O{i}|F{i}", f"OBR|1|O{i}|F{i}|24323-8^Panel^LN|||{day}081500|||||||||D1^Doctor^Test||||||{day}093000||LAB|F",
            *results,
        ]) + "\r"


def split(path):
    text = open(path, newline="").read()
    return ["MSH" + part for part in text.split("MSH")[1:]]


if sys.argv[1] == "make":
    with open(sys.argv[2], "w", newline="") as out:
        for message in messages(int(sys.argv[3])):
            out.write(message)
elif sys.argv[1] == "hl7apy":
    from hl7apy.consts import VALIDATION_LEVEL
    from hl7apy.parser import parse_message

    all_messages = split(sys.argv[2])
    start, values = time.perf_counter(), 0
    for text in all_messages:
        message = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False)
        values += sum(len(segment.obx_5.value) > 0 for segment in message.children if segment.name == "OBX")
    seconds = time.perf_counter() - start
    print(f"hl7apy: {len(all_messages)} messages, {values} values in {seconds:.2f} s: {len(all_messages) / seconds:.0f}/s")
else:
    import hl7

    all_messages = split(sys.argv[2])
    start, values = time.perf_counter(), 0
    for text in all_messages:
        message = hl7.parse(text)
        values += sum(len(str(segment[5])) > 0 for segment in message if str(segment[0]) == "OBX")
    seconds = time.perf_counter() - start
    print(f"python-hl7: {len(all_messages)} messages, {values} values in {seconds:.2f} s: {len(all_messages) / seconds:.0f}/s")
