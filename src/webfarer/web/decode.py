"""Bodies under a size limit: what arrives is decompressed piece by piece and never grows past the limits.

Only gzip and plain bodies are read: they are all that is asked for, and the only ones whose output zlib lets us bound
exactly. Not a content decoder: bytes in, bytes out. Source: RFC 1952 (a body may hold several members); RFC 9110 §8.4.
"""

import zlib
from typing import Any

from webfarer.core.errors import NotReadable, TooLarge, Unreachable

_PIECE = 65_536
_SMALL = 1_000_000  # below this, any expansion is harmless
_MAGIC = b"\x1f\x8b"


class Body:
    """A body being received.

    Args:
        coding: the Content-Encoding header.
        max_bytes: most bytes kept after decoding.
        max_ratio: most decoded bytes per received byte, once a megabyte has been decoded.
    """

    def __init__(self, coding: str, max_bytes: float, max_ratio: float) -> None:
        coding = coding.strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise NotReadable(f"the body is encoded as {coding!r}, which was not asked for", coding=coding)
        self._gzip = coding.endswith("gzip")
        self._max_bytes = max_bytes
        self._max_ratio = max_ratio
        self._received = 0
        self._member: Any = None  # zlib's decompressor has no public type
        self._ahead = b""  # bytes between two members, until they show what follows
        self._first = True
        self.held = bytearray()

    def feed(self, data: bytes) -> None:
        """Take bytes as they come from the wire.

        Raises:
            TooLarge: a limit would be passed; what fitted is in `held`.
            Unreachable: the gzip data are damaged.
        """
        self._received += len(data)
        if not self._gzip:
            self._keep(data)
            return
        try:
            while data:
                data = self._inflate(data) if self._member else self._between(data)
        except zlib.error as error:
            raise Unreachable(f"the compressed body is damaged: {error}") from error

    def finish(self) -> bytes:
        """Return the whole body.

        Raises:
            Unreachable: the gzip data end too early.
        """
        if self._member or (self._first and self._ahead):
            raise Unreachable("the compressed body ends too early", received=self._received)
        return bytes(self.held)

    def _between(self, data: bytes) -> bytes:
        """Open the next member if one begins here; what follows the last member is padding and is dropped."""
        data = self._ahead + data
        if not self._first:
            data = data.lstrip(b"\0")
        if len(data) < len(_MAGIC):
            self._ahead = data
            return b""
        self._ahead = b""
        if not data.startswith(_MAGIC):
            if self._first:
                raise zlib.error("no gzip header")
            return b""
        self._first = False
        self._member = zlib.decompressobj(wbits=31)
        return data

    def _inflate(self, data: bytes) -> bytes:
        """Decode `data` piece by piece; return what follows the member's end."""
        while data:
            # zlib reads 0 as "no limit", so a full buffer asks for one byte more to see whether there is any
            room = int(max(1, min(_PIECE, self._max_bytes - len(self.held))))
            self._keep(self._member.decompress(data, room))
            if self._member.eof:
                data = self._member.unused_data
                self._member = None
                break
            data = self._member.unconsumed_tail
        return data

    def _keep(self, data: bytes) -> None:
        room = int(min(len(data), self._max_bytes - len(self.held)))
        self.held += data[:room]
        if room < len(data):
            raise TooLarge(f"the body is larger than {self._max_bytes:.0f} bytes", limit=self._max_bytes)
        if len(self.held) > max(_SMALL, self._max_ratio * self._received):
            raise TooLarge(f"the body expands more than {self._max_ratio:g} times", limit=self._max_ratio)
