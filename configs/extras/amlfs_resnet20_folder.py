# AM-LFS with ResNet-20 on any images of one folder a class.
#   DATA_ROOT=/path/to/data tools/dist_train.sh configs/extras/amlfs_resnet20_folder.py 2
# Cost: 8 x the baseline's compute.
_base_ = ['./baseline_resnet20_folder.py', '../_base_/search/amlfs.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 8
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
