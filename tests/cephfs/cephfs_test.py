"""Two stores on one mail_root, each on its own client of one CephFS: what two machines would have."""

import collections
import fcntl
import os
import sys
import threading
import unittest
import uuid

from tests.cephfs.cluster import SESSION_TIMEOUT, Cluster
from tests.e2e import readers, two_stores_test
from tests.e2e.delivery_run import DeliveryRun
from tests.e2e.store_tool import check_mailbox
from tests.e2e.test_case import say
from tests.e2e.two_stores_test import ALICE, CONNECTIONS, PASSWORD

SIDES = ("left", "right")
RACES = 50
BOB = "bob@example.com"


class Mounts:
    """The cluster and its two clients, for all tests."""

    cluster = None
    folders = []


def setUpModule():
    Mounts.cluster = Cluster(os.environ.get("TEST_TMPDIR"))
    try:
        Mounts.cluster.start()
        Mounts.folders = [Mounts.cluster.mount(side) for side in SIDES]
    except BaseException:
        print(Mounts.cluster.logs(), file=sys.stderr)
        Mounts.cluster.stop()
        raise


def tearDownModule():
    Mounts.cluster.stop()


def shared_folder():
    """A new folder, as both clients see it."""
    name = uuid.uuid4().hex
    os.mkdir(os.path.join(Mounts.folders[0], name))
    return [os.path.join(folder, name) for folder in Mounts.folders]


class FileSystemTest(unittest.TestCase):
    """What the store relies on (ARCHITECTURE.md, FORMAT.md), without the store."""

    def setUp(self):
        self.left, self.right = shared_folder()

    def write(self, folder, name, content=b"content"):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_a_lock_excludes_the_other_client(self):
        path = self.write(self.left, "lock")
        with open(path, "rb") as left, open(os.path.join(self.right, "lock"), "rb") as right:
            fcntl.flock(left, fcntl.LOCK_EX)
            with self.assertRaises(BlockingIOError):
                fcntl.flock(right, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(left, fcntl.LOCK_UN)
            fcntl.flock(right, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_of_two_renames_one_wins(self):
        for race in range(RACES):
            self.write(self.left, "from")
            won = []

            def rename(folder, to):
                try:
                    os.rename(os.path.join(folder, "from"), os.path.join(folder, to))
                    won.append(to)
                except FileNotFoundError:
                    pass

            threads = [threading.Thread(target=rename, args=(folder, f"{side}-{race}"))
                       for folder, side in zip((self.left, self.right), SIDES)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(len(won), 1)
            self.assertTrue(os.path.exists(os.path.join(self.right, won[0])))

    def test_a_link_never_replaces(self):
        self.write(self.left, "a")
        self.write(self.right, "b")
        with self.assertRaises(FileExistsError):
            os.link(os.path.join(self.left, "b"), os.path.join(self.left, "a"))

    def test_what_one_appends_the_other_reads_at_once(self):
        paths = [os.path.join(folder, "log") for folder in (self.left, self.right)]
        self.write(self.left, "log", b"")
        with open(paths[0], "r+b", buffering=0) as left, open(paths[1], "r+b", buffering=0) as right:
            for i in range(RACES):
                writer, reader = (left, right) if i % 2 else (right, left)
                record = b"%032d" % i
                fcntl.flock(writer, fcntl.LOCK_EX)
                os.pwrite(writer.fileno(), record, 32 * i)
                fcntl.flock(writer, fcntl.LOCK_UN)
                self.assertEqual(os.fstat(reader.fileno()).st_size, 32 * (i + 1))
                self.assertEqual(os.pread(reader.fileno(), 64, 32 * i), record)


class CephFsTest(two_stores_test.TwoStoresTest):

    deliveries = 300

    def mail_roots(self):
        return [os.path.join(folder, "mail") for folder in shared_folder()]

    def test_rates(self):
        """One store at a time on a mailbox, as when gateways keep to an account's store."""
        left, right = self.sides
        self.deliver(left, [f"warm-{i}@test" for i in range(20)]).finish()
        alone = self.deliver(left, [f"alone-{i}@test" for i in range(self.deliveries)]).finish()
        left.add_account(BOB, PASSWORD)
        runs = [DeliveryRun(lambda side=side: side.port("smtp"), address,
                            [f"{address}-{i}" for i in range(self.deliveries)], CONNECTIONS)
                for side, address in ((left, ALICE), (right, BOB))]
        for run in runs:
            run.finish()
        say(f"deliveries: {alone.rate():.0f}/s through one store, "
            f"{runs[0].rate():.0f}/s and {runs[1].rate():.0f}/s through two, a mailbox each")
        self.assertEqual(len(readers.message_ids(self.imap(right))), 20 + 2 * self.deliveries)

    def test_a_machine_goes_down(self):
        """Its store and its client of the file system die together, with whatever they had locked."""
        left, right = self.sides
        ids = [[f"{name}-{i}@test" for i in range(200)] for name in SIDES]
        ends = [DeliveryRun(lambda: right.port("smtp"), ALICE, ids[1], CONNECTIONS, limit=4 * SESSION_TIMEOUT)]
        doomed = DeliveryRun(lambda: left.port("smtp"), ALICE, ids[0], CONNECTIONS, limit=4 * SESSION_TIMEOUT)
        doomed.wait_for_stored(50)
        Mounts.cluster.kill_mount("left")
        left.kill("store")
        ends[0].finish()
        # It comes back, and what waited for it is delivered.
        Mounts.cluster.mount("left")
        left.start("store")
        doomed.finish()
        client = readers.connect_when_available(right.port("imaps"), ALICE, PASSWORD)
        self.addCleanup(client.shutdown)
        found = readers.message_ids(client)
        copies = collections.Counter(found.values())
        self.assertEqual(sorted(copies), sorted(ids[0] + ids[1]))
        unknown = doomed.unknown + ends[0].unknown
        self.assertEqual({i: n for i, n in copies.items() if n > 1 + unknown[i]}, {})
        for side in self.sides:
            self.assertEqual(check_mailbox(side.config_path, ALICE), (len(found), len(found)))
        say(f"a machine went down: {ends[0].rate():.0f}/s at the other meanwhile, "
            f"{sum(unknown.values())} tries without an answer")


if __name__ == "__main__":
    unittest.main(verbosity=2)
