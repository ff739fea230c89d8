"""Open weights with the safetensors package and print the names, types and shapes of the tensors.

    python read_weights.py ensemble/member-0.safetensors
    {"file": "member-0.safetensors", "metadata": {}, "tensors": {"head.weight": {"dtype": "float32", "shape": [192, 64]}}}

One JSON object a line and file. Every tensor is read, and one that holds a value that is not finite is an error.
"""

import json
import os
import sys

import numpy
from safetensors import safe_open


def main(paths: list[str]) -> None:
    if not paths:
        sys.exit(__doc__)
    for path in paths:
        tensors = {}
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():
                tensor = file.get_tensor(name)
                if not numpy.isfinite(tensor).all():
                    sys.exit(f"{path}: tensor {name} holds a value that is not finite")
                tensors[name] = {"dtype": tensor.dtype.name, "shape": list(tensor.shape)}
            metadata = file.metadata() or {}
        record = {"file": os.path.basename(path), "metadata": metadata, "tensors": tensors}
        print(json.dumps(record, sort_keys=True))


if __name__ == "__main__":
    main(sys.argv[1:])
