"""`cat-engine simulate`, as an operator types it: its files, its page in a real browser, what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, sync_playwright

from cat_engine.core.simulation.report import Distribution, StudyReport
from cat_engine.core.test_package import encode_file
from tests.cat_engine import small_packages as small
from web.cli import main
from web.formats import Formats
from web.simulation.charts import ChartWords, Series, bars, lines
from web.simulation.pages import render_report

WORDS = ChartWords(id="c", title="title", description="description", x_label="x", y_label="y")
ENGLISH = Formats("en")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package, a design, and the reports of one study of both in both languages."""
    place = tmp_path_factory.mktemp("simulate")
    (place / "package.json").write_bytes(encode_file(small.mixed_file()))
    design = {
        "name": "<short> & best",
        "adaptive": {"exposure": {"rule": "best"}, "final_estimator": {"rule": "posterior_mode"}},
        "sections": {"reasoning": {"stopping": [{"rule": "fixed_length", "settings": {"items": 6}}]}},
    }
    (place / "design.json").write_text(json.dumps(design), encoding="utf-8")
    for language in ("id", "en"):
        arguments = [
            *("simulate", str(place / "package.json"), "--design", str(place / "design.json")),
            *("--theta=-1:1:1", "--candidates", "6", "--language", language),
            *("--html", str(place / f"{language}.html"), "--json", str(place / f"{language}.json")),
        ]
        assert main(arguments) == 0
    return place


@pytest.fixture(scope="module")
def page(chromium_path: Path) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium_path), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser.new_page()
        browser.close()


def test_the_json_is_the_report_and_repeats(folder: Path) -> None:
    found = json.loads((folder / "id.json").read_text(encoding="utf-8"))
    assert found == json.loads((folder / "en.json").read_text(encoding="utf-8"))
    assert found["format"] == "cat-engine/simulation/1"
    assert found["candidates"] == 18
    assert [design["name"] for design in found["designs"]] == ["package", "<short> & best"]
    assert found["designs"][1]["sections"][0]["length"]["mean"] == 6


def test_without_files_the_report_goes_to_standard_output(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "web.cli", "simulate", str(folder / "package.json"), "--candidates", "5"],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["candidates"] == 5
    assert b"5 / 5" in done.stderr


@pytest.mark.parametrize(("language", "word"), [("id", "Laporan simulasi"), ("en", "Simulation report")])
@pytest.mark.parametrize("width", [1280, 320])
def test_the_page_stands_alone_and_fits(
    folder: Path, page: Page, language: str, word: str, width: int
) -> None:
    asked: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: problems.append(message.text))
    page.set_viewport_size({"width": width, "height": 900})
    address = (folder / f"{language}.html").as_uri()
    page.goto(address)
    assert [url for url in asked if not url.startswith("data:")] == [address]
    assert problems == []
    assert page.get_attribute("html", "lang") == language
    assert word in page.title()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("svg[role=img]").count() >= 9
    drawn = page.locator(".plot__line").evaluate_all("all => all.every(one => one.getTotalLength() > 0)")
    assert drawn
    outside = page.locator("figure .plot__mark, figure .plot__bar").evaluate_all(
        """all => all.filter(one => {
          const mark = one.getBoundingClientRect(), frame = one.closest('svg').getBoundingClientRect();
          return frame.width > 100 && (mark.left < frame.left || mark.right > frame.right + 1
            || mark.top < frame.top || mark.bottom > frame.bottom);
        }).length"""
    )
    assert outside == 0


def test_numbers_are_in_the_readers_language(folder: Path) -> None:
    indonesian = (folder / "id.html").read_text(encoding="utf-8")
    english = (folder / "en.html").read_text(encoding="utf-8")
    assert "33,3%" in indonesian or "100,0%" in indonesian
    assert "100.0%" in english
    assert ">paket<" in indonesian
    assert ">as published<" in english


def test_what_a_file_says_is_never_markup(folder: Path) -> None:
    html = (folder / "en.html").read_text(encoding="utf-8")
    assert "&lt;short&gt; &amp; best" in html
    assert "<short>" not in html
    assert not re.search(r"<script|src=|href=|https?://", html.split("</style>")[1])
    assert_balanced(html)


