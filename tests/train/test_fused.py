# SPDX-License-Identifier: Apache-2.0
"""The attention in C (train/attention.c, train/fused.py): PyTorch's outputs and gradients, and what is not to be had."""
import pytest

torch = pytest.importorskip("torch", reason="python3-torch is not installed (tools/install_packages.sh train)")
import fused
import network

TOKENS = fused.TOKENS
needs_compiler = pytest.mark.skipif(bool(fused.reason()), reason=f"no attention in C: {fused.reason()}")


@pytest.fixture
def without_cache():
    fused._load.cache_clear()
    yield
    fused._load.cache_clear()


def by_pytorch(qkv, bias, scale, mask):
    """As network.py computes it, in double precision."""
    qkv, bias, scale = (tensor.double() for tensor in (qkv, bias, scale))
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    normalize = torch.nn.functional.normalize
    logits = normalize(q, dim=-1) * scale[:, None, None] @ normalize(k, dim=-1).transpose(-2, -1) + bias
    if mask is not None:
        logits = (logits.unflatten(0, (-1, len(mask))) + mask.double()[:, None]).flatten(0, 1)
    return (logits.softmax(-1) @ v).transpose(1, 2).flatten(2)


def relative(found, wanted):
    return ((found.double() - wanted).norm() / wanted.norm()).item()


@needs_compiler
@pytest.mark.parametrize("windows, heads, dim, masks", [(1, 1, 8, 0), (4, 6, 10, 0), (4, 6, 10, 2), (6, 2, 16, 3),
                                                        (2, 3, 12, 2), (2, 1, 3, 0), (2, 2, 32, 1)])
def test_outputs_and_gradients_are_pytorchs(windows, heads, dim, masks):
    generator = torch.Generator().manual_seed(windows + dim)

    def random(*shape):
        return torch.randn(shape, generator=generator)

    qkv, bias, scale = random(windows, TOKENS, 3, heads, dim), 4 * random(heads, TOKENS, TOKENS), 10 + random(heads)
    mask = (random(masks, TOKENS, TOKENS) > 0.5).float() * network.APART if masks else None
    of_output, results = random(windows, TOKENS, heads * dim), []
    for attend in (fused.attend, by_pytorch):
        inputs = [tensor.clone().requires_grad_() for tensor in (qkv, bias, scale)]
        output = attend(*inputs, mask)
        output.backward(of_output.to(output.dtype))
        results.append([output.detach(), *(tensor.grad.double() for tensor in inputs)])
    for found, wanted in zip(*results):
        assert relative(found, wanted) < 1e-5 or wanted.norm() < 1e-6


@needs_compiler
def test_a_step_of_the_network_is_pytorchs(monkeypatch):
    torch.manual_seed(0)
    net = network.Network(scale=2, dim=20, depths=(2, 2), heads=2)
    x, results = torch.rand(2, 3, 16, 24), []
    for is_fused in (True, False):
        if not is_fused:
            monkeypatch.setattr(fused, "fits", lambda qkv: False)
        net.zero_grad()
        net(x).square().sum().backward()
        results.append([param.grad.clone() for param in net.parameters()])
    assert all(relative(found, wanted.double()) < 1e-4 for found, wanted in zip(*results) if wanted.norm() > 0)


@needs_compiler
def test_what_does_not_belong_together_is_refused():
    qkv, bias, scale = torch.zeros(3, TOKENS, 3, 2, 8), torch.zeros(2, TOKENS, TOKENS), torch.zeros(2)
    for wrong in [(qkv, bias[:1], scale, None), (qkv, bias, scale[:1], None), (qkv, bias, scale, bias)]:
        with pytest.raises(ValueError, match="do not belong together"):
            fused.attend(*wrong)
    with pytest.raises(ValueError, match="float32"):
        fused.attend(qkv.double(), bias, scale, None)
    with pytest.raises(ValueError, match="heads of 33"):
        fused.attend(torch.zeros(1, TOKENS, 3, 2, 33), bias, scale, None)


def test_other_windows_and_types_are_pytorchs():
    assert not fused.fits(torch.zeros(1, 49, 3, 2, 8))
    assert not fused.fits(torch.zeros(1, TOKENS, 3, 2, 8, dtype=torch.bfloat16))
    assert not fused.fits(torch.zeros(1, TOKENS, 3, 1, 33))


def test_without_a_compiler_pytorch_does_it(monkeypatch, without_cache):
    monkeypatch.setenv("CC", "no-such-compiler")
    assert "no C compiler" in fused.reason() and not fused.fits(torch.zeros(1, TOKENS, 3, 2, 8))
    net = network.Network(scale=2, dim=8, depths=(2,), heads=1)
    net(torch.rand(1, 3, 8, 8)).sum().backward()
    assert all(param.grad is not None for param in net.parameters())


def test_a_compiler_that_fails_is_named(monkeypatch, without_cache, tmp_path):
    compiler = tmp_path / "cc"
    compiler.write_text('#!/bin/sh\n[ "$1" = --version ] || { echo broken >&2; exit 1; }\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert "broken" in fused.reason()
    assert list((tmp_path / "cache/swin2sr-cloud").iterdir()) == [], "nothing half made stays"


@needs_compiler
def test_it_is_compiled_once(tmp_path):
    first = fused.build("cc", tmp_path)
    at = first.stat().st_mtime_ns
    assert fused.build("cc", tmp_path) == first and first.stat().st_mtime_ns == at
    assert list(tmp_path.iterdir()) == [first]
