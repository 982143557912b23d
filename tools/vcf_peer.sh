#!/bin/sh
# Rates of VCF and BCF against bcftools, in one run on one machine, one thread each.
# Usage: tools/vcf_peer.sh [RECORDS] [SAMPLES]     (200000 and 10 where they are left out)
# Needs bcftools and bgzip (Debian: apt-get install bcftools tabix), python3 and a built example:
#   cargo build --release --workspace --example genomics
set -eu
records=${1:-200000}
samples=${2:-10}
here=$(dirname "$0")
ours=${CARGO_TARGET_DIR:-$here/../target}/release/examples/genomics
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 - "$records" "$samples" > "$work/a.vcf" <<'PYTHON'
import random, sys
records, samples = int(sys.argv[1]), int(sys.argv[2])
random.seed(1)
out = sys.stdout
out.write("##fileformat=VCFv4.2\n##fileDate=20240305\n##FILTER=<ID=q10,Description=\"low quality\">\n")
for n, length in enumerate([248956422, 242193529, 198295559], 1):
    out.write(f"##contig=<ID=chr{n},length={length}>\n")
for line in ["INFO=<ID=DP,Number=1,Type=Integer", "INFO=<ID=AF,Number=A,Type=Float", "INFO=<ID=AC,Number=A,Type=Integer",
             "INFO=<ID=AN,Number=1,Type=Integer", "INFO=<ID=MQ,Number=1,Type=Float", "FORMAT=<ID=GT,Number=1,Type=String",
             "FORMAT=<ID=AD,Number=.,Type=Integer", "FORMAT=<ID=DP,Number=1,Type=Integer",
             "FORMAT=<ID=GQ,Number=1,Type=Integer", "FORMAT=<ID=PL,Number=G,Type=Integer"]:
    out.write(f"##{line},Description=\"as reserved\">\n")
names = "\t".join(f"S{i:03}" for i in range(samples))
out.write(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n")
position, chromosome = 10000, 1
for r in range(records):
    if r and r % (records // 3 + 1) == 0:
        position, chromosome = 10000, chromosome + 1
    position += random.randint(1, 800)
    ref, alt = random.sample("ACGT", 2)
    if random.random() < 0.1:
        alt = ref + alt * random.randint(1, 4)
    frequency = random.random() ** 2
    cells, count = [], 0
    for _ in range(samples):
        a, b = random.random() < frequency, random.random() < frequency
        count += a + b
        depth = random.randint(10, 60)
        other = depth * (a + b) // 2
        likelihoods = [random.randint(20, 990) for _ in range(3)]
        likelihoods[a + b] = 0
        genotype = f"{min(a, b):d}/{max(a, b):d}"
        cells.append(f"{genotype}:{depth - other},{other}:{depth}:{random.randint(1, 99)}:" + ",".join(map(str, likelihoods)))
    info = f"DP={30 * samples};AF={frequency:.4f};AC={count};AN={2 * samples};MQ={random.uniform(40, 60):.2f}"
    out.write(f"chr{chromosome}\t{position}\t.\t{ref}\t{alt}\t{random.uniform(30, 900):.2f}\tPASS\t{info}\tGT:AD:DP:GQ:PL\t" + "\t".join(cells) + "\n")
PYTHON
bgzip -c "$work/a.vcf" > "$work/a.vcf.gz"
bcftools view -Ob -o "$work/a.bcf" "$work/a.vcf"

echo "file,records,bcftools_s,check_s,read_s,check_ratio,read_ratio,check_mb,read_mb"
for file in a.vcf a.vcf.gz a.bcf; do
    # In turns, five each; the least processor time (all have one thread), and the largest resident memory.
    python3 - "$ours" "$work/$file" "$records" <<'PYTHON'
import os, subprocess, sys
ours, path, records = sys.argv[1:]
commands = [["bcftools", "view", "-o", "/dev/null", path], [ours, "check", path], [ours, "read", path]]
times, memory = [[] for _ in commands], [0] * 3
for _ in range(5):
    for i, command in enumerate(commands):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        assert status == 0, command
        times[i].append(used.ru_utime + used.ru_stime)
        memory[i] = max(memory[i], used.ru_maxrss // 1024)
peer, check, read = map(min, times)
print(f"{os.path.basename(path)},{records},{peer:.3f},{check:.3f},{read:.3f},{peer / check:.2f},{peer / read:.2f},{memory[1]},{memory[2]}")
PYTHON
done
"$ours" check "$work/a.vcf" > "$work/text"
"$ours" check "$work/a.bcf" > "$work/binary"
"$ours" read "$work/a.vcf"
"$ours" read "$work/a.bcf"
if grep -q ^Error "$work/text" "$work/binary"; then
    echo "faults in a file that has none:"
    grep -h ^Error "$work/text" "$work/binary" | head
    exit 1
fi
