"""offlineimap3: an account kept the same as Maildir folders."""

import hashlib
import os
import ssl
import unittest

from tests.e2e import readers
from tests.e2e.processes import HOST
from tests.interop.interop_case import PASSWORD, USER, InteropTestCase, checked, message

CONFIG = """
[general]
accounts = rmail
metadata = {folder}/metadata
ui = basic

[Account rmail]
localrepository = local
remoterepository = remote

[Repository local]
type = Maildir
localfolders = {folder}/Mail
sep = /

[Repository remote]
type = IMAP
remotehost = {host}
remoteport = {port}
remoteuser = {user}
remotepass = {password}
ssl = yes
cert_fingerprint = {fingerprint}
"""


class OfflineimapTest(InteropTestCase):

    def setUp(self):
        super().setUp()
        with open(self.certificate, encoding="ascii") as file:
            der = ssl.PEM_cert_to_DER_cert(file.read())
        self.config_file = self.write_file("offlineimaprc", CONFIG.format(
            folder=self.folder, host=HOST, port=self.port, user=USER, password=PASSWORD,
            fingerprint=hashlib.sha512(der).hexdigest()))

    def sync(self):
        self.run_client(["offlineimap", "-o", "-1", "-c", self.config_file])

    def local(self, mailbox="INBOX"):
        """{subject: (path, maildir flags)}"""
        found = {}
        for part in ("cur", "new"):
            folder = os.path.join(self.folder, "Mail", mailbox, part)
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    subject = next(line for line in file if line.startswith(b"Subject: "))
                found[subject[9:].strip().decode()] = (path, name.partition(":2,")[2])
        return found

    def flags(self, mailbox="INBOX"):
        return {subject: flags for subject, (_, flags) in self.local(mailbox).items()}

    def test_both_ways(self):
        self.append("far-1", flags=r"(\Seen)")
        self.append("far-2")
        readers.check(self.imap.create("Work/Plans"))
        self.append("far-3", "Work/Plans", r"(\Flagged)")
        self.sync()
        self.assertEqual(self.flags(), {"far-1": "S", "far-2": ""})
        self.assertEqual(self.flags("Work/Plans"), {"far-3": "F"})
        checked("the first sync brings mailboxes, messages and flags")

        inbox = os.path.join(self.folder, "Mail", "INBOX", "cur")
        with open(os.path.join(inbox, "1700000000.1.near:2,S"), "wb") as file:
            file.write(message("near-1").replace(b"\r\n", b"\n"))
        path, _ = self.local()["far-2"]
        base = os.path.basename(path).partition(":2,")[0]
        os.rename(path, os.path.join(inbox, base + ":2,FS"))
        self.store("far-1", "+FLAGS", r"(\Answered)")
        self.remove("far-3", "Work/Plans")
        readers.check(self.imap.create("Later"))
        self.sync()
        self.assertEqual(self.subjects(), {"far-1": {r"\Seen", r"\Answered"},
                                           "far-2": {r"\Flagged", r"\Seen"}, "near-1": {r"\Seen"}})
        self.assertEqual(self.flags("Work/Plans"), {})
        self.assertEqual(self.flags("Later"), {})
        self.assertEqual(self.flags()["far-1"], "RS")
        checked("changes of both sides meet")

        os.remove(self.local()["near-1"][0])
        self.sync()
        self.assertEqual(set(self.subjects()), {"far-1", "far-2"})
        self.sync()
        self.assertEqual(set(self.flags()), {"far-1", "far-2"})
        checked("a deletion goes to the server and stays there")


if __name__ == "__main__":
    unittest.main(verbosity=2)
