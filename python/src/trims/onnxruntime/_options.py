"""What a caller's session options ask for: whether the optimised form of a model can honour it, and how to set what a form
needs while a session is made."""

import contextlib
import threading

import onnxruntime
from onnxruntime.capi import _pybind_state as _ort

_PREPACKING = "session.disable_prepacking"
_FORMAT = "session.load_model_format"
_FOLDER = "session.model_external_initializers_file_folder_path"
_ENABLE_ALL = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
_DISABLE_ALL = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL

# What a model's form needs. Every initializer of a `named` graph claims to lie in /dev/null; docs/adapters.md says why.
FORM_ENTRIES = {
    "bytes": {
        _FORMAT: "ORT",
        "session.use_memory_mapped_ort_model": "1",
        "session.use_ort_model_bytes_for_initializers": "1",
    },
    "named": {_FOLDER: "/dev"},
}

# Where ONNX Runtime looks for external data that it wasn't given. Without one it takes what happens to lie in the working
# directory; nothing can lie here.
_NOWHERE = "/dev/null"

# Execution providers that use the graph as the CPU's optimiser left it.
_PROVIDERS = {"CPUExecutionProvider", "AzureExecutionProvider"}

# Entries that say how a model is read, optimised or divided among providers, which was settled when it was added; and their
# values without effect. docs/adapters.md has the list, too.
_SETTLED = {
    "ep.context_embed_mode": ("",), "ep.context_enable": ("", "0"), "ep.context_file_path": ("",),
    "ep.context_model_external_initializers_file_name": ("",), "ep.context_node_name_prefix": ("",),
    "ep.share_ep_contexts": ("", "0"), "ep.stop_share_ep_contexts": ("", "0"), "ep.nnapi.partitioning_stop_ops": ("",),
    "mlas.enable_gemm_fastmath_arm64_bfloat16": ("", "0"), "mlas.use_lut_gemm": ("", "0"),
    "optimization.constant_folding_max_output_size_in_bytes": ("",),
    "optimization.disable_specified_optimizers": ("",), "optimization.enable_cast_chain_elimination": ("", "0"),
    "optimization.enable_gelu_approximation": ("", "0"), "optimization.enable_memory_probe_recompute_config": ("",),
    "optimization.memory_optimizer_config": ("",), "optimization.minimal_build_optimizations": ("",),
    "session.allow_released_opsets_only": ("",), "session.collect_node_memory_stats_to_file": ("",),
    "session.compile_only": ("", "0"), "session.debug_layout_transformation": ("", "0"),
    "session.disable_aot_function_inlining": ("", "0"), "session.disable_cpu_ep_fallback": ("", "0"),
    "session.disable_double_qdq_remover": ("", "0"), "session.disable_model_compile": ("", "0"),
    "session.disable_qdq_constant_folding": ("", "0"), "session.disable_quant_qdq": ("", "0"),
    "session.enable_dq_matmulnbits_fusion": ("", "0"), "session.enable_quant_qdq_cleanup": ("", "0"),
    "session.enable_saved_runtime_optimizations": ("",), "session.function_expansion_byte_limit": ("",),
    "session.function_expansion_node_limit": ("",), "session.gqa_value_layout": ("",),
    "session.graph_optimization_level": ("",), "session.graph_optimizations_loop_level": ("",),
    "session.layer_assignment_settings": ("",), _FORMAT: ("",), "session.max_shape_override": ("",), _FOLDER: ("",),
    "session.name_based_layer_assignment": ("",), "session.node_partition_config_file": ("",),
    "session.optimized_model_filepath": ("",), "session.qdq_matmulnbits_accuracy_level": ("",),
    "session.qdq_matmulnbits_block_size": ("",), "session.qdqisint8allowed": ("",),
    "session.record_ep_graph_assignment_info": ("", "0"), "session.resource_cuda_partitioning_settings": ("",),
    "session.save_external_prepacked_constant_initializers": ("", "0"), "session.strict_shape_type_inference": ("", "0"),
    "session.use_external_initializer_file_buffers_directly": ("", "0"),
    "session.x64quantprecision": ("", "0"),
}

# One SessionOptions object of a caller may make many sessions, some of them from files and some on other threads: what a
# session needs is set while it is made.
_lock = threading.Lock()


def held(options):
    """A `with` in which nobody else sets or looks at a caller's options."""
    return contextlib.nullcontext() if options is None else _lock


def entry(options, key):
    """The value of an entry; "" where there is none."""
    try:
        return options.get_session_config_entry(key)
    except RuntimeError:
        return ""


