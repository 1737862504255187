"""trims.torch: modules over shared tensors. Runs in .venv-torch (python/tests/run.sh package); elsewhere there is no PyTorch to test."""

import copy
import ctypes
import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch has an environment of its own, .venv-torch (scripts/setup)")

import trims  # noqa: E402
import trims.torch  # noqa: E402
from daemon import Daemon  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

nn = torch.nn


class Network(nn.Module):
    """A convolution, a normalisation with its states, a recurrent layer, tied embeddings, and a buffer that no checkpoint has."""

    def __init__(self, classes=10, device=None):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, device=device)
        self.norm = nn.BatchNorm2d(8, device=device)
        self.recurrent = nn.LSTM(8, 6, batch_first=True, device=device)
        self.embed = nn.Embedding(classes, 6, device=device)
        self.head = nn.Linear(6, classes, bias=False, device=device)
        self.head.weight = self.embed.weight
        self.register_buffer("scale", torch.full((), 2.0), persistent=False)

    def forward(self, picture):
        features = torch.relu(self.norm(self.conv(picture))).mean(-1).transpose(1, 2)
        states, _ = self.recurrent(features)
        return self.head(states[:, -1]) * self.scale


def trained():
    """With values of its own in every state, too."""
    torch.manual_seed(1)
    network = Network()
    network(torch.rand(4, 3, 8, 8))  # in train mode: the normalisation counts
    return network.eval()


def without(state, *names):
    return {name: tensor for name, tensor in state.items() if name not in names}


def add(folder, name, state):
    path = folder / f"{name}.safetensors"
    save_file({key: tensor.contiguous().clone() for key, tensor in state.items()}, path)
    trims.add(name, path)
    return name


@pytest.fixture(scope="module")
def network(daemon, tmp_path_factory):
    """(what was trained, the name of the model that it is, a picture, the answer)"""
    original = trained()
    name = add(tmp_path_factory.mktemp("torch"), "torch-net", without(original.state_dict(), "head.weight"))
    picture = torch.rand(2, 3, 8, 8)
    with torch.inference_mode():
        return original, name, picture, original(picture)


def mapped(tensor):
    """The line of this process's map in which the tensor lies."""
    with open("/proc/self/maps") as lines:
        for line in lines:
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            if begin <= tensor.data_ptr() < end:
                return line
    return ""


def answers(module, picture):
    with torch.inference_mode():
        return module(picture)


def leases():
    return trims.status()["leases"]


def test_a_module_computes_over_the_shared_pages(network):
    original, name, picture, wanted = network
    module = Network()
    loaded = trims.torch.load(module, name)
    assert torch.equal(answers(module, picture), wanted)
    assert (loaded.tier, loaded.missing, loaded.unexpected) == ("host", [], [])
    for key, tensor in module.state_dict().items():
        assert torch.equal(tensor, original.state_dict()[key]), key
        assert "r--s" in mapped(tensor) and "memfd:" in mapped(tensor), key
    assert not any(parameter.requires_grad for parameter in module.parameters())
    assert not module.training


def test_built_without_memory_it_is_the_same(network):
    _, name, picture, wanted = network
    module = Network(device="meta")
    trims.torch.load(module, name)
    assert torch.equal(answers(module, picture), wanted)


def test_two_modules_have_one_copy(network):
    _, name, _, _ = network
    a, b = Network(), Network()
    trims.torch.load(a, name)
    trims.torch.load(b, name)
    fields = [mapped(module.conv.weight).split() for module in (a, b)]
    assert fields[0][3:5] == fields[1][3:5], "the same inode"


def test_a_simulated_device_serves_it_too(library, tmp_path, monkeypatch):
    with Daemon(os.environ["TRIMS_TEST_BUILD"], library, flags=("--device", "sim:0,capacity=64MiB")) as running:
        monkeypatch.setenv("TRIMS_SOCKET", str(running.socket))
        original, module = trained(), Network()
        name = add(tmp_path, "on-device", without(original.state_dict(), "head.weight"))
        loaded = trims.torch.load(module, name, device="sim:0")
        assert (loaded.tier, loaded.device) == ("device:0", "sim:0")
        picture = torch.rand(2, 3, 8, 8)
        assert torch.equal(answers(module, picture), answers(original, picture))
        with pytest.raises(trims.NotFound, match="cuda:0"):
            trims.torch.load(Network(), name, device=torch.device("cuda:0"))
        with pytest.raises(trims.InvalidArgument, match="one device"):
            trims.torch.load(Network(), name, device="cuda")


def as_a_processors(array):
    """The DLPack capsule of a GPU's tensor with the device's kind changed to the processor's: on a stand-in it can read the address."""
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    capsule = array.__dlpack__()
    kind = ctypes.c_int32.from_address(get(capsule, b"dltensor") + ctypes.sizeof(ctypes.c_void_p))
    assert kind.value == 2, "kDLCUDA"
    kind.value = 1
    return capsule


