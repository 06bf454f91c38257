"""smtp-source (of Postfix): many sessions at once."""

import unittest

from tests.e2e import readers
from tests.e2e.processes import HOST
from tests.interop.interop_case import USER, checked
from tests.interop.postfix import NOT_INSTALLED, program
from tests.interop.smtp_case import STRANGER, SmtpInteropTestCase

SENDER = ["-f", STRANGER, "-M", "client.remote.test", "-S", "load"]


@unittest.skipIf(NOT_INSTALLED, NOT_INSTALLED)
class SmtpSourceTest(SmtpInteropTestCase):

    def configure(self, config):
        config["smtp"].update(max_connections_per_address=100, lmtp_port=0)

    def source(self, listener, *options):
        self.run_client([program("smtp-source"), *SENDER, *options, f"{HOST}:{self.server.port(listener)}"])

    def count(self, reader=None):
        return readers.status(reader or self.imap)["MESSAGES"]

    def test_sessions(self):
        self.source("smtp", "-s", "16", "-m", "300", "-d", "-l", "4096", "-t", USER)
        self.assertEqual(self.count(), 300)
        self.source("smtp", "-s", "40", "-m", "100", "-t", USER)
        self.assertEqual(self.count(), 400)
        checked("300 mails over 16 connections, 100 over a connection each")

    def test_recipients(self):
        # It numbers all but the first.
        readers_of_all = [self.imap] + [self.add_reader(f"{number}{USER}") for number in range(2, 6)]
        self.source("smtp", "-s", "4", "-m", "20", "-d", "-r", "5", "-t", USER)
        self.assertEqual([self.count(reader) for reader in readers_of_all], [20] * 5)
        checked("20 mails to five recipients each")
        self.source("lmtp", "-L", "-s", "4", "-m", "20", "-d", "-r", "5", "-t", USER)
        self.assertEqual([self.count(reader) for reader in readers_of_all], [40] * 5)
        checked("the same over LMTP")


if __name__ == "__main__":
    unittest.main(verbosity=2)
