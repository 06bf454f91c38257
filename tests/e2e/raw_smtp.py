"""SMTP by hand, for what no well-behaved client sends."""

import socket

from tests.e2e.processes import HOST


class UnexpectedReply(ConnectionError):
    """The server said something else, or nothing."""


class RawSmtp:
    """A connection that has had its greeting and said EHLO."""

    def __init__(self, port, limit=60):
        self._socket = socket.create_connection((HOST, port), timeout=limit)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = self._socket.makefile("rb")
        try:
            self.expect(220)
            self.capabilities = self.command("EHLO client.example.com", 250).splitlines()[1:]
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._input.close()
        self._socket.close()

    def send(self, data):
        self._socket.sendall(data)

    def reply(self):
        """(code, text of all lines); (0, "") when the connection has ended."""
        text = ""
        while True:
            line = self._input.readline().decode()
            if not line:
                return 0, ""
            text += line[4:].replace("\r\n", "\n")
            if line[3:4] != "-":
                return int(line[:3]), text.strip()

    def expect(self, code):
        got, text = self.reply()
        if got != code:
            raise UnexpectedReply(f"{code} expected, {got} {text} got")
        return text

    def command(self, line, code):
        self.send(line.encode() + b"\r\n")
        return self.expect(code)

    def begin_data(self, sender, recipient):
        self.command(f"MAIL FROM:<{sender}>", 250)
        self.command(f"RCPT TO:<{recipient}>", 250)
        self.command("DATA", 354)
