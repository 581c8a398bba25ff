"""Asking a worker to stop. Without PyTorch, whose import takes seconds in which somebody may ask already."""

import os
import signal
import threading


class Stop:
    """Whether somebody asked to stop: SIGINT, SIGTERM, or the end of standard input, when whoever started this is gone."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.asked.set())
        threading.Thread(target=self._listen, daemon=True).start()

    def __call__(self) -> bool:
        return self.asked.is_set()

    def _listen(self) -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            return  # there is none
        self.asked.set()
