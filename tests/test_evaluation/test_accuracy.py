"""Counted by batches or samples, on one process or several: mmpretrain's accuracy."""

from __future__ import annotations

import pytest
import torch
from helpers.runs import free_port
from mmengine.evaluator import Evaluator
from mmpretrain.evaluation import Accuracy
from mmpretrain.structures import DataSample
from torch import Tensor, multiprocessing

from amlfs_mm.evaluation import MeanLogProbability
from amlfs_mm.evaluation.accuracy import BatchAccuracy, BatchEvaluator
from amlfs_mm.utils.lazy_data_samples import LazyDataSamples

CLASSES = 6


def predictions(samples: int) -> tuple[Tensor, Tensor]:
    """Scores with ties, zeros and ones; classes."""
    draw = torch.Generator().manual_seed(samples)
    logits = torch.randint(-3, 4, (samples, CLASSES), generator=draw).float()
    logits[::5] *= 1000
    return logits.softmax(1), torch.randint(CLASSES, (samples,), generator=draw)


def parts(scores: Tensor, labels: Tensor, batch: int) -> list[LazyDataSamples]:
    sources = [DataSample()] * len(labels)
    return [
        LazyDataSamples(label, sources[: len(label)]).predicted(score)
        for score, label in zip(scores.split(batch), labels.split(batch), strict=True)
    ]


@pytest.mark.parametrize(
    'options',
    [
        dict(),
        dict(topk=1, thrs=None),
        dict(topk=(1, 3, 6), thrs=(0.0, 0.3, None)),
        dict(topk=(5, 2), prefix='other'),
    ],
)
@pytest.mark.parametrize('samples', [1, 97, 300])
def test_names_and_numbers_are_mmpretrain_s(options: dict, samples: int):
    """All digits of them, also where scores are equal."""
    scores, labels = predictions(samples)
    whole = BatchEvaluator.like(Evaluator([Accuracy(**options)]))
    assert type(whole.metrics[0]) is BatchAccuracy
    expected = Evaluator([Accuracy(**options)])
    for batch in parts(scores, labels, 32):
        expected.process(list(batch))
    expected = expected.evaluate(samples)
    for _ in range(2):  # the first time leaves nothing behind
        for batch in parts(scores, labels, 32):
            whole.process(batch)
            assert batch.untouched
        assert whole.evaluate(samples) == expected
        for name, value in expected.items():
            score = whole.metrics[0].sample_scores(name.split('/')[1])
            assert len(score) == samples
            assert score.mean().item() == pytest.approx(value)


def test_other_metrics_get_their_samples():
    class Count(Accuracy):
        default_prefix = 'count'

    scores, labels = predictions(40)
    both = BatchEvaluator.like(Evaluator([Accuracy(), Count()]))
    for batch in parts(scores, labels, 16):
        both.process(batch)
    metrics = both.evaluate(40)
    assert metrics['accuracy/top1'] == metrics['count/top1']


def test_samples_one_by_one_as_before():
    scores, labels = predictions(40)
    metrics = [Evaluator([kind()]) for kind in (Accuracy, BatchAccuracy)]
    for metric in metrics:
        for batch in parts(scores, labels, 16):
            metric.process(list(batch))
    one, other = (metric.evaluate(40) for metric in metrics)
    assert one == other
    whole = BatchAccuracy()
    for score, label in zip(scores.split(16), labels.split(16), strict=True):
        whole.process_batch(score, label)
    whole.evaluate(40)
    assert torch.equal(metrics[1].metrics[0].sample_scores('top1'), whole.sample_scores('top1'))


@pytest.mark.parametrize('changed', [(0,), (1,), (0, 1, 2)])
@pytest.mark.parametrize('kind', [Accuracy, MeanLogProbability])
def test_predictions_that_are_changed_after_the_head(kind: type, changed: tuple[int, ...]):
    """As in a predict() of one's own, in some batches or in all: they count, not the head's."""
    scores, labels = predictions(40)

    def batches() -> list[LazyDataSamples]:
        made = parts(scores, labels, 16)
        for batch in (made[number] for number in changed):
            for sample in batch:
                other = sample.pred_score.roll(1) / 2 + 0.1
                sample.set_pred_score(other).set_pred_label(other.argmax(dim=0, keepdim=True))
        return made

    expected, found = Evaluator([kind()]), BatchEvaluator.like(Evaluator([kind()]))
    unchanged = Evaluator([kind()])
    for batch in batches():
        expected.process(list(batch))
        found.process(batch)
    for batch in parts(scores, labels, 16):
        unchanged.process(list(batch))
    metrics = found.evaluate(40)
    assert metrics == expected.evaluate(40)
    assert metrics != unchanged.evaluate(40)


def test_samples_with_a_predicted_class_alone():
    scores, labels = predictions(40)
    samples = [
        dict(pred_label=score.argmax(0, keepdim=True), gt_label=label[None])
        for score, label in zip(scores, labels, strict=True)
    ]
    metrics = []
    for kind in (Accuracy, BatchAccuracy):
        metric = kind()
        for start in range(0, 40, 16):
            metric.process({}, samples[start : start + 16])
        metrics.append(metric.evaluate(40))
    assert metrics[0] == metrics[1]
    right = (scores.argmax(1) == labels) * 100.0
    assert torch.equal(metric.sample_scores('top1'), right)


def test_more_than_there_are_classes():
    metric = BatchAccuracy(topk=(1, 7))
    with pytest.raises(ValueError, match=r'Top-7 accuracy is unavailable.*is 6\. .*val_evaluator'):
        metric.process_batch(*predictions(4))


def evaluate_a_part(rank: int, world: int, port: int, results, kind: type, options: dict) -> None:
    """Samples rank, rank + world, ..., the first ones again at the end, as a sampler deals out."""
    torch.distributed.init_process_group(
        'gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=world
    )
    scores, labels = predictions(11)
    padded = [*range(11), 0][rank::world]
    metrics = BatchEvaluator.like(Evaluator([kind(**options)]))
    for batch in parts(scores[padded], labels[padded], 4):
        metrics.process(batch)
    results.put((rank, metrics.evaluate(11)))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def evaluate_on_two_processes(kind: type, **options) -> list[dict[str, float]]:
    """What both processes get of ``predictions(11)``; in a directory that mmengine may write to."""
    context = multiprocessing.get_context('spawn')
    results, port = context.Queue(), free_port()
    processes = [
        context.Process(target=evaluate_a_part, args=(rank, 2, port, results, kind, options))
        for rank in range(2)
    ]
    for process in processes:
        process.start()
    found = [results.get(timeout=120)[1] for _ in processes]
    for process in processes:
        process.join()
    return found


def test_two_processes_count_each_sample_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # mmengine collects through files
    expected = Evaluator([Accuracy(topk=(1, 2))])
    expected.process(list(parts(*predictions(11), 11)[0]))
    found = evaluate_on_two_processes(Accuracy, topk=(1, 2))
    assert found == [expected.evaluate(11)] * 2


def test_a_field_that_a_metric_reads_and_nobody_sets():
    """An embedder scored by accuracy; samples without labels."""
    evaluator = BatchEvaluator.like(Evaluator([Accuracy()]))
    for sample, field in (
        (DataSample(feature=torch.ones(2)), 'pred_label'),
        (DataSample(pred_score=torch.ones(2)), 'gt_label'),
    ):
        with pytest.raises(ValueError, match=rf"Accuracy needs '{field}' of each data sample") as e:
            evaluator.process([sample])
        assert str(list(sample.keys())) in str(e.value)
