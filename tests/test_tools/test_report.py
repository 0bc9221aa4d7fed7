"""tools/analysis/report.py: one file that needs nothing else, and says what the runs' files say."""

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from helpers.work_dirs import BASELINE, run_tool, write_run

CHROMIUM = shutil.which('chromium') or shutil.which('google-chrome')
EVIL = '<script>alert("x")</script>'


class Page(HTMLParser):
    """The texts of a page by where they stand, and what it refers to."""

    VOID = frozenset({'meta', 'img', 'source', 'br', 'wbr'})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.references: list[str] = []
        self.captions: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        self.references += [v for k, v in attrs if k in ('src', 'srcset', 'href')]
        self.captions += [v for k, v in attrs if k == 'alt']
        if tag == 'tr':
            self.rows.append([])
        if tag in ('td', 'th'):
            self.rows[-1].append('')
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {'td', 'th'} & set(self.open):
            self.rows[-1][-1] = ' '.join(f'{self.rows[-1][-1]}{data}'.split())


@pytest.fixture(scope='module')
def runs(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tested search, and a baseline with three seeds, one of them not tested."""
    folder = tmp_path_factory.mktemp('runs')
    shutil.copytree(
        tiny_run, folder / 'search', ignore=shutil.ignore_patterns('*.pth', 'last_checkpoint')
    )
    (folder / 'search' / 'test.json').write_text(json.dumps({'accuracy/top1': 40.0}))
    names = ('reward', 'search', 'control', 'difference', 'interval')
    values = ('accuracy/top1', 41.0, 39.5, 1.5, [-0.25, 3.25])
    choice = dict(zip(names, values, strict=True), kept='search')
    (folder / 'search' / 'kept_model.json').write_text(json.dumps(choice))
    for seed, value in enumerate([30.0, 32.0, None]):
        write_run(
            folder / f'plain{seed}',
            BASELINE,
            seed,
            test=None if value is None else {'accuracy/top1': value},
            validation={20: {'accuracy/top1': 35.0}},
            log_level=EVIL,
        )
    return folder


@pytest.fixture(scope='module')
def report(runs: Path) -> str:
    out = runs / 'report.html'
    run_tool('report.py', runs, '--out', out)
    return out.read_text()


def test_needs_nothing_else_and_escapes(report: str):
    page = Page(report)
    assert not page.open
    assert 'script' not in page.tags
    assert html.escape(EVIL).replace('&quot;', '&#34;') in report  # as a config's value
    outside = [r for r in page.references if not r.startswith(('data:image/svg+xml;', '#'))]
    assert outside == []
    assert not re.findall(r'url\(|@import|<link', report)


def test_says_what_the_files_say(report: str, tiny_records: list[dict]):
    page = Page(report)
    plain = next(row for row in page.rows if row[:2] == ['baseline_resnet20_digits', '20'])
    assert plain[3:5] == ['2', '31.00 ± 12.71']
    search = next(row for row in page.rows if row[:2] == ['tiny_search', '12'])
    assert search[4] == '40.00'
    assert search[5] == '10.00one seed'
    last = tiny_records[-1]
    dv = last['reward'][last['best']]
    bias = next(row for row in page.rows if row[0] == 'tiny_search' and row[1] == f'{dv:.2f}')
    assert bias[2:4] == ['40.00', f'{dv - 40:.2f}']
    kept = [cell for row in page.rows for cell in row if cell.startswith('search: ')]
    assert kept == ['search: search minus control +1.50 [-0.25, +3.25]']
    assert not [row for row in page.rows if 'rounds undone' in row]
    epochs = [row for row in page.rows if row[:2] in [['1', '4'], ['2', '4'], ['3', '4']]]
    best = [max(r for r in record['reward'] if r is not None) for record in tiny_records]
    assert [row[4] for row in epochs] == [f'{value:.2f}' for value in best]
    assert 'tiny_search: only one seed' in report
    assert 'Seed 2: Not tested' in report
    assert sum('Fig. 3' in caption for caption in page.captions) == 1
    assert 'num_candidates' in report


def test_mistakes(runs: Path, tmp_path: Path):
    out = ['--out', tmp_path / 'report.html']
    for arguments, message in (
        ([tmp_path / 'nowhere'], 'there is no work dir or checkpoint'),
        ([runs / 'plain0', '--metric', 'reid/mAP'], r"it has \['accuracy/top1'\]"),
        ([runs / 'search', '--gradients', '9'], r'search has no checkpoint epoch_<n>.pth'),
    ):
        with pytest.raises(SystemExit, match=message):
            run_tool('report.py', *arguments, *out)
    assert not out[1].exists()


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason='no chromium')
@pytest.mark.parametrize('width', [390, 1280])
def test_no_horizontal_scroll(width: int, report: str, tmp_path: Path):
    """In an inner frame, since a headless window is never narrower than 500 pixels."""
    frame = html.escape(report)
    wrapper = tmp_path / 'frame.html'
    wrapper.write_text(
        f'<iframe id=f width={width} height=800 style="border:0" srcdoc="{frame}"></iframe>'
        '<script>f.onload = () => { const e = f.contentDocument.documentElement;'
        'document.title = `${e.scrollWidth} of ${e.clientWidth}, ${e.scrollHeight} high` }'
        '</script>'
    )
    command = [CHROMIUM, '--headless=new', '--no-sandbox', '--disable-gpu']
    command += ['--hide-scrollbars', '--window-size=1400,900', '--dump-dom']
    command.append(f'--user-data-dir={tmp_path}/profile')
    dom = subprocess.run(
        [*command, wrapper.as_uri()], capture_output=True, text=True, timeout=120
    ).stdout
    (scroll, client, height) = map(
        int, re.search(r'<title>(\d+) of (\d+), (\d+) high</title>', dom).groups()
    )
    assert client == width
    assert scroll <= width
    assert height > 2000
