"""Features that a head cannot take are an error that names head, shape and cure."""

import pytest
import torch
from mmpretrain.models import LinearClsHead
from mmpretrain.models.necks import GlobalAveragePooling

from amlfs_mm.models import AMLFSHead, MGNHead, PerBranchMGNHead, SFTHead, SoftmaxHead
from amlfs_mm.models.heads.linear_head_features import check_features_of_linear_heads
from amlfs_mm.models.necks import MGNFeatures

HEADS = {
    'AMLFSHead': lambda **options: AMLFSHead(5, 8, **options),
    'SoftmaxHead': lambda **options: SoftmaxHead(5, 8, **options),
    'SFTHead': lambda: SFTHead(8, 3, 5, dict(type='amlfs_mm.SoftmaxHead')),
}
MGN = MGNFeatures([torch.ones(2, 8)] * 3, [torch.ones(2, 8)] * 3, [torch.ones(2, 8)] * 5)


@pytest.mark.parametrize('head', HEADS)
@pytest.mark.parametrize(
    ('feats', 'says'),
    [
        ((torch.ones(2, 8, 7, 7),), r'maps \(2, 8, 7, 7\): set neck=.*GlobalAveragePooling'),
        (torch.ones(2, 8, 7, 7), r'maps \(2, 8, 7, 7\): set neck=.*GlobalAveragePooling'),
        ([torch.ones(2, 8, 1, 1)], r'GlobalAveragePooling'),
        ((torch.ones(2, 6, 8),), r'shape \(2, 6, 8\): set a neck'),
        ((torch.ones(2, 12),), 'features of 12 numbers: set .*in_channels=12'),
        (MGN, 'gives a MGNFeatures: the features of MGNNeck are for head=.*MGNHead'),
        ([[torch.ones(2, 8)]], r'gives a list: set a neck whose output is a tensor \(N, D\)'),
        (dict(feature=torch.ones(2, 8)), r"gives a dict with the keys \['feature'\]: set a neck"),
        ((), r'gives a tuple.*: set a neck'),
        (None, 'gives a NoneType: set a neck'),
    ],
)
def test_what_is_not_a_vector_an_image(head, feats, says):
    made = HEADS[head]()
    for call in (lambda: made.pre_logits(feats), lambda: made(feats)):
        with pytest.raises(ValueError, match=rf'^{head}.*(neck|backbone).*{says}'):
            call()


@pytest.mark.parametrize('head', HEADS)
def test_the_last_of_a_tuple_or_list_counts(head):
    """As in mmpretrain's heads, whatever earlier stages are."""
    made, x = HEADS[head]().eval(), torch.randn(2, 8)
    early = torch.zeros(2, 3, 9, 9)
    pooled = GlobalAveragePooling()((early, x[..., None, None]))
    for feats in ((early, x), [early, x], (x,), pooled):
        torch.testing.assert_close(made(feats), made((x,)))


@pytest.mark.parametrize('kind', [MGNHead, PerBranchMGNHead])
def test_mgn_needs_its_neck(kind):
    classifier = dict(type='amlfs_mm.AMLFSHead')
    head = kind(5, classifier=classifier, in_channels=8, reduced_channels=8)
    with pytest.raises(ValueError, match=r'needs the features of neck=.*MGNNeck.*shape \(2, 8\)'):
        head(torch.ones(2, 8))
    with pytest.raises(ValueError, match=r'a tuple of shapes \[\(2, 8\)\]'):
        head.pre_logits((torch.ones(2, 8),))
    with pytest.raises(ValueError, match=r'8 classifiers.* 3 whole maps and 1 stripes.*_stripes=1'):
        head(MGN._replace(stripes=MGN.stripes[:1]))
    assert len(head(MGN)) == 8


def test_sft_trains_on_no_single_image():
    """Its two rows, x and T x, are the same: batch norm would make them zero without a word."""
    head = HEADS['SFTHead']()
    with pytest.raises(ValueError, match=r'^SFTHead has batch norm.*one image: set drop_last=True'):
        head.loss((torch.randn(1, 8),), [])
    assert head.eval()((torch.randn(1, 8),)).shape == (1, 5)


def linear(in_channels: int = 8) -> LinearClsHead:
    head = LinearClsHead(5, in_channels)
    check_features_of_linear_heads(torch.nn.Sequential(head))
    return head.eval()


@pytest.mark.parametrize(
    ('feats', 'says'),
    [
        ((torch.ones(2, 8, 7, 7),), r'maps \(2, 8, 7, 7\): set neck=.*GlobalAveragePooling'),
        ((torch.ones(2, 12),), 'features of 12 numbers: set .*in_channels=12'),
        (dict(feature=torch.ones(2, 8)), r"gives a dict with the keys \['feature'\]: set a neck"),
        (None, 'gives a NoneType: set a neck'),
    ],
)
def test_mmpretrains_linear_head_says_the_same(feats, says):
    with pytest.raises(ValueError, match=rf'^LinearClsHead.*(neck|backbone).*{says}'):
        linear()(feats)


def test_a_tensor_is_a_tuple_of_one_to_a_linear_head():
    """mmpretrain takes the last image alone."""
    head, x = linear(), torch.randn(3, 8)
    torch.testing.assert_close(head(x), x @ head.fc.weight.T + head.fc.bias)
    torch.testing.assert_close(head(x), head((x,)))
