"""Scripts as browsers get them: lean, joined, compressed, and always what is in the folder."""

from __future__ import annotations

import asyncio
import gzip
import os
from pathlib import Path

import httpx
import pytest
from serving import GREETING, Serving, written
from starlette.applications import Starlette
from starlette.routing import Route

from engine.delivery.scripts import Script, joined, lean

TRACKER = Path(__file__).parents[2] / "widgets" / "tracker"
BUILD = "/server/resources/js/build"


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("let a = 1; // one\n", "let a=1;\n"),
        ("/** @type {X} */ let a = 1;\n", "let a=1;\n"),
        (
            "f('// kept', \"/* kept */\", `a\n  // b`);",
            "f('// kept',\"/* kept */\",`a\n  // b`);\n",
        ),
        ("a = /[/*'\"]+\\/x y/gi.test(b);", "a=/[/*'\"]+\\/x y/gi.test(b);\n"),
        ("return /a  b/ ;", "return /a  b/;\n"),
        ("a = b / c / d; // e", "a=b / c / d;\n"),
        ("a = b + +c - -d;", "a=b + +c - -d;\n"),
        ("let a = 1\nlet b = 2\n\n\n[a].at(0)", "let a=1\nlet b=2\n[a].at(0)\n"),
        ("return {\n  a,\n  b: [1, 2],\n};\n", "return{a,b:[1,2],};\n"),
        ("for (const one of [1]) x in y;", "for(const one of[1])x in y;\n"),
        ("a /* no\n break */ b", "a\nb\n"),
        ("x = y ? .5 : z;", "x=y?.5:z;\n"),
    ],
)
def test_comments_and_spare_space_go_and_nothing_else(source: str, result: str) -> None:
    assert lean(source) == result
    assert lean(result) == result


def test_a_module_is_joined_with_what_it_imports_each_once(tmp_path: Path) -> None:
    (tmp_path / "c.js").write_text("export const c = 3;\n")
    (tmp_path / "b.js").write_text(
        "import { c } from './c.js';\nexport function b() { return c; }\n"
    )
    (tmp_path / "a.js").write_text(
        "import {\n  b,\n} from './b.js';\nimport { c } from './c.js';\nb(c);\n"
    )
    assert joined(tmp_path / "a.js") == (
        "(function () {\n'use strict';\nconst c = 3;\nfunction b() { return c; }\nb(c);\n})();\n"
    )


def test_a_module_that_is_joined_as_one_exports_what_its_entry_does(tmp_path: Path) -> None:
    (tmp_path / "b.js").write_text("export const b = 2;\n")
    (tmp_path / "a.js").write_text("import { b } from './b.js';\nexport function a() {}\n")
    found = joined(tmp_path / "a.js", module=True)
    assert found == "const b = 2;\nexport function a() {}\n"


def test_a_file_that_changed_is_served_at_once(tmp_path: Path) -> None:
    file = tmp_path / "one.js"
    file.write_text("let a = 1;")
    app = Starlette(routes=[Route("/one", Script(file).answer)])

    def get(**headers: str) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.get("/one", headers=headers)

        return asyncio.run(asked())

    first = get()
    assert (first.text, first.headers["Content-Encoding"]) == ("let a=1;\n", "gzip")
    known = {"If-None-Match": first.headers["ETag"]}
    assert get(**known).status_code == 304
    file.write_text("let a = 2;")
    os.utime(file, (1, 1))
    plain = get(**known, **{"Accept-Encoding": "identity"})
    assert plain.text == "let a=2;\n"
    assert "Content-Encoding" not in plain.headers


def test_what_a_page_loads_is_small(tmp_path: Path) -> None:
    """As served, in bytes: the tracker, and what it loads when it is needed."""
    sizes = {}
    book = written(tmp_path / "book", one=GREETING)
    with Serving(book, tmp_path / "data") as serving:
        for name in ("GPE.min.js", "live.js", "captures.js"):
            with httpx.stream("GET", f"{serving.address}{BUILD}/{name}") as answer:
                raw = b"".join(answer.iter_raw())
            assert answer.headers["Content-Type"].startswith("text/javascript")
            assert "/**" not in gzip.decompress(raw).decode()
            sizes[name] = len(raw)
    assert sizes["GPE.min.js"] <= 6000, sizes
    assert sizes["live.js"] <= 6000, sizes
    assert sizes["captures.js"] <= 3000, sizes


@pytest.mark.parametrize("entry", ["tracker.js", "live.js"])
def test_no_two_files_of_the_tracker_use_one_name(entry: str) -> None:
    """They share one scope when they are joined."""
    names: list[str] = []
    for line in joined(TRACKER / entry).splitlines():
        head = line.removeprefix("async ").split("(")[0].split()
        if (
            line[:1].isalpha()
            and len(head) > 1
            and head[0] in ("function", "const", "let", "class")
        ):
            names.append(head[1])
    assert len(names) > 10
    assert sorted(names) == sorted(set(names))


def test_nothing_in_the_tracker_needs_more_than_a_strict_policy_gives() -> None:
    for path in TRACKER.glob("*.js"):
        source = path.read_text("utf-8")
        for word in ("eval(", "new Function", "innerHTML", "insertAdjacentHTML", "'unload'"):
            assert word not in source, (path.name, word)
        assert "beforeunload" not in source
