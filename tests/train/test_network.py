# SPDX-License-Identifier: Apache-2.0
"""The network as it is trained (train/network.py): official names and shapes, and the reference's output."""
import sys

import make_network
import pytest

torch = pytest.importorskip("torch", reason="python3-torch is not installed (tools/install_packages.sh train)")
import network

SMALL = dict(dim=24, depths=(2, 2), heads=4)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return network.Network(scale=2, **SMALL).eval()


def randomised(net):
    """Other values than the initial ones, of which many are zero."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for param in net.parameters():
            param.add_(0.1 * torch.randn(param.shape, generator=generator))
    return net


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_names_and_shapes_are_the_official_ones(scale):
    """bench/make_network.py writes the published shapes; the engine reads these names."""
    net = network.Network(scale)
    shapes = {name: tuple(value.shape) for name, value in net.named_parameters()}
    assert shapes == make_network.tensors(dict(make_network.LIGHT, scale=scale))
    assert set(net.state_dict()) == set(shapes), "nothing else is saved"
    assert net.config == {"scale": scale, "head": "pixelshuffledirect", "dim": 60, "depths": [6] * 4, "heads": 6, "ws": 8}


def test_number_of_parameters():
    assert sum(param.numel() for param in network.Network(4).parameters()) == 1_024_824


@pytest.mark.parametrize("height, width", [(8, 8), (16, 24), (9, 13), (17, 5)])
def test_any_size(net, height, width):
    with torch.no_grad():
        assert net(torch.rand(2, 3, height, width)).shape == (2, 3, 2 * height, 2 * width)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("height, width", [(8, 8), (24, 16), (13, 22)])
def test_equals_the_reference(shared, scale, height, width):
    sys.path.insert(0, str(shared / "reference"))
    from swin2sr_reference import Swin2SR

    net = randomised(network.Network(scale, **SMALL)).eval()
    reference = Swin2SR(scale, "pixelshuffledirect", **SMALL).eval()
    missing, unexpected = reference.load_state_dict(net.state_dict(), strict=False)
    assert unexpected == [] and all("relative_" in name for name in missing), "buffers that follow from the shape"
    x = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(net(x), reference(x), rtol=0, atol=1e-5)


def test_a_window_does_not_see_beyond(net):
    """One block without shift, no convolutions: pixels of other windows do not change a window's tokens."""
    block = net.layers[0].residual_group.blocks[0]
    assert block.shift == 0
    x = torch.rand(1, 16, 16, 24)
    other = x.clone()
    other[:, 8:] = torch.rand(1, 8, 16, 24)
    with torch.no_grad():
        a, b = block(x, None), block(other, None)
    assert torch.equal(a[:, :8], b[:, :8]) and not torch.equal(a[:, 8:], b[:, 8:])


def test_shifted_windows_do_not_wrap_around(net):
    """What is at the upper edge does not reach the lower one, though the shift puts both into one window."""
    block = net.layers[0].residual_group.blocks[1]
    assert block.shift == 4
    x = torch.rand(1, 16, 16, 24)
    other = x.clone()
    other[:, :4] = torch.rand(1, 4, 16, 24)
    mask = network.shift_mask(16, 16, 8)
    with torch.no_grad():
        a, b, unmasked = block(x, mask), block(other, mask), block(other, None)
    torch.testing.assert_close(a[:, 12:], b[:, 12:], rtol=0, atol=1e-6)
    assert (unmasked[:, 12:] - b[:, 12:]).abs().max() > 1e-4, "without the mask it would"


def test_bfloat16_keeps_the_trunk_and_the_pixels(net):
    """What a GPU does, on a processor: the trunk and the head stay float."""
    x = torch.rand(1, 3, 16, 16)
    seen = []
    net.layers[0].register_forward_hook(lambda module, inputs, output: seen.append((inputs[0].dtype, output.dtype)))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        y = net(x)
    with torch.no_grad():
        whole = net(x)
    assert seen[0] == (torch.float32, torch.float32) and y.dtype == torch.float32
    assert (y != y.bfloat16()).any(), "pixels are not rounded"
    assert 0 < (y - whole).abs().mean() < 2**-7
