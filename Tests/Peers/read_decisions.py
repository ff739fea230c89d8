"""Open decision files with numpy and print what they hold.

    python read_decisions.py decisions/000000-000000.npz
    {"file": "000000-000000.npz", "columns": {"key": {"dtype": "|S9", "shape": [1000]}, ...}, "kept": 812,
     "reasons": {"": 812, "mismatch": 188}}

One JSON object a line and file. Pickled data is refused, as every careful reader does.
"""

import collections
import json
import os
import sys

import numpy


def main(paths: list[str]) -> None:
    if not paths:
        sys.exit(__doc__)
    for path in paths:
        with numpy.load(path, allow_pickle=False) as file:
            table = {name: file[name] for name in file.files}
        record = {
            "file": os.path.basename(path),
            "columns": {
                name: {"dtype": column.dtype.str, "shape": list(column.shape)}
                for name, column in table.items()
            },
            "kept": int(table["kept"].sum()),
            "reasons": collections.Counter(reason.decode() for reason in table["reason"].tolist()),
        }
        print(json.dumps(record, sort_keys=True))


if __name__ == "__main__":
    main(sys.argv[1:])
