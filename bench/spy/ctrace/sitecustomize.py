"""coverage.py with its C tracer, and a context a request: what the spy is compared with."""

import importlib.util
import sys

import coverage

measured = coverage.Coverage(
    data_file=None, config_file=False, source=["/app"], context="start-up", timid=False
)
measured.set_option("run:core", "ctrace")
measured.start()


class _Finder:
    """Wraps the application that uvicorn loads."""

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        if name != "uvicorn.config":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.loader is not None
        run_module = spec.loader.exec_module

        def exec_module(module):  # type: ignore[no-untyped-def]
            run_module(module)
            load = module.Config.load

            def load_and_wrap(config):  # type: ignore[no-untyped-def]
                load(config)
                app = config.loaded_app

                async def with_context(scope, receive, send):  # type: ignore[no-untyped-def]
                    if scope["type"] == "http":
                        test = dict(scope["headers"]).get(b"baggage", b"")
                        measured.switch_context(test.decode())
                    await app(scope, receive, send)

                config.loaded_app = with_context

            module.Config.load = load_and_wrap

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _Finder())
