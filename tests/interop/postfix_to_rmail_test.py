"""Postfix hands its mail on to rmail: what arrives, what comes back."""

import smtplib
import unittest

from tests.e2e.processes import HOST, free_port
from tests.interop.interop_case import PASSWORD, USER, checked
from tests.interop.postfix import UNUSABLE, Postfix
from tests.interop.smtp_case import (STRANGER, SmtpInteropTestCase, delivery_status, eight_bit_letter,
                                     eventually, letter, parse, without_trace)

LIMIT = 60


@unittest.skipIf(UNUSABLE, UNUSABLE)
class PostfixToRmailTest(SmtpInteropTestCase):

    def configure(self, config):
        # Notices go back this way.
        self.postfix_port = free_port()
        config["relay"] = {"smarthost": HOST, "smarthost_port": self.postfix_port}
        # The same after it was started again.
        config["smtp"].update(port=free_port(), lmtp_port=0, max_message_size=1 << 20)

    def start_postfix(self, transport="smtp", listener="smtp", **settings):
        nexthop = f"{transport}:[{HOST}]:{self.server.port(listener)}"
        settings["transport_maps"] = f"inline:{{ {{example.com = {nexthop}}} }}"
        return self.add_server(Postfix(settings, [STRANGER], self.postfix_port)).start()

    def send(self, postfix, content, recipients=(USER,), options=(), recipient_options=()):
        """From the test to Postfix."""
        with smtplib.SMTP(HOST, postfix.port, timeout=LIMIT, local_hostname="client.remote.test") as client:
            refused = client.sendmail(STRANGER, list(recipients), content, options, recipient_options)
            self.assertEqual(refused, {})

    def bounce(self, postfix):
        """What the notice that came back to the sender says, RFC 3464."""
        return delivery_status(parse(postfix.wait_for_messages(STRANGER)[0]))

    def test_delivery(self):
        postfix = self.start_postfix()
        eve = self.add_reader("eve@example.com")
        content = letter("one").as_bytes()
        self.send(postfix, content, [USER, "eve@example.com"])
        for reader in (self.imap, eve):
            message = self.wait_for_message("one", reader)
            self.assertIn("from postfix.test", message.get_all("Received")[0])
            self.assertEqual(message["Return-Path"], f"<{STRANGER}>")
            stored, = self.messages(reader)
            self.assertEqual(without_trace(stored), content)
        postfix.wait_for_log(r"status=sent \(250 2\.0\.0", count=2)
        checked("one mail for two recipients, byte for byte")

        for number in range(50):
            self.send(postfix, letter(f"m{number}").as_bytes())
        eventually(lambda: len(self.subjects()) == 51, "not all arrive")
        eventually(lambda: postfix.queue() == 0, "something is left in Postfix's queue")
        checked("50 mails; Postfix's queue is empty then")

    def test_eight_bit(self):
        postfix = self.start_postfix()
        content = eight_bit_letter()
        self.send(postfix, content, options=["BODY=8BITMIME"])
        self.wait_for_message("eight")
        stored, = self.messages()
        self.assertEqual(without_trace(stored), content)
        checked("8BITMIME: Postfix sends octets above 127 as they are")

    def test_utf8(self):
        reader = self.add_reader("jörg@example.com")
        postfix = self.start_postfix()
        message = letter("Grüße", sender="zoë@remote.test", recipient="jörg@example.com")
        with smtplib.SMTP(HOST, postfix.port, timeout=LIMIT) as client:
            client.send_message(message)
        received = self.wait_for_message("Grüße", reader)
        self.assertEqual(received["Return-Path"], "<zoë@remote.test>")
        checked("SMTPUTF8")

    def test_tls(self):
        postfix = self.start_postfix(smtp_tls_security_level="verify", smtp_tls_CAfile=self.certificate,
                                     smtp_tls_verify_cert_match="localhost", smtp_tls_loglevel="1")
        self.send(postfix, letter("tls").as_bytes())
        self.assertRegex(self.wait_for_message("tls").get_all("Received")[0], r"with ESMTPS\s")
        postfix.wait_for_log("Verified TLS connection")
        checked("STARTTLS with a certificate that Postfix verifies")

    def test_unknown_user(self):
        postfix = self.start_postfix()
        self.send(postfix, letter("x").as_bytes(), ["nobody@example.com", USER])
        status = self.bounce(postfix)
        self.assertIn("nobody@example.com", status)
        self.assertNotIn(USER, status)
        self.assertIn("Action: failed", status)
        self.assertIn("Status: 5.1.1", status)
        self.assertRegex(status, r"Diagnostic-Code: smtp; 550 5\.1\.1")
        self.wait_for_message("x")
        checked("an unknown user: 550 5.1.1, and Postfix tells the sender; the other recipient has the mail")

    def test_over_quota(self):
        self.server.add_account("full@example.com", PASSWORD, "--quota-mb", "1")
        postfix = self.start_postfix()
        content = letter("x", text=("x" * 70 + "\n") * 10000).as_bytes()
        self.send(postfix, content, ["full@example.com"])
        postfix.wait_for_log("status=sent")
        self.send(postfix, content, ["full@example.com"])
        self.assertIn("Status: 5.2.2", self.bounce(postfix))
        checked("a full mailbox: 552 5.2.2")

    def test_lmtp(self):
        postfix = self.start_postfix("lmtp", "lmtp")
        self.server.add_account("full@example.com", PASSWORD, "--quota-mb", "1")
        eve = self.add_reader("eve@example.com")
        filler = letter("filler", text=("x" * 70 + "\n") * 10000).as_bytes()
        self.send(postfix, filler, ["full@example.com"])
        postfix.wait_for_log(r"to=<full@example\.com>.*status=sent")
        content = letter("lmtp", text=("y" * 70 + "\n") * 10000).as_bytes()
        self.send(postfix, content, [USER, "full@example.com", "nobody@example.com", "eve@example.com"])
        status = self.bounce(postfix)
        self.assertIn("Status: 5.2.2", status)
        self.assertIn("Status: 5.1.1", status)
        self.assertEqual(status.count("Final-Recipient:"), 2)
        for reader in (self.imap, eve):
            message = self.wait_for_message("lmtp", reader)
            self.assertEqual(message["Return-Path"], f"<{STRANGER}>")
            self.assertRegex(message.get_all("Received")[0], r"with LMTP\s")
        checked("LMTP: each recipient has an answer of its own after the message")

    def test_notices(self):
        postfix = self.start_postfix()
        self.send(postfix, letter("notices").as_bytes(), options=["RET=HDRS", "ENVID=id+2B42"],
                  recipient_options=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;alias@elsewhere.test"])
        self.wait_for_message("notices")
        notice = parse(postfix.wait_for_messages(STRANGER)[0])
        status = delivery_status(notice)
        self.assertIn("Reporting-MTA: dns; mail.example.com", status)
        self.assertIn("Original-Envelope-Id: id+42", status)
        self.assertRegex(status, r"Original-Recipient: rfc822; ?alias@elsewhere\.test")
        self.assertIn("Action: delivered", status)
        self.assertEqual(notice["Return-Path"], "<>")
        self.assertNotIn("message/rfc822", [part.get_content_type() for part in notice.walk()])
        checked("DSN: what Postfix passes on comes back in rmail's notice of success")

    def test_too_big(self):
        postfix = self.start_postfix()
        self.send(postfix, letter("x", text=("x" * 70 + "\n") * 20000).as_bytes())
        self.assertIn("Status: 5.3.4", self.bounce(postfix))
        checked("Postfix knows from SIZE that the message is too big")

    def test_rmail_is_away(self):
        postfix = self.start_postfix()
        self.server.kill("serve")
        self.send(postfix, letter("later").as_bytes())
        postfix.wait_for_log("status=deferred")
        self.assertEqual(postfix.queue(), 1)
        self.server.start("serve")
        postfix.wait_for_log("status=sent")
        self.assertEqual(postfix.queue(), 0)
        self.connect_reader()
        self.received("later")
        checked("rmail is away: Postfix keeps the mail until it is back")


if __name__ == "__main__":
    unittest.main(verbosity=2)
