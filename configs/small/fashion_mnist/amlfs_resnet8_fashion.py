# AM-LFS on a subset of Fashion-MNIST, 20 % of the training labels wrong, short schedule, B = 4.
#   tools/dist_train.sh configs/small/fashion_mnist/amlfs_resnet8_fashion.py 2
# Cost: 4 x the baseline's compute.
# Expected: no number yet.
_base_ = ['./baseline_resnet8_fashion.py', '../../_base_/search/amlfs.py']
loss_search = dict(num_candidates=4, replicas_per_candidate=1)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
