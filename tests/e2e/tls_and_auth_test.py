"""The certificate, what is refused without TLS, and who may come in."""

import base64
import datetime
import imaplib
import os
import smtplib
import ssl
import subprocess
import unittest

from tests.e2e import readers
from tests.e2e.deployment import HOSTNAME
from tests.e2e.processes import HOST
from tests.e2e.raw_smtp import RawSmtp
from tests.e2e.rest import RestClient, status_of
from tests.e2e.senders import any_certificate
from tests.e2e.test_case import E2eTestCase

ALICE = "alice@example.com"
PASSWORD = "correct horse"
PLAIN = base64.b64encode(f"\0{ALICE}\0{PASSWORD}".encode()).decode()
LIMIT = 30


def names(capabilities):
    """Of an EHLO's lines."""
    return {line.split()[0] for line in capabilities}


class ServedTestCase(E2eTestCase):
    """`rmail serve` with one account."""

    quick_certificate = True

    def setUp(self):
        self.server = self.new_deployment()
        if self.quick_certificate:
            self.server.use_quick_certificate()
        self.server.write_config()
        self.server.add_account(ALICE, PASSWORD)
        self.server.start("serve")

    def submit(self, user, password):
        """Logs in at the submission port."""
        with smtplib.SMTP(HOST, self.server.port("submission"), timeout=LIMIT) as client:
            client.starttls(context=any_certificate())
            client.login(user, password)

    def log_in_with_imap(self, user, password):
        readers.connect(self.server.port("imaps"), user, password).logout()

    def log_in_with_rest(self, user, password):
        RestClient(self.server.port("https")).log_in(user, password).get("/folders")

    def check_login(self, user, password):
        self.submit(user, password)
        self.log_in_with_imap(user, password)
        self.log_in_with_rest(user, password)

    def check_no_login(self, user, password, smtp, imap, rest):
        """`smtp` code, `imap` response code, `rest` status."""
        with self.assertRaises(smtplib.SMTPAuthenticationError) as refused:
            self.submit(user, password)
        self.assertEqual(refused.exception.smtp_code, smtp)
        with self.assertRaisesRegex(imaplib.IMAP4.error, imap):
            self.log_in_with_imap(user, password)
        self.assertEqual(status_of(lambda: self.log_in_with_rest(user, password)), rest)


class CertificateTest(ServedTestCase):

    quick_certificate = False

    def test_made_once(self):
        cert = os.path.join(self.server.mail_root, "tls/cert.pem")
        key = os.path.join(self.server.mail_root, "tls/key.pem")
        self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)
        text = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-text"], check=True,
                              capture_output=True, text=True, timeout=LIMIT).stdout
        self.assertIn("Public Key Algorithm: rsaEncryption", text)
        self.assertIn("Public-Key: (4096 bit)", text)
        dates = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-startdate", "-enddate",
                                "-dateopt", "iso_8601"], check=True, capture_output=True, text=True,
                               timeout=LIMIT).stdout
        start, end = (datetime.datetime.fromisoformat(line.partition("=")[2].rstrip("Z"))
                      for line in dates.splitlines())
        self.assertAlmostEqual((end - start).days, 3652, delta=3)

        with open(cert, encoding="ascii") as file:
            before = file.read()
        self.check_served_everywhere(before)
        self.check_clients_can_verify(cert)
        self.assertEqual(self.server.processes["serve"].terminate(), 0)
        self.server.start("serve")
        with open(cert, encoding="ascii") as file:
            self.assertEqual(file.read(), before)
        self.check_served_everywhere(before)

    def check_served_everywhere(self, pem):
        for listener in ("smtps", "imaps", "https"):
            served = ssl.get_server_certificate((HOST, self.server.port(listener)), timeout=LIMIT)
            self.assertEqual(served.split(), pem.split(), listener)

    def check_clients_can_verify(self, cert):
        for listener in ("smtps", "imaps", "https"):
            port = self.server.port(listener)
            done = subprocess.run(
                ["curl", "-sS", "--cacert", cert, "--resolve", f"{HOSTNAME}:{port}:{HOST}",
                 "--user", f"{ALICE}:{PASSWORD}", f"{listener}://{HOSTNAME}:{port}/"],
                capture_output=True, text=True, timeout=LIMIT, check=False)
            self.assertEqual(done.returncode, 0, f"{listener}: {done.stderr}")


