"""msmtp: the sendmail program of many scripts and of mutt."""

import unittest

from tests.interop.interop_case import PASSWORD, USER, checked
from tests.interop.smtp_case import STRANGER, SmtpInteropTestCase, letter, without_trace

CONFIG = """
defaults
host localhost
domain client.remote.test
tls_trust_file {certificate}
syslog off

account submission
port {submission}
tls on
auth plain
from {user}
user {user}
password "{password}"

account smtps : submission
port {smtps}
tls_starttls off
auth on

account scram : smtps
auth scram-sha-256

account wrong : smtps
password wrong

account server
port {smtp}
from {stranger}
"""

# sysexits.h.
REFUSED, NO_PERMISSION = (65, 69), 77


class MsmtpTest(SmtpInteropTestCase):

    def configure(self, config):
        config["login"] = {"scram": True}

    def setUp(self):
        super().setUp()
        ports = {name: self.server.port(name) for name in ("smtp", "submission", "smtps")}
        self.config_file = self.write_file("msmtprc", CONFIG.format(
            certificate=self.certificate, user=USER, password=PASSWORD, stranger=STRANGER, **ports))

    def msmtp(self, account, *options, content=b""):
        return self.try_client(["msmtp", "-C", self.config_file, "-a", account, *options],
                               input=content.replace(b"\r\n", b"\n"))

    def accept(self, account, *options, content):
        done = self.msmtp(account, *options, content=content)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_ways_in(self):
        self.accept("server", USER, content=letter("server").as_bytes())
        for account in ("submission", "smtps", "scram"):
            content = letter(account, sender=USER).as_bytes()
            self.accept(account, USER, content=content)
            self.assertEqual(self.received(account)["Return-Path"], f"<{USER}>")
            self.assertIn(content, map(without_trace, self.messages()))
        self.received("server")
        checked("port 25, 587 with STARTTLS, 465; AUTH PLAIN, SCRAM-SHA-256, and what msmtp chooses")

    def test_recipients_of_the_header(self):
        eve = self.add_reader("eve@example.com")
        message = letter("header", sender=USER)
        message["Bcc"] = "eve@example.com"
        self.accept("submission", "-t", content=message.as_bytes())
        for reader in (None, eve):
            self.assertIsNone(self.received("header", reader)["Bcc"])
        checked("recipients of To and Bcc")

    def test_notice(self):
        self.accept("submission", "--dsn-notify=success", "--dsn-return=hdrs", USER,
                    content=letter("notice", sender=USER).as_bytes())
        self.received("notice")
        self.wait_for_notice()
        checked("DSN: a notice of success")

    def test_server_info(self):
        said = self.run_client(["msmtp", "-C", self.config_file, "-a", "submission", "--serverinfo"]).decode()
        for feature in ("SIZE 52428800", "PIPELINING", "STARTTLS", "DSN", "PLAIN", "SCRAM-SHA-256"):
            self.assertIn(feature, said)
        checked("--serverinfo")

    def test_refusals(self):
        done = self.msmtp("wrong", USER, content=letter("x", sender=USER).as_bytes())
        self.assertEqual(done.returncode, NO_PERMISSION, done.stderr)
        self.assertIn(b"535", done.stderr)
        for account, recipient, code in (("server", "eve@other.test", b"550 5.7.1"),
                                         ("smtps", "nobody@example.com", b"550 5.1.1")):
            done = self.msmtp(account, recipient, content=letter("x", sender=USER).as_bytes())
            self.assertIn(done.returncode, REFUSED, done.stderr)
            self.assertIn(code, done.stderr)
        self.assertEqual(self.messages(), [])
        checked("a wrong password, relaying, an unknown user")


if __name__ == "__main__":
    unittest.main(verbosity=2)
