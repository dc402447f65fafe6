"""A process that starts a fresh one from its own script, as uvicorn does for its workers."""

import multiprocessing
import os


def in_child() -> None:
    os.getpid()  # child


if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=in_child)
    process.start()
    process.join()
    raise SystemExit(process.exitcode)
