# Control for amlfs_resnet8_fashion.py at the same compute: 4 copies of plain softmax in each epoch.
# They differ in their data order alone. The best on D_v goes on.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/fashion_mnist/best_of_b_resnet8_fashion.py 2
# Cost: that of amlfs_resnet8_fashion.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_fashion.py']
loss_search = dict(policy=dict(sigma=0.0))
