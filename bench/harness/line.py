"""A network line of limited capacity: two network namespaces of the bench's own and a veth pair between them.

The namespaces have no names: each lives as long as the process that holds it, so that nothing is left of them, however the bench
ends. What runs at an end of the line is started with that end's words before its command.
"""
import contextlib
import dataclasses
import os
import shutil
import subprocess

from harness.processes import BenchError, output_of, running

CLIENT, SERVER = "192.0.2.1", "192.0.2.2"
FAST_BITS = 4_000_000_000
BURST, QUEUE = "256kb", "20ms"


@dataclasses.dataclass(frozen=True)
class Line:
    client: tuple  # the words before a command that runs at this end
    server: tuple
    address: str = SERVER  # of the server's end


@contextlib.contextmanager
def namespace():
    """The process that holds a new network namespace."""
    argv = ["unshare", "--net", "--", "sh", "-c", "echo made && exec cat"]
    with running(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as holder:
        if (said := holder.stdout.readline()) != "made\n":
            raise BenchError(f"no network namespace: {said.strip()}")
        yield holder


def entering(holder):
    return ("nsenter", f"--net=/proc/{holder.pid}/ns/net", "--")


def connect(client, server, bits):
    """The pair; what the server sends passes a token bucket."""
    at_client, at_server = entering(client), entering(server)
    output_of([*at_client, "ip", "link", "add", "line", "type", "veth", "peer", "name", "line", "netns", server.pid])
    for words, address in ((at_client, CLIENT), (at_server, SERVER)):
        output_of([*words, "ip", "address", "add", f"{address}/30", "dev", "line"])
        for device in ("lo", "line"):
            output_of([*words, "ip", "link", "set", device, "up"])
    output_of([*at_server, "tc", "qdisc", "add", "dev", "line", "root", "tbf", "rate", f"{bits}bit", "burst", BURST, "latency", QUEUE])
    return Line(at_client, at_server)


@contextlib.contextmanager
def line(bits):
    """A line on which the server's end sends `bits` a second."""
    with namespace() as client, namespace() as server:
        yield connect(client, server, bits)


def why_none(bits):
    """Why this machine gives no such line; empty if it does."""
    if os.geteuid() != 0:
        return "a limited line takes network namespaces: run it as root"
    absent = [tool for tool in ("ip", "tc", "unshare", "nsenter") if not shutil.which(tool)]
    if absent:
        return f"no {', '.join(absent)}: install iproute2 and util-linux"
    try:
        with line(bits):
            return ""
    except BenchError as error:
        return f"no limited line here: {error}"
