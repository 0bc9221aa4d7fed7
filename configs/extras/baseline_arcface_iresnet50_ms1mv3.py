# Not in the paper. ArcFace as insightface's arcface_torch trains it: IR-50, MS1MV3, s = 64, m =
# 0.5.
#   tools/dist_train.sh configs/extras/baseline_arcface_iresnet50_ms1mv3.py 8 --amp
# Cost: 20 epochs of about 5,000 iterations of batch 1,024 (8 x 128).
# Expected: no number; not run.
_base_ = [
    '../_base_/models/iresnet50.py',
    '../_base_/datasets/ms1mv3.py',
    '../_base_/schedules/ms1mv3_20e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(margin=dict(type='amlfs_mm.ArcFaceMargin', m=0.5)))
