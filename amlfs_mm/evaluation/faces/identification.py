"""Face identification by MegaFace's protocol (Kemelmacher-Shlizerman et al., CVPR 2016).

A probe is searched for in a gallery of distractors and one other image of its person, the mate.
Every ordered pair of images of a person is scored in this way. Other images of the person never
compete.

    rank-k = sum over pairs (i, j) of [s(x_i, x_j) > k-th largest of s(x_i, d)] / number of pairs

where s is the cosine. The devkit takes the Euclidean distance of unit features, which ranks alike.
An equally similar distractor comes before the mate, so a collapsed model scores 0.

Distractors are scanned in float32. The few nearest of a probe are compared with its mates in
float64. There, equal features tie in whatever order a matrix product sums.

Shapes: N probes, G gallery images, M distractors, D numbers a feature, K the largest rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..common import check_ranks

ROUNDING = 1e-5  # cosines in float32 are exact to less than this
TIE = 1e-12  # cosines in float64 that differ by less are equal


@torch.no_grad()
def identification_rate(
    probe_features: np.ndarray | Tensor,
    probe_ids: Sequence,
    distractors: np.ndarray | Tensor | Iterable[np.ndarray | Tensor],
    ranks: Sequence[int] = (1,),
    block_elements: int = 1 << 24,
) -> dict[str, float]:
    """Rank-k rates of probes among distractors, in percent, by MegaFace's protocol.

    Memory does not grow with the distractors: they are scanned once, in blocks.

    Args:
        probe_features: (N, D), an array or a tensor on any device, of any length (the cosine).
        probe_ids: (N,) persons, numbers or names. A person's only image makes no pair.
        distractors: (M, D), which may be a memory map, or an iterable of chunks (m, D) of any size.
        ranks: Each k: fewer than k distractors are as similar as the mate.
        block_elements: Similarities in memory at a time. It does not change the result.

    Returns:
        ``rank<k>`` for each of ``ranks``.

    Raises:
        ValueError: A shape does not fit, a feature is not finite, no person has two images, there
            is no distractor, or a rank is below 1.
    """
    check_ranks(ranks)
    probes = _features('probe_features', probe_features)
    (ids,) = _ids(probe_ids=(probe_ids, len(probes)))
    images = np.bincount(ids)
    pairs = int((images * (images - 1)).sum())
    if not pairs:
        raise ValueError(
            f'none of the {len(probes)} probes shares its identity with another: MegaFace needs '
            'two images of a person, one as probe, one as mate'
        )
    blocks = _blocks(distractors, probes, block_elements)
    nearest = _nearest_distractors(probes, blocks, max(ranks, default=1))
    hits = torch.zeros(len(ranks), dtype=torch.int64, device=probes.device)
    by_person = torch.from_numpy(np.argsort(ids, kind='stable')).to(probes.device)
    for own in by_person.split(images.tolist()):
        if len(own) > 1:
            unit = F.normalize(probes[own].double())
            other = ~torch.eye(len(own), dtype=torch.bool, device=probes.device)
            _add_hits(hits, unit @ unit.T, other, nearest[own], ranks)
    return _percent(hits, pairs, ranks)


@torch.no_grad()
def gallery_identification_rate(
    probe_features: np.ndarray | Tensor,
    probe_ids: Sequence,
    gallery_features: np.ndarray | Tensor,
    gallery_ids: Sequence,
    ranks: Sequence[int] = (1,),
    block_elements: int = 1 << 24,
) -> dict[str, float]:
    """Rank-k rates where other people's gallery images are the distractors, in percent.

    This is MegaFace's rule for held-out identities without a distractor set. Each gallery image of
    a probe's person is its mate in turn, among the gallery images of all other persons. With one
    gallery image a person it is the usual closed-set identification rate.

    Args:
        probe_features: (N, D), an array or a tensor on any device, of any length (the cosine).
        probe_ids: (N,) persons, numbers or names. Who is not in the gallery makes no pair.
        gallery_features: (G, D).
        gallery_ids: (G,).
        ranks: As in :func:`identification_rate`.
        block_elements: As in :func:`identification_rate`.

    Returns:
        ``rank<k>`` for each of ``ranks``.

    Raises:
        ValueError: A shape does not fit, a feature is not finite, no probe has a mate, the gallery
            shows only one person, or a rank is below 1.
    """
    check_ranks(ranks)
    probes = _features('probe_features', probe_features)
    gallery = _features('gallery_features', gallery_features, probes)
    of_probes, of_gallery = _ids(
        probe_ids=(probe_ids, len(probes)), gallery_ids=(gallery_ids, len(gallery))
    )
    if not np.isin(of_probes, of_gallery).any():
        raise ValueError(
            f'none of the {len(probes)} probes has an image of its identity among the '
            f'{len(gallery)} of the gallery: are both of the same split?'
        )
    if (of_gallery == of_gallery[0]).all():
        raise ValueError(
            f'all {len(gallery)} gallery images are of one person: there is no distractor'
        )
    persons, of_mate = (
        torch.from_numpy(part).to(probes.device) for part in (of_probes, of_gallery)
    )
    gallery = F.normalize(gallery.double())
    rows = max(1, block_elements // (2 * len(gallery)))  # of float64
    k = max(ranks, default=1)
    hits = torch.zeros(len(ranks), dtype=torch.int64, device=probes.device)
    for start in range(0, len(probes), rows):
        part = slice(start, start + rows)
        similarity = F.normalize(probes[part].double()) @ gallery.T
        mates = persons[part, None] == of_mate
        distractors = similarity.masked_fill(mates, -torch.inf)
        nearest = distractors.topk(min(k, len(gallery)), dim=1).values
        # Where there are fewer distractors than k, every mate is among the first k.
        nearest = F.pad(nearest, (0, k - nearest.shape[1]), value=-torch.inf)
        _add_hits(hits, similarity, mates, nearest, ranks)
    images = np.bincount(of_gallery, minlength=of_probes.max() + 1)  # of each person
    return _percent(hits, int(images[of_probes].sum()), ranks)


def _nearest_distractors(probes: Tensor, blocks: Iterator[Tensor], k: int) -> Tensor:
    """The k largest cosines (N, k) of each probe to a distractor, in float64, descending."""
    unit = F.normalize(probes.float())
    nearest = probes.new_full((len(probes), k), -torch.inf, dtype=torch.float64)
    buffer = unit.new_empty(0)
    for block in blocks:
        # One buffer for all blocks: new memory would cost a tenth of the product's time.
        if buffer.numel() < len(unit) * len(block):
            buffer = unit.new_empty(len(unit) * len(block))
        similarity = buffer[: len(unit) * len(block)].view(len(unit), len(block))
        torch.mm(unit, F.normalize(block.float()).T, out=similarity)
        # After some blocks, few probes find a nearer distractor than those they have.
        rows = (similarity.amax(1) > nearest[:, -1] - ROUNDING).nonzero().squeeze(1)
        improved = similarity.index_select(0, rows)
        columns = improved.topk(min(k, len(block)), dim=1).indices
        found = [_cosine(probes[rows], block[column]) for column in columns.T]
        together = torch.cat([nearest[rows], torch.stack(found, 1)], dim=1)
        nearest[rows] = together.topk(k, dim=1).values
    return nearest


def _blocks(
    distractors: np.ndarray | Tensor | Iterable[np.ndarray | Tensor],
    probes: Tensor,
    block_elements: int,
) -> Iterator[Tensor]:
    """The distractors on the probes' device in blocks (m, D), N m at most ``block_elements``."""
    size = max(1, block_elements // len(probes))
    count = 0
    chunks: Iterable[Any] = [distractors] if hasattr(distractors, 'shape') else distractors
    for chunk in chunks:
        for start in range(0, len(chunk), size):
            part = chunk[start : start + size]
            if isinstance(part, np.ndarray) and not part.flags.writeable:
                part = part.copy()  # of a memory map: torch takes no read-only memory
            block = _features('distractors', part, probes, first=count)
            count += len(block)
            yield block
    if not count:
        raise ValueError('there is no distractor: give an array (M, D) or chunks of it')


def _add_hits(
    hits: Tensor, similarity: Tensor, mates: Tensor, nearest: Tensor, ranks: Sequence[int]
) -> None:
    """Count mates (N, G) nearer than the k-th nearest distractor (N, K), for each k of ``ranks``.

    The counts stay on the device: the host would wait for each of them.
    """
    mate_similarity = torch.where(mates, similarity - TIE, -torch.inf)
    for number, rank in enumerate(ranks):
        hits[number] += (mate_similarity > nearest[:, rank - 1, None]).sum()


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    """Row by row (N,), in float64."""
    return (F.normalize(one.double()) * F.normalize(other.double())).sum(1)


def _percent(hits: Tensor, pairs: int, ranks: Sequence[int]) -> dict[str, float]:
    return {
        f'rank{rank}': 100 * count / pairs for rank, count in zip(ranks, hits.tolist(), strict=True)
    }


def _features(
    name: str, features: np.ndarray | Tensor, like: Tensor | None = None, first: int = 0
) -> Tensor:
    """Checked features (N, D), with the device and the length D of ``like``.

    ``first`` is the number of the first row in messages.
    """
    features = torch.as_tensor(features, device=None if like is None else like.device)
    wanted = 'D' if like is None else like.shape[1]
    if features.ndim != 2 or (like is not None and features.shape[1] != wanted):
        raise ValueError(f'{name} must be (images, {wanted}), got shape {tuple(features.shape)}')
    if like is None and 0 in features.shape:
        raise ValueError(f'{name} has shape {tuple(features.shape)}: there is nothing to compare')
    # If a number is not finite, the sum is not: one quick look at each block.
    if not torch.isfinite(features.sum()) and not torch.isfinite(features).all():
        row = first + int((~torch.isfinite(features)).any(1).nonzero()[0])
        raise ValueError(f'{name} are not finite, first in row {row}')
    return features


def _ids(**named: tuple[Sequence, int]) -> list[np.ndarray]:
    """The persons of each sequence as numbers from 0; the same person has the same number in all.

    Args:
        named: The sequence and its right length by name.
    """
    parts = {}
    for name, (ids, length) in named.items():
        parts[name] = np.asarray(ids.cpu() if isinstance(ids, Tensor) else ids)
        if parts[name].shape != (length,):
            raise ValueError(
                f'{name} has shape {parts[name].shape}, but there are {length} features'
            )
    numbers = np.unique(np.concatenate(list(parts.values())), return_inverse=True)[1]
    return np.split(numbers, np.cumsum([length for _, length in named.values()])[:-1])
