# Ablation of amlfs_resnet8_drawn.py: the constant floor of tau, 0.01, not the relative one.
#   NUM_CLASSES=500 \
#       tools/dist_train.sh configs/small/drawn_classes/amlfs_resnet8_drawn_constant_floor.py 2
# Cost: that of amlfs_resnet8_drawn.py.
# Expected: 15.00 +- 12.49 % top-1 accuracy, 3 seeds, 500 classes (docs/benchmarks.md).
_base_ = ['./amlfs_resnet8_drawn.py']
model = dict(head=dict(tau_floor='constant'))
