"""Workers for tests, each a process of its own, forked from one that has imported what a worker imports and computed
nothing: PyTorch takes seconds.

What else would differ between them and `python -m mixtune_worker` is tested through npm run test:torch, which starts it
so.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1]


class WorkerProcess:
    """As much of subprocess.Popen as tests use."""

    def __init__(self, nursery: "Nursery", arguments, environment):
        pairs = [os.pipe() for _ in range(3)]  # (read, write) of standard input, output and error
        theirs = [pairs[0][0], pairs[1][1], pairs[2][1]]
        self.stdin = open(pairs[0][1], "w")
        self.stdout, self.stderr = open(pairs[1][0]), open(pairs[2][0])
        self.status_file = nursery.ask(list(map(str, arguments)), environment, theirs)
        for file in theirs:
            os.close(file)
        self.pid = int(self.status_file.readline())
        self.returncode = None

    def wait(self):
        if self.returncode is None:
            self.returncode = int(self.status_file.readline())
        return self.returncode

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that others are forked from."""

    def __init__(self):
        self.here, there = socket.socketpair()
        environment = os.environ | {"PYTHONPATH": str(SOURCE)}
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(there.fileno())],
            pass_fds=[there.fileno()],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        there.close()

    def ask(self, arguments, environment, files):
        status, write = os.pipe()
        words = json.dumps([arguments, environment]).encode()
        socket.send_fds(self.here, [words], [*files, write])
        os.close(write)
        return open(status)

    def close(self):
        self.here.close()
        self.process.wait()


def serve(there: socket.socket) -> None:
    import mixtune_worker.run  # noqa: F401
    import peft  # noqa: F401
    import torch  # noqa: F401

    there.settimeout(0.02)
    children = {}  # by process, where its status is told
    while True:
        try:
            words, files, _, _ = socket.recv_fds(there, 65536, 4)
        except TimeoutError:
            files = []
        else:
            if not words:
                return
            *standard, told = files
            child = os.fork()
            if child == 0:
                there.close()
                for other in [told, *children.values()]:
                    os.close(other)
                arguments, environment = json.loads(words)
                become_worker(arguments, environment, standard)
            os.write(told, f"{child}\n".encode())
            children[child] = told
            for file in standard:
                os.close(file)
        while children:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended == 0:
                break
            told = children.pop(ended)
            os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os.close(told)


def become_worker(arguments, environment, standard) -> None:
    status = 3
    try:
        for number, file in enumerate(standard):
            os.dup2(file, number)
            os.close(file)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)
        os.environ.update(environment)
        sys.argv = ["mixtune_worker", *arguments]
        from mixtune_worker import messages
        from mixtune_worker.__main__ import main

        messages._out = sys.stdout
        status = main()
        sys.stdout.flush()
    finally:
        os._exit(status)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
