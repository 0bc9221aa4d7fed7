# AM-LFS on 6,000 images of CIFAR-10, shifted and mirrored, B = 4.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/cifar10_jpeg/amlfs_resnet8_cifar10_shift.py 2
# Cost: 4 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_cifar10_shift.py', '../../_base_/search/literal.py']
loss_search = dict(num_candidates=4, replicas_per_candidate=1)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
