"""A command that makes the bundle for the device from the folder that `export.py` wrote. It runs in the JAX
environment:

    .venv-jax/bin/python -m benchmarks.gpu.pack --precision=bf16 raw/birds bundles/birds

For each precision, a program becomes a serialised `jax.export.Exported`. The device loads it with JAX's public API. Two
changes are made to each program:

- The operation mhlo.copy and the attributes mhlo.* are removed, because they are not part of StableHLO. TensorFlow's
  printer adds them.
- Matrix products are set to full float32, because one of them computes the coordinates of the warp. The products are
  small, so this takes little time.

The precisions differ only in the convolutions, which take most of the time:

    f32   convolutions in float32
    tf32  float32 values, but a GPU may multiply them as TF32; on a CPU, tf32 is the same as f32
    bf16  operands and results are rounded to bfloat16; weights, statistics, losses and Adam stay float32

The bundle also holds the scripts of `device/`. Besides JAX, NumPy and Pillow, the device needs only the bundle.
"""

import dataclasses
import json
import pathlib
import shutil
from collections.abc import Iterator

import jax
import jax.numpy as jnp
from absl import flags
from jax import export
from jax.interpreters.mlir import make_ir_context
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo

from tf_layered_gan.command_line import run_command

PRECISIONS = ("f32", "tf32", "bf16")
_DTYPES = {"f32": "float32", "i32": "int32", "i64": "int64", "ui8": "uint8", "i1": "bool"}
_MOVES_NUMBERS = ("stablehlo.reverse", "stablehlo.transpose")


def pack(raw: pathlib.Path, bundle: pathlib.Path, precisions: list[str]) -> None:
    """Writes a bundle.

    Args:
        raw: the folder that `export.py` wrote.
        bundle: the folder to write. It is replaced if it exists.
        precisions: some of `PRECISIONS`.

    Raises:
        ValueError: if a program holds an operation that is not part of StableHLO.
    """
    shutil.rmtree(bundle, ignore_errors=True)
    shutil.copytree(raw, bundle, ignore=shutil.ignore_patterns("programs", "manifest.json"))
    for script in (pathlib.Path(__file__).parent / "device").glob("[!_]*.py"):
        shutil.copy(script, bundle)
    (bundle / "programs").mkdir()
    manifest = json.loads((raw / "manifest.json").read_text())
    for name, program in manifest["programs"].items():
        text = (raw / "programs" / f"{name}.mlir").read_text()
        for precision in precisions:
            exported = to_exported(name, parse(text, precision))
            content = exported.serialize()
            (bundle / "programs" / f"{name}.{precision}.bin").write_bytes(content)
            cost = jax.jit(exported.call).lower(*exported.in_avals).cost_analysis()
            program["gflop"] = round(cost["flops"] / 1e9, 3)
            print(f"{name}.{precision}: {len(content) / 1e3:.0f} kB, {program['gflop']} GFLOP a step", flush=True)
    (bundle / "manifest.json").write_text(json.dumps(manifest) + "\n")


def parse(text: str, precision: str) -> ir.Module:
    """Parses a program and makes the changes that the module's docstring describes."""
    context = make_ir_context()
    context.allow_unregistered_dialects = True
    with context, ir.Location.unknown():
        module = ir.Module.parse(text)
        _drop_mhlo_attributes(module.operation)
        for operation in list(_walk(module.operation)):
            _drop_mhlo_attributes(operation)
            if operation.name == "mhlo.copy":
                operation.results[0].replace_all_uses_with(operation.operands[0])
                operation.erase()
            elif operation.name in ("stablehlo.dot", "stablehlo.dot_general"):
                operation.attributes["precision_config"] = _precision("HIGHEST")
            elif operation.name == "stablehlo.convolution":
                operation.attributes["precision_config"] = _precision("HIGHEST" if precision == "f32" else "DEFAULT")
                if precision == "bf16" and operation.results[0].type.element_type == ir.F32Type.get():
                    _round_convolution(operation)
        foreign = {op.name for op in _walk(module.operation) if not op.name.startswith(("stablehlo.", "func."))}
        if foreign:
            raise ValueError(f"a program holds {', '.join(sorted(foreign))}, allowed: operations of StableHLO")
        module.operation.verify()
    return module


