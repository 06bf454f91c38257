"""Programs that send a mail: curl, Python's smtplib, swaks. Each sends the bytes it is given as exactly as it can."""

import os
import smtplib
import ssl
import subprocess

from tests.e2e.processes import HOST

# One mail; 40 MB on a busy machine.
SEND_LIMIT = 60


class Route:
    """A way in: a listener and how to talk to it."""

    def __init__(self, listener, starttls=False, tls=False, login=None):
        self.listener = listener
        self.starttls = starttls
        self.tls = tls
        # (user, password) or None.
        self.login = login


def any_certificate():
    """For connections to a server whose certificate is self-signed."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def run(command, **options):
    done = subprocess.run(command, capture_output=True, timeout=SEND_LIMIT, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n"
                           f"{done.stdout[-2000:]!r}\n{done.stderr[-2000:]!r}")
    return done.stdout


class CurlSender:
    name = "curl"

    def __init__(self, folder):
        self._file = os.path.join(folder, "curl.eml")

    def send(self, port, route, sender, recipient, content):
        with open(self._file, "wb") as file:
            file.write(content)
        command = ["curl", "-sS", "-k", "--mail-from", sender, "--mail-rcpt", recipient,
                   "-T", self._file, f"{'smtps' if route.tls else 'smtp'}://{HOST}:{port}"]
        if route.starttls:
            command += ["--ssl-reqd"]
        if route.login:
            command += ["--user", ":".join(route.login)]
        run(command)

    def as_sent(self, content):
        """What goes over the wire for `content`: the end of the last line is added where it is missing."""
        return content if content.endswith(b"\r\n") else content + b"\r\n"


class SmtplibSender:
    name = "smtplib"

    def __init__(self, folder):
        pass

    def send(self, port, route, sender, recipient, content):
        if route.tls:
            client = smtplib.SMTP_SSL(HOST, port, context=any_certificate(), timeout=SEND_LIMIT)
        else:
            client = smtplib.SMTP(HOST, port, timeout=SEND_LIMIT)
        with client:
            if route.starttls:
                client.starttls(context=any_certificate())
            if route.login:
                client.login(*route.login)
            client.sendmail(sender, [recipient], content, mail_options=["BODY=8BITMIME"])

    def as_sent(self, content):
        return content if content.endswith(b"\r\n") else content + b"\r\n"


class SwaksSender:
    name = "swaks"

    def __init__(self, folder):
        self._file = os.path.join(folder, "swaks.eml")

    def send(self, port, route, sender, recipient, content):
        with open(self._file, "wb") as file:
            file.write(content)
        command = ["swaks", "--server", HOST, "--port", str(port), "--from", sender,
                   "--to", recipient, "--data", "@" + self._file, "--hide-all", "--suppress-data"]
        if route.starttls:
            command += ["--tls"]
        if route.tls:
            command += ["--tls-on-connect"]
        if route.login:
            command += ["--auth", "PLAIN", "--auth-user", route.login[0],
                        "--auth-password", route.login[1]]
        run(command)

    def as_sent(self, content):
        """swaks ends the last line also when it has an end, and takes a last line of "." for the end of data."""
        return content.removesuffix(b"\r\n.\r\n") + b"\r\n"


SENDERS = (CurlSender, SmtplibSender, SwaksSender)
