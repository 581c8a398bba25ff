"""What each make.py of this folder leaves beside itself: expected.json, and how it was made."""

import json
import pathlib
import platform


def write(script, expected, seed, modules):
    here = pathlib.Path(script).parent
    (here / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    provenance = {
        "command": f"python test/golden/stats/{here.name}/make.py",
        "versions": {"python": platform.python_version(), **{m.__name__: m.__version__ for m in modules}},
        "seed": seed,
    }
    (here / "provenance.json").write_text(json.dumps(provenance, indent=2) + "\n")
