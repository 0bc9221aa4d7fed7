"""Lists as Windows, spreadsheets and other tools write them."""

import codecs
import re
from pathlib import Path

import pytest
from helpers.attempts import attempt
from helpers.logs import log  # noqa: F401
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlfs_mm.utils.text_lists import (
    Line,
    NameIndex,
    check_matches,
    loose_name,
    parse_label,
    read_lines,
    real_number,
    split_numbers,
    whole_number,
)

QUICK = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ENCODINGS = {
    'utf-8': b'',
    'utf-8-sig': b'',
    'utf-16-le': codecs.BOM_UTF16_LE,
    'utf-16-be': codecs.BOM_UTF16_BE,
    'utf-32-le': codecs.BOM_UTF32_LE,
    'utf-32-be': codecs.BOM_UTF32_BE,
}
NAME = (
    st.text(
        st.characters(exclude_categories=('Cc', 'Cs', 'Zl', 'Zp'), exclude_characters='"\'\ufeff#'),
        min_size=1,
        max_size=20,
    )
    .map(str.strip)
    .filter(bool)
)
LABEL = st.integers(0, 10**6)


@QUICK
@given(
    names=st.lists(NAME, min_size=1, max_size=8),
    encoding=st.sampled_from(sorted(ENCODINGS)),
    end=st.sampled_from(['\n', '\r\n', '\r']),
    blank=st.sampled_from(['', ' ', '\t \t']),
)
def test_names_in_every_encoding(tmp_path: Path, names: list, encoding: str, end: str, blank: str):
    path = tmp_path / 'list.txt'
    text = end.join(f' {name}\t{end}{blank}' for name in names) + end
    path.write_bytes(ENCODINGS[encoding] + text.encode(encoding))
    lines = read_lines(path)
    assert [line.text for line in lines] == names
    assert [line.number for line in lines] == list(range(1, 2 * len(names), 2))


@QUICK
@given(content=st.binary(max_size=80), head=st.sampled_from([b'', *ENCODINGS.values()]))
def test_any_bytes_are_lines_or_an_error_that_names_the_line(
    tmp_path: Path, content: bytes, head: bytes
):
    path = tmp_path / 'list.txt'
    path.write_bytes(head + content)
    lines, error = attempt(ValueError, read_lines, path)
    if error:
        assert re.search(r'list\.txt, line [0-9]+: .*save the file as UTF-8', error)
        return
    # Nothing is lost: all that is not space is in a line.
    text = (head + content).decode(
        next((name for name, mark in ENCODINGS.items() if mark and mark == head), 'utf-8-sig')
    )
    seen = ''.join(''.join(line.text.split()) for line in lines)
    assert seen == ''.join(text.removeprefix('\ufeff').split())


@QUICK
@given(
    name=NAME,
    label=LABEL,
    form=st.sampled_from(
        ['{} {}', '{}\t{}', '"{}",{}', '{};{}', '"{}" {} ', '{}\t"{}"\t\t', '{}, {},,']
    ),
)
def test_names_with_labels(name: str, label: int, form: str):
    name = name.strip(' \t,;')
    if not name:
        return
    assert parse_label('list', Line(3, form.format(name, label))) == (name, label)


@QUICK
@given(text=st.text(max_size=30), num_classes=st.none() | st.integers(1, 5))
def test_any_line_is_a_label_in_range_or_an_error(text: str, num_classes: int | None):
    found, error = attempt(ValueError, parse_label, 'list', Line(7, text), num_classes)
    if error:
        assert 'list, line 7: ' in error
    else:
        name, label = found
        assert name
        assert 0 <= label < (num_classes or 10**18)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('a b.jpg 1 2.5', ('a b.jpg', [1, 2.5])),
        ('a b.jpg,1,2.5', ('a b.jpg', [1, 2.5])),
        ('Davis, Jr.jpg 1 2.5', ('Davis, Jr.jpg', [1, 2.5])),
        ('"Davis, Jr.jpg",1,2.5', ('Davis, Jr.jpg', [1, 2.5])),
        ('a.jpg;1;2,5', ('a.jpg', [1, 2.5])),  # decimal commas
        ('a.jpg\t1,0\t2,5\t', ('a.jpg', [1, 2.5])),
        ('a.jpg, 1, 2.5', ('a.jpg', [1, 2.5])),
        ('1 2', None),
        ('a.jpg 1 x', None),
        ('a.jpg', None),
        ('', None),
    ],
)
def test_numbers_behind_a_name(text: str, expected: tuple | None):
    assert split_numbers(text, 2, real_number) == expected


