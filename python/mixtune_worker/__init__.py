"""The PyTorch worker of mixtune: a prepared run in, a run directory out. Start reading at run.py."""

__version__ = "0.1.0"
