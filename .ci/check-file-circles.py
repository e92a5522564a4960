#!/usr/bin/env python3
"""Fails if files of one crate name each other's items in a circle.

A file points at another if it names an item that is defined there, by a `use` or by a path. Names are followed through
re-exports to the file that defines them. Not looked at: `mod x;`, re-exports of a file's own children that it does not
use itself, methods, comments, attributes, and code under `#[cfg(test)]`.

    .ci/check-file-circles.py
"""

import pathlib
import re
from dataclasses import dataclass, field

TEXT = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(?P<hashes>\#*)".*?"(?P=hashes)|b?c?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])'""", re.DOTALL
)
TOKEN = re.compile(r"r#\w+|'?\w+|::|=>|->|\S")
OPENING, CLOSING = {"{", "(", "["}, {"}", ")", "]"}
DEFINING = {"fn", "struct", "enum", "union", "trait", "type", "const", "static"}


@dataclass
class Module:
    """A module: what it defines, imports and names, and where its items are."""

    file: pathlib.Path
    parent: "Module | None"
    folder: pathlib.Path
    children: dict = field(default_factory=dict)
    items: set = field(default_factory=set)
    # Name → path, for what `use` brings in; and the paths that end in `*`.
    imports: dict = field(default_factory=dict)
    globs: list = field(default_factory=list)
    reexports: set = field(default_factory=set)
    depth: int = 0
    paths: list = field(default_factory=list)

    def root(self):
        return self.parent.root() if self.parent else self


def tokens_of(path):
    return TOKEN.findall(TEXT.sub(" ", path.read_text()))


def end_of_group(tokens, at):
    """Behind the bracket that closes the one at `at`."""
    depth = 0
    while at < len(tokens):
        depth += (tokens[at] in OPENING) - (tokens[at] in CLOSING)
        at += 1
        if depth == 0:
            break
    return at


def end_of_item(tokens, at):
    """Behind the item that begins at `at`, attributes included."""
    while tokens[at] == "#":
        at = end_of_group(tokens, at + 1)
    if tokens[at] == "pub":
        at = end_of_group(tokens, at + 1) if tokens[at + 1] == "(" else at + 1
    is_function = "fn" in tokens[at : at + 4]
    ends_with_semicolon = tokens[at] in {"use", "const", "static", "type", "let"} and not is_function
    while at < len(tokens) and tokens[at] not in {";", "}"}:
        if tokens[at] in OPENING:
            is_body = tokens[at] == "{"
            at = end_of_group(tokens, at)
            if is_body and not ends_with_semicolon:
                return at
        else:
            at += 1
    return at + 1 if tokens[at : at + 1] == [";"] else at


def leaves(tokens, prefix=()):
    """The (path, name) pairs of a use tree, given as its tokens."""
    path, at = list(prefix), 0
    while at < len(tokens):
        if tokens[at] == "{":
            for branch in branches(tokens[at + 1 : end_of_group(tokens, at) - 1]):
                yield from leaves(branch, path)
            return
        if tokens[at] == "as":
            yield tuple(path), tokens[at + 1]
            return
        if tokens[at] != "::":
            path.append(tokens[at])
        at += 1
    if path and path[-1] == "self" and len(path) > 1:
        path.pop()
    if path:
        yield tuple(path), path[-1]


def branches(tokens):
    """What commas separate, outside brackets."""
    branch, depth = [], 0
    for token in tokens:
        depth += (token in OPENING) - (token in CLOSING)
        if token == "," and depth == 0:
            yield branch
            branch = []
        else:
            branch.append(token)
    yield branch


def file_of_child(module, name):
    for path in (module.folder / f"{name}.rs", module.folder / name / "mod.rs"):
        if path.exists():
            return path
    raise SystemExit(f"{module.file}: no file of `mod {name};`")


def read_tokens(module, tokens):
    at = 0
    while at < len(tokens):
        at = read_token(module, tokens, at)


def read_token(module, tokens, at):
    """Takes in what begins at `at`, and says where the next thing begins."""
    token, following = tokens[at], tokens[at + 1 : at + 3]
    if token == "#" and following[:1] in (["["], ["!"]):
        end = end_of_group(tokens, at + 1 + (following[0] == "!"))
        is_test = tokens[at + 2 : end - 1] == ["cfg", "(", "test", ")"]
        return end_of_item(tokens, end) if is_test else end
    if token == "mod" and following[1:] in ([";"], ["{"]):
        return read_child(module, tokens, at)
    if token == "use" and following[0] != "<":
        end = tokens.index(";", at)
        read_use(module, tokens[at + 1 : end], is_reexport=is_public(tokens, at))
        return end + 1
    if token in DEFINING and following and following[0].isidentifier() and following[0] not in DEFINING:
        # Not what stands in an `impl` or a function.
        if module.depth == 0:
            module.items.add(following[0])
        return at + 2
    if is_name(token):
        return read_path(module, tokens, at)
    module.depth += (token == "{") - (token == "}")
    return at + 1


