# The search of recommended_resnet8_cifar10.py, started at -log(p + 0.5). Its control trains this
# loss.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       tools/dist_train.sh configs/small/cifar10_jpeg/from_robust_resnet8_cifar10.py 2
# Cost: that of recommended_resnet8_cifar10.py.
# Expected: no number yet.
_base_ = ['./recommended_resnet8_cifar10.py']
loss_search = dict(mu_0=dict(name='robust', b=0.5))
