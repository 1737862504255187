"""A long line in front of a web server: limited capacity, delay, and ranges that break off.

    wan_proxy.py HOST:PORT --bits N --delay SECONDS --reset-every N --first-reset N

Prints the port that it listens on, on 127.0.0.1. Each line of its standard input is answered with {"ranges", "resets", "bytes"}
since the last one; it ends with its standard input. Of the server's answers all connections together get N bits a second
through (0: as many as come), each byte SECONDS later at the client: one round trip, which a new connection pays once more before its
first request. Every Nth request of a range, from the first that is to break off, gets a part of its answer and then a reset of the
connection. Requests have no bodies.
"""
import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import socket
import struct
import sys

CHUNK = 256 << 10
BUFFER_SECONDS = 0.02  # what may wait before the line, as in a router: it never idles while a server has bytes
FLYING = 128  # chunks between line and client, of each connection
RANGE_HEADER = re.compile(rb"\r\nrange: *bytes=(\d+)-(\d+)", re.IGNORECASE)


class Capacity:
    """When bytes that are sent now have passed the line, one after another, at `rate` bytes a second (0: at once)."""

    def __init__(self, rate, clock):
        self.rate, self.clock, self.free_at = rate, clock, 0.0

    def send(self, count):
        now = self.clock()
        self.free_at = max(self.free_at, now) + (count / self.rate if self.rate else 0)
        return self.free_at

    def backlog(self):
        return max(0.0, self.free_at - self.clock())


class Resets:
    """Which ranges break off, and after how many bytes of their answer."""

    def __init__(self, every, first, seed=2019):
        self.every, self.first, self.random = every, first, random.Random(seed)
        self.ranges = self.made = 0

    def next(self, length):
        """None: this one doesn't."""
        self.ranges += 1
        since = self.ranges - self.first
        if not self.every or since < 0 or since % self.every:
            return None
        return 1 + int(self.random.random() * (length - 1))


class Requests:
    """The heads in what a client sends, whatever the pieces that it comes in."""

    def __init__(self):
        self.pending = b""

    def ranges(self, data):
        """Lengths of the ranges asked for by the requests that `data` completes."""
        *heads, self.pending = (self.pending + data).split(b"\r\n\r\n")
        found = [RANGE_HEADER.search(b"\r\n" + head) for head in heads]
        return [int(one[2]) - int(one[1]) + 1 for one in found if one]


class Connection:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.loop = asyncio.get_running_loop()
        self.flying = asyncio.Queue(FLYING)
        self.left = None  # bytes until the answer breaks off

    async def requests(self):
        heads = Requests()
        await asyncio.sleep(self.proxy.delay)
        while data := await self.loop.sock_recv(self.client, CHUNK):
            for length in heads.ranges(data):
                self.left = self.proxy.resets.next(length)
            await self.loop.sock_sendall(self.server, data)

    async def answers(self):
        capacity = self.proxy.capacity
        while data := await self.loop.sock_recv(self.server, CHUNK):
            if self.left is not None:
                data = data[:self.left]
                self.left -= len(data)
            await self.flying.put((capacity.send(len(data)) + self.proxy.delay, data))
            if self.left == 0:
                break
            await asyncio.sleep(max(0.0, capacity.backlog() - BUFFER_SECONDS))
        await self.flying.put((capacity.free_at + self.proxy.delay, b""))

    async def deliver(self):
        while True:
            due, data = await self.flying.get()
            if (wait := due - self.loop.time()) > 0:
                await asyncio.sleep(wait)
            if not data:
                return
            await self.loop.sock_sendall(self.client, data)
            self.proxy.bytes += len(data)

    async def run(self):
        tasks = [asyncio.ensure_future(one) for one in (self.requests(), self.answers(), self.deliver())]
        requests, _, deliver = tasks
        try:  # either ends it: the client has gone, or has everything that the server sent
            await asyncio.wait((requests, deliver), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in tasks:
                one.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self.left == 0:
            self.proxy.resets.made += 1
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing it is a reset


class Proxy:
    def __init__(self, target, options):
        self.target, self.delay = target, options.delay
        self.capacity = Capacity(options.bits / 8, asyncio.get_running_loop().time)
        self.resets = Resets(options.reset_every, options.first_reset)
        self.bytes = 0

    async def serve(self, client):
        loop = asyncio.get_running_loop()
        with client, socket.socket() as server, contextlib.suppress(OSError):
            for one in (client, server):
                one.setblocking(False)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(server, self.target)
            await Connection(self, client, server).run()

    def counters(self):
        found = {"ranges": self.resets.ranges, "resets": self.resets.made, "bytes": self.bytes}
        self.resets.ranges = self.resets.made = self.bytes = 0
        return found


async def answer_lines(proxy):
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(0, "rb"))
    while await lines.readline():
        print(json.dumps(proxy.counters()), flush=True)


async def main(options):
    host, port = options.server.rsplit(":", 1)
    proxy, loop = Proxy((host, int(port)), options), asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        listening.setblocking(False)
        print(listening.getsockname()[1], flush=True)
        ended, served = asyncio.ensure_future(answer_lines(proxy)), set()
        while not ended.done():
            accepting = asyncio.ensure_future(loop.sock_accept(listening))
            await asyncio.wait((accepting, ended), return_when=asyncio.FIRST_COMPLETED)
            if accepting.done():
                task = asyncio.ensure_future(proxy.serve(accepting.result()[0]))
                served.add(task)
                task.add_done_callback(served.discard)
            else:
                accepting.cancel()


def parse(arguments):
    parser = argparse.ArgumentParser(prog="wan_proxy.py")
    parser.add_argument("server", metavar="HOST:PORT")
    parser.add_argument("--bits", type=float, default=0)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--reset-every", type=int, default=0)
    parser.add_argument("--first-reset", type=int, default=1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    asyncio.run(main(parse(sys.argv[1:])))