# The whole way but for the last step: this PyTorch knows no CUDA, and there is a stand-in for the driver.
def test_on_a_gpu_tensors_come_by_dlpack(library, tmp_path, monkeypatch):
    build = Path(os.environ["TRIMS_TEST_BUILD"])
    driver = build / "tests/standin/libcuda_standin.so"
    monkeypatch.setenv("TRIMS_CUDA_LIBRARY", str(driver))
    real, devices = torch.from_dlpack, []

    def from_dlpack(array):
        devices.append(array.__dlpack_device__())
        return real(as_a_processors(array))

    with Daemon(build, library, flags=("--device", f"cuda:0,driver={driver}")) as running:
        monkeypatch.setenv("TRIMS_SOCKET", str(running.socket))
        original, module = trained(), Network()
        state = without(original.state_dict(), "head.weight")
        name = add(tmp_path, "on-gpu", state)
        monkeypatch.setattr(torch, "from_dlpack", from_dlpack)
        loaded = trims.torch.load(module, name, device="cuda:0")
        assert (loaded.tier, loaded.device) == ("device:0", "cuda:0")
        assert devices == [(2, 0)] * len(state)
        picture = torch.rand(2, 3, 8, 8)
        assert torch.equal(answers(module, picture), answers(original, picture))
        assert leases() == 1
        del module
        gc.collect()
        assert leases() == 0


def test_the_lease_is_held_as_long_as_any_tensor(network):
    _, name, _, _ = network
    gc.collect()
    before = leases()
    module = Network()
    trims.torch.load(module, name)
    assert leases() == before + 1
    kept = module.conv.weight.detach()[1:2].flatten()
    expected = kept.clone()
    del module
    gc.collect()
    assert leases() == before + 1
    assert torch.equal(kept, expected)
    del kept
    gc.collect()
    assert leases() == before


class Stubborn(Network):
    """Refuses one of its parameters."""

    def __setattr__(self, name, value):
        if name == "frozen" and "frozen" in self._parameters:
            raise RuntimeError("not this one")
        super().__setattr__(name, value)

    def __init__(self):
        super().__init__()
        self.frozen = nn.Parameter(torch.zeros(3))


def test_a_module_that_refuses_an_attribute_is_as_it_was(daemon, tmp_path):
    state = dict(Stubborn().state_dict())
    add(tmp_path, "stubborn", state)
    module = Stubborn().train()
    before = {name: (tensor, tensor.data_ptr()) for name, tensor in module.state_dict(keep_vars=True).items()}
    with pytest.raises(RuntimeError, match="not this one"):
        trims.torch.load(module, "stubborn")
    after = module.state_dict(keep_vars=True)
    assert all(after[name] is tensor and after[name].data_ptr() == at for name, (tensor, at) in before.items())
    assert module.training


def test_what_is_no_module_or_no_device_is_said_before_anything_is_opened(daemon):
    for wrong in (None, "module", torch.zeros(3)):
        with pytest.raises(trims.InvalidArgument, match="expected a torch.nn.Module"):
            trims.torch.load(wrong, "none-such")
    for device in (None, 0, "cuda", "meta"):
        with pytest.raises(trims.InvalidArgument, match="expected one device"):
            trims.torch.load(Network(), "none-such", device)


def test_a_module_that_was_wrapped_is_told_what_is_within(network):
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = Network()

    with pytest.raises(trims.torch.Differences) as refused:
        trims.torch.load(Wrapped(), network[1])
    assert "begin with 'module.'" in refused.value.hint


def test_every_difference_is_in_one_error_and_nothing_is_bound(daemon, tmp_path):
    state = without(trained().state_dict(), "head.weight", "norm.bias", "recurrent.bias_hh_l0")
    state["conv.bias"] = torch.zeros(9)
    state["norm.weight"] = torch.zeros(8, dtype=torch.float16)
    state["extra"] = torch.zeros(1)
    name = add(tmp_path, "torch-different", state)
    module = Network()
    held = dict(module.named_parameters())
    with pytest.raises(trims.torch.Differences) as caught:
        trims.torch.load(module, name)
    assert isinstance(caught.value, trims.FailedPrecondition)
    assert sorted(caught.value.differences) == [
        "'conv.bias' has the shape [9] in the model and [8] in the module", "'extra' is not in the module",
        "'norm.bias' is missing in the model", "'norm.weight' is of F16 in the model and of torch.float32 in the module",
        "'recurrent.bias_hh_l0' is missing in the model",
    ]
    for difference in caught.value.differences:
        assert difference in str(caught.value)
    assert "module.to(dtype)" in caught.value.hint
    assert all(parameter is held[key] for key, parameter in module.named_parameters())
    assert module.training
    # Shapes and types have to fit with strict=False, too.
    with pytest.raises(trims.torch.Differences) as caught:
        trims.torch.load(module, name, strict=False)
    assert len(caught.value.differences) == 2


