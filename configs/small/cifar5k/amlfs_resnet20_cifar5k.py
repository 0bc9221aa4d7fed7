# AM-LFS on a few thousand CIFAR-10 images in folders, 16 x 16, short schedule, B = 4.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       tools/dist_train.sh configs/small/cifar5k/amlfs_resnet20_cifar5k.py 2
# Cost: 4 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_resnet20_cifar5k.py', '../../_base_/search/literal.py']
loss_search = dict(num_candidates=4, replicas_per_candidate=1)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
