"""The store is killed at random moments under load, again and again; what it acknowledged holds.

RMAIL_TEST_KILLS  how often (6)
RMAIL_TEST_SEED   repeats the load and the pauses of a run that printed it; what meets what still varies

The long form:
    bazel test --test_env=RMAIL_TEST_KILLS=200 --test_timeout=1200 --test_output=streamed \
        //tests/e2e:store_kill_test
"""

import collections
import os
import random
import re
import select
import subprocess
import time
import unittest

from tests.e2e.processes import binary
from tests.e2e.test_case import E2eTestCase, say

KILLS = int(os.environ.get("RMAIL_TEST_KILLS", "6"))
SEED = int(os.environ.get("RMAIL_TEST_SEED") or random.SystemRandom().randrange(1 << 31))
# Between two kills, in seconds.
PAUSES = (0.2, 1.5)
# As often the store is killed while it starts, this soon.
KILLED_STARTING = 0.15
STARTING_PAUSES = (0.0, 0.1)
# What the store may log as a warning or worse: how it mends the last change of a process that died.
EXPECTED_LOG = ("cutting off an unfinished log record", "messages of the index have no file")
# Everything is checked after so many kills, while nothing else is done.
KILLS_BETWEEN_CHECKS = 5
LOAD_LIMIT = 60
CHECK_LIMIT = 120


class Load:
    """store_kill_load, a process of its own."""

    def __init__(self, config_path, seed):
        self._process = subprocess.Popen(
            [binary("tests/e2e/store_kill_load"), "--config", config_path, "--seed", str(seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def expect(self, line):
        """Waits for it."""
        if not self.has_output(LOAD_LIMIT):
            raise TimeoutError(f"the load does not say '{line}'")
        output = self._process.stdout.readline().strip()
        if output != line:
            raise AssertionError(f"the load says '{output}', not '{line}'")

    def has_output(self, limit):
        """Waits so many seconds for a line, or for its end."""
        return bool(select.select([self._process.stdout], [], [], limit)[0])

    def finish(self):
        """The rest of what it prints, and its exit code."""
        output, _ = self._process.communicate(timeout=CHECK_LIMIT)
        return output, self._process.returncode

    def kill(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


class StoreKillTest(E2eTestCase):

    time_limit = max(E2eTestCase.time_limit, 60 + 4 * KILLS)

    def setUp(self):
        self.server = self.new_deployment()
        self.server.use_quick_certificate()
        self.server.write_config()
        self.server.start("store")

    def restart(self, load, limit=None):
        """Kills the store and starts it again; with a limit it may be killed before it is ready."""
        self.server.kill("store")
        load.tell(f"restarted {time.monotonic():.6f}")
        store = self.server.launch("store")
        if limit is None:
            store.wait_until_ready()
        else:
            load.has_output(limit)

    def log_lines(self):
        """What the store logged as a warning or worse: what is expected, counted, and the rest."""
        expected = collections.Counter()
        others = []
        for line in self.server.processes["store"].log().splitlines():
            if not re.search(r"\b(warning|error|critical)\b", line):
                continue
            kind = next((text for text in EXPECTED_LOG if text in line), None)
            if kind is None:
                others.append(line)
            else:
                expected[kind] += 1
        return expected, others

    def count_files(self, wanted):
        """Below mail_root, those for which wanted(folder's name, file's name) is true."""
        return sum(wanted(os.path.basename(folder), name)
                   for folder, _, names in os.walk(self.server.mail_root) for name in names)

    def test_killed_again_and_again(self):
        say(f"{KILLS} kills, RMAIL_TEST_SEED={SEED}")
        choice = random.Random(SEED)
        load = Load(self.server.config_path, SEED)
        self.addCleanup(load.kill)
        load.expect("running")
        starting = 0
        for done in range(KILLS):
            if load.has_output(choice.uniform(*PAUSES)):
                self.fail(f"the load gave up after {done} kills")
            if done + 1 < KILLS and choice.random() < KILLED_STARTING:
                starting += 1
                self.restart(load, choice.uniform(*STARTING_PAUSES))
                # The next kill comes at once.
                self.server.kill("store")
            self.restart(load)
            if done % KILLS_BETWEEN_CHECKS == 0:
                load.tell("check")
                load.expect("checked")
        load.tell("stop")
        load.expect("stopped")
        # What is checked is what is on the disk.
        self.restart(load)
        load.tell("check")
        output, code = load.finish()
        left = self.count_files(lambda folder, _: folder == "tmp")
        snapshots = self.count_files(lambda _, name: name == "snapshot.1")
        say(f"{KILLS} kills under load, {starting} more while the store was starting\n{output}"
            f"  {left} files of uploads that were broken off, {snapshots} snapshots")
        expected, others = self.log_lines()
        for text, count in expected.items():
            say(f"  logged {count} times: {text}")
        self.assertEqual(code, 0, "the load found faults")
        self.assertEqual(others, [], "an index should not need more than its last change mended")
        self.assertTrue(self.server.processes["store"].is_running())


if __name__ == "__main__":
    unittest.main(verbosity=2)