def is_name(token):
    return re.fullmatch(r"(r#)?[A-Za-z_]\w*", token) is not None


def is_public(tokens, at):
    """Whether `pub` or `pub(…)` stands before `at`."""
    before = tokens[max(0, at - 6) : at]
    return before[-1:] == ["pub"] or (before[-1:] == [")"] and "pub" in before)


def read_child(module, tokens, at):
    name = tokens[at + 1]
    if tokens[at + 2] == ";":
        file = file_of_child(module, name)
        child = Module(file, module, file.parent if file.name == "mod.rs" else module.folder / name)
        module.children[name] = child
        read_tokens(child, tokens_of(file))
        return at + 3
    end = end_of_group(tokens, at + 2)
    child = Module(module.file, module, module.folder / name)
    module.children[name] = child
    read_tokens(child, tokens[at + 3 : end - 1])
    return end


def read_use(module, tree, is_reexport):
    for path, name in leaves(tree):
        if path[-1] == "*":
            module.globs.append(path[:-1])
        else:
            module.imports[name] = path
        if is_reexport:
            module.reexports.add(name)


def read_path(module, tokens, at):
    path = [tokens[at]]
    is_field = at > 0 and tokens[at - 1] in {".", "::"}
    at += 1
    while tokens[at : at + 1] == ["::"] and at + 1 < len(tokens) and is_name(tokens[at + 1]):
        path.append(tokens[at + 1])
        at += 2
    if not is_field:
        module.paths.append(tuple(path))
    return at


def resolve(module, path, seen=frozenset()):
    """The module that `path` leads to, or the pair (module, item) of the item that it names; None for other crates."""
    if not path or (id(module), path) in seen:
        return None
    seen |= {(id(module), path)}
    first, rest = path[0], path[1:]
    if first == "crate":
        return within(module.root(), rest, seen)
    if first == "self":
        return within(module, rest, seen)
    if first == "super":
        return within(module.parent, rest, seen) if module.parent else None
    return within(module, path, seen)


def within(module, path, seen):
    if not path:
        return module
    first, rest = path[0], path[1:]
    if first == "super":
        return within(module.parent, rest, seen) if module.parent else None
    if first in module.items:
        return module, first
    if first in module.children:
        return within(module.children[first], rest, seen)
    if first in module.imports and module.imports[first][0] != first:
        return resolve(module, module.imports[first] + rest, seen)
    for glob in module.globs:
        target = resolve(module, glob + (first,), seen)
        if target:
            return target if isinstance(target, tuple) else within(target, rest, seen)
    return None


def modules_under(module):
    yield module
    for child in module.children.values():
        yield from modules_under(child)


def is_descendant(module, ancestor):
    while module and module is not ancestor:
        module = module.parent
    return module is ancestor


def edges(root):
    """File → other file → the names that it takes from there."""
    found = {}
    for module in modules_under(root):
        named = {path[0] for path in module.paths}
        wanted = list(module.paths)
        wanted += [path for name, path in module.imports.items() if name not in module.reexports or name in named]
        for name in module.reexports & module.imports.keys() - named:
            target = resolve(module, module.imports[name])
            if target and not is_descendant(target[0] if isinstance(target, tuple) else target, module):
                wanted.append(module.imports[name])
        for path in wanted:
            target = resolve(module, path)
            if isinstance(target, tuple) and target[0].file != module.file:
                found.setdefault(module.file, {}).setdefault(target[0].file, set()).add(target[1])
    return found


def components(graph):
    """Tarjan's strongly connected components of more than one file."""
    order, low, stack, result = {}, {}, [], []

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in order:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], order[other])
        if low[node] == order[node]:
            component = set(stack[stack.index(node) :])
            del stack[stack.index(node) :]
            if len(component) > 1:
                result.append(component)

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return result


def roots(crate):
    source = crate / "src"
    for path in [source / "lib.rs", source / "main.rs", *sorted(source.glob("bin/*.rs"))]:
        if path.exists():
            root = Module(path, None, path.parent)
            read_tokens(root, tokens_of(path))
            yield root


def story(circle, graph, source):
    for file in sorted(circle):
        for other in sorted(circle & graph[file].keys()):
            names = ", ".join(sorted(graph[file][other]))
            yield f"    {file.relative_to(source)} names of {other.relative_to(source)}: {names}"


def report(crate):
    """Prints the circles of a crate, and says whether there are none."""
    source = crate / "src"
    is_well = True
    for root in roots(crate):
        graph = edges(root)
        for circle in components(graph):
            is_well = False
            print(f"{crate.name}: a circle of {len(circle)} files")
            print("\n".join(story(circle, graph, source)))
    return is_well


def main():
    crates = [manifest.parent for manifest in sorted(pathlib.Path("crates").glob("*/Cargo.toml"))]
    if not all([report(crate) for crate in crates]):
        raise SystemExit(1)
    print(f"{len(crates)} crates have no circle of files")


if __name__ == "__main__":
    main()
