"""Programs that read mail: curl and Python's imaplib, and imaplib's connections for everything else."""

import imaplib
import re
import subprocess
import time

from tests.e2e.processes import HOST
from tests.e2e.senders import any_certificate

READ_LIMIT = 60


# A gateway finds a store that was restarted within about a second.
RETURN_LIMIT = 15
RETRY_PAUSE = 0.05


def connect(port, user, password, mailbox="INBOX"):
    """An imaplib connection over TLS, logged in, with `mailbox` selected."""
    client = imaplib.IMAP4_SSL(HOST, port, ssl_context=any_certificate(), timeout=READ_LIMIT)
    try:
        client.login(user, password)
        check(client.select(mailbox))
    except BaseException:
        client.shutdown()
        raise
    return client


def connect_when_available(port, user, password, mailbox="INBOX"):
    """The same while the gateway may not yet have found its store again."""
    deadline = time.monotonic() + RETURN_LIMIT
    while True:
        try:
            return connect(port, user, password, mailbox)
        except (imaplib.IMAP4.error, RuntimeError) as error:
            if "[UNAVAILABLE]" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(RETRY_PAUSE)


def check(answer):
    """The data of imaplib's answer; an error unless it is OK."""
    kind, data = answer
    if kind != "OK":
        raise RuntimeError(f"{kind}: {data}")
    return data


def status(client, mailbox="INBOX"):
    """{"MESSAGES": 1, "UIDNEXT": 2, ...}"""
    text = check(client.status(mailbox, "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"))[0].decode()
    return {name: int(number) for name, number in re.findall(r"([A-Z]+) (\d+)", text)}


def read_with_imaplib(port, user, password, uid):
    client = connect(port, user, password)
    try:
        data = check(client.uid("FETCH", str(uid), "(BODY.PEEK[])"))
        return data[0][1]
    finally:
        client.logout()


def read_with_curl(port, user, password, uid):
    done = subprocess.run(
        ["curl", "-sS", "-k", "--user", f"{user}:{password}", f"imaps://{HOST}:{port}/INBOX;UID={uid}"],
        capture_output=True, timeout=READ_LIMIT, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"curl ended with {done.returncode}: {done.stderr!r}")
    return done.stdout


READERS = {"imaplib": read_with_imaplib, "curl": read_with_curl}


def message_ids(client):
    """UID to Message-ID of the selected mailbox."""
    found = {}
    for part in check(client.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")):
        if not isinstance(part, tuple):
            continue
        uid = int(re.search(rb"UID (\d+)", part[0])[1])
        message_id = re.search(rb"(?i)message-id:\s*<([^>]*)>", part[1])[1].decode()
        if uid in found:
            raise RuntimeError(f"UID {uid} was fetched twice")
        found[uid] = message_id
    return found


def metadata(client):
    """UID to (flags, internal date, size) of the selected mailbox."""
    found = {}
    for part in check(client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE RFC822.SIZE)")):
        if part is None:
            continue
        uid = int(re.search(rb"UID (\d+)", part)[1])
        flags = frozenset(re.search(rb"FLAGS \(([^)]*)\)", part)[1].split()) - {rb"\Recent"}
        date = re.search(rb'INTERNALDATE "([^"]*)"', part)[1]
        size = int(re.search(rb"RFC822.SIZE (\d+)", part)[1])
        found[uid] = (flags, date, size)
    return found


class Idle:
    """IDLE on an imaplib connection, as a context: `with Idle(client) as idle: idle.wait_for(b"EXISTS")`."""

    def __init__(self, client):
        self._client = client

    def start(self):
        """Without an end: for a server that is going to close the connection."""
        self._tag = self._client._new_tag()  # pylint: disable=protected-access
        self._client.send(self._tag + b" IDLE\r\n")
        self.wait_for(b"+ ")
        return self

    def __enter__(self):
        return self.start()

    def wait_for(self, text, limit=READ_LIMIT):
        """The next line that contains `text`."""
        self._client.sock.settimeout(limit)
        while True:
            line = self._client.readline()
            if text in line:
                return line
            if not line:
                raise RuntimeError(f"the connection ended before {text!r}")

    def __exit__(self, kind, *_):
        if kind is None:
            self._client.send(b"DONE\r\n")
            self.wait_for(self._tag)
