"""Every example in the README and in the documentation runs and shows what it claims.

Blocks of Python on a page share one namespace, in their order. A block with prompts is a doctest,
any other is executed. Commands in a block `console` are run on the files that the page has written,
and have to print what the page shows, where `...` stands for anything.

A section (`## …`) that imports a neighbour of ours which is not installed is left out, the rest of
its page runs, and the test counts as skipped.
"""

import contextlib
import doctest
import importlib.util
import io
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bargain_cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"^```\{?(?P<kind>[\w-]*)\}?[^\n]*\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
NEIGHBOURS = ("LibMTL", "lightning", "torchjd")
IMPORT = re.compile(rf"^(?:>>> )?(?:from|import) ({'|'.join(NEIGHBOURS)})\b", re.MULTILINE)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run_page(text, name):
    """Run the examples of a page and return how many there were."""
    namespace = {"__name__": "example"}
    ran = 0
    for block in FENCE.finditer(text):
        kind, body = block["kind"], block["body"]
        where = f"{name}, line {text.count(chr(10), 0, block.start()) + 1}"
        if kind in ("python", "doctest") and ">>>" in body:
            run_prompts(body, namespace, where)
        elif kind == "python":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(body, where, "exec"), namespace)
        elif kind == "console":
            run_commands(body, where)
        else:
            continue
        ran += 1
    return ran


def split_by_neighbours(text):
    """Return a page without the sections that cannot run here, and the packages that they miss."""
    kept, missing = [], set()
    for section in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        absent = {
            name for name in IMPORT.findall(section) if importlib.util.find_spec(name) is None
        }
        missing |= absent
        kept.append("\n" * section.count("\n") if absent else section)
    return "".join(kept), sorted(missing)


def run_prompts(body, namespace, where):
    test = doctest.DocTestParser().get_doctest(body, namespace, where, where, 0)
    report = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(
        test, out=report.append, clear_globs=False
    )
    assert result.failed == 0, "".join(report)
    namespace.update(test.globs)


def run_commands(body, where):
    for command in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        line, _, expected = command.partition("\n")
        program, *arguments = shlex.split(line)
        if program != "bargain":
            continue  # pip and make have tests of their own: whoever runs this has used them
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, f"{where}: {line}\n{result.output}"
        same = doctest.OutputChecker().check_output(expected, result.output, FLAGS)
        assert same, f"{where}: {line}\nexpected\n{expected}\nfound\n{result.output}"


# Lightning 2.6 uses what torch 2.13 calls old, and wants loaders to have processes of their own.
@pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated")
@pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers")
@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text, missing = split_by_neighbours(page.read_text(encoding="utf-8"))
    ran = run_page(text, page.name)
    if missing:
        pytest.skip(f"{ran} examples ran; not installed: {', '.join(missing)}")
    # A study's example is its script, which has tests of its own.
    assert ran or page.parent.name in ("api", "studies"), "expected examples, found none"


@pytest.mark.parametrize(
    "wrong",
    [
        "```python\n>>> 1 + 1\n3\n```\n",
        "```{doctest}\n>>> 1 + 1\n3\n```\n",
        "```python\nassert False\n```\n",
        "```{doctest}\n>>> import warnings\n>>> warnings.warn('old')\n```\n",
        "```console\n$ bargain --version\nbargain minus one\n```\n",
        "```console\n$ bargain solve missing.csv\n```\n",
    ],
)
def test_wrong_examples_are_caught(wrong):
    with pytest.raises(AssertionError):
        run_page(wrong, "page")


def test_sections_of_missing_neighbours_are_left_out(monkeypatch):
    page = "# Page\n## One\n```python\nimport lightning\n```\n## Two\n```python\n1 / 0\n```\n"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    text, missing = split_by_neighbours(page)
    assert missing == ["lightning"]
    assert text == "# Page\n" + 4 * "\n" + page[page.index("## Two") :]
    monkeypatch.undo()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert split_by_neighbours(page) == (page, [])


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150
