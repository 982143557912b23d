#!/usr/bin/env bash
# The listener against programs that others wrote: dcmtk's storescu and echoscu, pynetdicom, hl7apy; and against
# Orthanc on the same objects.
#
#   tools/listen_peers.sh VENV CHIASM LISTEN [DICOM_FOLDER_OR_TAR_GZ]
#
# VENV: a Python with pynetdicom, pydicom, hl7apy. CHIASM: the built program. LISTEN: the built example `listen`, which
# leaves what it took in the inbox, so that it can be compared byte by byte. Debian's dcmtk and openssl must be
# installed; orthanc is used where it is. Prints one line a figure; exits 1 when something acknowledged is not kept.
set -euo pipefail
venv=$1 chiasm=$2 listen=$3 real=${4:-}
peer() { "$venv/bin/python" "$(dirname "$0")/listen_peers.py" "$@"; }
work=$(mktemp -d)
children=()
finish() { for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done; wait; umount "$work/small" 2>/dev/null || true; rm -rf "$work"; }
trap finish EXIT
peer make "$work/objects" 500

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
peer compare "$work/inbox" "$work/objects"

if [ -n "$real" ]; then
  if [ -f "$real" ]; then mkdir "$work/real"; tar -xzf "$real" -C "$work/real"; real=$work/real; fi
  peer store "$dicom" "$work/inbox" "$real"
fi
for connections in 1 16; do peer hl7 "$hl7" "$work/inbox" $connections; done
kill "$ours"; wait "$ours" || true
cat "$work/tally"
peer hl7check "$work/inbox"

# The program itself: what comes is read in beside. STORE OPTIONS...: starts it; sets program, dicom, hl7.
program() {
  : >"$work/out"
  "$chiasm" listen --dicom 0 --hl7 0 --json --store "$@" >"$work/out" 2>>"$work/errors" &
  program=$!; children+=("$program")
  until [ "$(grep -cs listening "$work/out")" = 2 ]; do
    kill -0 "$program" || { tail -1 "$work/errors"; exit 1; }
    sleep 0.05
  done
  dicom=$(sed -n 's/.*:\([0-9]*\)","listening":"dicom".*/\1/p' "$work/out") hl7=$(sed -n 's/.*:\([0-9]*\)","listening":"hl7".*/\1/p' "$work/out")
}
finished() { kill "$program"; wait "$program"; }
ask() { "$chiasm" query --store "$1" "$2" --json; }

program "$work/store"
echoscu -aec CHIASM 127.0.0.1 "$dicom" && echo "chiasm listen: echoscu answered"
storescu_rate "$dicom" "chiasm listen: storescu, 500 objects, 4 associations" "$work"/objects/{0,1,2,3}
for connections in 1 16; do peer hl7 "$hl7" "$work/store/inbox" $connections; done
peer aborts "$dicom" "$program" "$work/store/inbox"
peer abuse "$dicom" "$hl7" "$program"
storescu -aec CHIASM 127.0.0.1 "$dicom" "$work/objects/0/0.dcm" && echo "chiasm listen: takes an object after all that"
finished
peer assets "$work/store" "$work/objects"
echo "messages in the store: $(ask "$work/store" "SELECT count(*) AS n, count(DISTINCT attributes) AS different FROM events WHERE code = 'HL7|ORU^R01'")"
echo "log: $(wc -l <"$work/errors") lines, as $(head -3 "$work/errors")"

