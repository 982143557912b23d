"""Compares `chiasm check` with dciodvfy (Debian package dicom3tools) on a folder of DICOM files.

    python tools/dicom_check_peer.py CHIASM FOLDER

What is compared: elements of type 1 and 2 that are missing. dciodvfy knows every module; ours knows the
commonest, so all that ours says should be in dciodvfy's list. Prints what is not, and how much of
dciodvfy's list ours has.
"""
import json
import os
import re
import subprocess
import sys

chiasm, folder = sys.argv[1:3]
MISSING = re.compile(r"Error - (?:Missing attribute|Empty attribute|Empty value).*Type (1|2) Required Element=<(\w+)>")
files = sorted(os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names)
both = ours_all = theirs_all = agree = compared = 0
for path in files:
    answer = subprocess.run([chiasm, "check", path, "--json"], capture_output=True, text=True).stdout
    checked = json.loads(answer)[0]
    if checked["format"] != "DICOM" or os.path.basename(path).startswith("DICOMDIR"):
        continue
    ours = {(f["rule"][-1], f["place"].split(" ")[-1]) for f in checked["faults"] if f["rule"] in ("dicom.type1", "dicom.type2")}
    said = subprocess.run(["dciodvfy", path], capture_output=True)
    said = (said.stdout + said.stderr).decode("latin-1")
    theirs = set(MISSING.findall(said))
    if not any(name == "class" for name, _ in checked["contents"]):
        continue  # without a class dciodvfy looks at nothing
    compared += 1
    both += len(ours & theirs)
    ours_all += len(ours)
    theirs_all += len(theirs)
    agree += checked["valid"] == ("Error - " not in said)
    if not checked["valid"] and "Error - " not in said:
        print(os.path.relpath(path, folder), "valid by dciodvfy alone:", sorted({f["rule"] for f in checked["faults"]}))
    if ours - theirs:
        print(os.path.relpath(path, folder), sorted(ours - theirs))
print(f"{compared} files; {both} of our {ours_all} missing elements are in dciodvfy's list of {theirs_all}; {agree} verdicts are the same")
