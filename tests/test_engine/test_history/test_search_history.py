"""The files of a search: which of them stay, and how long."""

from pathlib import Path

from amlfs_mm.engine.history.search_history import SearchHistory


def test_a_stopped_sub_runner_finds_its_directory_while_another_begins_a_round(tmp_path: Path):
    """Rank 1 makes the directory, rank 0 tidies up, rank 1 writes its round into the directory."""
    history = SearchHistory(tmp_path, writes=True)
    history.unfinished.mkdir()
    (history.unfinished / 'round_0_candidate_0_replica_0.pth').touch()
    history.remove_superseded(saved_epoch=1)
    assert not list(history.unfinished.iterdir())
    (history.unfinished / 'round_1_candidate_1_replica_0.pth').touch()
    history.remove_superseded(saved_epoch=2)
    history.remove_empty_directory()
    assert not history.unfinished.exists()