def test_not_strict_binds_what_both_have(daemon, tmp_path):
    original = trained()
    state = without(original.state_dict(), "head.weight", "norm.bias")
    state["extra"] = torch.zeros(1)
    name = add(tmp_path, "torch-partly", state)
    module = Network()
    own = module.norm.bias
    loaded = trims.torch.load(module, name, strict=False)
    assert (loaded.missing, loaded.unexpected) == (["norm.bias"], ["extra"])
    assert module.norm.bias is own
    assert torch.equal(module.conv.weight, original.conv.weight)


@pytest.mark.parametrize("left", ["head.weight", "embed.weight", ""])
def test_tied_parameters_stay_tied_whatever_name_they_have(daemon, tmp_path, left):
    original = trained()
    name = add(tmp_path, f"torch-tied-{left or 'both'}".replace(".", "-"), without(original.state_dict(), left))
    module = Network()
    trims.torch.load(module, name)
    assert module.head.weight is module.embed.weight
    assert torch.equal(module.head.weight, original.head.weight)


def test_tied_parameters_that_differ_in_the_model_are_a_difference(daemon, tmp_path):
    state = trained().state_dict()
    state["head.weight"] = state["head.weight"] + 1
    with pytest.raises(trims.torch.Differences, match="'embed.weight' and 'head.weight' are one in the module and differ in the model"):
        trims.torch.load(Network(), add(tmp_path, "torch-untied", state))


def test_a_buffer_that_no_checkpoint_has_is_the_modules_own(network):
    _, name, _, _ = network
    module = Network()
    own = module.scale
    trims.torch.load(module, name)
    assert module.scale is own

    class Lost(Network):
        def __init__(self):
            super().__init__()
            self.register_buffer("scale", torch.empty((), device="meta"), persistent=False)

    with pytest.raises(trims.torch.Differences, match="'scale' is not persistent"):
        trims.torch.load(Lost(), name)


def test_a_module_that_has_no_shapes_yet_is_refused(daemon, tmp_path):
    name = add(tmp_path, "torch-lazy", {"weight": torch.zeros(2, 3), "bias": torch.zeros(2)})
    with pytest.raises(trims.torch.Differences, match="lazy module"):
        trims.torch.load(nn.LazyLinear(2), name)


@pytest.mark.parametrize("dtype", [torch.bool, torch.bfloat16, torch.float16, torch.float64, torch.int64, torch.uint8, torch.complex64])
def test_every_type_is_bound_as_it_lies(daemon, tmp_path, dtype):
    values = torch.tensor([0, 1, 2, 3]).to(dtype)
    empty = torch.zeros(0, 5, dtype=dtype)
    name = add(tmp_path, f"torch-{dtype}".replace("torch.", ""), {"values": values, "empty": empty, "scalar": values[1].reshape(())})
    module = nn.Module()
    for key, tensor in (("values", values), ("empty", empty), ("scalar", values[1])):
        module.register_buffer(key, torch.zeros_like(tensor))
    trims.torch.load(module, name)
    assert module.values.dtype is dtype and torch.equal(module.values, values)
    assert module.empty.shape == (0, 5)
    assert module.scalar.shape == () and module.scalar == values[1]


def test_a_private_copy_can_be_trained_and_the_shared_one_stays(network):
    original, name, picture, wanted = network
    module = Network()
    trims.torch.load(module, name)
    own = trims.torch.private_copy(module)
    assert own.head.weight is own.embed.weight
    assert all(parameter.requires_grad for parameter in own.parameters())
    assert not any("r--s" in mapped(tensor) for tensor in own.state_dict().values())
    own.train()
    optimizer = torch.optim.SGD(own.parameters(), lr=0.1)
    own(picture).sum().backward()
    optimizer.step()
    assert not torch.equal(answers(own.eval(), picture), wanted)
    assert torch.equal(answers(module, picture), wanted)
    assert not any(parameter.requires_grad for parameter in trims.torch.private_copy(module, requires_grad=False).parameters())
    assert not any("r--s" in mapped(tensor) for tensor in copy.deepcopy(module).state_dict().values())


WRITES = """
import torch, trims.torch
module = torch.nn.Linear(3, 2)
trims.torch.load(module, "torch-written")
print(module.weight[0, 0].item(), flush=True)
with torch.no_grad():
    module.weight.add_(1)
print("written")
"""


def test_a_write_ends_the_process_and_changes_nothing(daemon, tmp_path):
    original = nn.Linear(3, 2)
    add(tmp_path, "torch-written", original.state_dict())
    ended = subprocess.run([sys.executable, "-c", WRITES], capture_output=True, text=True)
    assert ended.returncode == -11, ended.stderr
    assert "written" not in ended.stdout and ended.stdout
    module = nn.Linear(3, 2)
    trims.torch.load(module, "torch-written")
    assert torch.equal(module.weight, original.weight)


def test_a_model_that_is_not_there_is_named(daemon):
    with pytest.raises(trims.NotFound, match="nobody"):
        trims.torch.load(nn.Linear(3, 2), "nobody")
