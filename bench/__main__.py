"""Run one bench: `python bench warm --rounds 3`. Without a name, say what each measures."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Run the named bench with the arguments that follow, or list all."""
    benches = {
        path.stem.replace("_", "-"): path for path in sorted(HERE.glob("*.py")) if measures(path)
    }
    match sys.argv[1:]:
        case []:
            for name, path in benches.items():
                print(f"{name:<16} {told(path)}")
        case [name, *arguments] if name.replace("_", "-") in benches:
            path = benches[name.replace("_", "-")]
            sys.argv = [str(path), *arguments]
            sys.path[0] = str(HERE)
            runpy.run_path(str(path), run_name="__main__")
        case [name, *_]:
            raise SystemExit(f"no bench is called {name!r}; there are: {', '.join(benches)}")


def measures(path: Path) -> bool:
    """Say whether a file is a bench; others are parts of benches."""
    return path.name != "__main__.py" and 'if __name__ == "__main__":' in path.read_text()


def told(path: Path) -> str:
    """Return the first line of a bench's docstring: what it measures."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


if __name__ == "__main__":
    main()