class CleartextTest(ServedTestCase):

    def test_smtp(self):
        for listener, auth in (("smtp", 502), ("submission", 538)):
            with self.subTest(listener), RawSmtp(self.server.port(listener)) as smtp:
                self.assertIn("STARTTLS", names(smtp.capabilities))
                self.assertNotIn("AUTH", names(smtp.capabilities))
                smtp.command(f"AUTH PLAIN {PLAIN}", auth)
                smtp.command("AUTH LOGIN", auth)
        with RawSmtp(self.server.port("submission")) as smtp:
            smtp.command(f"MAIL FROM:<{ALICE}>", 530)

    def test_smtp_after_starttls(self):
        with smtplib.SMTP(HOST, self.server.port("submission"), timeout=LIMIT) as client:
            client.starttls(context=any_certificate())
            client.ehlo()
            self.assertLessEqual({"OAUTHBEARER", "PLAIN", "LOGIN"},
                                 set(client.esmtp_features["auth"].split()))
            self.assertNotIn("starttls", client.esmtp_features)
            client.user, client.password = ALICE, PASSWORD
            self.assertEqual(client.auth("LOGIN", client.auth_login)[0], 235)
        self.submit(ALICE, PASSWORD)

    def test_imap(self):
        with imaplib.IMAP4(HOST, self.server.port("imap"), timeout=LIMIT) as client:
            self.assertIn("LOGINDISABLED", client.capabilities)
            self.assertIn("STARTTLS", client.capabilities)
            self.assertNotIn("AUTH=PLAIN", client.capabilities)
            with self.assertRaisesRegex(imaplib.IMAP4.error, "PRIVACYREQUIRED"):
                client.login(ALICE, PASSWORD)
            with self.assertRaisesRegex(imaplib.IMAP4.error, "PRIVACYREQUIRED"):
                client.authenticate("PLAIN", lambda _: PLAIN.encode())
            client.starttls(any_certificate())
            self.assertIn("AUTH=PLAIN", client.capabilities)
            self.assertNotIn("LOGINDISABLED", client.capabilities)
            client.authenticate("PLAIN", lambda _: f"\0{ALICE}\0{PASSWORD}".encode())
            readers.check(client.select("INBOX"))

    def test_rest(self):
        clear = RestClient(self.server.port("http"), "http")
        self.assertEqual(status_of(lambda: clear.log_in(ALICE, PASSWORD)), 403)
        clear.token = RestClient(self.server.port("https")).log_in(ALICE, PASSWORD).token
        self.assertEqual(status_of(lambda: clear.get("/folders")), 403)


class AccountsTest(ServedTestCase):

    def test_wrong_password(self):
        self.check_login(ALICE, PASSWORD)
        wrong = (535, "AUTHENTICATIONFAILED", 401)
        self.check_no_login(ALICE, "wrong", *wrong)
        self.check_no_login("nobody@example.com", PASSWORD, *wrong)
        self.check_login(ALICE, PASSWORD)

    def test_disabled_account(self):
        self.check_login(ALICE, PASSWORD)
        self.server.rmail("user", "disable", ALICE)
        self.assertIn("disabled", self.server.rmail("user", "list").stdout)
        self.check_no_login(ALICE, PASSWORD, 525, "AUTHORIZATIONFAILED", 403)
        with RawSmtp(self.server.port("smtp")) as smtp:
            smtp.command("MAIL FROM:<sender@example.net>", 250)
            smtp.command(f"RCPT TO:<{ALICE}>", 550)
        self.server.rmail("user", "enable", ALICE)
        self.assertNotIn("disabled", self.server.rmail("user", "list").stdout)
        self.check_login(ALICE, PASSWORD)

    def test_no_relay(self):
        with RawSmtp(self.server.port("smtp")) as smtp:
            smtp.command("MAIL FROM:<sender@example.net>", 250)
            self.assertRegex(smtp.command("RCPT TO:<somebody@example.org>", 550), r"^5\.7\.1 ")
            self.assertRegex(smtp.command("RCPT TO:<nobody@example.com>", 550), r"^5\.1\.1 ")
            smtp.command("RCPT TO:<somebody%example.org@example.com>", 550)
            smtp.command("DATA", 554)

    def test_user_commands(self):
        rmail = self.server.rmail
        self.server.add_account("bob@example.com", "first", "--admin", "--quota-mb", "5")
        lines = rmail("user", "list").stdout.splitlines()
        self.assertEqual([line.split("\t")[0] for line in lines], [ALICE, "bob@example.com"])
        self.assertEqual(lines[1].split("\t")[1:], ["5 MiB", "admin"])
        self.check_login("bob@example.com", "first")

        again = rmail("user", "add", "bob@example.com", "--password-stdin", stdin="x\n", check=False)
        self.assertEqual(again.returncode, 1)
        rmail("user", "passwd", "bob@example.com", "--password-stdin", stdin="second\n")
        self.check_login("bob@example.com", "second")
        self.check_no_login("bob@example.com", "first", 535, "AUTHENTICATIONFAILED", 401)

        rmail("user", "delete", "bob@example.com")
        self.assertEqual(rmail("user", "list").stdout.splitlines(), lines[:1])
        self.check_no_login("bob@example.com", "second", 535, "AUTHENTICATIONFAILED", 401)
        gone = rmail("user", "delete", "bob@example.com", check=False)
        self.assertEqual(gone.returncode, 1)
        self.assertNotEqual(gone.stderr, "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
