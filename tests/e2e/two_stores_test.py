"""Two store processes on one mail_root, each with gateways of its own: one mailbox."""

import collections
import time
import unittest

from tests.e2e import readers
from tests.e2e.delivery_run import DeliveryRun
from tests.e2e.store_tool import Moving, check_mailbox
from tests.e2e.test_case import E2eTestCase, say

ALICE = "alice@example.com"
PASSWORD = "correct horse"
DELIVERIES = 2000
CONNECTIONS = 12
MOVES = 10
# A change made through the other store is seen within a second; the rest is for a busy machine.
CHANGE_LIMIT = 5


class TwoStoresTest(E2eTestCase):

    # Through each store, when both deliver at once.
    deliveries = DELIVERIES

    def mail_roots(self):
        """The one mail_root, as each side sees it."""
        return [self.sides[0].mail_root] * 2

    def setUp(self):
        self.sides = [self.new_deployment(name) for name in ("left", "right")]
        left = self.sides[0]
        for side, mail_root in zip(self.sides, self.mail_roots()):
            side.mail_root = side.config["mail_root"] = mail_root
        for side in self.sides:
            side.use_quick_certificate()
            side.write_config()
        left.add_account(ALICE, PASSWORD)
        for side in self.sides:
            for name in ("store", "smtp", "imap"):
                side.start(name)

    def imap(self, side):
        client = readers.connect(side.port("imaps"), ALICE, PASSWORD)
        self.addCleanup(client.shutdown)
        return client

    def deliver(self, side, ids, connections=CONNECTIONS):
        return DeliveryRun(lambda: side.port("smtp"), ALICE, ids, connections)

    def test_concurrent_deliveries(self):
        ids = [[f"{name}-{i}@test" for i in range(self.deliveries)] for name in ("left", "right")]
        runs = [self.deliver(side, part) for side, part in zip(self.sides, ids)]
        for run in runs:
            run.finish()
            self.assertEqual(sum(run.unknown.values()), 0)
        say(f"2 x {self.deliveries} deliveries: {runs[0].rate():.0f}/s and {runs[1].rate():.0f}/s")
        expected = sorted(ids[0] + ids[1])
        seen = [readers.message_ids(self.imap(side)) for side in self.sides]
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(sorted(seen[0].values()), expected)
        self.assertEqual(sorted(seen[0]), list(range(1, 2 * self.deliveries + 1)))
        for side in self.sides:
            self.assertEqual(check_mailbox(side.config_path, ALICE), (len(expected), len(expected)))

    def test_changes_are_heard_at_the_other_store(self):
        left, right = self.sides
        with readers.Idle(self.imap(right)) as idle:
            for i in range(3):
                self.deliver(left, [f"heard-{i}@test"], connections=1).finish()
                start = time.monotonic()
                line = idle.wait_for(b"EXISTS", CHANGE_LIMIT)
                say(f"heard after {time.monotonic() - start:.2f} s")
                self.assertIn(b"* %d EXISTS" % (i + 1), line)
            changing = self.imap(left)
            readers.check(changing.uid("STORE", "2", "+FLAGS", r"(\Seen $Label)"))
            start = time.monotonic()
            line = idle.wait_for(b"FETCH", CHANGE_LIMIT)
            say(f"flags heard after {time.monotonic() - start:.2f} s")
            self.assertIn(rb"\Seen", line)
            self.assertIn(b"$Label", line)
            readers.check(changing.uid("STORE", "1", "+FLAGS", r"(\Deleted)"))
            readers.check(changing.expunge())
            self.assertIn(b"* 1 EXPUNGE", idle.wait_for(b"EXPUNGE", CHANGE_LIMIT))

    def test_flags_set_from_both_sides(self):
        left, right = self.sides
        self.deliver(left, [f"flags-{i}@test" for i in range(30)]).finish()
        clients = [self.imap(side) for side in self.sides]
        # Taken in turns: each store meets names that the other has changed.
        for i in range(1, 31):
            readers.check(clients[i % 2].uid("STORE", str(i), "+FLAGS", r"(\Seen)"))
            readers.check(clients[(i + 1) % 2].uid("STORE", str(i), "+FLAGS", r"(\Flagged)"))
            readers.check(clients[i % 2].uid("STORE", str(i), "-FLAGS", r"(\Seen)"))
        for side in self.sides:
            flags = {uid: flags for uid, (flags, _, _) in readers.metadata(self.imap(side)).items()}
            self.assertEqual(flags, {uid: frozenset([rb"\Flagged"]) for uid in range(1, 31)})
            self.assertEqual(check_mailbox(side.config_path, ALICE), (30, 30))

    def check_inbox_and_sent(self, ids):
        """Each message is in one of the two, once."""
        found = []
        for mailbox in ("INBOX", "Sent"):
            counts = []
            for side in self.sides:
                client = readers.connect_when_available(side.port("imaps"), ALICE, PASSWORD, mailbox)
                self.addCleanup(client.shutdown)
                counts.append(len(readers.message_ids(client)))
                self.assertEqual(check_mailbox(side.config_path, ALICE, mailbox), (counts[-1],) * 2)
            self.assertEqual(counts[0], counts[1])
            found += readers.message_ids(client).values()
        self.assertEqual(sorted(found), sorted(ids))

    def test_moves_from_both_sides(self):
        left, right = self.sides
        ids = [f"moved-{i}@test" for i in range(100)]
        self.deliver(left, ids[:50]).finish()
        start = time.monotonic()
        there = Moving(left.config_path, ALICE, "INBOX", "Sent", MOVES)
        back = Moving(right.config_path, ALICE, "Sent", "INBOX", MOVES)
        self.deliver(right, ids[50:], connections=2).finish()
        moved = there.finish() + back.finish()
        say(f"2 x {MOVES} moves of all messages, {moved} in all, and 50 deliveries: {time.monotonic() - start:.1f} s")
        self.check_inbox_and_sent(ids)

    def test_a_store_is_killed_while_it_moves(self):
        left, right = self.sides
        ids = [f"moved-{i}@test" for i in range(100)]
        self.deliver(left, ids).finish()
        for _ in range(3):
            there = Moving(left.config_path, ALICE, "INBOX", "Sent", rounds=1000)
            back = Moving(right.config_path, ALICE, "Sent", "INBOX", MOVES)
            back.finish()
            left.kill("store")
            self.assertIsNone(there.finish(), "the store was not killed in the middle")
            left.start("store")
            self.check_inbox_and_sent(ids)

    def test_a_store_is_killed_and_the_other_takes_over(self):
        left, right = self.sides
        left.kill("smtp")
        left.config["store"]["endpoints"] = [side.config["store"]["listen"] for side in self.sides]
        left.write_config()
        left.start("smtp")
        ids = [f"over-{i}@test" for i in range(600)]
        run = self.deliver(left, ids)
        for count, side in ((150, left), (300, right)):
            run.wait_for_stored(count)
            side.kill("store")
            run.wait_for_stored(count + 100)
            side.start("store")
        run.finish()
        client = readers.connect_when_available(right.port("imaps"), ALICE, PASSWORD)
        self.addCleanup(client.shutdown)
        found = readers.message_ids(client)
        copies = collections.Counter(found.values())
        self.assertEqual(sorted(copies), sorted(ids))
        self.assertEqual({i: n for i, n in copies.items() if n > 1 + run.unknown[i]}, {})
        for side in self.sides:
            self.assertEqual(check_mailbox(side.config_path, ALICE), (len(found), len(found)))
        say(f"{len(ids)} deliveries, {run.rate():.0f}/s, each store killed once")


if __name__ == "__main__":
    unittest.main(verbosity=2)
