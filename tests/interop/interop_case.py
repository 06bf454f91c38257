"""The frame of the tests here: an rmail with one account, and what a mail program has to find there."""

import os
import re
import subprocess

from tests.e2e import readers
from tests.e2e.deployment import make_certificate
from tests.e2e.test_case import E2eTestCase, say

USER = "alice@example.com"
PASSWORD = "correct horse"
CLIENT_LIMIT = 60


def message(subject, body=b"Hello.\r\n"):
    head = (f"From: Bob <bob@example.com>\r\nTo: <{USER}>\r\nSubject: {subject}\r\n"
            f"Message-ID: <{subject}@client.example.com>\r\nDate: Tue, 24 Nov 2026 12:00:00 +0100\r\n\r\n")
    return head.encode() + body


class InteropTestCase(E2eTestCase):

    def setUp(self):
        self.server = self.new_deployment()
        # Some programs have no way to pass over a wrong name.
        self.certificate, key = make_certificate(self.folder, names="DNS:localhost,IP:127.0.0.1")
        self.server.config["tls"] = {"cert_file": self.certificate, "key_file": key}
        self.configure(self.server.config)
        self.server.write_config()
        self.server.add_account(USER, PASSWORD)
        self.server.start_all(split=False)
        self.connect_reader()

    def connect_reader(self):
        self.port = self.server.port("imaps")
        # What the server holds, seen by another client than the one that is tested.
        self.imap = readers.connect(self.port, USER, PASSWORD)
        self.addCleanup(self.imap.shutdown)

    def configure(self, config):
        """Changes the server's configuration before it starts."""

    def try_client(self, command, environment=None, **options):
        """Runs a program; returns its subprocess.CompletedProcess."""
        environment = {**os.environ, "HOME": self.folder, "LC_ALL": "C.UTF-8", "TERM": "xterm",
                       **(environment or {})}
        return subprocess.run(command, capture_output=True, timeout=CLIENT_LIMIT, check=False,
                              cwd=self.folder, env=environment, **options)

    def run_client(self, command, **options):
        """Runs a program that must succeed; returns what it prints."""
        done = self.try_client(command, **options)
        if done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n"
                                 f"{done.stdout[-5000:].decode(errors='replace')}\n"
                                 f"{done.stderr[-5000:].decode(errors='replace')}")
        return done.stdout

    def write_file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        return path

    # The server's side.

    def append(self, subject, mailbox="INBOX", flags="", body=b"Hello.\r\n"):
        content = message(subject, body)
        readers.check(self.imap.append(mailbox, flags, None, content))
        return content

    def subjects(self, mailbox="INBOX"):
        """{subject: flags} of a mailbox, read afresh."""
        readers.check(self.imap.select(mailbox, readonly=True))
        found = {}
        if readers.status(self.imap, mailbox)["MESSAGES"] == 0:
            return found
        for part in readers.check(
                self.imap.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")):
            if not isinstance(part, tuple):
                continue
            flags = re.search(rb"FLAGS \(([^)]*)\)", part[0])[1].split()
            subject = re.search(rb"(?i)subject: ([^\r]*)", part[1])[1].decode()
            self.assertNotIn(subject, found, f"{subject} is there twice")
            found[subject] = {flag.decode() for flag in flags} - {r"\Recent"}
        return found

    def mailboxes(self):
        names = [line.rpartition(b' "/" ')[2].decode().strip('"')
                 for line in readers.check(self.imap.list())]
        return sorted(names)

    def store(self, subject, command, flags, mailbox="INBOX"):
        readers.check(self.imap.select(mailbox))
        uid = readers.check(self.imap.uid("SEARCH", "SUBJECT", f'"{subject}"'))[0].decode()
        readers.check(self.imap.uid("STORE", uid, command, flags))

    def remove(self, subject, mailbox="INBOX"):
        self.store(subject, "+FLAGS", r"(\Deleted)", mailbox)
        readers.check(self.imap.expunge())


def checked(what):
    say(f"checked: {what}")
