"""Compares the tiles that the example slide_dump wrote with tifffile's pixels.

    python tools/slide_peer.py SLIDE LEVEL RAW WIDTH HEIGHT TILE_WIDTH TILE_HEIGHT [GOLDEN]

Prints the greatest and the mean difference. With GOLDEN, writes the mean red, green and blue of each tile
there (tests/fixtures/cmu_1_small_region.tsv is made so).
"""
import sys

import numpy as np
import tifffile

slide, level, raw = sys.argv[1:4]
width, height, across, down = map(int, sys.argv[4:8])
with tifffile.TiffFile(slide) as read:
    pages = [p for p in read.pages if p.is_tiled]
    theirs = pages[int(level)].asarray().astype(int)
ours = np.fromfile(raw, dtype="u1")
at, worst, total, golden = 0, 0, 0, []
for top in range(0, height, down):
    for left in range(0, width, across):
        want = theirs[top : top + down, left : left + across]
        got = ours[at : at + want.size].reshape(want.shape).astype(int)
        at += want.size
        worst = max(worst, int(abs(want - got).max()))
        total += int(abs(want - got).sum())
        golden.append("\t".join(f"{v:.3f}" for v in want.reshape(-1, 3).mean(0)))
assert at == len(ours)
print(f"{len(golden)} tiles, greatest difference {worst}, mean {total / at:.4f}")
if len(sys.argv) > 8:
    with open(sys.argv[8], "w") as out:
        out.write("\n".join(golden) + "\n")
