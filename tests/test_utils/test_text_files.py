"""Text files are written whole; a JSON file that cannot be read is named."""

from pathlib import Path

import pytest

from amlfs_mm.utils.text_files import read_json, write_text


def test_a_folder_is_made(tmp_path: Path):
    path = tmp_path / 'new' / 'a.json'
    write_text(path, '{"a": 1}')
    assert read_json(path) == {'a': 1}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize('text', ['{"a": ', '', 'plain text'])
def test_the_error_names_the_file(tmp_path: Path, text: str):
    path = tmp_path / 'cut.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=r'cut\.json is no JSON, or is cut short'):
        read_json(path)