def needs_original(options, providers, disabled_optimizers, probe):
    """Why a session can't be made of the optimised form, in words; None: it can. `probe`: a model, see src/prepare/ort_facts.h."""
    names = [name if isinstance(name, str) else name[0] for name in providers or onnxruntime.get_available_providers()]
    others = [name for name in names if name not in _PROVIDERS]
    if others:
        return f"the execution provider {others[0]} optimises for itself"
    if disabled_optimizers:
        return "disabled_optimizers are given"
    return None if options is None else _settled(options) or _probe(options, probe)


def _settled(options):
    if options.has_providers():
        return "the session options name execution providers"
    if options.graph_optimization_level != _ENABLE_ALL:
        return f"graph_optimization_level is {options.graph_optimization_level.name}"
    if options.optimized_model_filepath:
        return "optimized_model_filepath is set"
    for key, without_effect in _SETTLED.items():
        value = entry(options, key)
        if value not in without_effect:
            return f'"{key}" is "{value}"'
    return None


def _probe(options, probe):
    """Session options don't tell which dimensions they fix; a session of a model that has only these dimensions does."""
    if not probe:
        return "it was added by an older TrIMS, which didn't record what its optimised form can honour (add it again)"
    with _Fields(options, enable_profiling=False, intra_op_num_threads=1, inter_op_num_threads=1):
        try:
            session = _ort.InferenceSession(options, probe, False, False)
            session.initialize_session([], [], set())
        except Exception as error:  # noqa: BLE001 - whatever it is, the original is loaded as ONNX Runtime would
            return f"the session options change what is loaded ({str(error)[:200]})"
        fixed = [size for size in session.inputs_meta[0].shape if isinstance(size, int)]
    return f"the session options fix a free dimension to {fixed[0]}" if fixed else None


class _Fields:
    """Fields of session options, set inside a `with` within held()."""

    def __init__(self, options, **fields):
        self._options, self._fields = options, fields

    def __enter__(self):
        self._before = {name: getattr(self._options, name) for name in self._fields}
        for name, value in self._fields.items():
            setattr(self._options, name, value)

    def __exit__(self, *_):
        for name, value in self._before.items():
            setattr(self._options, name, value)


class OptionsForForm:
    """Session options with what a prepared form needs, inside a `with` within held().

    A caller's own (restore=True) are afterwards as they were, in all that would change a session made from a file. (ONNX Runtime
    logs a warning for each entry that is set back, and can't take an entry away: an empty one is to it as if it weren't there.)
    """

    def __init__(self, options, form, packing, restore):
        self._options, self._packing, self._restore = options, packing, restore
        self._entries = dict(FORM_ENTRIES[form])

    def __enter__(self):
        self._level = self._options.graph_optimization_level
        if not entry(self._options, _PREPACKING):
            self._entries[_PREPACKING] = "0" if self._packing else "1"
        self._before = {key: entry(self._options, key) for key in self._entries}
        self._set(self._options, self._entries)
        self._options.graph_optimization_level = _DISABLE_ALL
        return self

    def __exit__(self, *_):
        if self._restore:
            self._set_back(self._options)
        self._options = None  # initializers in it would outlive the session

    def as_asked(self, used):
        """What the caller asked for, out of the options that a session has."""
        if not self._restore:
            return onnxruntime.SessionOptions()
        self._set_back(used)
        return used

    def _set_back(self, options):
        self._set(options, {key: self._before[key] for key in (_FORMAT, _FOLDER, _PREPACKING) if key in self._before})
        options.graph_optimization_level = self._level

    @staticmethod
    def _set(options, entries):
        for key, value in entries.items():
            if entry(options, key) != value:
                options.add_session_config_entry(key, value)


class OptionsForOriginal:
    """Session options for a model's own file as bytes, inside a `with` within held(): external data is what was given with it.

    A caller's own (restore=True) are afterwards as they were, as with OptionsForForm.
    """

    def __init__(self, options, restore):
        self._options, self._restore = options, restore

    def __enter__(self):
        self._unset = not entry(self._options, _FOLDER)
        if self._unset:
            self._options.add_session_config_entry(_FOLDER, _NOWHERE)
        return self

    def __exit__(self, *_):
        if self._restore:
            self.as_asked(self._options)
        self._options = None

    def as_asked(self, used):
        """What the caller asked for, out of the options that a session has."""
        if self._unset:
            used.add_session_config_entry(_FOLDER, "")
        return used
