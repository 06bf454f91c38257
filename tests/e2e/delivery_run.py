"""Many deliveries at once, by clients that don't give up: what a queue of a sending server would do."""

import collections
import queue
import threading
import time

from tests.e2e.raw_smtp import RawSmtp

# Between two tries of one message.
RETRY_PAUSE = 0.02


def short_message(message_id):
    return (f"Message-ID: <{message_id}>\r\nSubject: {message_id}\r\n\r\n"
            + "A line of the text.\r\n" * 20).encode()


class DeliveryRun:
    """Delivers a message for each id. A transient refusal or a lost connection: the same message again on a new one.

    port         called for each connection: where the server is may change
    connections  how many at once
    """

    def __init__(self, port, recipient, ids, connections, limit=60):
        self._port = port
        self._recipient = recipient
        self._deadline = time.monotonic() + limit
        self._waiting = queue.SimpleQueue()
        for message_id in ids:
            self._waiting.put(message_id)
        self._lock = threading.Condition()
        # Ids in the order in which they had their 250.
        self.stored = []
        # Tries, by id, that ended without an answer or with a transient one after the message was sent: the server may
        # have stored them all the same.
        self.unknown = collections.Counter()
        # Tries that came to nothing, for whatever reason.
        self.failures = 0
        self._errors = []
        self._start = time.monotonic()
        self._end = None
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(connections)]
        for thread in self._threads:
            thread.start()

    def wait_for_stored(self, count):
        """Until `count` messages had their 250."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self.stored) >= count or self._errors, self._left()):
                raise TimeoutError(f"{len(self.stored)} of {count} deliveries in time")
        self._raise_errors()

    def finish(self):
        """Until all are done. Returns self."""
        for thread in self._threads:
            thread.join(self._left())
            if thread.is_alive():
                raise TimeoutError(f"{len(self.stored)} deliveries in time")
        self._end = time.monotonic()
        self._raise_errors()
        return self

    def rate(self):
        """Deliveries a second."""
        return len(self.stored) / (self._end - self._start)

    def _left(self):
        return max(0.0, self._deadline - time.monotonic())

    def _raise_errors(self):
        if self._errors:
            raise self._errors[0]

    def _work(self):
        try:
            smtp = None
            while True:
                try:
                    message_id = self._waiting.get_nowait()
                except queue.Empty:
                    break
                smtp = self._deliver(smtp, message_id)
            if smtp is not None:
                smtp.close()
        except Exception as error:  # pylint: disable=broad-except
            with self._lock:
                self._errors.append(error)
                self._lock.notify_all()

    def _deliver(self, smtp, message_id):
        """Until it has its 250. Returns the connection for the next."""
        while True:
            code = 0
            try:
                if smtp is None:
                    smtp = RawSmtp(self._port())
                code = self._try(smtp, message_id)
            except (OSError, ConnectionError):
                pass
            if code == 250:
                with self._lock:
                    self.stored.append(message_id)
                    self._lock.notify_all()
                return smtp
            if code >= 500:
                raise RuntimeError(f"{message_id} was refused with {code}")
            with self._lock:
                self.failures += 1
            if smtp is not None:
                smtp.close()
                smtp = None
            if self._left() == 0:
                raise TimeoutError(f"{message_id} could not be delivered")
            time.sleep(RETRY_PAUSE)

    def _try(self, smtp, message_id):
        """The code of the reply that decides."""
        smtp.send(f"MAIL FROM:<sender@example.net>\r\nRCPT TO:<{self._recipient}>\r\nDATA\r\n".encode())
        codes = [smtp.reply()[0] for _ in range(3)]
        if codes != [250, 250, 354]:
            return next(code for code in codes if code not in (250, 354))
        code = 0
        try:
            smtp.send(short_message(message_id) + b".\r\n")
            code = smtp.reply()[0]
        finally:
            if code != 250:
                with self._lock:
                    self.unknown[message_id] += 1
        return code
