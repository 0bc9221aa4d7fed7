# Ablation of amlfs_resnet8_icons_ceiling.py: one of the 4 candidates is a run without a search. The
# better one of both on D_v is kept.
#   DATA_ROOT=... tools/dist_train.sh configs/small/icons/amlfs_resnet8_icons_control.py 2
# Cost: that of amlfs_resnet8_icons.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_icons_ceiling.py']
loss_search = dict(control=True)
