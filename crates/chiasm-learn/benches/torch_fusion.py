"""The training step of fusion_step.rs in PyTorch: python torch_fusion.py [eager|fused] [WARM-UP] [STEPS].

Threads: OMP_NUM_THREADS.
"""

import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

WIDTHS = [1024, 768, 5000, 64, 384]
D, HEADS, LAYERS, ROWS, LABELS = 256, 8, 4, 64, 10


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.qkv, self.out = nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.up, self.down = nn.Linear(D, 4 * D), nn.Linear(4 * D, D)

    def forward(self, x):
        rows, tokens, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(rows, tokens, 3, HEADS, D // HEADS).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(rows, tokens, D)
        x = x + self.out(attended)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Fusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoders = nn.ModuleList(nn.Linear(w, D) for w in WIDTHS)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm, self.head = nn.LayerNorm(D), nn.Linear(D, LABELS)

    def forward(self, xs):
        tokens = torch.stack([encode(x) for encode, x in zip(self.encoders, xs)], 1)
        return self.head(self.norm(self.blocks(tokens)).mean(1))


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "eager"
    warm, steps = (int(sys.argv[i]) if len(sys.argv) > i else n for i, n in ((2, 5), (3, 40)))
    torch.manual_seed(0)
    model = Fusion()
    xs = [torch.randn(ROWS, w) for w in WIDTHS]
    labels = (torch.rand(ROWS, LABELS) > 0.5).float()
    adamw = torch.optim.AdamW(model.parameters(), 1e-3, fused=kind == "fused")
    times, losses = [], []
    for i in range(warm + steps):
        start = time.perf_counter()
        adamw.zero_grad(set_to_none=True)
        loss = F.binary_cross_entropy_with_logits(model(xs), labels)
        loss.backward()
        adamw.step()
        elapsed = (time.perf_counter() - start) * 1e3
        losses.append(loss.item())
        if i >= warm:
            times.append(elapsed)
    times.sort()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"fusion torch-{kind} median_ms={times[len(times) // 2]:.2f} min_ms={times[0]:.2f} rss_mb={peak} "
        f"parameters={sum(p.numel() for p in model.parameters())} loss0={losses[0]:.4f} loss1={losses[-1]:.4f}"
    )


main()
