"""Network ``onnx``: a graph that onnxruntime runs, in the words of our heads.

The graph's bytes are its only weight, so such a policy is saved, loaded, played and measured like any other; it cannot
be trained or exported anew. `lanista_agents.teachers.onnx_file` says which output means what.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.arrays import AnyArray
from lanista.errors import LanistaError
from lanista.hints import told
from lanista.policy import Network, PolicyOutput, Tensors
from lanista.spec import UNITS, HeadSpec, ObsPart
from lanista.units import units_of
from lanista_agents.networks.acted import choice_logits
from lanista_agents.networks.numbers import NARROW, Spoken
from lanista_agents.settings import OnnxNetworkSettings


class OnnxGraph(Network):
    """See the module and `OnnxNetworkSettings`."""

    graph: Tensor

    def __init__(
        self,
        observation: Sequence[ObsPart],
        heads: Sequence[HeadSpec],
        settings: OnnxNetworkSettings,
        unit_observation: Sequence[ObsPart] = (),
    ) -> None:
        """A head's `size` is its number of outputs; units come with their table, whatever is seen of them."""
        super().__init__()
        self.settings = settings
        self.parts, self.heads = tuple(observation), tuple(heads)
        self.units_head = next((head.name for head in heads if head.kind == UNITS), None)
        self.register_buffer("graph", torch.zeros(settings.size, dtype=torch.uint8))
        self._session: Any = None
        self.num_parameters = settings.parameters
        self.spoken: Spoken | None = None
        if settings.low:
            if len(heads) != 1:
                raise LanistaError(f"onnx: real numbers make one head, and the env has {len(heads)}")
            self.spoken = Spoken(heads[0].size, settings.low, settings.high, settings.squash, settings.head)

    def __getstate__(self) -> dict[str, Any]:
        """Without the session, which is made anew."""
        return {**self.__dict__, "_session": None}

    def _run(self, rows: Tensors) -> dict[str, AnyArray]:
        """All outputs by name; a graph of a fixed batch of one is run row by row."""
        import onnxruntime

        if self._session is None:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.log_severity_level = 3
            self._session = onnxruntime.InferenceSession(
                self.graph.numpy().tobytes(), options, providers=["CPUExecutionProvider"]
            )
        feed = self._feed(rows)
        names = [output.name for output in self._session.get_outputs()]
        count = len(next(iter(feed.values())))
        try:
            if self.settings.row_by_row:
                runs = [
                    self._session.run(names, {name: array[row : row + 1] for name, array in feed.items()})
                    for row in range(count)
                ]
                found = [
                    np.concatenate([np.asarray(run[k]).reshape(1, -1) for run in runs])
                    for k in range(len(names))
                ]
            else:
                found = [np.asarray(array) for array in self._session.run(names, feed)]
        except Exception as error:  # onnxruntime's errors have no type of their own
            raise LanistaError(
                f"onnx: the graph does not run on {count} rows of this env: {told(error)[:300]}"
            ) from error
        return {name: array.reshape(len(array), -1) for name, array in zip(names, found, strict=True)}

    def _feed(self, rows: Tensors) -> dict[str, AnyArray]:
        """Parts to the inputs that take them; a mask that allows everything, or the units' own, where one is asked for."""
        arrays = {part.name: rows[part.name].detach().cpu().numpy() for part in self.parts}
        count = len(next(iter(arrays.values())))
        if self.units_head is not None:
            table = units_of(rows)
            arrays |= {**table.graph_arrays(), f"legal_{self.units_head}": table.legal.numpy()}
        feed: dict[str, AnyArray] = {}
        for entry in self._session.get_inputs():
            dtype = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(uint8)": np.uint8,
                     "tensor(int8)": np.int8, "tensor(int32)": np.int32, "tensor(int64)": np.int64,
                     "tensor(bool)": np.bool_, "tensor(float16)": np.float16}.get(entry.type, np.float32)  # fmt: skip
            if entry.name in arrays:
                feed[entry.name] = arrays[entry.name].astype(dtype, copy=False)
            elif entry.name in self.settings.masks:
                feed[entry.name] = np.ones((count, self.settings.masks[entry.name]), dtype)
            elif len(entry.shape) == 2 or len(arrays) > 1:
                joined = np.concatenate([array.reshape(count, -1) for array in arrays.values()], axis=1)
                feed[entry.name] = joined.astype(dtype, copy=False)
            else:
                feed[entry.name] = next(iter(arrays.values())).astype(dtype, copy=False)
        return feed

    def forward(self, observation: Tensors) -> PolicyOutput:
        """See `lanista.policy.Network`."""
        settings = self.settings
        said = {
            name: torch.from_numpy(np.ascontiguousarray(array))
            for name, array in self._run(observation).items()
        }
        count = len(next(iter(said.values())))
        value = torch.full((count,), torch.nan)
        if settings.value is not None:
            value = said[settings.value][:, 0].to(torch.float32)
        logits = {head.name: self._logits(head, said) for head in self.heads}
        if settings.kind == "q":
            (head,) = self.heads
            value = said[settings.outputs[head.name]].to(torch.float32).max(dim=1).values
        return PolicyOutput(logits, value)

    def _logits(self, head: HeadSpec, said: Mapping[str, Tensor]) -> Tensor:
        settings = self.settings
        given = said[settings.outputs[head.name]]
        if self.spoken is not None:
            mean = given.to(torch.float32)
            std = (
                said[settings.std].to(torch.float32)
                if settings.std is not None
                else torch.full_like(mean, NARROW)
            )
            if settings.units == "action":
                mean, std = self.spoken.units(mean, std)
            spoken: Tensor = self.spoken(mean, std)
            return spoken
        if settings.kind == "action":
            return choice_logits(given[:, 0], head.size, settings.certainty)
        # masked entries are float32's lowest number: a softmax of differences must stay finite
        return given.to(torch.float32).clamp(min=-1e9) / (
            settings.q_temperature if settings.kind == "q" else 1.0
        )