# TLS, by clients that others wrote.
certificates=$(dirname "$0")/../crates/chiasm-exchange/tests/fixtures
program "$work/tls" --tls-certificate "$certificates/server.crt" --tls-key "$certificates/server.key"
storescu +tla -ic 127.0.0.1 "$dicom" +sd "$work/objects/0"
printf '\x0bMSH|^~\\&|L|H|||20240101||ADT^A01|7|P|2.5\rEVN|A01\rPID|1||1^^^H\r\x1c\r' >"$work/message"
# Ended by us: s_client waits for the other side, which waits for the next message.
(cat "$work/message"; sleep 1) | timeout 3 openssl s_client -connect "127.0.0.1:$hl7" -CAfile "$certificates/server.crt" -quiet 2>/dev/null >"$work/answer" || true
grep -q 'MSA|AA|7' "$work/answer" && echo "openssl s_client over TLS: acknowledged"
finished
echo "storescu over TLS: $(ls "$work/objects/0" | wc -l) sent"
mkdir "$work/first"; cp -r "$work/objects/0" "$work/first/0"; peer assets "$work/tls" "$work/first"

# One object of 1 GiB, and the most memory that the listener ever held.
"$listen" "$work/big" --dicom 127.0.0.1:0 >"$work/out4" 2>/dev/null &
big=$!; children+=("$big")
until grep -qs ready "$work/out4"; do sleep 0.05; done
peer big "$(sed -n 's/^dicom .*://p' "$work/out4")" "$work/big.dcm"
echo "1 GiB object: $(stat -c %s "$work"/big/objects/*) bytes kept; listener's $(grep VmHWM /proc/$big/status)"
kill "$big"; rm -rf "$work/big" "$work/big.dcm"

# A disk that is full: a few megabytes of memory as the store's disk, where we may mount.
mkdir "$work/small"
if mount -t tmpfs -o size=5m tmpfs "$work/small" 2>/dev/null; then
  program "$work/small/store"
  peer full "$dicom" "$hl7" "$work/acknowledged" "$work/all" A700
  mount -o remount,size=200m "$work/small"
  peer full "$dicom" "$hl7" "$work/acknowledged" "$work/all" 0000
  finished
  peer assets "$work/small/store" "$work/acknowledged"
  rm -rf "$work/small/store"
  mount -o remount,size=600k "$work/small"
  "$chiasm" synth hospital --patients 60 --seed 3 --out "$work/hospital" >/dev/null
  code=0; "$chiasm" ingest "$work/hospital"/{ehr,hl7} --site "$work/hospital" --store "$work/small/store" >/dev/null 2>"$work/said" || code=$?
  echo "ingest on a full disk: exit code $code: $(cat "$work/said")"
  mount -o remount,size=400m "$work/small"
  for store in "$work/small/store" "$work/large"; do
    "$chiasm" ingest "$work/hospital"/{ehr,hl7} --site "$work/hospital" --store "$store" >/dev/null
    ask "$store" "SELECT (SELECT count(*) FROM entries) AS entries, (SELECT count(*) FROM events) AS events"
  done | uniq -c
else
  echo "SKIPPED: a full disk needs a mount, which is not permitted here"
fi

if command -v Orthanc >/dev/null; then
  cat >"$work/orthanc.json" <<J
{"StorageDirectory": "$work/orthanc", "DicomPort": 14242, "HttpPort": 18042, "RemoteAccessAllowed": false,
 "DicomAet": "ORTHANC", "DicomAlwaysAllowStore": true, "Plugins": []}
J
  Orthanc "$work/orthanc.json" >"$work/orthanc.log" 2>&1 &
  children+=($!)
  until echoscu 127.0.0.1 14242 2>/dev/null; do sleep 0.3; done
  # In turns, with objects that neither has seen.
  for turn in 1 2 3; do
    peer make "$work/turn$turn" 500 ${turn}000
    storescu_rate 14242 "turn $turn: Orthanc, 4 associations" "$work/turn$turn"/{0,1,2,3}
    program "$work/turns"
    storescu_rate "$dicom" "turn $turn: chiasm listen, 4 associations" "$work/turn$turn"/{0,1,2,3}
    finished
  done
  rm -rf "$work/all2"; peer make "$work/more" 500 7000
  mkdir "$work/all2"; cp "$work"/more/*/* "$work/all2/"
  storescu_rate 14242 "Orthanc, the same, 1 association" "$work/all2"
fi
