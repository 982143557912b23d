#!/usr/bin/env bash
# `pull dicomweb` against Orthanc with its DICOMweb plugin (Debian: orthanc, orthanc-dicomweb, dcmtk).
#
#   tools/pull_peers.sh VENV PULL
#
# VENV: a Python with pydicom and numpy. PULL: the built example `pull`. Fills Orthanc by storescu, pulls all, kills a
# second pull on the way and resumes it, and compares every object with what was sent.
set -euo pipefail
venv=$1 pull=$2
here=$(dirname "$0")
work=$(mktemp -d)
finish() { kill "$orthanc" 2>/dev/null || true; wait "$orthanc" 2>/dev/null || true; rm -rf "$work"; }
cat >"$work/orthanc.json" <<J
{"StorageDirectory": "$work/orthanc", "DicomPort": 14243, "HttpPort": 18043, "RemoteAccessAllowed": false,
 "DicomAlwaysAllowStore": true, "AuthenticationEnabled": false,
 "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"], "DicomWeb": {"Enable": true}}
J
Orthanc "$work/orthanc.json" >"$work/log" 2>&1 &
orthanc=$!
trap finish EXIT
until echoscu 127.0.0.1 14243 2>/dev/null; do sleep 0.3; done
"$venv/bin/python" "$here/listen_peers.py" make "$work/objects" 500
for part in 0 1 2 3; do storescu 127.0.0.1 14243 +sd "$work/objects/$part"; done

url=http://127.0.0.1:18043/dicom-web
began=$(date +%s.%N)
"$pull" "$work/inbox" dicomweb $url
echo "pull dicomweb: $(echo "scale=1; 500 / ($(date +%s.%N) - $began)" | bc) objects/s"
"$venv/bin/python" "$here/listen_peers.py" compare "$work/inbox" "$work/objects"
echo "again, with all known:"; "$pull" "$work/inbox" dicomweb $url
echo "killed on the way, then resumed:"
"$pull" "$work/second" dicomweb $url >/dev/null & second=$!
touch "$work/second.known"
until [ "$(wc -l <"$work/second.known")" -gt 100 ]; do sleep 0.02; done
kill -9 $second; wait $second 2>/dev/null || true
"$pull" "$work/second" dicomweb $url
"$venv/bin/python" "$here/listen_peers.py" compare "$work/second" "$work/objects"
echo "no study of this modality:"; "$pull" "$work/none" dicomweb $url MR
