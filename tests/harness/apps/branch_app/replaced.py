"""Code that gets to a function in another way than by being run as a whole."""

import ast
import asyncio
import types


@types.coroutine
def awaited():
    yield  # it suspends
    return 1


def original(number):
    if number > 1:
        return number
    return -number


copied = types.FunctionType(original.__code__.replace(co_name="copied"), globals())


def changed(number):
    return number


def to_be(number):
    doubled = [item * 2 for item in range(number)]
    if doubled:
        return sum(doubled)
    return 0


changed.__code__ = to_be.__code__.replace(co_name="changed")


def rewritten(text):
    if text:
        inner = lambda: (  # noqa: E731 - the shape that is to be measured
            text.upper()
        )
        return inner()
    return text  # never


def rewrite(function):
    """As typeguard does it: parse the module anew, with something in front of each function."""
    with open(__file__, encoding="utf-8") as file:  # noqa: PTH123
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            check = ast.parse("isinstance(text, str)").body[0]
            for part in ast.walk(check):
                ast.copy_location(part, node.body[0])
            node.body.insert(0, check)
    for code in compile(tree, __file__, "exec").co_consts:
        if isinstance(code, types.CodeType) and code.co_name == function.__name__:
            function.__code__ = code


async def main():
    return await awaited()


print(asyncio.run(main()), copied(1), copied(2), changed(3), changed(0))
rewrite(rewritten)
print(rewritten("done"))
