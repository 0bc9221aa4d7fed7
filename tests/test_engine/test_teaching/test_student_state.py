"""What a teacher is told of its student."""

import torch
from sklearn.metrics import precision_score

from amlfs_mm.engine.teaching.student_state import DevScores, StudentState, dev_scores


def test_scores_are_scikit_learns():
    torch.manual_seed(0)
    logits, target = torch.randn(40, 5), torch.randint(5, (40,))
    logits[:, 3] = -100.0  # a class that no image is given
    scores = dev_scores([(logits[:30], target[:30]), (logits[30:], target[30:])])
    guess = logits.argmax(1)
    wanted = precision_score(target, guess, labels=range(5), average=None, zero_division=0.0)
    torch.testing.assert_close(
        scores.precision.double(), torch.from_numpy(wanted), rtol=1e-6, atol=0
    )
    assert scores.precision[3] == 0
    assert scores.accuracy.item() == (guess == target).float().mean().item()


def test_the_vector_has_the_best_accuracy_so_far():
    state = StudentState(2, torch.device('cpu'))
    for accuracy in (0.5, 0.75, 0.25):
        precision = torch.tensor([accuracy, 1.0])
        state.update(torch.tensor(0.125), DevScores(torch.tensor(accuracy), precision))
    found = state.vector(0.5)
    assert len(found) == StudentState.length(2)
    assert found.tolist() == [0.5, 0.125, 0.25, 0.75, 0.25, 1.0]
