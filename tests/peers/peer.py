"""A libzmq peer under remote control: one JSON request per line on stdin, one JSON answer per line on stdout.

Every request names an "op" (a function below whose name begins with op_) and its arguments; the answer is
{"ok": result} or {"error": text, "errno": number}. Bodies that are too large for a line are described instead of
carried: {"size": n, "seed": s} stands for the octets that `pattern` makes, and an answer gives size and CRC-32.
"""

import itertools
import json
import struct
import sys
import time
import zlib

import zmq
from zmq.utils.monitor import recv_monitor_message

# Octets of the repeated block of a pattern: prime, so that a shift by any power of two shows.
BLOCK = 4093
# Bodies up to this many octets are also given in full.
SHORT = 256

context = zmq.Context()
sockets = {}
monitors = {}


def pattern(size, seed):
    """The first `size` octets of a splitmix64 block, repeated."""
    mask = (1 << 64) - 1
    block = bytearray()
    state = seed & mask
    while len(block) < min(size, BLOCK):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        block += struct.pack("<Q", z ^ (z >> 31))
    block = bytes(block[:BLOCK])
    return (block * (size // BLOCK + 1))[:size] if size else b""


VARIED = pattern(2048, 1)


def body(part):
    return bytes.fromhex(part["hex"]) if "hex" in part else pattern(part["size"], part["seed"])


def described(frame):
    octets = memoryview(frame.buffer)
    told = {"size": len(octets), "crc": zlib.crc32(octets)}
    if len(octets) <= SHORT:
        told["hex"] = bytes(octets).hex()
    return told


def op_versions():
    return {"pyzmq": zmq.__version__, "libzmq": zmq.zmq_version()}


def op_socket(name, type, options):
    socket = context.socket(getattr(zmq, type))
    socket.setsockopt(zmq.LINGER, 0)
    sockets[name] = socket
    for option, value in options:
        op_set(name, option, value)


def op_set(name, option, value):
    value = bytes.fromhex(value) if isinstance(value, str) else value
    sockets[name].setsockopt(getattr(zmq, option), value)


def op_get(name, option):
    value = sockets[name].getsockopt(getattr(zmq, option))
    return value.hex() if isinstance(value, bytes) else value


def op_bind(name, endpoint):
    # A killed peer's port may be free a moment later than its process is gone.
    for attempt in range(100):
        try:
            sockets[name].bind(endpoint)
            break
        except zmq.ZMQError as error:
            if error.errno != zmq.EADDRINUSE or attempt == 99:
                raise
            time.sleep(0.02)
    return sockets[name].getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()


def op_unbind(name, endpoint):
    sockets[name].unbind(endpoint)


def op_connect(name, endpoint):
    sockets[name].connect(endpoint)


def op_disconnect(name, endpoint):
    sockets[name].disconnect(endpoint)


def op_send(name, parts, timeout):
    sockets[name].setsockopt(zmq.SNDTIMEO, timeout)
    for at, part in enumerate(parts):
        more = zmq.SNDMORE if at + 1 < len(parts) else 0
        sockets[name].send(body(part), flags=more)


def op_recv(name, timeout):
    sockets[name].setsockopt(zmq.RCVTIMEO, timeout)
    return [described(frame) for frame in sockets[name].recv_multipart(copy=False)]


def op_send_many(name, first, count, size, timeout):
    """Sends messages of `size` octets that begin with their numbers, until one is refused; how many went."""
    sockets[name].setsockopt(zmq.SNDTIMEO, timeout)
    filling = bytes(size - 8)
    for sent in range(count):
        try:
            sockets[name].send(struct.pack(">Q", first + sent) + filling)
        except zmq.Again:
            return sent
    return count


def op_recv_many(name, count, timeout):
    """Receives up to `count` of them, each the last part of a message; their numbers as runs [first, count]."""
    sockets[name].setsockopt(zmq.RCVTIMEO, timeout)
    runs = []
    for _ in range(count):
        try:
            (number,) = struct.unpack(">Q", sockets[name].recv_multipart()[-1][:8])
        except zmq.Again:
            break
        if runs and runs[-1][0] + runs[-1][1] == number:
            runs[-1][1] += 1
        else:
            runs.append([number, 1])
    return runs


def op_flood(name, topics, first):
    """Sends messages without end: a topic, each in turn, and a number. It has no answer: the process is to be killed."""
    topics = [bytes.fromhex(topic) for topic in topics]
    filling = bytes(48)
    for number in itertools.count(first):
        sockets[name].send(topics[number % len(topics)] + struct.pack(">Q", number) + filling)


def varied(number):
    """Message `number` of 1 to 1024 octets that tell it apart."""
    size = 1 + number * 37 % 1024
    return (struct.pack(">I", number) + VARIED[number % 997 :])[:size]


def op_send_varied(name, first, count, timeout):
    """Sends messages `first` and following; how many went."""
    sockets[name].setsockopt(zmq.SNDTIMEO, timeout)
    for sent in range(count):
        try:
            sockets[name].send(varied(first + sent))
        except zmq.Again:
            return sent
    return count


def op_recv_varied(name, first, count, timeout):
    """Receives messages `first` and following; how many came before one that is late or not what it should be."""
    sockets[name].setsockopt(zmq.RCVTIMEO, timeout)
    for received in range(count):
        try:
            if sockets[name].recv_multipart() != [varied(first + received)]:
                return received
        except zmq.Again:
            return received
    return count


def op_subscribe(name, topic):
    sockets[name].setsockopt(zmq.SUBSCRIBE, bytes.fromhex(topic))


def op_unsubscribe(name, topic):
    sockets[name].setsockopt(zmq.UNSUBSCRIBE, bytes.fromhex(topic))


def op_monitor(name):
    monitors[name] = sockets[name].get_monitor_socket()


def op_event(name, timeout):
    """The name of the next event, or none."""
    if not monitors[name].poll(timeout):
        return None
    return recv_monitor_message(monitors[name])["event"].name


def op_close(name, linger):
    if name in monitors:
        sockets[name].disable_monitor()
        del monitors[name]
    sockets.pop(name).close(linger=linger)


def op_term():
    """Ends the context: returns when every lingering message has left."""
    context.term()


def answer(request):
    operation = globals()["op_" + request.pop("op")]
    try:
        return {"ok": operation(**request)}
    except zmq.ZMQError as error:
        return {"error": str(error), "errno": error.errno}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
