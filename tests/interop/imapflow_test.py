"""imapflow (what many web mail clients are built on): IDLE, CONDSTORE and QRESYNC among the rest."""

import json
import os
import select
import subprocess
import unittest

from tests.e2e import readers
from tests.interop import nodejs
from tests.interop.interop_case import CLIENT_LIMIT, PASSWORD, USER, InteropTestCase, checked


class Client:
    """See nodejs/imapflow.js."""

    def __init__(self, port):
        self._process = subprocess.Popen(
            nodejs.command("imapflow.js", str(port), USER, PASSWORD), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env=dict(os.environ, **nodejs.environment("imapflow.js")))
        self._events = []
        self._buffer = b""

    def _read(self):
        while b"\n" not in self._buffer:
            if not select.select([self._process.stdout], [], [], CLIENT_LIMIT)[0]:
                raise TimeoutError("imapflow does not answer")
            block = os.read(self._process.stdout.fileno(), 65536)
            if not block:
                raise AssertionError("imapflow ended")
            self._buffer += block
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def call(self, name, *arguments):
        line = json.dumps({"call": name, "args": arguments}) + "\n"
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()
        while True:
            answer = self._read()
            if "error" in answer:
                raise AssertionError(f"{name}: {answer['error']}")
            if "result" in answer:
                return answer["result"]
            self._events.append(answer)

    def event(self, kind):
        """The next event of that kind; those before it are dropped."""
        while True:
            event = self._events.pop(0) if self._events else self._read()
            if event.get("event") == kind:
                return event["data"]

    def close(self):
        self._process.stdin.close()
        self._process.wait(CLIENT_LIMIT)
        self._process.stdout.close()


class ImapflowTest(InteropTestCase):

    def connect(self):
        client = Client(self.port)
        self.addCleanup(client.close)
        client.call("connect")
        return client

    def test_mailboxes_and_messages(self):
        client = self.connect()
        self.assertEqual(client.call("mailboxCreate", ["Work", "Pläne"])["path"], "Work/Pläne")
        self.assertIn("Work/Pläne", [m["path"] for m in client.call("list")])
        client.call("mailboxRename", "Work/Pläne", "Work/Done")
        appended = client.call("append", "Work/Done", "Subject: one\r\n\r\nText\r\n", ["\\Seen", "tag"])
        self.assertEqual(appended["uid"], 1)
        status = client.call("status", "Work/Done",
                             {"messages": True, "uidNext": True, "unseen": True, "highestModseq": True})
        self.assertEqual((status["messages"], status["uidNext"], status["unseen"]), (1, 2, 0))
        client.call("mailboxOpen", "Work/Done")
        one = client.call("fetchOne", "1", {"uid": True, "flags": True, "envelope": True,
                                            "bodyStructure": True, "source": True, "size": True})
        self.assertEqual((one["uid"], one["flags"], one["envelope"]["subject"], one["source"]),
                         (1, ["\\Seen", "tag"], "one", "Subject: one\r\n\r\nText\r\n"))
        self.assertEqual(client.call("search", {"subject": "one"}, {"uid": True}), [1])
        copied = client.call("messageCopy", "1", "INBOX", {"uid": True})
        self.assertEqual(copied["uidMap"], {"1": 1})
        moved = client.call("messageMove", "1", "INBOX", {"uid": True})
        self.assertEqual(moved["uidMap"], {"1": 2})
        self.assertEqual(readers.status(self.imap)["MESSAGES"], 2)
        client.call("mailboxClose")
        client.call("mailboxDelete", "Work/Done")
        self.assertNotIn("Work/Done", self.mailboxes())
        client.call("logout")
        checked("CREATE, LIST, RENAME, APPEND, STATUS, FETCH, SEARCH, COPY, MOVE, DELETE")

    def test_idle(self):
        client = self.connect()
        client.call("mailboxOpen", "INBOX")
        client.call("idle")
        self.append("news")
        self.assertEqual(client.event("exists")["count"], 1)
        self.store("news", "+FLAGS", r"(\Flagged)")
        self.assertIn("\\Flagged", client.event("flags")["flags"])
        self.remove("news")
        client.event("expunge")
        checked("IDLE: exists, flags, expunge")

    def test_condstore_and_qresync(self):
        for number in range(1, 7):
            self.append(f"m{number}")
        client = self.connect()
        self.assertIn("QRESYNC", client.call("facts")["enabled"])
        opened = client.call("mailboxOpen", "INBOX")
        modseq, validity = opened["highestModseq"], opened["uidValidity"]
        client.call("mailboxClose")
        self.store("m2", "+FLAGS", r"(\Seen)")
        self.remove("m4")
        self.append("m7")
        client.call("mailboxOpen", "INBOX", {"uidValidity": validity, "changedSince": modseq})
        self.assertEqual(client.event("expunge")["uid"], 4)
        self.assertIn("\\Seen", client.event("flags")["flags"])
        changed = client.call("fetchAll", "1:*", {"uid": True, "flags": True},
                              {"uid": True, "changedSince": modseq})
        self.assertEqual(sorted(m["uid"] for m in changed), [2, 7])
        self.assertTrue(all(m["modseq"] > modseq for m in changed))
        checked("QRESYNC tells what happened meanwhile, CHANGEDSINCE finds the same")


if __name__ == "__main__":
    unittest.main(verbosity=2)
