# SPDX-License-Identifier: Apache-2.0
"""Swin2SR with the head pixelshuffledirect, for training: official parameter names, any scale.

In: float [B][3][H][W], 0..1, sides of 5 pixels or more.  Out: [B][3][H*S][W*S].  Sides are continued by reflection to
whole windows and cut again.
The trunk stays float under autocast (what is added to it is cast before its LayerNorm), and so does the head: half
precision would round the pixels. Tensors that follow from the shape are no parameters and are not saved.
"""
import math

import torch
from torch import nn
from torch.nn import functional

import fused

MEAN = (0.4488, 0.4371, 0.4040)  # of the pictures that the published networks were trained on
LARGEST_LOGIT_SCALE = math.log(100.0)
HIDDEN = 512  # of the network that turns distances into position biases
APART = -100.0  # added to logits between pixels that only the cyclic shift made neighbours


def distances(window):
    """Log-spaced offsets of two pixels of a window, [(2w-1)^2][2], and for each pair of pixels which row is theirs."""
    steps = torch.arange(1 - window, window, dtype=torch.float32) * (8 / (window - 1))
    steps = steps.sign() * steps.abs().add(1).log2() / 3
    rows = torch.stack([steps.repeat_interleave(len(steps)), steps.repeat(len(steps))], dim=1)
    pixel = torch.arange(window * window)
    offset_y = pixel.div(window, rounding_mode="floor")[:, None] - pixel.div(window, rounding_mode="floor")
    offset_x = pixel.remainder(window)[:, None] - pixel.remainder(window)
    return rows, (offset_y + window - 1) * (2 * window - 1) + offset_x + window - 1


def shift_mask(height, width, window, device=None):
    """[windows][T][T]: APART for pixels that the shifted windows put together although they are from opposite edges."""
    def strips(length):
        place = torch.arange(length, device=device)
        return (place >= length - window).int() + (place >= length - window // 2).int()

    region = strips(height)[:, None] * 3 + strips(width)
    region = region.reshape(height // window, window, width // window, window).transpose(1, 2).reshape(-1, window**2)
    return (region[:, :, None] != region[:, None, :]).float() * APART


class WindowAttention(nn.Module):
    """Cosine attention, [N windows][T][C] -> [N windows][T][C]."""

    def __init__(self, dim, window, heads):
        super().__init__()
        self.heads = heads
        self.logit_scale = nn.Parameter(torch.full((heads, 1, 1), math.log(10.0)))
        self.cpb_mlp = nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, heads, bias=False))
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(dim))
        self.v_bias = nn.Parameter(torch.zeros(dim))
        self.proj = nn.Linear(dim, dim)
        rows, pairs = distances(window)
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("pairs", pairs, persistent=False)

    def position_bias(self):
        """[A][T][T]; always float: in half precision the sums over 512 values would change every pixel."""
        with torch.autocast(self.rows.device.type, enabled=False):
            return 16 * self.cpb_mlp(self.rows).sigmoid()[self.pairs].permute(2, 0, 1)

    def forward(self, tokens, mask):
        count, length, dim = tokens.shape
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = functional.linear(tokens, self.qkv.weight, bias).reshape(count, length, 3, self.heads, dim // self.heads)
        scale = self.logit_scale.clamp(max=LARGEST_LOGIT_SCALE).exp()
        if fused.fits(qkv):
            return self.proj(fused.attend(qkv, self.position_bias(), scale.flatten(), mask))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        q = functional.normalize(q.float(), dim=-1) * scale
        logits = q @ functional.normalize(k.float(), dim=-1).transpose(-2, -1) + self.position_bias()
        if mask is not None:
            logits = (logits.unflatten(0, (-1, len(mask))) + mask[:, None]).flatten(0, 1)
        return self.proj((logits.softmax(-1).to(v.dtype) @ v).transpose(1, 2).reshape(count, length, dim))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, tokens):
        return self.fc2(functional.gelu(self.fc1(tokens)))


