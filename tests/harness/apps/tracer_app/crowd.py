"""Threads that start at the same time, again and again: each has its tracer set."""

import _thread
import threading

THREADS, ROUNDS = 50, 20
ran = []


def work() -> None:
    ran.append(1)  # in: a thread


def bare(done: _thread.LockType) -> None:
    ran.append(1)  # in: a thread of no class
    done.release()


for _ in range(ROUNDS):
    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
done = _thread.allocate_lock()
done.acquire()
_thread.start_new_thread(bare, (done,))
done.acquire()
print(len(ran))
