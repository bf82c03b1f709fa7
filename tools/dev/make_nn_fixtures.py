#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what PyTorch makes of small networks: tests/golden/nn/NAME.safetensors, which
tests/runtime/nn/parity_test.c compares the engine with. Usage: make_nn_fixtures.py FOLDER [SEED]

A file holds the inputs (in.*), the weights at the start (w.*), the output (out), the loss, the
gradients (g.*), and the weights after five steps of SGD, Adam and AdamW (sgd.*, adam.*, adamw.*).
Arrays of voxels are n z y x c, as the engine has them. All numbers follow from the seed (0)."""
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

# An eps that is felt, also because derivatives that are 0 but for rounding (by the bias of keys) would
# otherwise become steps.
OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.9, 0.99), eps=1e-4, weight_decay=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.9, 0.99), eps=1e-4, weight_decay=0.1),
}


def write(path, arrays):
    header, data = {}, b""
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def random(number):
    return np.random.default_rng([number, int(sys.argv[2]) if len(sys.argv) > 2 else 0])


def voxels(t):
    """n c z y x to n z y x c, two axes to 1 1 1 n c, tokens n t c to n 1 1 t c."""
    a = t.detach().numpy()
    if a.ndim == 5:
        return a.transpose(0, 2, 3, 4, 1)
    if a.ndim == 3:
        return a[:, None, None]
    return a[None, None, None]


def numbers(rng, *shape, scale=1.0):
    return torch.from_numpy((rng.standard_normal(shape) * scale).astype(np.float32))


def weights_of(rng, shapes):
    return {k: numbers(rng, *s, scale=0.1 if len(s) == 1 else (1.5 / np.prod(s[1:])) ** 0.5)
            for k, s in shapes.items()}


def run(path, start, inputs, loss_of):
    arrays = {"in." + k: voxels(v) for k, v in inputs.items()}
    arrays.update({"w." + k: v.numpy() for k, v in start.items()})
    for kind, make in OPTIMISERS.items():
        w = {k: v.clone().requires_grad_() for k, v in start.items()}
        decayed = [v for k, v in w.items() if v.dim() > 1]
        plain = [v for v in w.values() if v.dim() == 1]
        optimiser = make([{"params": decayed}, {"params": plain, "weight_decay": 0}])
        for step in range(5):
            optimiser.zero_grad()
            out, loss = loss_of(w)
            loss.backward()
            if kind == "sgd" and step == 0:
                arrays["out"] = voxels(out)
                arrays["loss"] = loss.detach().numpy().reshape(1)
                arrays.update({"g." + k: v.grad.numpy().copy() for k, v in w.items()})
            optimiser.step()
        arrays.update({kind + "." + k: v.detach().numpy() for k, v in w.items()})
    write(path, arrays)


def bce(logits, target, weight, pos):
    l = F.binary_cross_entropy_with_logits(logits, target, reduction="none",
                                           pos_weight=torch.tensor(pos))
    return (l * weight).sum() / weight.expand_as(l).sum()


def mlp(path):
    rng = random(11)
    w = weights_of(rng, {"a.weight": (12, 6), "a.bias": (12,), "b.weight": (10, 12), "b.bias": (10,),
                         "c.weight": (2, 10), "c.bias": (2,)})
    x, target = numbers(rng, 50, 6), (numbers(rng, 50, 2) > 0).float()
    weight = numbers(rng, 50, 1).abs().clamp(0.2) * (torch.arange(50)[:, None] % 5 > 0)

    def loss_of(w):
        h = F.relu(F.linear(x, w["a.weight"], w["a.bias"]))
        h = F.relu(F.linear(h, w["b.weight"], w["b.bias"]))
        out = F.linear(h, w["c.weight"], w["c.bias"])
        return out, bce(out, target, weight, 2.0)

    run(path, w, {"x": x, "target": target, "weight": weight}, loss_of)


def unet(path):
    """The residual U-Net of runtime/nn/arch.c, levels of 4 and 6 channels, two heads."""
    rng = random(12)
    shapes = {"stem": (4, 1, 3), "enc0.a": (4, 4, 3), "enc0.b": (4, 4, 3), "down1": (6, 4, 2),
              "enc1.a": (6, 6, 3), "enc1.b": (6, 6, 3), "up0": (6, 4, 2), "dec0.a": (4, 4, 3),
              "dec0.b": (4, 4, 3), "affinity": (3, 4, 1), "edt": (1, 4, 1)}
    w = {}
    for name, (o, i, k) in shapes.items():
        w.update(weights_of(rng, {name + ".weight": (o, i, k, k, k),
                                  name + ".bias": (i if name == "up0" else o,)}))
    x, target = numbers(rng, 2, 1, 4, 6, 8), (numbers(rng, 2, 3, 4, 6, 8) > 0).float()
    edt, weight = numbers(rng, 2, 1, 4, 6, 8), numbers(rng, 2, 3, 4, 6, 8).abs()

    def loss_of(w):
        def conv(h, name, **how):
            return F.conv3d(h, w[name + ".weight"], w[name + ".bias"], **how)

        def block(h, name):
            y = F.relu(conv(h, name + ".a", padding=1))
            return F.relu(h + conv(y, name + ".b", padding=1))

        e0 = block(F.relu(conv(x, "stem", padding=1)), "enc0")
        e1 = block(F.relu(conv(e0, "down1", stride=2)), "enc1")
        up = F.conv_transpose3d(e1, w["up0.weight"], w["up0.bias"], stride=2)
        d0 = block(F.relu(up + e0), "dec0")
        out, far = conv(d0, "affinity"), conv(d0, "edt")
        mse = ((torch.tanh(far) - edt) ** 2 * weight[:, :1]).sum() / weight[:, :1].sum()
        return out, bce(out, target, weight, 1.0) + 0.5 * mse

    run(path, w, {"x": x, "target": target, "weight": weight, "edt": edt}, loss_of)


def mixed(path):
    """Strided convolution, the other activations, norms, pooling, growing, concatenation, Dice."""
    rng = random(13)
    w = weights_of(rng, {"a.weight": (6, 2, 3, 3, 3), "a.bias": (6,), "n.weight": (6,), "n.bias": (6,),
                         "b.weight": (6, 6, 3, 3, 3), "b.bias": (6,), "c.weight": (2, 12, 1, 1, 1),
                         "c.bias": (2,)})
    x, target = numbers(rng, 1, 2, 8, 8, 8), (numbers(rng, 1, 2, 4, 4, 4) > 0).float()

    def loss_of(w):
        h = F.conv3d(x, w["a.weight"], w["a.bias"], stride=2, padding=1)
        h = F.elu(F.group_norm(h, 3, w["n.weight"], w["n.bias"], 1e-5))
        low = F.conv3d(F.max_pool3d(h, 2), w["b.weight"], w["b.bias"], padding=1)
        low = F.leaky_relu(low, 0.2)
        up = F.interpolate(low, scale_factor=2, mode="trilinear", align_corners=False)
        near = F.interpolate(F.avg_pool3d(low, 2), scale_factor=4, mode="nearest")
        joined = torch.cat([up + near, h], 1)
        out = torch.sigmoid(F.conv3d(joined, w["c.weight"], w["c.bias"]))
        dice = 1 - (2 * (out * target).sum() + 1) / (out.sum() + target.sum() + 1)
        return out, dice + 0.1 * F.l1_loss(out, target)

    run(path, w, {"x": x, "target": target}, loss_of)


def transformer(path):
    rng = random(14)
    d, heads, tokens = 8, 2, 10
    w = weights_of(rng, {"n1.weight": (d,), "n1.bias": (d,), "qkv.weight": (3 * d, d),
                         "qkv.bias": (3 * d,), "proj.weight": (d, d), "proj.bias": (d,),
                         "n2.weight": (d,), "n2.bias": (d,), "fc1.weight": (16, d), "fc1.bias": (16,),
                         "fc2.weight": (3, 16), "fc2.bias": (3,)})
    x = numbers(rng, 2, tokens, d)
    target = torch.from_numpy(rng.integers(0, 3, (2, tokens, 1)).astype(np.float32))

    def loss_of(w):
        h = F.layer_norm(x, (d,), w["n1.weight"], w["n1.bias"], 1e-6)
        q, k, v = F.linear(h, w["qkv.weight"], w["qkv.bias"]).view(
            2, tokens, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        share = torch.softmax(q @ k.transpose(-1, -2) * (d // heads) ** -0.5, -1)
        h = (share @ v).transpose(1, 2).reshape(2, tokens, d)
        y = x + F.linear(h, w["proj.weight"], w["proj.bias"])
        h = F.layer_norm(y, (d,), w["n2.weight"], w["n2.bias"], 1e-6)
        h = F.gelu(F.linear(h, w["fc1.weight"], w["fc1.bias"]))
        out = F.linear(h, w["fc2.weight"], w["fc2.bias"])
        return out, F.cross_entropy(out.reshape(-1, 3), target.long().reshape(-1))

    run(path, w, {"x": x, "target": target}, loss_of)


def main():
    torch.set_num_threads(1)
    for make in (mlp, unet, mixed, transformer):
        make(os.path.join(sys.argv[1], make.__name__ + ".safetensors"))


main()
