"""swaks: each way in and each refusal, as an administrator tries them."""

import unittest

from tests.interop.interop_case import PASSWORD, USER, checked
from tests.interop.smtp_case import STRANGER, SmtpInteropTestCase, without_trace

# swaks' exit codes.
MAIL_REFUSED, RCPT_REFUSED, MESSAGE_REFUSED, AUTH_REFUSED = 23, 24, 26, 28


class SwaksTest(SmtpInteropTestCase):

    def configure(self, config):
        config["smtp"].update(max_message_size=1 << 20, lmtp_port=0)

    def swaks(self, listener, *options, sender=STRANGER, recipient=USER, code=0):
        """The conversation."""
        done = self.try_client(
            ["swaks", "--server", "localhost", "--port", str(self.server.port(listener)), "--from", sender,
             "--to", recipient, "--helo", "client.remote.test", *options])
        said = (done.stdout + done.stderr).decode()
        self.assertEqual(done.returncode, code, said)
        return said

    def send(self, listener, subject, *options, **more):
        return self.swaks(listener, "--header", f"Subject: {subject}", *options, **more)

    def submit(self, listener, subject, *options, **more):
        return self.send(listener, subject, "--auth-user", USER, "--auth-password", PASSWORD, *options,
                         **{"sender": USER, **more})

    def verified(self):
        """Options that make swaks look at the certificate."""
        return ["--tls-verify", "--tls-ca-path", self.certificate]

    def test_ways_in(self):
        self.send("smtp", "clear")
        self.assertIn("TLS started", self.send("smtp", "starttls", "--tls", *self.verified()))
        self.submit("submission", "submission", "--tls", "--auth", "PLAIN", *self.verified())
        self.submit("submission", "login", "--tls", "--auth", "LOGIN")
        self.submit("smtps", "smtps", "--tls-on-connect", "--auth", "PLAIN", *self.verified())
        self.assertEqual(sorted(self.subjects()), ["clear", "login", "smtps", "starttls", "submission"])
        self.assertRegex(self.received("clear")["Received"], r"with ESMTP\s")
        self.assertRegex(self.received("starttls")["Received"], r"with ESMTPS\s")
        self.assertRegex(self.received("submission")["Received"], r"with ESMTPSA\s")
        self.assertEqual(self.received("clear")["Return-Path"], f"<{STRANGER}>")
        checked("port 25 in clear and with STARTTLS, 587 with AUTH PLAIN and LOGIN, 465")

    def test_old_and_pipelined(self):
        said = self.send("smtp", "helo", "--protocol", "SMTP")
        self.assertIn("HELO client.remote.test", said)
        self.assertRegex(self.received("helo")["Received"], r"with SMTP\s")
        said = self.send("smtp", "group", "--pipeline", recipient=f"nobody@example.com,{USER}")
        self.assertIn("550 5.1.1", said)
        self.received("group")
        said = self.send("smtp", "none", "--pipeline", recipient="nobody@example.com", code=RCPT_REFUSED)
        self.assertIn("554 5.5.1", said)
        checked("HELO; MAIL, RCPT and DATA in one go, also with recipients that are refused")

    def test_lmtp(self):
        self.send("lmtp", "local", "--protocol", "LMTP")
        self.assertRegex(self.received("local")["Received"], r"with LMTP\s")
        self.swaks("lmtp", "--protocol", "LMTP", recipient="nobody@example.com", code=RCPT_REFUSED)
        self.swaks("lmtp", "--protocol", "LMTP", recipient="eve@other.test", code=RCPT_REFUSED)
        checked("LMTP, for local users only")

    def test_refusals(self):
        self.assertIn("550 5.7.1", self.swaks("smtp", recipient="eve@other.test", code=RCPT_REFUSED))
        self.assertIn("550 5.1.1", self.swaks("smtp", recipient="nobody@example.com", code=RCPT_REFUSED))
        self.assertIn("530 5.7.0", self.swaks("submission", code=MAIL_REFUSED))
        self.assertIn("530 5.7.0", self.swaks("submission", "--tls", code=MAIL_REFUSED))
        said = self.swaks("submission", "--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD,
                          code=AUTH_REFUSED)
        self.assertNotIn("250-AUTH", said)
        said = self.swaks("submission", "--tls", "--auth", "PLAIN", "--auth-user", USER, "--auth-password",
                          "wrong", code=AUTH_REFUSED)
        self.assertIn("535 5.7.8", said)
        said = self.submit("smtps", "x", "--tls-on-connect", sender="eve@example.com", code=MAIL_REFUSED)
        self.assertIn("553 5.7.1", said)
        self.assertEqual(self.messages(), [])
        checked("relaying, unknown users, no or a wrong login, another's address")

    def test_too_big(self):
        big = self.write_file("big.txt", ("x" * 70 + "\n") * 20000)
        said = self.swaks("smtp", "--body", "@" + big, code=MESSAGE_REFUSED)
        self.assertIn("552 5.3.4", said)
        self.assertEqual(self.messages(), [])
        checked("a message that is too big")

    def test_bytes(self):
        content = ("From: <bob@remote.test>\r\nSubject: bytes\r\nContent-Type: text/plain; charset=utf-8\r\n"
                   "Content-Transfer-Encoding: 8bit\r\n\r\n.\r\n..\r\nGrüße\r\n" + "x" * 990 + "\r\n")
        # swaks ends the last line by itself.
        self.swaks("smtp", "--data", "@" + self.write_file("bytes.eml", content.removesuffix("\r\n")))
        self.assertEqual([without_trace(message) for message in self.messages()], [content.encode()])
        checked("dots, octets above 127 and long lines arrive as they were sent")


if __name__ == "__main__":
    unittest.main(verbosity=2)