def to_exported(name: str, module: ir.Module) -> export.Exported:
    """Wraps a module as a `jax.export.Exported`.

    JAX first exports an empty function with the same signature. Then the given module replaces the exported module.
    So all other fields of the result have the values that this version of JAX expects.
    """
    (main,) = (operation for operation in module.body.operations if operation.sym_name.value == "main")
    with module.context:
        parameters, results = (_signature(types) for types in (main.type.inputs, main.type.results))
        artifact = stablehlo.serialize_portable_artifact(module, stablehlo.get_minimum_version())

    def same_signature(*values: jax.Array) -> tuple[jax.Array, ...]:
        return tuple(jnp.zeros(result.shape, result.dtype) for result in results)

    frame = export.export(
        jax.jit(same_signature, keep_unused=True),
        platforms=["cuda"],
        disabled_checks=[export.DisabledSafetyCheck.platform()],
    )(*parameters)
    return dataclasses.replace(frame, fun_name=name, mlir_module_serialized=artifact, _get_vjp=None)


def _signature(types: list[ir.Type]) -> list[jax.ShapeDtypeStruct]:
    tensors = map(ir.RankedTensorType, types)
    return [jax.ShapeDtypeStruct(tuple(t.shape), _DTYPES[str(t.element_type)]) for t in tensors]


def _walk(operation: ir.Operation) -> Iterator[ir.Operation]:
    for region in operation.regions:
        for block in region.blocks:
            for inner in list(block.operations):
                yield inner.operation
                yield from _walk(inner.operation)


def _drop_mhlo_attributes(operation: ir.Operation) -> None:
    for name in list(operation.attributes):
        if name.startswith("mhlo."):
            del operation.attributes[name]


def _precision(name: str) -> ir.Attribute:
    return ir.Attribute.parse(f"[#stablehlo<precision {name}>, #stablehlo<precision {name}>]")


def _round_convolution(operation: ir.Operation) -> None:
    """Replaces a float32 convolution by a bfloat16 convolution. Converts the inputs to bfloat16 and the output back."""
    result = operation.results[0]
    with ir.InsertionPoint(operation):
        rounded = _in_bfloat16(operation, [_round(operand) for operand in operation.operands])
        result.replace_all_uses_with(_convert(result.type, rounded))
    operation.erase()


def _round(value: ir.Value) -> ir.Value:
    """Converts a value to bfloat16.

    If the value is the output of a reversal or a transposition, the input of this operation is converted instead. The
    operation then reverses or transposes the converted numbers.

    XLA recognises the gradient of a strided convolution, because the kernel is reversed just before the convolution.
    If a conversion stands between the reversal and the convolution, XLA does not recognise the gradient. It then
    convolves a map in which three of four values are zero.
    """
    owner = value.owner
    if isinstance(owner, ir.OpView):
        owner = owner.operation
    if isinstance(owner, ir.Operation) and owner.name in _MOVES_NUMBERS:
        return _in_bfloat16(owner, [_round(owner.operands[0])])
    return _convert(ir.RankedTensorType.get(value.type.shape, ir.BF16Type.get()), value)


def _in_bfloat16(operation: ir.Operation, operands: list[ir.Value]) -> ir.Value:
    kind = ir.RankedTensorType.get(operation.results[0].type.shape, ir.BF16Type.get())
    attributes = {name: operation.attributes[name] for name in operation.attributes}
    same = ir.Operation.create(operation.name, [kind], operands, attributes=attributes, loc=operation.location)
    return same.results[0]


def _convert(kind: ir.Type, value: ir.Value) -> ir.Value:
    return ir.Operation.create("stablehlo.convert", [kind], [value]).results[0]


def main(raw: str, bundle: str) -> None:
    """Packs the folder RAW, which `export.py` wrote."""
    jax.config.update("jax_enable_x64", True)  # steps are int64
    jax.config.update("jax_platforms", "cpu")
    pack(pathlib.Path(raw), pathlib.Path(bundle), flags.FLAGS.precision)
    files = [file for file in pathlib.Path(bundle).rglob("*") if file.is_file()]
    print(f"wrote {bundle}: {sum(file.stat().st_size for file in files) / 2**20:.1f} MiB")


if __name__ == "__main__":
    flags.DEFINE_multi_enum("precision", ["bf16"], PRECISIONS, "Precision of the convolutions; may be repeated.")
    run_command(main, "RAW", "BUNDLE")