@pytest.mark.parametrize('text', ['1.0', '1_0', 'one', '', '0x1', '\u0661', '1' * 19, 'nan', '1e3'])
def test_whole_numbers(text: str):
    assert whole_number('-12') == -12
    with pytest.raises(ValueError, match='is no whole number'):
        whole_number(text)


@pytest.mark.parametrize('text', ['nan', 'inf', '1e999', '1_0', 'x', '', '.', '\u0661', '1 2'])
def test_real_numbers(text: str):
    assert [real_number(number) for number in ('1', '-.5', '2.', '1e3')] == [1, -0.5, 2, 1000]
    with pytest.raises(ValueError, match='is no number'):
        real_number(text)


def test_other_encodings_are_named(tmp_path: Path):
    path = tmp_path / 'list.txt'
    path.write_bytes('one\ntwo\nM\u00fcller\n'.encode('cp1252'))
    with pytest.raises(ValueError, match=r'list\.txt, line 3: this is not UTF-8 text'):
        read_lines(path)
    path.write_bytes('one\ntwo\n'.encode('utf-16-le'))  # without a mark
    with pytest.raises(ValueError, match=r'list\.txt, line 1: there is a zero byte'):
        read_lines(path)


def test_comments_only_where_they_are_asked_for(tmp_path: Path):
    (tmp_path / 'list.txt').write_text('# a\nb # c\n')
    assert [line.text for line in read_lines(tmp_path / 'list.txt', comments=True)] == ['b # c']
    assert len(read_lines(tmp_path / 'list.txt')) == 2


@pytest.mark.parametrize(
    ('written', 'there'),
    [
        ('ANN/1.JPG', 'ann/1.jpg'),
        ('ann\\1.jpg', 'ann/1.jpg'),
        ('./ann/1.jpg', 'ann/1.jpg'),
        ('ann/1', 'ann/1.jpg'),
        ('ann/1.png', 'ann/1.jpg'),
        ('Ann Lee', 'Ann_Lee'),
        ('ann/', 'ann'),
        ('ann ', 'ann'),
        ('"ann"', 'ann'),
        ('Jose\u0301', 'Jos\u00e9'),
        ('a /b', 'a/b'),
    ],
)
def test_names_that_tools_have_changed(written: str, there: str):
    index = NameIndex(['other', there])
    assert index.find(written) == 1
    assert index.loosely == 1
    assert index.find('another') is None


def test_the_name_as_it_is_written_comes_first():
    index = NameIndex(['Ann', 'ann', 'ANN.png'])
    assert [index.find(name) for name in ('Ann', 'ann', 'ANN.png')] == [0, 1, 2]
    assert index.loosely == 0
    with pytest.raises(ValueError, match=r"'aNN' could be any of \['Ann', 'ann', 'ANN.png'\]"):
        index.find('aNN')


def test_zeros_in_front():
    index = NameIndex(['0000513', '0000045', '7'], lost_zeros=True)
    assert [index.find(name) for name in ('513', '45', '7', '0000045')] == [0, 1, 2, 1]
    assert index.find('00513') is None
    assert index.find('0007') is None  # a folder's name is no label of record files
    assert NameIndex(['0000513']).find('513') is None


@QUICK
@given(names=st.lists(NAME, unique_by=loose_name, min_size=1, max_size=6), data=st.data())
def test_every_name_is_found_whatever_its_case(names: list, data: st.DataObject):
    number = data.draw(st.integers(0, len(names) - 1))
    index = NameIndex(names)
    assert index.find(names[number]) == number
    assert index.find(f' {names[number]} ') == number


def test_lists_that_match_little(log):  # noqa: F811
    unknown = [Line(4, 'x'), Line(5, 'y')]
    check_matches('list.txt', 1, unknown, 1 / 3, 'identities', ['a', 'b'])
    assert (
        "list.txt: 2 of 3 identities are not in the data, such as ['x', 'y'] (line 4)" in log.text
    )
    for found, says in ((1, 'only 1'), (0, 'none')):
        with pytest.raises(ValueError, match=rf"list\.txt names {says} of the 2 .*line 4: 'x'"):
            check_matches('list.txt', found, [*unknown, *unknown], 1 / 3, 'identities', ['a', 'b'])
    with pytest.raises(ValueError, match='it has no entry'):
        check_matches('list.txt', 0, [], 0, 'identities', ['a'])
