"""The PyTorch worker of mixtune: a prepared run in, a run directory out. Start reading at run.py."""

import os

__version__ = "0.1.0"

QUIET = {
    "HF_HUB_OFFLINE": "1",  # models lie in folders
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""What keeps other packages from sending anything by themselves. They read it when they are imported, which is later:
every process of the worker, and every task of Ray, imports this package first."""

os.environ.update(QUIET)
