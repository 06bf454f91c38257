"""rmail hands its users' mail to Postfix, which is its smarthost."""

import email.policy
import smtplib
import ssl
import unittest

from tests.e2e.deployment import make_certificate
from tests.e2e.processes import HOST, free_port
from tests.interop.interop_case import PASSWORD, USER, checked
from tests.interop.postfix import UNUSABLE, Postfix
from tests.interop.smtp_case import (STRANGER, SmtpInteropTestCase, delivery_status, eight_bit_letter,
                                     eventually, letter, parse, without_trace)

LIMIT = 60
UTF8 = email.policy.SMTPUTF8
CAROL, LATER = "carol@remote.test", "later@remote.test"


@unittest.skipIf(UNUSABLE, UNUSABLE)
class RmailToPostfixTestCase(SmtpInteropTestCase):

    def configure(self, config):
        self.postfix_port = free_port()
        config["relay"] = {"smarthost": HOST, "smarthost_port": self.postfix_port}
        config["smtp"]["port"] = free_port()

    def start_postfix(self, **settings):
        back = f"smtp:[{HOST}]:{self.server.port('smtp')}"
        settings["transport_maps"] = f"inline:{{ {{example.com = {back}}} }}"
        addresses = [STRANGER, CAROL, LATER, "zoë@remote.test"]
        return self.add_server(Postfix(settings, addresses, self.postfix_port)).start()

    def tls_settings(self, name):
        """For a Postfix that wants TLS, with a self-signed certificate for that name."""
        certificate, key = make_certificate(self.folder, name, names=f"DNS:{name}")
        return {"smtpd_tls_security_level": "encrypt", "smtpd_tls_cert_file": certificate,
                "smtpd_tls_key_file": key, "smtpd_tls_received_header": "yes"}

    def submit(self, content, recipients, options=(), recipient_options=()):
        """From a user's program to rmail."""
        context = ssl.create_default_context(cafile=self.certificate)
        with smtplib.SMTP_SSL("localhost", self.server.port("smtps"), context=context, timeout=LIMIT,
                              local_hostname="client.example.com") as client:
            client.login(USER, PASSWORD)
            self.assertEqual(client.sendmail(USER, recipients, content, options, recipient_options), {})

    def wait_for_deferral(self):
        """The one recipient in the queue that waits, as the queue tells of it, once it was tried."""
        def tried():
            waiting = [recipient for message in self.queue() for recipient in message["recipients"]
                       if recipient["state"] == "waiting" and recipient["attempts"] > 0]
            return waiting
        recipient, = eventually(tried, "nothing is deferred")
        return recipient

    def retry_until(self, condition):
        """Retries what is deferred by hand."""
        eventually(lambda: self.server.rmail("queue", "retry", "--all") and condition(),
                   "nothing after a retry")


