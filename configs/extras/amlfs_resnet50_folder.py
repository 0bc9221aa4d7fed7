# Not in the paper. AM-LFS with ResNet-50 from ImageNet weights on any photos with one folder for
# each class.
#   DATA_ROOT=/path/to/data tools/dist_train.sh configs/extras/amlfs_resnet50_folder.py 8
# Cost: 8 x the baseline's compute.
# Expected: it depends on your images.
_base_ = ['./baseline_resnet50_folder.py', '../_base_/search/literal.py']
loss_search = dict(num_candidates=8, replicas_per_candidate=1)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
