"""What client, parent and child say to each other: JSON documents, each after its length, descriptors beside.

    client   → the request, with the descriptors of its job
    parent   → {"refused": why} | {"ready": true}
    client   → {"go": true}; from here on the job may run, before it nothing has
    parent   → {"refused": why} | {"pid": n}, with a descriptor of the process
    child    → {"said": exit code}, as it ends
    parent   → {"ended": exit code, or minus the signal}, when it has

The end of the line means to the parent that the client is gone, and to the client that parent and child are.
"""

import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

_LENGTH = struct.Struct("!I")
_MOST_DESCRIPTORS = 128
_LONGEST = 64 << 20  # bytes; an environment has at most a few megabytes


class Hangup(ConnectionError):
    """The other side is gone, or does not speak this language."""


def send(line: socket.socket, document: Any, descriptors: Sequence[int] = ()) -> None:
    """Say something.

    Raises:
        OSError: it cannot be said, since the other side is gone.
    """
    whole = framed(document)
    sent = socket.send_fds(line, [whole], list(descriptors)) if descriptors else 0
    line.sendall(whole[sent:])


def framed(document: Any) -> bytes:
    """What is sent of a document."""
    text = json.dumps(document).encode()
    return _LENGTH.pack(len(text)) + text


def receive(line: socket.socket) -> tuple[Any, list[int]]:
    """Wait for what the other side says: a document, and the descriptors that came with it.

    They are closed in a program that this process becomes.

    Raises:
        Hangup: it is gone, or talks nonsense.
        OSError: the same; `TimeoutError` where it takes longer than the line's timeout.
    """
    flags = socket.MSG_CMSG_CLOEXEC
    head, descriptors, *_ = socket.recv_fds(line, _LENGTH.size, _MOST_DESCRIPTORS, flags)
    try:
        head += _exactly(line, _LENGTH.size - len(head))
        (length,) = _LENGTH.unpack(head)
        if length > _LONGEST:
            raise Hangup(f"a message of {length} bytes")
        return json.loads(_exactly(line, length)), descriptors
    except (ValueError, RecursionError) as error:
        close(descriptors)
        raise Hangup(str(error)) from error
    except BaseException:
        close(descriptors)
        raise


def close(descriptors: Sequence[int]) -> None:
    """Close all of them."""
    for descriptor in descriptors:
        os.close(descriptor)


def _exactly(line: socket.socket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        part = line.recv(count - len(found))
        if not part:
            raise Hangup("the line was closed")
        found += part
    return bytes(found)
