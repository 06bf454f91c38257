"""What was acknowledged stays, whichever process is killed."""

import collections
import unittest

from tests.e2e import readers
from tests.e2e.delivery_run import DeliveryRun
from tests.e2e.rest import RestClient
from tests.e2e.store_tool import check_mailbox
from tests.e2e.test_case import E2eTestCase, say

ALICE = "alice@example.com"
PASSWORD = "correct horse"
DELIVERIES = 2000
CONNECTIONS = 12


class KillTest(E2eTestCase):

    def setUp(self):
        self.server = self.new_deployment()
        self.server.use_quick_certificate()
        self.server.write_config()
        self.server.add_account(ALICE, PASSWORD)
        self.server.start_all(split=True)

    def imap(self, mailbox="INBOX"):
        client = readers.connect_when_available(self.server.port("imaps"), ALICE, PASSWORD, mailbox)
        self.addCleanup(client.shutdown)
        return client

    def deliver(self, ids, connections=CONNECTIONS):
        return DeliveryRun(lambda: self.server.port("smtp"), ALICE, ids, connections)

    def check_inbox(self, run):
        """Each message is there; more than once only where a 250 was lost."""
        found = readers.message_ids(self.imap())
        copies = collections.Counter(found.values())
        lost = [i for i in run.stored if copies[i] == 0]
        self.assertEqual(lost, [], "acknowledged and lost")
        many = {i: n for i, n in copies.items() if n > 1 + run.unknown[i]}
        self.assertEqual(many, {}, "stored more often than it was sent")
        self.assertEqual(set(copies) - set(run.stored), set())
        self.assertEqual(check_mailbox(self.server.config_path, ALICE), (len(found), len(found)))
        duplicates = sum(copies.values()) - len(copies)
        say(f"{len(run.stored)} deliveries, {run.rate():.0f}/s with the restart, "
            f"{run.failures} tries failed, {sum(run.unknown.values())} of them without an answer, "
            f"{duplicates} stored twice")
        return found

    def test_store_killed_during_deliveries(self):
        ids = [f"store-{i}@test" for i in range(DELIVERIES)]
        run = self.deliver(ids)
        for count in (DELIVERIES // 4, DELIVERIES // 2):
            run.wait_for_stored(count)
            self.server.kill("store")
            self.server.start("store")
        run.finish()
        self.assertEqual(sorted(run.stored), sorted(ids))
        self.assertGreater(run.failures, 0, "the store was not killed in the middle")
        self.check_inbox(run)

    def test_smtp_gateway_killed(self):
        ids = [f"smtp-{i}@test" for i in range(600)]
        with readers.Idle(self.imap()) as idle:
            run = self.deliver(ids)
            run.wait_for_stored(200)
            self.server.kill("smtp")
            # The others go on.
            readers.check(self.imap().noop())
            RestClient(self.server.port("https")).log_in(ALICE, PASSWORD).get("/folders")
            self.server.start("smtp")
            run.finish()
            idle.wait_for(b"EXISTS")
        self.assertEqual(sorted(run.stored), sorted(ids))
        self.check_inbox(run)

    def test_imap_gateway_killed(self):
        run = self.deliver([f"imap-{i}@test" for i in range(20)], connections=2).finish()
        uids = sorted(readers.message_ids(self.imap()))
        acknowledged = []
        flagged = []
        imap = self.imap()
        for i in range(40):
            if i == 25:
                self.server.kill("imap")
                with self.assertRaises((OSError, imap.abort)):
                    imap.noop()
                # The others go on.
                run = self.deliver(["imap-late@test"], connections=1).finish()
                RestClient(self.server.port("https")).log_in(ALICE, PASSWORD).get("/folders")
                self.server.start("imap")
                imap = self.imap()
            message = f"Message-ID: <append-{i}@test>\r\n\r\nText\r\n".encode()
            readers.check(imap.append("Sent", r"(\Seen)", None, message))
            acknowledged.append(f"append-{i}@test")
            if i < len(uids):
                readers.check(imap.uid("STORE", str(uids[i]), "+FLAGS", r"(\Flagged)"))
                flagged.append(uids[i])
        self.assertEqual(sorted(readers.message_ids(self.imap("Sent")).values()), sorted(acknowledged))
        flags = {uid: flags for uid, (flags, _, _) in readers.metadata(self.imap()).items()}
        self.assertEqual(sorted(u for u, f in flags.items() if rb"\Flagged" in f), flagged)
        self.assertIn("imap-late@test", readers.message_ids(self.imap()).values())

    def test_exchange_gateway_killed(self):
        self.deliver([f"rest-{i}@test" for i in range(20)], connections=2).finish()
        rest = RestClient(self.server.port("https")).log_in(ALICE, PASSWORD)
        before = rest.all_messages("INBOX")
        self.server.kill("exchange")
        with self.assertRaises(OSError):
            rest.get("/folders")
        # The others go on.
        self.deliver(["rest-late@test"], connections=1).finish()
        self.assertIn("rest-late@test", readers.message_ids(self.imap()).values())
        self.server.start("exchange")
        again = RestClient(self.server.port("https"))
        # No gateway knows sessions: the token is as good as it was.
        again.token = rest.token
        self.assertEqual(again.all_messages("INBOX")[1:], before)

    def test_everything_killed(self):
        self.deliver([f"all-{i}@test" for i in range(200)]).finish()
        imap = self.imap()
        readers.check(imap.uid("STORE", "1:50", "+FLAGS", r"(\Seen)"))
        readers.check(imap.uid("STORE", "20:70", "+FLAGS", r"(\Flagged $Work)"))
        readers.check(imap.uid("STORE", "100:110", "+FLAGS", r"(\Deleted)"))
        readers.check(imap.expunge())
        before = (readers.status(imap), readers.metadata(imap), readers.message_ids(imap))
        self.assertEqual(before[0]["MESSAGES"], 189)
        self.server.kill_all()
        self.server.start_all(split=True)
        imap = self.imap()
        self.assertEqual((readers.status(imap), readers.metadata(imap), readers.message_ids(imap)), before)
        self.assertEqual(check_mailbox(self.server.config_path, ALICE), (189, 189))


if __name__ == "__main__":
    unittest.main(verbosity=2)
