#!/usr/bin/env bash
# `pull dicomweb` against Orthanc with its DICOMweb plugin (Debian: orthanc, orthanc-dicomweb, dcmtk).
#
#   tools/pull_peers.sh VENV CHIASM PULL
#
# VENV: a Python with pydicom and numpy. CHIASM: the built program. PULL: the built example `pull`, which leaves what
# it took in the inbox. Fills Orthanc by storescu, pulls all, kills a second pull on the way and resumes it, and
# compares every object with what was sent.
set -euo pipefail
venv=$1 chiasm=$2 pull=$3
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
until [ "$(cat "$work"/second/pulled/* 2>/dev/null | wc -l)" -gt 100 ]; do sleep 0.02; done
kill -9 $second; wait $second 2>/dev/null || true
"$pull" "$work/second" dicomweb $url
"$venv/bin/python" "$here/listen_peers.py" compare "$work/second" "$work/objects"
echo "no study of this modality:"; "$pull" "$work/none" dicomweb $url MR

began=$(date +%s.%N)
"$chiasm" pull dicomweb $url --store "$work/store" --quiet
echo "chiasm pull dicomweb: $(echo "scale=1; 500 / ($(date +%s.%N) - $began)" | bc) objects/s, read in"
echo "again, with all known:"; "$chiasm" pull dicomweb $url --store "$work/store" --quiet
"$venv/bin/python" "$here/listen_peers.py" assets "$work/store" "$work/objects"
for kill in 1 2 3; do
  "$chiasm" pull dicomweb $url --store "$work/killed" --quiet >/dev/null & pulling=$!
  until [ "$(cat "$work"/killed/inbox/pulled/* 2>/dev/null | wc -l)" -gt $((kill * 120)) ]; do sleep 0.02; done
  kill -9 $pulling; wait $pulling 2>/dev/null || true
done
echo "killed three times, then:"; "$chiasm" pull dicomweb $url --store "$work/killed" --quiet
"$venv/bin/python" "$here/listen_peers.py" assets "$work/killed" "$work/objects"
kill $orthanc; wait $orthanc || true
code=0; "$chiasm" pull dicomweb $url --store "$work/store" --quiet 2>"$work/said" || code=$?
echo "no server: exit code $code: $(cat "$work/said")"
