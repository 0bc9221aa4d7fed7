# Control for amlfs_resnet20_cifar5k.py at the same compute: 4 copies of plain softmax in each
# epoch. They differ in their data order alone. The best on D_v goes on.
#   DATA_ROOT=... LABEL_NOISE=0.2 \
#       tools/dist_train.sh configs/small/cifar5k/best_of_b_resnet20_cifar5k.py 2
# Cost: that of amlfs_resnet20_cifar5k.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet20_cifar5k.py']
loss_search = dict(policy=dict(sigma=0.0))
