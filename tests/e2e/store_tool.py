"""Questions to a running store that no mail client can ask."""

import subprocess

from tests.e2e.processes import binary


def check_mailbox(config_path, address):
    """Messages that the index of INBOX has and files that there are; an error when they differ."""
    done = subprocess.run([binary("tests/e2e/check_mailbox"), "--config", config_path, address],
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f"index and files differ: {done.stdout}{done.stderr[:5000]}")
    words = done.stdout.split()
    return int(words[1]), int(words[3])
