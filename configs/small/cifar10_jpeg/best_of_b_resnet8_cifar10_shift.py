# Control for amlfs_resnet8_cifar10_shift.py at the same compute: 4 copies of plain softmax in each
# epoch. They differ in their data order alone. The best on D_v goes on.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/cifar10_jpeg/best_of_b_resnet8_cifar10_shift.py 2
# Cost: that of amlfs_resnet8_cifar10_shift.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_cifar10_shift.py']
loss_search = dict(policy=dict(sigma=0.0))
