"""Taking turns at a host: few requests at the same time, and a pause between their starts.

Not a queue of work: a caller waits for its turn and then does what it wants. Invariant: a host that nobody uses and
that may be asked at once leaves nothing behind. Source: products' practice of one or two connections per host.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class _Host:
    def __init__(self, concurrency: int) -> None:
        self.slots = asyncio.Semaphore(concurrency)
        self.users = 0
        self.next_start = 0.0


class Turns:
    """Turns at hosts, at most `concurrency` at the same time at each."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._hosts: dict[str, _Host] = {}

    def __len__(self) -> int:
        """Return the number of hosts remembered."""
        return len(self._hosts)

    @asynccontextmanager
    async def turn(self, host: str, delay: float) -> AsyncIterator[None]:
        """Wait until `host` may be asked; the next one starts at least `delay` seconds later."""
        clock = asyncio.get_running_loop().time
        if host not in self._hosts:
            self._forget(clock())
            self._hosts[host] = _Host(self._concurrency)
        state = self._hosts[host]
        state.users += 1
        try:
            async with state.slots:
                wait = max(0.0, state.next_start - clock())
                state.next_start = clock() + wait + delay
                await asyncio.sleep(wait)
                yield
        finally:
            state.users -= 1
            if not state.users and state.next_start <= clock():
                del self._hosts[host]

    def _forget(self, now: float) -> None:
        for host in [h for h, state in self._hosts.items() if not state.users and state.next_start <= now]:
            del self._hosts[host]
