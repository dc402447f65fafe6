"""Code that runs in other interpreters of one process, in its thread and in one of a pool's."""

import sys

INSIDE = f"import sys; sys.path.append({sys.path[0]!r}); import shapes"

if sys.version_info >= (3, 14):
    from concurrent import interpreters
    from concurrent.futures import InterpreterPoolExecutor

    other = interpreters.create()
    other.exec(INSIDE)
    other.close()
    with InterpreterPoolExecutor(1) as pool:
        assert pool.submit(len, "four").result() == 4
elif sys.version_info >= (3, 13):
    import _interpreters

    other = _interpreters.create()
    assert not _interpreters.run_string(other, INSIDE)
    _interpreters.destroy(other)
else:
    import _xxsubinterpreters

    other = _xxsubinterpreters.create(isolated=False)
    _xxsubinterpreters.run_string(other, INSIDE)
    _xxsubinterpreters.destroy(other)  # traced
