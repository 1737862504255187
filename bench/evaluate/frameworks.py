"""The frameworks that functions run on: how each keeps a network, how its function is started, and what is inherited in the ideal."""
import json
import os
from pathlib import Path

from evaluate.lease import HOST, ORT_VARIANT, TENSORS_VARIANT
from networks import mxnet_file, onnx_file

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / ".cache/deps/onnxruntime/lib"
MXNET = ROOT / ".venv-mxnet"
SITE = ROOT / "build/evaluate-site"  # the Python package of the build that is measured
SOCKET_FOLDER = "/tmp/trims"  # as functions see it


def described(lease, layout):
    """A descriptor of the document, which goes with the lease."""
    made = os.memfd_create("layout", 0)
    lease.owns(made)
    os.write(made, json.dumps(layout).encode())
    return made


class OnnxRuntime:
    key, name, variant, lease_variant = "onnxruntime", "ONNX Runtime", "ort", ORT_VARIANT
    fuses = False  # operators, where the framework is alone and not with TrIMS

    def path(self, models, network):
        return Path(models) / f"{network}.onnx"

    def files(self, models, network):
        return onnx_file.files(self.path(models, network))

    def write(self, models, network):
        onnx_file.write(network, self.path(models, network.name))

    def ideal(self, lease):
        """What a function over the lease's bytes is started with: (words, descriptors). Of the named form all extents, and where things lie."""
        if lease.bytes is not None:
            return [str(lease.fd), str(lease.bytes)], (lease.fd,)
        layout, extents = described(lease, {"graph": lease.file_place(), "tensors": lease.tensors()}), lease.extents()
        return ["named", str(layout), *map(str, extents)], (layout, *extents)

    def function(self, stage, mode, network, words):
        """(argv, binds, environment) of a function; `words`: the ideal's."""
        see = stage.sandbox.path
        program = "bench_function_trims" if mode == "trims" else "bench_function_plain"
        binds = [(RUNTIME, "/onnxruntime"), (stage.build / "bench", "/function")]
        environment = {"LD_LIBRARY_PATH": see(str(RUNTIME), "/onnxruntime"), "HOME": "/tmp", "LANG": "C.UTF-8"}
        if mode == "trims":
            words = [see(str(stage.daemon.socket), f"{SOCKET_FOLDER}/trimsd.sock"), network, *([] if stage.tier == HOST else [stage.tier])]
        elif mode == "file":
            words = [see(str(self.path(stage.models, network)), f"/models/{network}.onnx")]
        return [see(str(stage.build / "bench" / program), f"/function/{program}"), mode, *words], binds, environment


class Mxnet:
    key, name, variant, lease_variant = "mxnet", "MXNet", "tensors", TENSORS_VARIANT
    fuses = True  # trims.mxnet has it not, since what is fused is written into the weights (docs/mxnet.md)

    def path(self, models, network):
        return mxnet_file.files(Path(models) / network)[1]

    def files(self, models, network):
        return [one for one in mxnet_file.files(Path(models) / network) if one.exists()]

    def write(self, models, network):
        mxnet_file.write(network, Path(models) / network.name)

    def ideal(self, lease):
        arrays = [(name, shape, offset) for name, shape, offset, *_ in lease.tensors()]
        layout, extents = described(lease, {"symbol": lease.file().decode(), "arrays": arrays}), lease.extents()
        return [str(layout), *map(str, extents)], (layout, *extents)

    def function(self, stage, mode, network, words):
        see = stage.sandbox.path
        site = next((MXNET / "lib").glob("python3*/site-packages"))
        binds = [(site, "/mxnet"), (SITE, "/site"), (ROOT / "bench/function", "/function")]
        environment = {"PYTHONPATH": ":".join([see(str(site), "/mxnet"), see(str(SITE), "/site")]), "OMP_NUM_THREADS": "1", "HOME": "/tmp",
                       "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "TRIMS_AUTOSTART": "0"}
        if mode == "trims":
            words = [network]
            environment["TRIMS_SOCKET"] = see(str(stage.daemon.socket), f"{SOCKET_FOLDER}/trimsd.sock")
        elif mode in ("file", "unfused"):
            words = [see(str(Path(stage.models) / network), f"/models/{network}")]
            environment |= {"MXNET_SUBGRAPH_BACKEND": "NONE"} if mode == "unfused" else {}
            mode = "file"
        program = see(str(ROOT / "bench/function/mxnet_function.py"), "/function/mxnet_function.py")
        return [os.path.realpath(MXNET / "bin/python"), program, mode, *words], binds, environment


FRAMEWORKS = {one.key: one for one in (OnnxRuntime(), Mxnet())}


def framework_version(framework, described):
    """Of what was measured; `described`: machine.describe()."""
    if framework.key == "onnxruntime":
        return described["onnxruntime"]
    found = sorted((MXNET / "lib").glob("python3*/site-packages/mxnet-*.dist-info"))
    return found[-1].name.removeprefix("mxnet-").removesuffix(".dist-info") if found else None