class Block(nn.Module):
    """[B][H][W][C]; every second one with its windows moved by half."""

    def __init__(self, dim, window, heads, shift):
        super().__init__()
        self.window, self.shift = window, shift
        self.attn = WindowAttention(dim, window, heads)
        self.norm1 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim, 2 * dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x, mask):
        batch, height, width, dim = x.shape
        w, down, across = self.window, height // self.window, width // self.window
        moved = x.roll((-self.shift, -self.shift), (1, 2)) if self.shift else x
        tokens = moved.reshape(batch, down, w, across, w, dim).transpose(2, 3).reshape(-1, w * w, dim)
        tokens = self.norm1(self.attn(tokens, mask if self.shift else None).float())
        back = tokens.reshape(batch, down, across, w, w, dim).transpose(2, 3).reshape(x.shape)
        x = x + (back.roll((self.shift, self.shift), (1, 2)) if self.shift else back)
        return x + self.norm2(self.mlp(x).float())


class Embedding(nn.Module):
    """The 1x1 convolution that the published network calls patch_embed; only the first has a norm."""

    def __init__(self, dim, has_norm):
        super().__init__()
        self.proj = nn.Conv2d(dim, dim, 1)
        if has_norm:
            self.norm = nn.LayerNorm(dim)


class Group(nn.Module):
    """Blocks, a convolution over them, and around both a shortcut."""

    def __init__(self, dim, depth, window, heads):
        super().__init__()
        self.residual_group = nn.Module()
        self.residual_group.blocks = nn.ModuleList(
            Block(dim, window, heads, window // 2 if b % 2 else 0) for b in range(depth))
        self.conv = nn.Conv2d(dim, dim, 3, padding=1)
        self.patch_embed = Embedding(dim, has_norm=False)

    def forward(self, x, mask):
        inner = x
        for block in self.residual_group.blocks:
            inner = block(inner, mask)
        inner = self.patch_embed.proj(self.conv(inner.permute(0, 3, 1, 2)))
        return x + inner.permute(0, 2, 3, 1).float()


class Network(nn.Module):
    """The defaults are the published lightweight shape."""

    def __init__(self, scale=4, dim=60, depths=(6, 6, 6, 6), heads=6, window=8):
        super().__init__()
        self.scale, self.window = scale, window
        self.config = {"scale": scale, "head": "pixelshuffledirect", "dim": dim, "depths": list(depths),
                       "heads": heads, "ws": window}
        self.register_buffer("mean", torch.tensor(MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.conv_first = nn.Conv2d(3, dim, 3, padding=1)
        self.patch_embed = Embedding(dim, has_norm=True)
        self.layers = nn.ModuleList(Group(dim, depth, window, heads) for depth in depths)
        self.norm = nn.LayerNorm(dim)
        self.conv_after_body = nn.Conv2d(dim, dim, 3, padding=1)
        self.upsample = nn.Sequential(nn.Conv2d(dim, 3 * scale * scale, 3, padding=1), nn.PixelShuffle(scale))
        self.apply(initialise)

    def forward(self, x):
        height, width = x.shape[2:]
        x = functional.pad(x, (0, -width % self.window, 0, -height % self.window), "reflect") - self.mean
        mask = shift_mask(*x.shape[2:], self.window, x.device)
        first = self.conv_first(x)
        y = self.patch_embed.norm(self.patch_embed.proj(first).permute(0, 2, 3, 1).float())
        for group in self.layers:
            y = group(y, mask)
        y = self.conv_after_body(self.norm(y).permute(0, 3, 1, 2)) + first
        with torch.autocast(x.device.type, enabled=False):
            y = self.upsample(y.float()) + self.mean
        return y[:, :, :height * self.scale, :width * self.scale]


def initialise(module):
    """Small normal weights for the linear layers, as is usual for transformers; convolutions keep PyTorch's."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
