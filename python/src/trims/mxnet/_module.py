"""Module: bound for inference, it computes over read-only parameters where they lie."""

import itertools
import warnings

import mxnet
from mxnet.initializer import InitDesc, Uniform
from mxnet.module.base_module import _parse_data_desc
from mxnet.module.executor_group import DataParallelExecutorGroup

from ._checkpoint import is_reference, load_checkpoint


class Module(mxnet.module.Module):
    """As mxnet.module.Module; `prefix` of load() may be a model reference.

    Bound with for_training=False on one processor, parameters that can't be written to, as those of load_checkpoint, are neither copied nor
    given gradients; others are copied, as MXNet does. The executor is made once the parameters are known. Everything else is MXNet's.
    """

    _shares = False  # bound in this way

    @staticmethod
    def load(prefix, epoch, load_optimizer_states=False, **kwargs):
        if load_optimizer_states or not is_reference(prefix, epoch):
            return mxnet.module.Module.load(prefix, epoch, load_optimizer_states, **kwargs)
        symbol, arguments, states = load_checkpoint(prefix, epoch)
        module = Module(symbol=symbol, **kwargs)
        module._arg_params, module._aux_params, module.params_initialized = arguments, states, True
        return module

    def bind(self, data_shapes, label_shapes=None, for_training=True, inputs_need_grad=False, force_rebind=False, shared_module=None,
             grad_req="write"):
        on_processor = len(self._context) == 1 and self._context[0].device_type == "cpu"
        if for_training or inputs_need_grad or shared_module is not None or self._state_names or not on_processor:
            self._shares = False
            return super().bind(data_shapes, label_shapes, for_training, inputs_need_grad, force_rebind, shared_module, grad_req)
        if force_rebind:
            self._reset_bind()
        if self.binded:
            self.logger.warning("Already bound, ignoring bind()")
            return None
        self.for_training = self.inputs_need_grad = False
        self._grad_req, self._shares, self.binded = "null", True, True
        self._data_shapes, self._label_shapes = _parse_data_desc(self.data_names, self.label_names, data_shapes, label_shapes)
        if self.params_initialized:
            self._bind_over(self._arg_params, self._aux_params)
        return None

    def init_params(self, initializer=Uniform(0.01), arg_params=None, aux_params=None, allow_missing=False, force_init=False,
                    allow_extra=False):
        if not self._shares:
            return super().init_params(initializer, arg_params, aux_params, allow_missing, force_init, allow_extra)
        if self.params_initialized and not force_init:
            warnings.warn("Parameters already initialized and force_init=False. init_params call ignored.", stacklevel=2)
            return None
        complete = _Completion(self._symbol, self._shapes(), initializer, allow_missing, allow_extra)
        arguments = complete.of(self._param_names, arg_params)
        states = complete.of(self._aux_names, aux_params)
        self._bind_over(arguments, states)
        self._arg_params, self._aux_params = arguments, states
        self.params_initialized, self._params_dirty = True, False
        return None

    def set_params(self, arg_params, aux_params, allow_missing=False, force_init=True, allow_extra=False):
        if not self._shares:
            return super().set_params(arg_params, aux_params, allow_missing, force_init, allow_extra)
        return self.init_params(None, arg_params, aux_params, allow_missing, force_init, allow_extra)

    def _shapes(self):
        """{name: shape} of all arguments and states, as the data's shapes make them."""
        given = {one.name: one.shape for one in itertools.chain(self._data_shapes, self._label_shapes or ())}
        arguments, _, states = self._symbol.infer_shape(**given)
        return dict(zip(self._symbol.list_arguments(), arguments)) | dict(zip(self._aux_names, states))

    def _bind_over(self, arguments, states):
        self._exec_group = _Group(arguments, states, self._shapes(), self._symbol, self._context, self._work_load_list, self._data_shapes,
                                  self._label_shapes, self._param_names, False, False, None, logger=self.logger,
                                  fixed_param_names=self._fixed_param_names, grad_req="null", group2ctxs=self._group2ctxs,
                                  state_names=self._state_names)
        self._total_exec_bytes = self._exec_group._total_exec_bytes


class _Group(DataParallelExecutorGroup):
    """Whose executor is bound to arrays that are there, where MXNet's allocates its own."""

    def __init__(self, arguments, states, shapes, *args, **kwargs):
        self._arguments, self._states, self._shapes = arguments, states, shapes
        super().__init__(*args, **kwargs)

    def _bind_ith_exec(self, i, data_shapes, label_shapes, shared_group):
        types = {one.name: one.dtype for one in itertools.chain(data_shapes, label_shapes or ())}
        arrays = {name: self._arguments[name] if name in self._arguments else mxnet.nd.zeros(self._shapes[name], dtype=types.get(name))
                  for name in self.arg_names}
        return self.symbol.bind(self.contexts[i], arrays, grad_req="null", aux_states=self._states, group2ctx=self.group2ctxs[i])


class _Completion:
    """The parameters that a symbol needs, from those that were given: as Module.init_params has it."""

    def __init__(self, symbol, shapes, initializer, allow_missing, allow_extra):
        self._shapes, self._initializer, self._attributes = shapes, initializer, symbol.attr_dict()
        self._allow_missing, self._allow_extra = allow_missing, allow_extra

    def of(self, names, given):
        extra = sorted(set(given or ()) - set(names))
        if extra and not self._allow_extra:
            raise ValueError(f'Find name "{extra[0]}" that is not in the arguments')
        return {name: self._one(name, given) for name in names}

    def _one(self, name, given):
        if given is not None and name in given:
            return given[name].copy() if given[name].writable else given[name]
        if given is not None and not self._allow_missing:
            raise RuntimeError(f"{name} is not presented")
        array = mxnet.nd.zeros(self._shapes[name])
        if self._initializer is not None:
            self._initializer(InitDesc(name, self._attributes.get(name)), array)
        return array
