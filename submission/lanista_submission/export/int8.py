"""Stores the weights of an ONNX graph as int8: symmetric, one scale an output of the layer, weights only.

``q = round(w / scale)`` with ``scale = max |w| / 127`` over the weights of one output (Jacob et al. 2018, section 2,
with zero point 0), behind which a DequantizeLinear stands. Sums, biases and the scaling of the inputs stay float32,
so that a pass costs the same and only the file shrinks; what it costs in decisions is measured, not assumed.

Every product becomes a Gemm with a transposed weight: with a weight ``[inputs, outputs]`` onnxruntime fuses the
DequantizeLinear into an operator that rounds the activations as well, and would compute what no other runtime does.
"""

from collections import Counter

import numpy as np
import onnx
from onnx import helper, numpy_helper

from lanista.arrays import AnyArray
from lanista_submission.errors import ExportError


class NothingToStoreError(ExportError):
    """The network is too small for int8 to save anything."""


#: the largest int8 that is used; -128 is not, so that the range is symmetric
LARGEST = 127
#: weights with fewer numbers stay as they are: a scale for each output would outweigh what is saved
SMALLEST = 64


def quantised(weight: AnyArray) -> tuple[AnyArray, AnyArray]:
    """``(q, scale)`` of a weight ``[outputs, ...]``: q int8 of the same shape, scale float32 ``[outputs]``, above 0."""
    largest = np.abs(weight.astype(np.float64)).max(axis=tuple(range(1, weight.ndim)))
    scale = (largest / LARGEST).astype(np.float32)
    # All 0, or so small that float32 would hold the scale itself inexactly.
    scale[scale < np.finfo(np.float32).tiny] = 1.0
    spread = scale.reshape(-1, *[1] * (weight.ndim - 1))
    q = np.clip(np.round(weight / spread), -LARGEST, LARGEST).astype(np.int8)
    return q, scale


def with_int8_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of `model` whose layers' weights are int8; raises `NothingToStoreError` if it has none."""
    packed = onnx.ModelProto()
    packed.CopyFrom(model)
    _turn_weights(packed)
    graph = packed.graph
    weights = _layer_weights(graph)
    initializers, nodes = [], []
    for tensor in graph.initializer:
        weight = numpy_helper.to_array(tensor)
        if tensor.name not in weights or weight.dtype != np.float32 or weight.size < SMALLEST:
            initializers.append(tensor)
            continue
        q, scale = quantised(weight)
        names = f"{tensor.name}.int8", f"{tensor.name}.scale"
        initializers += [
            numpy_helper.from_array(array, name) for array, name in zip((q, scale), names, strict=True)
        ]
        node = helper.make_node("DequantizeLinear", names, [tensor.name], f"{tensor.name}.float", axis=0)
        nodes.append(node)
    if not nodes:
        raise NothingToStoreError(
            f"the network has no layer with {SMALLEST} weights or more, so int8 would save nothing; export it without"
        )
    nodes += graph.node
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(initializers)
    graph.node.extend(nodes)
    onnx.checker.check_model(packed)
    return packed


def _turn_weights(model: onnx.ModelProto) -> None:
    """Make every Gemm, and every MatMul of rows ``[B, K]``, a Gemm with a weight ``[outputs, K]``, in place."""
    graph = model.graph
    inferred = onnx.shape_inference.infer_shapes(model).graph
    known = (*inferred.input, *inferred.value_info)
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in known}
    weights = {tensor.name: tensor for tensor in graph.initializer}
    readers = Counter(name for node in graph.node for name in node.input)
    for node in graph.node:
        gemm = node.op_type == "Gemm"
        if not gemm and not (node.op_type == "MatMul" and ranks.get(node.input[0]) == 2):
            continue
        tensor = weights.get(node.input[1])
        if tensor is None or len(tensor.dims) != 2 or readers[tensor.name] != 1 or _turned(node):
            continue
        matrix = np.ascontiguousarray(numpy_helper.to_array(tensor).T)
        tensor.CopyFrom(numpy_helper.from_array(matrix, tensor.name))
        kept = [entry for entry in node.attribute if entry.name != "transB"]
        node.op_type = "Gemm"
        del node.attribute[:]
        node.attribute.extend([*kept, helper.make_attribute("transB", 1)])


def _turned(node: onnx.NodeProto) -> bool:
    """Is the weight of this Gemm ``[outputs, inputs]``?"""
    flags = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
    return bool(flags.get("transB", 0))


def _layer_weights(graph: onnx.GraphProto) -> set[str]:
    """The weights ``[outputs, ...]`` of Conv and of turned Gemm that nothing else reads."""
    weights: set[str] = set()
    others: set[str] = {value.name for value in graph.output}
    for node in graph.node:
        layer = node.op_type == "Conv" or (node.op_type == "Gemm" and _turned(node))
        for place, name in enumerate(node.input):
            (weights if layer and place == 1 else others).add(name)
    return weights - others
