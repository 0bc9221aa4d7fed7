# Ablation of amlfs_resnet8_drawn.py: the constant floor of tau, 0.01, not the relative one.
#   NUM_CLASSES=500 \
#       tools/dist_train.sh configs/small/drawn_classes/amlfs_resnet8_drawn_constant_floor.py 2
# Cost: that of amlfs_resnet8_drawn.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_drawn.py']
model = dict(head=dict(tau_floor='constant'))
