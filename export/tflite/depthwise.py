"""Conversion of depthwise kernels in dynamic-range files to float32."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .flatbuffer import parse, serialize


def float_depthwise_kernels(content: bytes) -> bytes:
    """Stores the kernels of depthwise convolutions in a dynamic-range .tflite model as float32.

    XNNPACK has no depthwise convolution with an int8 kernel and float32 activations. So with an int8 kernel, XNNPACK
    could not run the network in one piece. Depthwise kernels are a small part of the weights (7 % in the separable
    U-Net). TensorFlow's converter leaves only the smallest kernels in float32.

    Returns:
        bytes of a .tflite model without int8 kernels in depthwise convolutions.
    """
    model = parse(content)
    for graph in model.subgraphs:
        for operator in graph.operators:
            if model.operatorCodes[operator.opcodeIndex].builtinCode == schema.BuiltinOperator.DEPTHWISE_CONV_2D:
                _dequantize(graph.tensors[operator.inputs[1]], model.buffers)
    return serialize(model)


def _dequantize(kernel: schema.TensorT, buffers: list[schema.BufferT]) -> None:
    if kernel.type == schema.TensorType.INT8:
        # There is one scale for each channel. The channels are the last axis.
        scales = np.asarray(kernel.quantization.scale, np.float32)
        values = buffers[kernel.buffer].data.view(np.int8).reshape(kernel.shape) * scales
        buffers[kernel.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
        kernel.type, kernel.quantization = schema.TensorType.FLOAT32, None
