"""What no mail client can ask of a running store."""

import subprocess

from tests.e2e.processes import binary

CALL_LIMIT = 120


def check_mailbox(config_path, address, path="INBOX"):
    """Messages that a mailbox's index has and files that there are; an error when they differ."""
    done = subprocess.run([binary("tests/e2e/check_mailbox"), "--config", config_path, address, path],
                          capture_output=True, text=True, timeout=CALL_LIMIT, check=False)
    if done.returncode != 0:
        raise AssertionError(f"index and files differ: {done.stdout}{done.stderr[:5000]}")
    words = done.stdout.split()
    return int(words[1]), int(words[3])


class Moving:
    """Moves all messages of one mailbox to another, as often as is said. It begins at once."""

    def __init__(self, config_path, address, source, target, rounds=1):
        self._process = subprocess.Popen(
            [binary("tests/e2e/move_messages"), "--config", config_path, "--rounds", str(rounds),
             address, source, target],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self):
        """How many were moved; None when the store could not be asked to the end."""
        output, errors = self._process.communicate(timeout=CALL_LIMIT)
        if self._process.returncode != 0 and "UNAVAILABLE" not in errors:
            raise AssertionError(f"moving failed: {errors}")
        return int(output) if self._process.returncode == 0 else None
