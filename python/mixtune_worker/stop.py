"""Being asked: to stop, or for the next run. Without PyTorch, whose import takes seconds in which somebody may ask
already."""

import queue
import signal
import sys
import threading
from collections.abc import Iterator


class Stop:
    """Whether somebody asked to stop: SIGINT, SIGTERM, or the end of standard input when the parent process is gone."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stop())
        threading.Thread(target=self._listen, daemon=True).start()

    def __call__(self) -> bool:
        return self.asked.is_set()

    def lines(self) -> Iterator[str]:
        """Lines of standard input as they come, until asked to stop."""
        while (line := self.waiting.get()) is not None:
            yield line

    def _listen(self) -> None:
        for line in sys.stdin or ():
            self.waiting.put(line)
        self._stop()

    def _stop(self) -> None:
        self.asked.set()
        self.waiting.put(None)
