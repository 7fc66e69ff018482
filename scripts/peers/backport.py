"""Rewrites what the installed localstack-core takes from Python 3.12 and 3.13 for an older Python; run by that Python.

    class Box[T](Base): ...      ->  T = TypeVar("T") at the top, class Box(Base, Generic[T]): ...
    def first[T: Bound](...)     ->  T = TypeVar("T") at the top, def first(...)
    type Name = Other            ->  Name = Other
    from warnings import deprecated  ->  from typing_extensions import deprecated
"""

import ast
import compileall
import pathlib
import re
import sys
import sysconfig

CLASS = re.compile(r"^(\s*class \w+)\[([^\[\]]+)\](?:\(((?:[^()])*)\))?:", re.MULTILINE)
FUNCTION = re.compile(r"^(\s*(?:async )?def \w+)\[([^\[\]]+)\]\(", re.MULTILINE)
ALIAS = re.compile(r"^(\s*)type (\w+) = ", re.MULTILINE)

MOVED = re.compile(r"^from warnings import deprecated$", re.MULTILINE)


def names_of(parameters):
    return [parameter.partition(":")[0].strip() for parameter in parameters.split(",")]


def rewrite(text):
    names = set()

    def rewrite_class(match):
        parameters = names_of(match[2])
        names.update(parameters)
        bases = [match[3]] if match[3] else []
        return f"{match[1]}({', '.join([*bases, 'Generic[' + ', '.join(parameters) + ']'])}):"

    def rewrite_function(match):
        names.update(names_of(match[2]))
        return f"{match[1]}("

    text = CLASS.sub(rewrite_class, text)
    text = FUNCTION.sub(rewrite_function, text)
    text = ALIAS.sub(r"\1\2 = ", text)
    # On one line with the first one, and before it only a docstring or `from __future__` may stand: put it after those.
    head = "from typing import Generic, TypeVar; " + "; ".join(f'{name} = TypeVar("{name}")' for name in sorted(names))
    return insert_after_prologue(text, head)


def insert_after_prologue(text, line):
    lines = text.splitlines(keepends=True)
    after = 0
    for statement in ast.parse(text).body:
        is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if not (is_docstring or is_future):
            break
        after = statement.end_lineno
    return "".join([*lines[:after], line + "\n", *lines[after:]])


def main():
    if sys.version_info >= (3, 13):
        return 0
    package = pathlib.Path(sysconfig.get_path("purelib")) / "localstack"
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        rewritten = MOVED.sub("from typing_extensions import deprecated", text)
        try:
            ast.parse(text)
        except SyntaxError:
            rewritten = rewrite(rewritten)
        if rewritten != text:
            path.write_text(rewritten, encoding="utf-8")
            compileall.compile_file(path, quiet=1, force=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
