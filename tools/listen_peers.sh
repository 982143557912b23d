#!/usr/bin/env bash
# The listener against programs that others wrote: dcmtk's storescu and echoscu, pynetdicom, hl7apy; and against
# Orthanc on the same objects.
#
#   tools/listen_peers.sh VENV LISTEN [DICOM_FOLDER_OR_TAR_GZ]
#
# VENV: a Python with pynetdicom, pydicom, hl7apy. LISTEN: the built example `listen`. Debian's dcmtk must be
# installed; orthanc is used where it is. Prints one line a figure; exits 1 when something acknowledged is not kept.
set -euo pipefail
venv=$1 listen=$2 real=${3:-}
work=$(mktemp -d)
children=()
finish() { umount "$work/small" 2>/dev/null || true; for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done; rm -rf "$work"; }
trap finish EXIT
"$venv/bin/python" "$(dirname "$0")/listen_peers.py" make "$work/objects" 500

"$listen" "$work/inbox" --dicom 127.0.0.1:0 --hl7 127.0.0.1:0 >"$work/out" 2>"$work/tally" &
ours=$!; children+=("$ours")
until grep -qs ready "$work/out"; do sleep 0.05; done
dicom=$(sed -n 's/^dicom .*://p' "$work/out") hl7=$(sed -n 's/^hl7 .*://p' "$work/out")

echoscu -aec CHIASM 127.0.0.1 "$dicom" && echo "echoscu: answered"

# PORT FOLDER-OF-FOLDERS: one storescu for each folder, all at once; prints objects/s.
storescu_rate() {
  local port=$1 label=$2; shift 2
  local began ended senders=()
  began=$(date +%s.%N)
  for folder in "$@"; do storescu -aec CHIASM 127.0.0.1 "$port" +sd "$folder" >>"$work/storescu.log" 2>&1 & senders+=($!); done
  for sender in "${senders[@]}"; do wait "$sender"; done
  ended=$(date +%s.%N)
  echo "$label: $(echo "scale=1; 500 / ($ended - $began)" | bc) objects/s"
}
storescu_rate "$dicom" "storescu, 500 objects, 4 associations" "$work"/objects/{0,1,2,3}
mkdir "$work/again"; mv "$work"/inbox/objects/* "$work/again/"
mkdir "$work/all"; cp "$work"/objects/*/* "$work/all/"
storescu_rate "$dicom" "storescu, 500 objects, 1 association" "$work/all"
"$venv/bin/python" "$(dirname "$0")/listen_peers.py" compare "$work/inbox" "$work/objects"

if [ -n "$real" ]; then
  if [ -f "$real" ]; then mkdir "$work/real"; tar -xzf "$real" -C "$work/real"; real=$work/real; fi
  "$venv/bin/python" "$(dirname "$0")/listen_peers.py" store "$dicom" "$work/inbox" "$real"
fi
for connections in 1 16; do "$venv/bin/python" "$(dirname "$0")/listen_peers.py" hl7 "$hl7" "$work/inbox" $connections; done
kill "$ours"; wait "$ours" || true
cat "$work/tally"
"$venv/bin/python" "$(dirname "$0")/listen_peers.py" hl7check "$work/inbox"

# One object of 1 GiB, and the most memory that the listener ever held; then TLS.
certificates=$(dirname "$0")/../crates/chiasm-exchange/tests/fixtures
"$listen" "$work/tls" --dicom 127.0.0.1:0 --tls "$certificates/server.crt" "$certificates/server.key" >"$work/out3" 2>/dev/null &
tls=$!; children+=("$tls")
until grep -qs ready "$work/out3"; do sleep 0.05; done
port=$(sed -n 's/^dicom .*://p' "$work/out3")
storescu +tla -ic 127.0.0.1 "$port" +sd "$work/objects/0"
echo "storescu over TLS: $(ls "$work/tls/objects" | wc -l) of $(ls "$work/objects/0" | wc -l) kept"
"$listen" "$work/big" --dicom 127.0.0.1:0 >"$work/out4" 2>/dev/null &
big=$!; children+=("$big")
until grep -qs ready "$work/out4"; do sleep 0.05; done
"$venv/bin/python" "$(dirname "$0")/listen_peers.py" big "$(sed -n 's/^dicom .*://p' "$work/out4")" "$work/big.dcm"
echo "1 GiB object: $(stat -c %s "$work"/big/objects/*) bytes kept; listener's $(grep VmHWM /proc/$big/status)"
kill "$big"; rm -rf "$work/big" "$work/big.dcm"

# A disk that is full: a few megabytes of memory as the inbox's disk, where we may mount.
mkdir "$work/small"
if mount -t tmpfs -o size=3m tmpfs "$work/small" 2>/dev/null; then
  "$listen" "$work/small/inbox" --dicom 127.0.0.1:0 --hl7 127.0.0.1:0 >"$work/out2" 2>"$work/tally2" &
  small=$!; children+=("$small")
  until grep -qs ready "$work/out2"; do sleep 0.05; done
  port=$(sed -n 's/^dicom .*://p' "$work/out2")
  "$venv/bin/python" "$(dirname "$0")/listen_peers.py" full "$port" "$work/small/inbox" "$work/all"
  kill "$small"; wait "$small" || true
  umount "$work/small"
fi

if command -v Orthanc >/dev/null; then
  cat >"$work/orthanc.json" <<J
{"StorageDirectory": "$work/orthanc", "DicomPort": 14242, "HttpPort": 18042, "RemoteAccessAllowed": false,
 "DicomAet": "ORTHANC", "DicomAlwaysAllowStore": true, "Plugins": []}
J
  Orthanc "$work/orthanc.json" >"$work/orthanc.log" 2>&1 &
  children+=($!)
  until echoscu 127.0.0.1 14242 2>/dev/null; do sleep 0.3; done
  storescu_rate 14242 "Orthanc, the same, 4 associations" "$work"/objects/{0,1,2,3}
  rm -rf "$work/all2"; "$venv/bin/python" "$(dirname "$0")/listen_peers.py" make "$work/more" 500 7000
  mkdir "$work/all2"; cp "$work"/more/*/* "$work/all2/"
  storescu_rate 14242 "Orthanc, the same, 1 association" "$work/all2"
fi
