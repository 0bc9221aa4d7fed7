# Not in the paper. AM-LFS for today's face models: baseline_arcface_iresnet50_ms1mv3.py with B = 8
# candidates of 8 GPUs. The search starts at the baseline's loss.
#   NNODES=8 NODE_RANK=k MASTER_ADDR=... \
#       tools/dist_train.sh configs/extras/amlfs_iresnet50_ms1mv3.py 8 --amp
# Cost: 8 x the baseline's compute.
# Expected: no number; not run.
_base_ = ['./baseline_arcface_iresnet50_ms1mv3.py', '../_base_/search/amlfs_face.py']
loss_search = dict(num_candidates=8, replicas_per_candidate=8, mu_0=dict(name='arcface', m=0.5))
head = dict(type='amlfs_mm.AMLFSHead', num_classes=92497, in_channels=512, num_intervals=6)
model = dict(head=dict(_delete_=True, scale=64.0, sharded=True, **head))
