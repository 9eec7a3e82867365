"""Runs a model that `fluxion export --stablehlo` wrote under jaxlib, and compares with what Fluxion gave for the same arguments.

  check_export.py FOLDER

Needs jax and numpy. The exit code is 1 where a result differs by more than 1e-5 (f32) or 1e-12 (f64) of its largest number.
"""

import json
import pathlib
import struct
import sys

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
from jax._src import xla_bridge
from jax._src.lib import xla_client

TYPES = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "I64": np.int64, "BOOL": np.bool_, "U8": np.uint8, "C64": np.complex64}


def safetensors(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    body = content[8 + length :]
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], TYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    description = json.loads((folder / "model.json").read_text())
    example = safetensors(folder / "example.safetensors")
    client = xla_bridge.get_backend("cpu")
    device = client.local_devices()[0]
    executable = client.compile_and_load(
        (folder / "model.mlir").read_text(), xla_client.DeviceList((device,)), xla_client.CompileOptions())
    arguments = [jax.device_put(example[port["name"]], device) for port in description["inputs"]]
    results = executable.execute_sharded(arguments).disassemble_into_single_device_arrays()
    failed = False
    for port, result in zip(description["outputs"], results, strict=True):
        actual, expected = np.asarray(result[0]), example[port["name"]]
        bound = 1e-12 if expected.dtype in (np.float64, np.complex128) else 1e-5
        scale = max(float(np.abs(expected).max(initial=0)), 1e-30)
        error = float(np.abs(actual - expected).max(initial=0)) / scale
        failed |= actual.shape != expected.shape or not error <= bound
        print(f'{port["name"]}: {actual.dtype}{list(actual.shape)}, off by {error:.1e} of the largest number, allowed {bound:.0e}')
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
