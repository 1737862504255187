"""A process of .venv-torch that loads a module, infers once, says what that took and waits: torch_process.py WAY WHAT LAYERS WIDTH.

WAY: trims (WHAT: a model's name), torch (a file of torch.save), safetensors (a file that is loaded and copied into the module),
safetensors-bound (the same file's tensors bound to the module without a copy), none (a module without weights: what the framework takes itself).
write: makes WHAT.pt and WHAT.safetensors of a module with seeded values, and ends.
One line of JSON: {"load_ns", "first_ns", "answer"}; it ends with its input.
"""
import json
import sys
import time

import torch

torch.set_num_threads(1)


class Network(torch.nn.Module):
    def __init__(self, layers, width, device):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(width, width, device=device) for _ in range(layers))

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return x


def bind(module, state):
    for name, tensor in state.items():
        path, _, last = name.rpartition(".")
        setattr(module.get_submodule(path), last, torch.nn.Parameter(tensor, requires_grad=False))
    return module


def load(way, what, layers, width):
    """The module is built without memory of its own and without values: each side gives it what it has to."""
    module = Network(layers, width, "meta")
    if way == "trims":
        trims.torch.load(module, what)
    elif way == "torch":
        module.to_empty(device="cpu").load_state_dict(torch.load(what))
    elif way == "safetensors":
        module.to_empty(device="cpu").load_state_dict(safetensors.torch.load_file(what))
    elif way == "safetensors-bound":
        bind(module, safetensors.torch.load_file(what))
    return module.eval()


way, what, layers, width = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if way == "trims":
    import trims.torch
elif way != "torch":
    import safetensors.torch

if way == "write":
    torch.manual_seed(1)
    state = Network(layers, width, "cpu").state_dict()
    torch.save(state, what + ".pt")
    safetensors.torch.save_file(state, what + ".safetensors")
    sys.exit()
begin = time.perf_counter_ns()
module = load(way, what, layers, width)
loaded = time.perf_counter_ns()
with torch.inference_mode():
    answer = module(torch.ones(1, width)).double().sum().item() if layers else 0
end = time.perf_counter_ns()
print(json.dumps({"load_ns": loaded - begin, "first_ns": end - begin, "answer": answer}), flush=True)
sys.stdin.read()
