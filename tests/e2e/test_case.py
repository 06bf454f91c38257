"""The frame of every test here: a folder of its own, a time limit, no process left behind."""

import os
import shutil
import signal
import sys
import tempfile
import unittest

from tests.e2e.deployment import Deployment


class E2eTestCase(unittest.TestCase):
    """Reports what the servers logged when a test fails."""

    # Of one test, in seconds; more where Bazel gives the whole more than the usual 300 (sanitizers).
    time_limit = 80 * max(1, int(os.environ.get("TEST_TIMEOUT", "300")) // 300)

    def run(self, result=None):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self._deployments = []
        before = len(result.failures) + len(result.errors)
        signal.signal(signal.SIGALRM, self._out_of_time)
        signal.alarm(self.time_limit)
        try:
            return super().run(result)
        finally:
            signal.alarm(0)
            if len(result.failures) + len(result.errors) > before:
                for deployment in self._deployments:
                    print(f"=== {self.id()}\n{deployment.logs()}", file=sys.stderr)
            for deployment in self._deployments:
                deployment.kill_all()
            shutil.rmtree(self.folder, ignore_errors=True)

    def new_deployment(self, name="rmail"):
        """One whose processes end with the test."""
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)
        deployment = Deployment(folder)
        self._deployments.append(deployment)
        return deployment

    def _out_of_time(self, _signal, _frame):
        raise TimeoutError(f"the test takes more than {self.time_limit} s")


def say(text):
    """A measurement for the test's log."""
    print(text, file=sys.stderr, flush=True)
