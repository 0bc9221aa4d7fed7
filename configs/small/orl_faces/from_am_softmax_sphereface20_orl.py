# The search of amlfs_sphereface20_orl.py, started at AM-softmax with m = 0.35.
#   DATA_ROOT=... tools/dist_train.sh configs/small/orl_faces/from_am_softmax_sphereface20_orl.py 2
# Cost: that of amlfs_sphereface20_orl.py.
# Expected: no number yet.
_base_ = ['./amlfs_sphereface20_orl.py']
loss_search = dict(mu_0=dict(name='am_softmax', m=0.35))
