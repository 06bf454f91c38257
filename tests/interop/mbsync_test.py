"""mbsync (isync): an account kept the same on both sides."""

import os
import unittest

from tests.e2e import readers
from tests.interop.interop_case import PASSWORD, USER, InteropTestCase, checked, message

CONFIG = """
IMAPAccount rmail
Host localhost
Port {port}
User {user}
Pass "{password}"
SSLType IMAPS
CertificateFile {certificate}

IMAPStore far
Account rmail

MaildirStore near
Path {maildir}/
Inbox {maildir}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
"""


class MbsyncTest(InteropTestCase):

    def setUp(self):
        super().setUp()
        self.maildir = os.path.join(self.folder, "Mail")
        os.mkdir(self.maildir)
        self.config_file = self.write_file("mbsyncrc", CONFIG.format(
            port=self.port, user=USER, password=PASSWORD, certificate=self.certificate,
            maildir=self.maildir))

    def sync(self):
        self.run_client(["mbsync", "-c", self.config_file, "all"])

    def local(self, mailbox="INBOX"):
        """{subject: (path, maildir flags)}"""
        found = {}
        for part in ("cur", "new"):
            folder = os.path.join(self.maildir, mailbox, part)
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    subject = next(line for line in file if line.startswith(b"Subject: "))
                flags = name.partition(":2,")[2]
                found[subject[9:].strip().decode()] = (path, flags)
        return found

    def add_local(self, subject, mailbox="INBOX", flags="S"):
        path = os.path.join(self.maildir, mailbox, "cur", f"{subject}.local:2,{flags}")
        with open(path, "wb") as file:
            file.write(message(subject).replace(b"\r\n", b"\n"))

    def flag_local(self, subject, flags, mailbox="INBOX"):
        path, _ = self.local(mailbox)[subject]
        base = os.path.basename(path).partition(":2,")[0]
        os.rename(path, os.path.join(self.maildir, mailbox, "cur", f"{base}:2,{flags}"))

    def test_both_ways(self):
        self.append("far-1", flags=r"(\Seen)")
        self.append("far-2")
        readers.check(self.imap.create("Lists/rmail"))
        self.append("far-3", "Lists/rmail", r"(\Flagged)")
        self.sync()
        self.assertEqual({s: f for s, (_, f) in self.local().items()}, {"far-1": "S", "far-2": ""})
        self.assertEqual({s: f for s, (_, f) in self.local("Lists/rmail").items()}, {"far-3": "F"})
        with open(self.local()["far-2"][0], "rb") as file:
            lines = [line for line in file.read().splitlines(True) if not line.startswith(b"X-TUID:")]
        self.assertEqual(b"".join(lines), message("far-2").replace(b"\r\n", b"\n"))
        checked("the first sync brings mailboxes, messages and flags")

        self.add_local("near-1", flags="RS")
        os.makedirs(os.path.join(self.maildir, "Notes", "cur"))
        for part in ("new", "tmp"):
            os.mkdir(os.path.join(self.maildir, "Notes", part))
        self.add_local("near-2", "Notes", flags="F")
        self.sync()
        self.assertEqual(self.subjects(), {"far-1": {r"\Seen"}, "far-2": set(),
                                           "near-1": {r"\Answered", r"\Seen"}})
        self.assertEqual(self.subjects("Notes"), {"near-2": {r"\Flagged"}})
        checked("new messages and a new mailbox go to the server")

        self.flag_local("far-2", "FS")
        self.flag_local("near-1", "ST")
        self.store("far-1", "+FLAGS", r"(\Answered)")
        self.remove("far-3", "Lists/rmail")
        self.append("far-4")
        self.sync()
        self.assertEqual(self.subjects(), {"far-1": {r"\Seen", r"\Answered"},
                                           "far-2": {r"\Flagged", r"\Seen"}, "far-4": set()})
        self.assertEqual({s: f for s, (_, f) in self.local().items()},
                         {"far-1": "RS", "far-2": "FS", "far-4": ""})
        self.assertEqual(self.local("Lists/rmail"), {})
        checked("flags and deletions of both sides meet")

        before = (self.subjects(), self.local())
        self.sync()
        self.assertEqual((self.subjects(), self.local()), before)
        checked("nothing to do is nothing done")

    def test_a_mailbox_goes(self):
        readers.check(self.imap.create("Gone"))
        self.append("last", "Gone")
        self.sync()
        self.assertEqual(list(self.local("Gone")), ["last"])
        self.remove("last", "Gone")
        self.sync()
        readers.check(self.imap.select("INBOX"))
        readers.check(self.imap.delete("Gone"))
        self.sync()
        self.assertFalse(os.path.exists(os.path.join(self.maildir, "Gone", "cur")))
        checked("a mailbox that was deleted goes on the other side")

    def test_many_messages(self):
        for number in range(300):
            self.append(f"n{number}", body=b"x" * number + b"\r\n")
        self.sync()
        self.assertEqual(len(self.local()), 300)
        readers.check(self.imap.select("INBOX"))
        readers.check(self.imap.uid("STORE", "1:100", "+FLAGS", r"(\Deleted)"))
        readers.check(self.imap.uid("STORE", "150:200", "+FLAGS", r"(\Seen)"))
        readers.check(self.imap.expunge())
        self.sync()
        local = self.local()
        self.assertEqual(len(local), 200)
        self.assertEqual({s for s, (_, f) in local.items() if f == "S"},
                         {f"n{uid - 1}" for uid in range(150, 201)})
        checked("300 messages, 100 of them removed, 51 flagged")


if __name__ == "__main__":
    unittest.main(verbosity=2)
