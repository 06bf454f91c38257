"""Server processes under test: start, wait until they listen, kill, and what they logged."""

import os
import select
import signal
import socket
import subprocess
import time

HOST = "127.0.0.1"
# A first start may have to make a 4096-bit RSA key on a busy machine.
START_LIMIT = 90
STOP_LIMIT = 20


def binary(label):
    """The path of a binary that the test has as data: "tools/rmail/rmail"."""
    return os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"], label)


def free_port():
    """A port that nothing listens on, below those that the kernel gives out by itself."""
    for _ in range(1000):
        port = 10240 + int.from_bytes(os.urandom(2), "big") % 20000
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


class ServerProcess:
    """One process. It dies with the thread that started it, whatever happens: start it in the main thread."""

    def __init__(self, name, command, folder):
        self.name = name
        self.stderr_path = os.path.join(folder, f"{name}.stderr")
        self.listeners = {}
        with open(self.stderr_path, "ab") as stderr:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
        self.pid = self._process.pid

    def wait_until_ready(self):
        """Reads the listeners ("imap 127.0.0.1:143") up to "ready"."""
        deadline = time.monotonic() + START_LIMIT
        output = b""
        while not output.endswith(b"ready\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise TimeoutError(f"{self.name} is not ready after {START_LIMIT} s")
            block = os.read(self._process.stdout.fileno(), 4096)
            if not block:
                raise RuntimeError(f"{self.name} ended with {self.wait()}: {self.log()}")
            output += block
        for line in output.decode().splitlines()[:-1]:
            listener, _, address = line.partition(" ")
            self.listeners[listener] = int(address.rpartition(":")[2])
        return self

    def is_running(self):
        return self._process.poll() is None

    def send_signal(self, number):
        self._process.send_signal(number)

    def wait(self, limit=STOP_LIMIT):
        """The exit code; negative: the signal that ended it."""
        code = self._process.wait(limit)
        self._process.stdout.close()
        return code

    def kill(self):
        """SIGKILL."""
        if self.is_running():
            self._process.kill()
        self.wait()

    def terminate(self):
        """SIGTERM; returns the exit code."""
        self.send_signal(signal.SIGTERM)
        return self.wait()

    def log(self):
        with open(self.stderr_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def memory(self, field="VmRSS"):
        """Of /proc/PID/status, in octets; VmHWM is the peak since reset_peak_memory()."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError(f"no {field}")

    def is_sanitized(self):
        """Whether it is built with a sanitizer that takes shadow memory: its own needs can't be measured."""
        return self.memory("VmSize") > 1 << 40

    def reset_peak_memory(self):
        with open(f"/proc/{self.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
