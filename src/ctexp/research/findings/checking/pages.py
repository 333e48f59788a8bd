"""Pages: marks and hashes, the history's order, and every number that is cited, by whomever."""

from collections.abc import Mapping
from pathlib import Path

from ctexp.core.errors import DataError
from ctexp.research.figures import Figure, quotes
from ctexp.research.findings.checking.generated import check_text
from ctexp.research.findings.checking.report import Report
from ctexp.research.findings.history import news, state_of
from ctexp.research.findings.marks import Block
from ctexp.research.findings.page import Page
from ctexp.research.findings.sources import sources
from ctexp.research.findings.write import Told, texts


def check_page(path: Path, told: Told, root: Path, report: Report) -> None:
    """Hold a page against the records."""
    said = path.relative_to(root).as_posix()
    if not path.is_file():
        report.differs(said, 0, "missing, although there are records: run scripts/inv research-run")
        return
    report.files.add(said)
    try:
        page = Page.parse(path.read_bytes(), said)
    except DataError as error:
        for problem in error.problems:
            _, number, what = problem.split(":", 2)
            report.differs(said, int(number), what.strip())
        return
    for block in page.blocks:
        _block(block, page, told, said, report)
    for kind in ("head", "sources"):
        if page.of(kind) is None:
            report.differs(said, 0, f"its {kind} is gone: run scripts/inv research-run")
    for line, prose in page.prose():
        text = prose.decode(errors="replace")
        _numbers(text, line, told.figures, said, report)
        for quote in quotes(text):
            if quote.mark in told.earlier:
                at = line + text.count("\n", 0, quote.start)
                report.notes.append(
                    f"{said}:{at}: {quote.said} is of an earlier answer; there is a newer one"
                )
    for entry, problem in page.broken_chain():
        report.differs(said, entry.line, problem)
    if news(page, told.lines):
        report.differs(said, 0, "its history lacks what records give today: run scripts/inv research-run")


def _block(block: Block, page: Page, told: Told, file: str, report: Report) -> None:
    """Generated text: every number, every line where it is made anew, and whether it is as it was written."""
    begin = block.text_line
    _numbers(block.text, begin, told.figures, file, report)
    same = True
    if block.kind == "head":
        same = check_text(block.text, told.head.strip(), file, begin, report)
    elif block.kind == "sources":
        wanted = sources(texts(page), told.figures, told.records)
        same = check_text(block.text, wanted.strip(), file, begin, report)
    else:
        same = state_of(block.text) == block.state
        if not same:
            report.differs(file, block.line, "the text of this entry is not what its mark says it was")
    if same and not block.whole:
        report.differs(file, block.line, f"the text of this {block.kind}, or its mark, was changed by hand")


def _numbers(text: str, begin: int, known: Mapping[str, Figure], file: str, report: Report) -> None:
    """Hold every number that a text cites against its figure, at the digits it is told with."""
    for quote in quotes(text):
        report.numbers += 1
        line = begin + text.count("\n", 0, quote.start)
        figure = known.get(quote.mark)
        if figure is None:
            report.differs(file, line, f"cites [^{quote.mark}], a figure that no record has")
        elif not quote.said:
            report.differs(file, line, f"no number that can be read before [^{quote.mark}]")
        elif quote.said != (should := figure.as_quoted(quote)):
            report.differs(file, line, f"says {quote.said}, is {should}")
