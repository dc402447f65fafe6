"""Tests that are served at once, each of which goes ways of its own."""

import sys
import threading


def decide(bits):
    found = []
    if bits & 1:
        found.append(1)
    if bits & 2:
        found.append(2)
    if bits & 4:
        found.append(4)
    if bits & 8:
        found.append(8)
    return found


def serve(bits):
    sys.audit("nomock.context", f"nomock.test=test_crowd.py%3A%3Atest_{bits}")
    together.wait()
    for _ in range(3000):
        decide(bits)
    sys.audit("nomock.context", "")


together = threading.Barrier(16)
sys.setswitchinterval(0.00001)
threads = [threading.Thread(target=serve, args=(bits,)) for bits in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