class Tags(HTMLParser):
    """Every element that is opened is closed."""

    VOID = frozenset({"meta", "br", "img", "input", "link", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def assert_balanced(html: str) -> None:
    tags = Tags()
    tags.feed(html)
    assert tags.open == []


def test_the_command_that_repeats_it_is_on_the_page(folder: Path) -> None:
    html = (folder / "id.html").read_text(encoding="utf-8")
    assert "cat-engine simulate" in html
    assert "--theta=-1:1:1" in html


REFUSED = (
    (["--design", "none.json"], "cannot be read"),
    (["--theta=0", "--normal", "0,1"], "exclude each other"),
    (["--uniform", "1,0"], "the interval is empty"),
    (["--thetas-from", "package.json"], "cannot be read"),
    (["--calibration-error", "0.1,0.1", "--speed=-1,0"], "deviation of speed"),
)


@pytest.mark.parametrize(("options", "reason"), REFUSED)
def test_what_cannot_be_used_is_refused(
    folder: Path,
    options: list[str],
    reason: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    assert main(["simulate", "package.json", *options]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--theta=1:0:1", "--candidates=0", "--normal=1", "--processes=two"])
def test_what_an_option_cannot_mean_is_a_mistake_of_the_line(folder: Path, option: str) -> None:
    with pytest.raises(SystemExit):
        main(["simulate", str(folder / "package.json"), option])


def test_a_package_that_was_changed_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = small.encode(small.mixed_file()).replace('"metric_d":1.7', '"metric_d":1.0')
    path = folder / "changed.json"
    path.write_text(changed, encoding="utf-8")
    assert main(["simulate", str(path)]) == 2
    assert "does not follow from its parameters" in capsys.readouterr().err


def test_abilities_from_a_file(folder: Path) -> None:
    (folder / "thetas.txt").write_text("-1.5\n0\n2.25\n", encoding="utf-8")
    out = folder / "listed.json"
    package, thetas = str(folder / "package.json"), str(folder / "thetas.txt")
    assert main(["simulate", package, "--thetas-from", thetas, "--json", str(out)]) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    accuracy = found["designs"][0]["sections"][0]["accuracy"]
    assert accuracy["sittings"] == 3
    assert accuracy["mean_theta"] == pytest.approx(0.25)


# ------------------------------------------------------------------------------------------------ charts


def test_a_line_with_values_below_zero_has_its_zero_inside() -> None:
    chart = lines(WORDS, [Series(label="a", x=(-2.0, 2.0), y=(-0.3, 0.5), error=(0.1, 0.1))], ENGLISH)
    labels = {tick.label: tick.at for tick in chart.y_ticks}
    assert labels["0.00"] == chart.zero
    assert ("−0.50" in labels, "0.75" in labels) == (True, True)
    # the frame runs from −0.5 at 264 to 0.75 at 30
    low, high = (round(264 - 234 * (value + 0.5) / 1.25, 1) for value in (-0.3, 0.5))
    assert chart.series[0].path == f"M60 {low:g}L624 {high:g}"
    assert chart.rows == (("−2.00", "−0.300"), ("2.00", "0.500"))


def test_bars_add_up_and_put_neighbours_together() -> None:
    few = bars(WORDS, {4: 1, 6: 3}, ENGLISH)
    assert few.rows == (("4", "25.0%"), ("6", "75.0%"))
    assert [tick.label for tick in few.x_ticks] == ["4", "6"]
    many = bars(WORDS, dict.fromkeys(range(600), 1), ENGLISH)
    assert len(many.bars) == 60
    assert many.rows[0] == ("0–9", "1.7%")


def test_the_page_of_an_empty_section_is_drawn(folder: Path) -> None:
    """Nobody answered anything: no estimate, no chart of errors, and still a page."""
    report = msgspec.json.decode((folder / "id.json").read_bytes(), type=StudyReport)
    design = report.designs[0]
    none = Distribution(mean=0.0, deviation=0.0, minimum=0, percentiles={"50": 0}, maximum=0, counts={0: 18})
    nothing = msgspec.structs.replace(
        design.sections[0], accuracy=None, conditional=(), classification=None, length=none
    )
    bare = msgspec.structs.replace(design, sections=(nothing,))
    html = render_report(msgspec.structs.replace(report, designs=(bare,)), "en", "cat-engine simulate")
    assert "Bias by true ability" not in html
    assert_balanced(html)
