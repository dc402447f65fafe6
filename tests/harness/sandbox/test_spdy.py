"""Frames of SPDY/3.1: written as its draft has them, and read however they are cut."""

from __future__ import annotations

import struct
import zlib

from nomock.adapters.kubernetes.spdy import Frame, Frames

PING = bytes.fromhex("80030006 00000004 00000002")
RESET = bytes.fromhex("80030003 00000008 00000003 00000001")
REPLY = bytes.fromhex("80030002 00000008 00000001 789cbbdf")
GOES_AWAY = bytes.fromhex("80030007 00000008 00000000 00000000")


def test_a_frame_should_have_the_headers_of_its_stream_when_that_is_opened() -> None:
    frames, unpack = Frames(), zlib.decompressobj()
    for stream, kind in ((1, b"error"), (3, b"data")):
        written = frames.opened(stream, {"streamtype": kind.decode()})
        head, length, number, of, slot = struct.unpack(">IIIIH", written[:18])
        assert (head, length) == (0x80030001, len(written) - 8)
        assert (number, of, slot) == (stream, 0, 0)
        block = unpack.decompress(written[18:])
        name, value = b"streamtype", kind
        pairs = struct.pack(">II", 1, len(name)) + name + struct.pack(">I", len(value)) + value
        assert block == pairs


def test_data_should_come_in_parts_when_it_is_long() -> None:
    data = bytes(range(256)) * 100
    found = list(Frames().read(Frames().sent(3, data) + Frames().ended(3)))
    assert b"".join(frame.data for frame in found) == data
    assert [(frame.stream, frame.ends) for frame in found] == [(3, False), (3, False), (3, True)]


def test_frames_should_be_read_when_they_come_byte_by_byte() -> None:
    frames, found = Frames(), []
    for byte in REPLY + Frames().sent(3, b"hello") + PING + Frames().ended(3):
        found += frames.read(bytes([byte]))
    assert found == [Frame(3, b"hello", ends=False), PING, Frame(3, b"", ends=True)]


def test_all_should_end_when_a_stream_is_reset_or_the_other_side_goes() -> None:
    for control in (RESET, GOES_AWAY):
        assert list(Frames().read(control)) == [Frame(0, b"", ends=True)]
