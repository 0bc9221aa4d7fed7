"""The history of a search and its files in the work dir."""

from __future__ import annotations

import json
import math
from pathlib import Path

from mmengine.runner import Runner
from torch import Tensor

from amlfs_mm.utils.text_files import write_json, write_text

from .lineage import epoch_of_model, epochs_of_lineage


class SearchHistory:
    """Keeps a record of every round, and writes the files of a search.

    The files are ``loss_search.jsonl``, ``loss_schedule.json`` and the best-ever model. Nothing in
    a record depends on the clock or on the number of processes.

    Args:
        directory: The work dir.
        writes: Whether this process writes the files; the others keep the records only.
    """

    def __init__(self, directory: str | Path, writes: bool) -> None:
        self.directory = Path(directory)
        self.writes = writes
        self.records: list[dict] = []
        # What a stopped job leaves; see unfinished_round.py.
        self.unfinished = self.directory / 'unfinished'

    def record(
        self,
        mu_before: Tensor,
        mu: Tensor,
        sigma: float,
        theta: Tensor,
        reward: Tensor,
        advantage: Tensor,
        best: int | None,
        interval_share: dict[str, list[float]],
        epochs: range,
        warmup: bool,
        control: float | None = None,
        lineage: dict[str, int | None] | None = None,
    ) -> dict:
        """Add a round, and write ``loss_search.jsonl``: one line of JSON for each round.

        Args:
            mu_before: mu (D,) around which the candidates were drawn.
            mu: mu (D,) after the update.
            sigma: Of the policy.
            theta: The candidates (B, D) as they were drawn, without a control.
            reward: (B,), NaN where a candidate diverged (null in the file).
            advantage: (B,).
            best: The winner's index; None if all diverged.
            interval_share: Share of the winner's training samples in each interval of t and tau.
            epochs: The epochs, from 0, that each candidate trained.
            warmup: Whether the round belongs to the warm-up.
            control: The reward of the control, NaN if it diverged; None if there is none.
            lineage: Where the round started, and where the next one will, if the search goes back;
                see :mod:`.lineage`.

        Returns:
            The record.
        """
        record = dict(
            epoch=epochs.stop,  # the last, from 1: t of Algorithm 1, as in epoch_<t>.pth
            first_epoch=epochs.start + 1,
            warmup=warmup,
            mu_before=mu_before.tolist(),
            mu=mu.tolist(),
            sigma=sigma,
            theta=theta.tolist(),
            reward=[value if math.isfinite(value) else None for value in reward.tolist()],
            advantage=advantage.tolist(),
            best=best,
            interval_share=interval_share,
        )
        if control is not None:
            record['control'] = dict(reward=control if math.isfinite(control) else None)
        if lineage is not None:
            record['lineage'] = lineage
        self.records.append(record)
        if self.writes:
            # The whole file each time: so no line is torn, and none is left from before a resume.
            lines = ''.join(json.dumps(line) + '\n' for line in self.records)
            write_text(self.directory / 'loss_search.jsonl', lines)
        return record

    def epoch_of_model(self) -> int:
        """The last epoch of the round whose winner the model is now; 0 at the start of the run."""
        return epoch_of_model(self.records)

    def best_epochs(self) -> list[int]:
        """The epochs, from 1, whose winner was better than all winners before it."""
        epochs, best_reward = [], -math.inf
        for record in self.records:
            if record['best'] is not None and record['reward'][record['best']] > best_reward:
                best_reward = record['reward'][record['best']]
                epochs.append(record['epoch'])
        return epochs

    def save_if_best_ever(self, runner: Runner) -> None:
        """Save the model, the last round's winner, if its reward is the best of all rounds.

        The file of the former best stays until :meth:`remove_superseded`.
        """
        epoch = self.records[-1]['epoch']
        if self.best_epochs()[-1:] == [epoch]:
            runner.save_checkpoint(
                str(self.directory),
                best_file(epoch),
                save_optimizer=False,
                save_param_scheduler=False,
                meta=dict(epoch=epoch, iter=runner.iter),
            )

    def best_record(self) -> dict | None:
        """The record of the best winner of all rounds; None if there is no winner yet."""
        best = self.best_epochs()[-1:]
        return next((record for record in self.records if [record['epoch']] == best), None)

    def remove_superseded(self, saved_epoch: int) -> None:
        """Remove what a resume from the checkpoint of ``saved_epoch`` does not need.

        These are former best-ever models, and what a stopped job left of earlier rounds.
        """
        if not self.writes:
            return
        for epoch in [epoch for epoch in self.best_epochs() if epoch <= saved_epoch][:-1]:
            (self.directory / best_file(epoch)).unlink(missing_ok=True)
        for path in self.unfinished.glob('round_*.pth'):
            if int(path.name.split('_')[1]) < saved_epoch:
                path.unlink(missing_ok=True)

    def remove_empty_directory(self) -> None:
        """Remove the directory of unfinished rounds at the end of the search.

        Not before: a sub-runner that is asked to stop may be about to write into it.
        """
        if self.writes and self.unfinished.is_dir() and not any(self.unfinished.iterdir()):
            self.unfinished.rmdir()

    def candidate_epochs(self) -> int:
        """How many models were trained for an epoch so far: the compute of the search."""
        return sum(
            (len(record['theta']) + ('control' in record))
            * (record['epoch'] - record['first_epoch'] + 1)
            for record in self.records
        )

    def write_schedule(self, config: str, **about) -> None:
        """Write ``loss_schedule.json``: the winner's loss of every epoch.

        The file is enough to train the winner again without a search (``LossReplayHook``). Seed,
        epoch and ``stream`` fix the data order of each epoch. ``round`` counts rounds from 1.
        ``candidate``, ``stream``, ``theta`` and ``reward`` are null if all candidates diverged.

        If the search goes back, the file still has the winner of every round, in the order of
        time: these are the losses that it used. ``started_from`` and ``went_back_to`` are those of
        the round's record, and ``leads_to_model`` tells whether the final model comes from it.

        Args:
            config: The text of the run's config.
            about: What holds for the whole search: ``seed``, ``search_space``, ``reward``,
                ``hand_over``, ``common_random_numbers``, ``replicas``, torch's ``threads``,
                ``compute``.
        """
        epochs, of_model = [], epochs_of_lineage(self.records)
        for number, record in enumerate(self.records, start=1):
            best = record['best']
            shared = dict(
                round=number,
                warmup=record['warmup'],
                candidate=best,
                stream=0 if best is not None and about['common_random_numbers'] else best,
                theta=None if best is None else record['theta'][best],
                reward=None if best is None else record['reward'][best],
                mu=record['mu'],
            )
            if 'lineage' in record:
                shared |= record['lineage'] | dict(leads_to_model=record['epoch'] in of_model)
            for epoch in range(record['first_epoch'], record['epoch'] + 1):
                epochs.append(dict(epoch=epoch, **shared))
        if self.writes:
            content = dict(about, epochs=epochs, config=config)
            write_json(self.directory / 'loss_schedule.json', content)


def best_file(epoch: int) -> str:
    """The file name of the best-ever model, if it is the winner of this epoch, from 1."""
    return f'best_reward_epoch_{epoch}.pth'
