"""Mechanisms of SASL with other people's clients: gsasl (GNU SASL over GnuTLS) and imaplib."""

import imaplib
import smtplib
import subprocess
import unittest

from tests.e2e import readers
from tests.e2e.processes import HOST
from tests.e2e.rest import RestClient
from tests.e2e.senders import any_certificate
from tests.e2e.test_case import E2eTestCase

ALICE = "alice@example.com"
PASSWORD = "correct horse"
LIMIT = 60


class SaslClientsTest(E2eTestCase):

    def setUp(self):
        self.server = self.new_deployment()
        self.server.use_quick_certificate()
        self.server.config["login"] = {"scram": True}
        self.server.write_config()
        self.server.add_account(ALICE, PASSWORD)
        self.server.start("serve")

    def gsasl(self, protocol, mechanism, *options, password=PASSWORD):
        """Logs in over STARTTLS; whether it worked, and what was said."""
        port = self.server.port({"imap": "imap", "smtp": "submission"}[protocol])
        done = subprocess.run(
            ["gsasl", f"--{protocol}", f"--connect={HOST}:{port}", "--x509-ca-file=",
             f"--mechanism={mechanism}", f"--authentication-id={ALICE}", f"--password={password}",
             "--verbose", *options],
            input="", capture_output=True, text=True, timeout=LIMIT, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    def check_gsasl(self, protocol, mechanism, *options):
        worked, said = self.gsasl(protocol, mechanism, *options)
        self.assertTrue(worked, said)
        worked, said = self.gsasl(protocol, mechanism, *options, password="wrong")
        self.assertFalse(worked, said)
        self.assertRegex(said, "AUTHENTICATIONFAILED|535 5.7.8")

    def test_imap(self):
        self.check_gsasl("imap", "SCRAM-SHA-256-PLUS")
        self.check_gsasl("imap", "SCRAM-SHA-256", "--no-cb")
        self.check_gsasl("imap", "PLAIN")
        self.check_gsasl("imap", "LOGIN")

    def test_smtp(self):
        self.check_gsasl("smtp", "SCRAM-SHA-256-PLUS")
        self.check_gsasl("smtp", "SCRAM-SHA-256", "--no-cb")
        self.check_gsasl("smtp", "LOGIN")

    def test_a_token_of_the_rest_login(self):
        token = RestClient(self.server.port("https")).log_in(ALICE, PASSWORD).token
        bearer = f"n,a={ALICE},\1host={HOST}\1port=993\1auth=Bearer {token}\1\1"
        with imaplib.IMAP4_SSL(HOST, self.server.port("imaps"), timeout=LIMIT,
                               ssl_context=any_certificate()) as client:
            client.authenticate("OAUTHBEARER", lambda _: bearer.encode())
            readers.check(client.select("INBOX"))
        xoauth2 = f"user={ALICE}\1auth=Bearer {token}\1\1"
        with smtplib.SMTP(HOST, self.server.port("submission"), timeout=LIMIT) as client:
            client.starttls(context=any_certificate())
            client.ehlo()
            self.assertEqual(client.auth("XOAUTH2", lambda *_: xoauth2)[0], 235)


if __name__ == "__main__":
    unittest.main(verbosity=2)
