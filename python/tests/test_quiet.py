"""No package sends anything by itself."""

import os
import subprocess
import sys

import mixtune_worker
from worker_process import SOURCE


def test_packages_read_what_keeps_them_quiet():
    """Whatever the environment says, as soon as anything of the worker is imported."""
    read = (
        "import mixtune_worker.messages; from huggingface_hub.constants import *;"
        "print(HF_HUB_OFFLINE, HF_HUB_DISABLE_TELEMETRY)"
    )
    loud = dict.fromkeys(mixtune_worker.QUIET, "") | {"HF_HUB_OFFLINE": "0", "PYTHONPATH": str(SOURCE)}
    said = subprocess.run(
        [sys.executable, "-c", read], env=os.environ | loud, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["True", "True"]
