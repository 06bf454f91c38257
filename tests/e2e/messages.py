"""Messages that are hard to carry byte for byte."""

import base64
import os


def message(subject, body, sender="alice@example.com", recipient="alice@example.com"):
    head = (f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\n"
            f"Message-ID: <{subject}@client.example.com>\r\n"
            "Date: Tue, 24 Nov 2026 12:00:00 +0100\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
    return head.encode() + body


def dots_at_borders(header_size):
    """Lines that begin with a dot, so that on the wire one lies within 3 octets of each multiple of 1024."""
    body = bytearray()
    wire = header_size
    for count, border in enumerate(range(1024, 200 * 1024, 1024)):
        start = border + count % 7 - 3
        body += b"x" * (start - wire - 2) + b"\r\n"
        line = (b".", b"..", b".x")[count % 3] + b"\r\n"
        body += line
        # Each of them is sent with one more dot.
        wire = start + len(line) + 1
    return bytes(body)


def base64_body(size):
    """About `size` octets of random base64 lines."""
    return base64.encodebytes(os.urandom(size * 57 // 78)).replace(b"\n", b"\r\n")


DOTS = b".\r\n..\r\n.x\r\n...\r\n. \r\nx.\r\n\r\n.\r\n\r\n.\r\n.last\r\n"

BODIES = {
    "plain": b"Hello.\r\n",
    "dots": DOTS,
    "dot_at_end": b"The last line is a dot.\r\n.\r\n",
    "eight_bit": bytes(range(128, 256)) + b"\r\n" + "Grüße, 你好\r\n".encode(),
    "controls": bytes(set(range(1, 32)) - {10, 13}) + b"\x7f\r\n",
    "long_lines": b"".join(b"x" * n + b"\r\n" for n in (78, 998, 999, 4096, 20000, 65000)),
    "empty_body": b"",
    "blank_lines": b"\r\n\r\n \r\n\t\r\nx \t\r\n\r\n\r\n",
    "no_line_end": b"The last line has no end",
}


def messages(prefix):
    """{name: message}; `prefix` makes the subjects of a run its own."""
    made = {name: message(f"{prefix}-{name}", body) for name, body in BODIES.items()}
    subject = f"{prefix}-borders"
    made["borders"] = message(subject, dots_at_borders(len(message(subject, b""))))
    return made