class DeliveryTest(RmailToPostfixTestCase):

    def test_delivery(self):
        postfix = self.start_postfix()
        content = letter("one", sender=USER, recipient=STRANGER).as_bytes()
        self.submit(content, [STRANGER, CAROL, USER])
        for address in (STRANGER, CAROL):
            stored, = postfix.wait_for_messages(address)
            self.assertEqual(parse(stored)["Return-Path"], f"<{USER}>")
            self.assertIn("by mail.example.com with ESMTPSA", stored.decode())
            self.assertEqual(without_trace(stored), content)
        self.received("one")
        self.wait_for_empty_queue()
        for number in range(50):
            self.submit(letter(f"m{number}", sender=USER).as_bytes(), [STRANGER])
        postfix.wait_for_messages(STRANGER, 51)
        self.wait_for_empty_queue()
        checked("recipients there and here in one mail, byte for byte; 50 mails; the queue is empty then")

    def test_eight_bit(self):
        postfix = self.start_postfix()
        content = eight_bit_letter(USER, STRANGER)
        self.submit(content, [STRANGER], ["BODY=8BITMIME"])
        stored, = postfix.wait_for_messages(STRANGER)
        self.assertEqual(without_trace(stored), content)
        checked("8BITMIME")

    def test_utf8(self):
        postfix = self.start_postfix()
        self.submit(letter("Grüße", sender=USER, recipient="zoë@remote.test", policy=UTF8).as_bytes(),
                    ["zoë@remote.test"], ["SMTPUTF8", "BODY=8BITMIME"])
        stored, = postfix.wait_for_messages("zoë@remote.test")
        self.assertEqual(parse(stored)["Subject"], "Grüße")
        checked("SMTPUTF8")

    def test_large(self):
        postfix = self.start_postfix()
        content = letter("large", sender=USER, text=("z" * 70 + "\n") * 100000).as_bytes()
        self.submit(content, [STRANGER])
        stored, = postfix.wait_for_messages(STRANGER)
        self.assertEqual(without_trace(stored), content)
        checked(f"a mail of {len(content)} octets")

    def test_tls(self):
        postfix = self.start_postfix(**self.tls_settings("postfix.test"))
        self.submit(letter("tls", sender=USER).as_bytes(), [STRANGER])
        stored, = postfix.wait_for_messages(STRANGER)
        self.assertIn("using TLSv1.3", parse(stored).get_all("Received")[0])
        checked("a smarthost that wants STARTTLS; its certificate does not matter")

    def test_refused(self):
        postfix = self.start_postfix()
        self.submit(letter("x", sender=USER).as_bytes(), ["nobody@remote.test", STRANGER])
        report = self.wait_for_message("Undelivered mail")
        self.assertEqual(report["Return-Path"], "<>")
        status = delivery_status(report)
        self.assertIn("nobody@remote.test", status)
        self.assertNotIn(STRANGER, status)
        self.assertIn("Action: failed", status)
        self.assertIn("Status: 5.1.1", status)
        self.assertRegex(status, r"Diagnostic-Code: smtp; 550 5\.1\.1")
        self.assertIn(f"Remote-MTA: dns; {HOST}", status)
        postfix.wait_for_messages(STRANGER)
        self.wait_for_empty_queue()
        checked("an unknown user there: the sender is told, the other recipient has the mail")

    def test_deferred(self):
        table = f"inline:{{ {{{LATER} = 450 4.2.0 later}} }}"
        postfix = self.start_postfix(smtpd_recipient_restrictions=f"check_recipient_access {table} permit")
        self.submit(letter("later", sender=USER).as_bytes(), [LATER, STRANGER])
        postfix.wait_for_messages(STRANGER)
        recipient = self.wait_for_deferral()
        self.assertEqual((recipient["address"], recipient["last_server"]), (LATER, HOST))
        self.assertIn("450 4.2.0", recipient["last_reply"])
        self.assertEqual(postfix.messages(LATER), [])
        postfix.configure(smtpd_recipient_restrictions="permit")
        self.retry_until(lambda: postfix.messages(LATER))
        self.wait_for_empty_queue()
        self.assertEqual(len(postfix.messages(LATER)), 1)
        self.assertEqual(len(postfix.messages(STRANGER)), 1)
        checked("deferred there: the queue tells why; it arrives after `rmail queue retry`")

    def test_postfix_is_away(self):
        self.submit(letter("away", sender=USER).as_bytes(), [STRANGER])
        recipient = self.wait_for_deferral()
        self.assertEqual((recipient["address"], recipient["last_server"]), (STRANGER, ""))
        self.server.kill("serve")
        postfix = self.start_postfix()
        self.server.start("serve")
        self.retry_until(lambda: postfix.messages(STRANGER))
        self.assertEqual(len(postfix.messages(STRANGER)), 1)
        checked("no smarthost: the mail is kept over a restart")

    def test_notices(self):
        postfix = self.start_postfix()
        self.submit(letter("x", sender=USER).as_bytes(), [STRANGER], ["RET=HDRS", "ENVID=id+2B42"],
                    ["NOTIFY=SUCCESS", "ORCPT=rfc822;alias@elsewhere.test"])
        postfix.wait_for_messages(STRANGER)
        # From Postfix: it has taken over to tell.
        report = self.wait_for_message("Successful Mail Delivery Report")
        status = delivery_status(report)
        self.assertIn("Reporting-MTA: dns; postfix.test", status)
        self.assertIn("Original-Envelope-Id: id+42", status)
        self.assertIn("alias@elsewhere.test", status)
        self.assertIn("Action: delivered", status)
        self.assertNotIn("message/rfc822", [part.get_content_type() for part in report.walk()])
        self.assertEqual(len(self.messages()), 1)
        checked("DSN: Postfix sends the notice of success that the user asked for")


class VerifyTest(RmailToPostfixTestCase):

    def configure(self, config):
        super().configure(config)
        self.good = self.tls_settings("localhost")
        config["relay"].update(smarthost="localhost", tls="verify", ca_file=self.good["smtpd_tls_cert_file"])

    def test_verified(self):
        postfix = self.start_postfix(**self.good)
        self.submit(letter("good", sender=USER).as_bytes(), [STRANGER])
        stored, = postfix.wait_for_messages(STRANGER)
        self.assertIn("using TLSv1.3", parse(stored).get_all("Received")[0])
        checked("relay.tls verify, with the certificate that is expected")

    def test_another_certificate(self):
        postfix = self.start_postfix(**self.tls_settings("other.test"))
        self.submit(letter("bad", sender=USER).as_bytes(), [STRANGER])
        self.assertIn("4.7.5", self.wait_for_deferral()["last_reply"])
        self.assertEqual(postfix.messages(STRANGER), [])
        checked("relay.tls verify, with another: nothing is sent")


if __name__ == "__main__":
    unittest.main(verbosity=2)
